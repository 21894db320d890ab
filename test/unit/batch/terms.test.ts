import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTerm, encodeTerm, TermError } from "../../../src/batch/terms.ts";
import { shortestFloat } from "../../../src/core/host/numbers.ts";
import { parseJson } from "../../../src/json/parse.ts";

describe("terms", () => {
  it.each([
    ["text", "text"],
    ["é😀", "é😀"],
    [{ $b64: "/w==" }, { $b64: "/w==" }],
    [{ $b64: "YQ==" }, "a"],
    [1, 1],
    [-0, 0],
    [9007199254740991, 9007199254740991],
    [{ $int: "9007199254740993" }, { $int: "9007199254740993" }],
    [{ $int: "-12345678901234567890123" }, { $int: "-12345678901234567890123" }],
    [1.5, { $float: "1.5" }],
    [{ $float: "1.50" }, { $float: "1.5" }],
    [{ $float: "-0.0" }, { $float: "-0.0" }],
    [true, true],
    [null, null],
    [{ $atom: "default" }, { $atom: "default" }],
    [{ $atom: "undefined" }, { $atom: "undefined" }],
    [{ $atom: "false" }, false],
    [{ $tuple: [1, 2] }, { $tuple: [1, 2] }],
    [
      [1, ["a"], {}],
      [1, ["a"], {}],
    ],
    [
      { b: { $float: "1.0" }, a: 1 },
      { a: 1, b: { $float: "1.0" } },
    ],
    [{ $other: 1 }, { $other: 1 }],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
  ])("reads %j and writes %j", (term, written) => {
    expect(JSON.stringify(encodeTerm(decodeTerm(term)))).toBe(JSON.stringify(written));
  });

  it.each([
    [{ $b64: "!" }],
    [{ $b64: 1 }],
    [{ $int: "1.0" }],
    [{ $int: 1 }],
    [{ $float: "x" }],
    [{ $float: "" }],
    [{ $atom: 1 }],
    [{ $tuple: 1 }],
    [undefined],
  ])("refuses %j", (term) => {
    expect(() => decodeTerm(term)).toThrow(TermError);
  });

  it("keeps integers and floats of JSON text apart", () => {
    const reading = parseJson("[1,1.0,1e2,12345678901234567890]");
    expect(reading.ok && encodeTerm(decodeTerm(reading.value))).toEqual([
      1,
      { $float: "1.0" },
      { $float: "100.0" },
      { $int: "12345678901234567890" },
    ]);
  });

  it.each([
    [0, "0.0"],
    [-0, "-0.0"],
    [1, "1.0"],
    [100, "100.0"],
    [1000, "1.0e3"],
    [123456, "123456.0"],
    [123456.789, "123456.789"],
    [0.001, "0.001"],
    [1e-5, "1.0e-5"],
    [1e22, "1.0e22"],
    [5e-324, "5.0e-324"],
    [1.7976931348623157e308, "1.7976931348623157e308"],
    [9007199254740991, "9007199254740991.0"],
    [9007199254740992, "9.007199254740992e15"],
    [0.30000000000000004, "0.30000000000000004"],
    [4.9e-11, "4.9e-11"],
    [1750000010, "1750000010.0"],
    [31415.9, "31415.9"],
  ])("writes the float %d as %s", (value, text) => {
    expect(shortestFloat(value)).toBe(text);
  });

  it("writes floats that read back as themselves", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(shortestFloat(value))).toBe(value);
      }),
    );
  });
});
