import { describe, expect, it } from "vitest";
import { decodeTerm } from "../../../src/batch/terms.ts";
import { valueToJson, valueToText } from "../../../src/template/value-text.ts";

const textOf = (term: unknown) => {
  const text = valueToText(decodeTerm(term));
  return text instanceof Uint8Array ? new TextDecoder().decode(text) : text;
};

describe("valueToText", () => {
  it.each([
    ["a", "a"],
    [5, "5"],
    [{ $int: "12345678901234567890123" }, "12345678901234567890123"],
    [{ $float: "1.50" }, "1.5"],
    [true, "true"],
    [null, "null"],
    [{ $atom: "undefined" }, "undefined"],
    [{ $atom: "default" }, "default"],
    [[], ""],
    [[104, 105], "hi"],
    [[233, 26085, 128512], "é日😀"],
    [[10], "\n"],
    [[7], "[7]"],
    [[127], "[127]"],
    [[0xd800], "[55296]"],
    [[0xffff], "[65535]"],
    [[0x110000], "[1114112]"],
    [[104, "i"], '[104,"i"]'],
    [["a", { $float: "2.50" }, null, { k: "v" }], '["a",2.5,null,{"k":"v"}]'],
    [{}, "{}"],
    [{ $tuple: [] }, undefined],
    [[1, { $tuple: [] }], undefined],
    [{ a: { $tuple: [] } }, undefined],
  ])("%j", (term, expected) => {
    expect(textOf(term)).toBe(expected);
  });

  it("leaves bytes as they are", () => {
    expect(valueToText(decodeTerm({ $b64: "/w==" }))).toEqual(Uint8Array.of(0xff));
  });
});

describe("valueToJson", () => {
  it.each([
    [
      'a"\\/\b\f\n\r\t\u0001\u001f\u007f\u2028é',
      '"a\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\u007f\u2028é"',
    ],
    ["\\u001f", '"\\\\u001f"'],
    [{ $b64: "Yf9i" }, '"a\u{fffd}b"'],
    [{ $float: "1.0e22" }, "1e+22"],
    [{ $float: "1.0e-7" }, "1e-7"],
    [{ $float: "100.0" }, "100.0"],
    [{ $float: "-0.0" }, "-0.0"],
    [{ $atom: "undefined" }, '"undefined"'],
    [[104, 105], "[104,105]"],
    [{ a: 1, b: 2, aa: 3 }, '{"b":2,"aa":3,"a":1}'],
  ])("%j", (term, expected) => {
    expect(valueToJson(decodeTerm(term))).toBe(expected);
  });
});

describe("floats", () => {
  it.each([
    [1.5, "1.5"],
    [100, "100.0"],
    [31415.92653589793, "31415.9265358979"],
    [0.93940494025, "0.9394049403"],
    [4.9e-11, "0.0"],
    [5e-11, "0.0000000001"],
    [-1e-20, "-0.0"],
    [-0, "-0.0"],
    [0.99999999999, "1.0"],
    [1e22, "10000000000000000000000.0"],
    [-2.25, "-2.25"],
  ])("%d is %s", (value, expected) => {
    expect(valueToText({ type: "float", value })).toBe(expected);
  });
});
