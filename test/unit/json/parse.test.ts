import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../../src/json/parse.ts";
import {
  isJsonObject,
  JsonFloat,
  member,
  parseJson,
  parseJsonFirstWins,
} from "../../../src/json/parse.ts";
import { stringifyJson } from "../../../src/json/stringify.ts";

function readValue(text: string): JsonValue | undefined {
  const reading = parseJson(text);
  return reading.ok ? reading.value : undefined;
}

describe("reading JSON", () => {
  it("agrees with JSON.parse where nothing can be lost, and in what is no JSON", () => {
    fc.assert(
      fc.property(fc.json(), fc.string({ maxLength: 3 }), (json, junk) => {
        const text = json.slice(0, 40) + junk + json.slice(40);
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(parseJson(text, false).ok).toBe(false);
          return;
        }
        const reading = parseJson(text, false);
        if (!reading.ok) {
          // Stricter than JSON.parse in two things only.
          expect(reading.problem).toMatch(/surrogate|too large/);
          return;
        }
        // Without the sign of a zero, as in `-5e-3240`.
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        expect(plain(JSON.parse(stringifyJson(reading.value)))).toEqual(plain(expected));
      }),
      { examples: [["-5e-324", "0"]] },
    );
  });

  it("gives the same value whether or not it takes the short cut", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(parseJson(text, false));
      }),
      { examples: [["{}"], ["[]"], ['"a"']] },
    );
    expect(readValue('{"a":[1,{"b":null}]}')).toEqual({ a: [1, { b: null }] });
  });

  it("tells floats from integers and keeps every digit", () => {
    expect(readValue("1")).toBe(1);
    expect(readValue("1.0")).toEqual(new JsonFloat(1, "1.0"));
    expect(readValue("1e2")).toEqual(new JsonFloat(100, "1e2"));
    expect(readValue("[1E2]")).toEqual([new JsonFloat(100, "1E2")]);
    expect(readValue("9007199254740991")).toBe(9007199254740991);
    expect(readValue("9007199254740992")).toBe(9007199254740992n);
    expect(readValue("99999999999999999999")).toBe(99999999999999999999n);
    expect(readValue("-0")).toBe(0);
    expect(readValue('"1.5"')).toBe("1.5");
  });

  it("refuses numbers too large for a double", () => {
    expect(readValue("1E400")).toBeUndefined();
    expect(readValue('{"a":-1e999}')).toBeUndefined();
    expect(readValue("1e-400")).toEqual(new JsonFloat(0, "1e-400"));
  });

  it("refuses half a surrogate pair, and takes a whole one", () => {
    expect(readValue('"\\ud83d"')).toBeUndefined();
    expect(readValue('"\\udc4d\\ud83d"')).toBeUndefined();
    expect(readValue('{"\\ud83d":1}')).toBeUndefined();
    expect(readValue('"\\ud83d\\udc4d"')).toBe("👍");
    expect(readValue('"\\u0041\\n"')).toBe("A\n");
  });

  it("refuses what only looks like JSON", () => {
    const wrong = ["", " ", "{", "[1,]", "{a:1}", "01", "1.", ".5", "+1", "- 1", "nul", "NaN"];
    for (const text of [...wrong, "{}{}", "\ufeff{}", "'a'", '"\t"', '"\\x"', '"\\u12g4"', "[1}"]) {
      expect(parseJson(text, true).ok).toBe(false);
      expect(parseJson(text, false).ok).toBe(false);
    }
  });

  it("lets the last of equal names count, or the first where asked", () => {
    const text = '{"a":1.5,"b":0,"a":[2.5]}';
    expect(readValue(text)).toEqual({ a: [new JsonFloat(2.5, "2.5")], b: 0 });
    expect(parseJsonFirstWins(text)).toEqual({
      ok: true,
      value: { a: new JsonFloat(1.5, "1.5"), b: 0 },
    });
  });

  it("makes members of inherited names, and finds no others", () => {
    for (const isPlain of [true, false]) {
      const reading = parseJson('{"__proto__":{"x":1},"constructor":2}', isPlain);
      const value = reading.ok ? reading.value : undefined;
      if (!isJsonObject(value)) throw new Error("not an object");
      expect(member(value, "__proto__")).toEqual({ x: 1 });
      expect(member(value, "constructor")).toBe(2);
      expect(member(value, "toString")).toBeUndefined();
    }
  });

  it("reads 100,000 nested arrays without running out of stack", () => {
    const depth = 100_000;
    const text = `[1.5,${"[".repeat(depth)}${"]".repeat(depth)}]`;
    expect(parseJson(text).ok).toBe(true);
    expect(parseJson("[".repeat(depth)).ok).toBe(false);
    expect(parseJson("[".repeat(depth), false).ok).toBe(false);
  });
});
