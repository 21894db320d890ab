import { describe, expect, it } from "vitest";
import { tokenize } from "../../../../src/compile/expr/lexer.ts";

describe("quotes of a string", () => {
  const read = (source: string, quotesAreExact: boolean): unknown => {
    const [token] = tokenize(source, { quotesAreExact });
    return token?.type === "text" ? token.value : token?.type;
  };

  it("are taken off, and nothing else is", () => {
    for (const quotesAreExact of [true, false]) {
      expect(read("'abc'", quotesAreExact)).toBe("abc");
      expect(read(`"'é'"`, quotesAreExact)).toBe("'é'");
      expect(read(`'"'`, quotesAreExact)).toBe('"');
      expect(read("''", quotesAreExact)).toBe("");
    }
  });

  it("stay where a mark fuses with the opening one, unless they are exact", () => {
    for (const mark of ["\u0301", "\u200d", "\u0903"]) {
      expect(read(`'${mark}a'`, false)).toBe(`'${mark}a`);
      expect(read(`"${mark}"`, false)).toBe(`"${mark}`);
      expect(read(`'${mark}a'`, true)).toBe(`${mark}a`);
      expect(read(`'a${mark}'`, false)).toBe(`a${mark}`);
    }
  });

  it("are taken off behind a character that belongs to the next one", () => {
    for (const prefix of ["\u0600", "\u0d4e"]) {
      expect(read(`'a${prefix}'`, false)).toBe(`a${prefix}`);
      expect(read(`'a${prefix}'`, true)).toBe(`a${prefix}`);
    }
  });
});
