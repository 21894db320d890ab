import { describe, expect, it } from "vitest";
import { normaliseAddress } from "../../../../../bindings/node/broker/client-info.ts";

describe("normaliseAddress", () => {
  it("unwraps IPv4 and drops interface names", () => {
    expect(normaliseAddress("::ffff:10.0.0.1")).toBe("10.0.0.1");
    expect(normaliseAddress("::FFFF:10.0.0.1")).toBe("10.0.0.1");
    expect(normaliseAddress("fe80::1%eth0")).toBe("fe80::1");
  });

  it("leaves other addresses alone", () => {
    expect(normaliseAddress("10.0.0.1")).toBe("10.0.0.1");
    expect(normaliseAddress("::1")).toBe("::1");
    expect(normaliseAddress("::ffff:a00:1")).toBe("::ffff:a00:1");
    expect(normaliseAddress(undefined)).toBeUndefined();
  });
});
