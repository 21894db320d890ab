/** Look-around, atomic groups and possessive quantifiers as far as they are supported, and other groups. */
import { describe, expect, it, test } from "vitest";
import { REGEX_PARALLEL } from "../../../../assembly/abi.ts";
import { compileRegex } from "../../../../src/compile/regex/index.ts";
import { instructions, latin1, programOf, releaseCore, type Span } from "../../../support/regex.ts";

/** Texts of the first match and its groups, the same from both engines. */
function captures(pattern: string, text: string): (string | undefined)[] | undefined {
  const [spans, parallel] = [0, REGEX_PARALLEL].map((flags) =>
    releaseCore().exec(programOf(latin1(pattern)), latin1(text), 0, flags),
  );
  expect(parallel).toEqual(spans);
  return spans?.map((span: Span) => span && text.slice(...span));
}

const matched = (pattern: string, text: string): string | undefined => captures(pattern, text)?.[0];

const replaced = (pattern: string, text: string): string =>
  new TextDecoder("latin1").decode(
    releaseCore().replace(programOf(latin1(pattern)), latin1(text), latin1("<&>")),
  );

describe("look-around", () => {
  test.each([
    ["^(?!admin)\\w+$", "user", "admin1"],
    ["^(?!\\$SYS/|admin$)", "admins", "admin"],
    ["^(?!admin$)", "admin1", "admin\n"],
    ["^(?=[a-z]{3}\\d)\\w+$", "abc1", "ab1c"],
    ["a(?=b)", "ab", "ac"],
    ["a(?=b|$)", "ca", "ac"],
    ["a(?!b)", "a", "ab"],
    ["(?<=id=)\\d", "id=7", "if=7"],
    ["(?<!a)b", "b", "ab"],
    ["(?<=^|/)x", "a/x", "a-x"],
    ["(?<!^)x", "ax", "x"],
    ["(?<=\\bab)c", "-abc", "zabc"],
    ["a(*nla:bc)", "abd", "abc"],
    ["(*positive_lookbehind:a)b", "ab", "b"],
    ["(?=(?<!a)b)b", "cb", "ab"],
    ["(?!(?<=a)b)b", "cb", "ab"],
    ["(?i)(?<=A)b", "aB", "cB"],
    ["(?=)a", "a", "b"],
    ["a|(?!)b", "a", "b"],
    ["(?<![^a])b", "b", "cb"],
    ["(?=a{2})", "aa", "ab"],
    ["(?=(?:\\b){60000}a)", "a", "b"],
  ])("%s finds something in `%s` and nothing in `%s`", (pattern, found, missing) => {
    expect(matched(pattern, found)).toBeDefined();
    expect(matched(pattern, missing)).toBeUndefined();
  });

  it("consumes nothing, and sees what an earlier match consumed", () => {
    expect(replaced("a(?=b)", "abac")).toBe("<a>bac");
    expect(replaced("(?<=a)a", "aaaa")).toBe("a<a><a><a>");
    expect(replaced("(?=a)", "aab")).toBe("<>a<>ab");
    expect(replaced("(?<!\\r)\\n", "a\r\nb\n")).toBe("a\r\nb<\n>");
  });

  it("does not look outside of the text", () => {
    expect(matched("a(?!bc)", "ab")).toBe("a");
    expect(matched("a(?=bc)", "ab")).toBeUndefined();
    expect(matched("(?<!xa)b", "ab")).toBe("b");
    expect(matched("(?<=xa)b", "ab")).toBeUndefined();
  });

  it("costs an instruction a byte and branch", () => {
    expect(instructions(programOf("(?=abc)x"))).toBe(instructions(programOf("abcx")));
    expect(instructions(programOf("(?!abc)x"))).toBe(instructions(programOf("[ab][cd][ef]x")) + 2);
  });

  it("is refused where it would reach further than a program can say", () => {
    const nested = (depth: number): string => `${"(?<=".repeat(depth)}a${"b{254})".repeat(depth)}`;
    expect(compileRegex(nested(20)).ok).toBe(true);
    expect(compileRegex(nested(200))).toMatchObject({ ok: false, message: expect.any(String) });
  });
});

describe("what does not go back", () => {
  test.each([
    ["a++b", "aab", "aab"],
    ["a++a", "aaa", undefined],
    ["a{1,2}+a", "aaa", "aaa"],
    ["a{1,2}+a", "aa", undefined],
    ["a?+a", "a", undefined],
    ["a{2}+a", "aaa", "aaa"],
    ["(?:ab)*+a", "aba", "aba"],
    ["(?:ab)*+ab", "abab", undefined],
    ["(?U)a++a", "aaa", undefined],
    ["(?>a|ab)c", "abc", undefined],
    ["(?>ab|a)c", "abc", "abc"],
    ["(?>ab|a)bc", "abc", undefined],
    ["(?>a*)a", "aaa", undefined],
    ["x(?>b|a)+a", "xaba", "xaba"],
    ["(*atomic:ab*)b", "abb", undefined],
  ])("%s in `%s` matches `%s`", (pattern, text, match) => {
    expect(matched(pattern, text)).toBe(match);
  });

  it("keeps what its groups caught", () => {
    expect(captures("(?>(a)(b))c", "abc")).toEqual(["abc", "a", "b"]);
    expect(captures("(a|b)*+c", "abc")).toEqual(["abc", "b"]);
    expect(captures("(?>(a)b|(a))c", "ac")).toEqual(["ac", undefined, "a"]);
  });
});

describe("groups with numbers or names in common", () => {
  it("each branch of a branch reset counts from the same number", () => {
    expect(captures("(?|(a)|(b)(c))(d)", "ad")).toEqual(["ad", "a", undefined, "d"]);
    expect(captures("(?|(a)|(b)(c))(d)", "bcd")).toEqual(["bcd", "b", "c", "d"]);
    expect(captures("(?:(a)|(b))", "b")).toEqual(["b", undefined, "b"]);
    expect(compileRegex("(?|(?<n>a)|(?<n>b))")).toMatchObject({ groups: 1, names: [{ group: 1 }] });
  });

  it("names may be shared under (?J)", () => {
    expect(captures("(?J)(?<n>a)|(?<n>b)", "b")).toEqual(["b", undefined, "b"]);
  });
});

it("\\X takes CR LF as one, and never gives half of it back", () => {
  expect(matched("^\\X$", "\r\n")).toBe("\r\n");
  expect(matched("^\\X\\n", "\r\n")).toBeUndefined();
  expect(matched("^\\X\\X", "\n\r")).toBe("\n\r");
  expect(matched("^\\X$", "é")).toBe("é");
  expect(matched("^\\X$", "ab")).toBeUndefined();
});
