import { describe, expect, it } from "vitest";
import { tenantOf } from "../../src/tenant.ts";

describe("the tenant of a client", () => {
  it("is its attribute `tns`, text or bytes", () => {
    expect(tenantOf({ other: "x", tns: "t1" })).toBe("t1");
    const bytes = Uint8Array.of(0xff);
    expect(tenantOf({ tns: bytes })).toBe(bytes);
  });

  it("is the last of several", () => {
    const attrs = [
      ["tns", "first"],
      ["tns", "last"],
      ["other", "x"],
    ] as const;
    expect(tenantOf(attrs)).toBe("last");
  });

  it.each([
    ["no attributes", undefined],
    ["none that can be had", null],
    ["others", { TNS: "t1", tns_: "t1" }],
    ["others in a list", [["TNS", "t1"] as const]],
    ["an empty one", { tns: "" }],
    ["an empty one as bytes", { tns: new Uint8Array() }],
    ["one that is no text", { tns: 7 }],
    ["one that is inherited", Object.create({ tns: "t1" })],
  ])("is none with %s", (_, attrs) => {
    expect(tenantOf(attrs)).toBeUndefined();
  });
});
