import { describe, expect, it } from "vitest";
import { returnCodeFor, subackCodeFor } from "../../../../../bindings/node/broker/reason-codes.ts";

describe("returnCodeFor", () => {
  const table: [number, number][] = [
    [0x80, 1],
    [0x81, 1],
    [0x82, 1],
    [0x83, 1],
    [0x84, 1],
    [0x85, 2],
    [0x86, 4],
    [0x87, 5],
    [0x88, 3],
    [0x89, 3],
    [0x8a, 5],
    [0x8b, 3],
    [0x8c, 5],
    [0x90, 3],
    [0x97, 3],
    [0x9c, 3],
    [0x9d, 3],
    [0x9f, 3],
  ];
  it("knows the reference's table in both modes", () => {
    for (const [reason, expected] of table) {
      expect(returnCodeFor(reason, true)).toBe(expected);
      expect(returnCodeFor(reason, false)).toBe(expected);
    }
  });

  it("has an answer for every other code, unless the reference's silence is wanted", () => {
    const known = new Set(table.map(([reason]) => reason));
    for (let reason = 0x80; reason <= 0xff; reason++) {
      if (known.has(reason)) continue;
      const isUnavailable = [0x95, 0x9a, 0x9b].includes(reason);
      expect(returnCodeFor(reason, true)).toBe(isUnavailable ? 3 : 5);
      expect(returnCodeFor(reason, false)).toBeUndefined();
    }
  });
});

describe("subackCodeFor", () => {
  it("keeps grants, and folds refusals before MQTT 5", () => {
    expect([0, 1, 2].map((qos) => subackCodeFor(qos, 4))).toEqual([0, 1, 2]);
    expect([0x87, 0x9e].map((code) => subackCodeFor(code, 4))).toEqual([0x80, 0x80]);
    expect([0x87, 0x9e].map((code) => subackCodeFor(code, 5))).toEqual([0x87, 0x9e]);
  });
});
