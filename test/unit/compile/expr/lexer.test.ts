import { describe, expect, it } from "vitest";
import { tokenize } from "../../../../src/compile/expr/lexer.ts";

describe("quotes of a string", () => {
  const valueOf = (source: string, quotesAreExact: boolean): unknown => {
    const [token] = tokenize(source, { quotesAreExact });
    return token?.type === "text" ? token.value : token?.type;
  };

  it("are taken off, and nothing else is", () => {
    for (const quotesAreExact of [true, false]) {
      expect(valueOf("'abc'", quotesAreExact)).toBe("abc");
      expect(valueOf(`"'é'"`, quotesAreExact)).toBe("'é'");
      expect(valueOf(`'"'`, quotesAreExact)).toBe('"');
      expect(valueOf("''", quotesAreExact)).toBe("");
    }
  });

  it("stay where a mark fuses with the opening one, unless they are exact", () => {
    for (const mark of ["\u0301", "\u200d", "\u0903"]) {
      expect(valueOf(`'${mark}a'`, false)).toBe(`'${mark}a`);
      expect(valueOf(`"${mark}"`, false)).toBe(`"${mark}`);
      expect(valueOf(`'${mark}a'`, true)).toBe(`${mark}a`);
      expect(valueOf(`'a${mark}'`, false)).toBe(`a${mark}`);
    }
  });

  it("are taken off behind a character that belongs to the next one", () => {
    for (const prefix of ["\u0600", "\u0d4e"]) {
      expect(valueOf(`'a${prefix}'`, false)).toBe(`a${prefix}`);
      expect(valueOf(`'a${prefix}'`, true)).toBe(`a${prefix}`);
    }
  });
});
