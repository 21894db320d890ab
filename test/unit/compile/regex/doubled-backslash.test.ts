import { describe, expect, it } from "vitest";
import { compileRegex } from "../../../../src/compile/regex/index.ts";
import { programOf, releaseCore, utf8 } from "../../../support/regex.ts";

const mendedOf = (pattern: string, doubledBackslashIsClass: boolean) => {
  const compiled = compileRegex(pattern, { doubledBackslashIsClass });
  return compiled.ok ? compiled.doubledBackslash : undefined;
};
const matches = (pattern: string, text: string, doubledBackslashIsClass: boolean) =>
  releaseCore().test(programOf(pattern, { doubledBackslashIsClass }), utf8(text));

describe("a doubled backslash before a class letter", () => {
  it("is a backslash and a letter by default, and is reported", () => {
    expect(matches("^\\\\d+$", "123", false)).toBe(false);
    expect(matches("^\\\\d+$", "\\dd", false)).toBe(true);
    expect(mendedOf("^\\\\d+$", false)).toEqual({ offset: 1, mended: "^\\d+$" });
  });

  it("is the class with the switch, and is reported the same way", () => {
    expect(matches("^\\\\d+$", "123", true)).toBe(true);
    expect(matches("^\\\\d+$", "\\dd", true)).toBe(false);
    expect(mendedOf("^\\\\d+$", true)).toEqual({ offset: 1, mended: "^\\d+$" });
  });

  it("counts for every class letter, and for positions outside brackets", () => {
    for (const letter of "dDsSwWhHvVbB") {
      expect(mendedOf(`a\\\\${letter}`, true)).toEqual({ offset: 1, mended: `a\\${letter}` });
    }
    expect(mendedOf("[\\\\w-]", true)).toEqual({ offset: 1, mended: "[\\w-]" });
    expect(matches("^[\\\\w-]+$", "a-b", true)).toBe(true);
    expect(mendedOf("[\\\\b]", true)).toBeUndefined();
  });

  it("names the first and mends all", () => {
    expect(mendedOf("é\\\\s(\\\\w+)", true)).toEqual({ offset: 2, mended: "é\\s(\\w+)" });
  });

  it("is left alone before other characters, in quotations and in longer runs", () => {
    for (const pattern of [
      "a\\\\.",
      "\\\\n",
      "\\\\",
      "\\Q\\\\d\\E",
      "\\\\\\\\d",
      "\\\\\\d",
      "\\d",
    ]) {
      expect(mendedOf(pattern, true)).toBeUndefined();
    }
    expect(matches("^\\\\\\\\d$", "\\\\d", true)).toBe(true);
    expect(matches("^\\\\\\d$", "\\7", true)).toBe(true);
  });
});
