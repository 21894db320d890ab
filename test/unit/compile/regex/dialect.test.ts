import { describe, expect, it, test } from "vitest";
import { compileRegex } from "../../../../src/compile/regex/index.ts";
import { latin1, programOf, releaseCore, type Span } from "../../../support/regex.ts";

/** Latin-1 text of the match, then of each group. */
function captures(pattern: string, text: string): (string | undefined)[] | undefined {
  const spans = releaseCore().exec(programOf(latin1(pattern)), latin1(text));
  return spans?.map((span: Span) => span && text.slice(...span));
}
const whole = (pattern: string, text: string) => captures(pattern, text)?.[0];

/** The characters below U+0100 that a pattern for one byte matches. */
function bytesOf(pattern: string): string {
  const program = programOf(latin1(`^(?:${pattern})\\z`));
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
    .filter((char) => releaseCore().test(program, latin1(char)))
    .join("");
}
const range = (low: number, high: number) =>
  Array.from({ length: high - low + 1 }, (_, i) => String.fromCharCode(low + i)).join("");

const DIGITS = "0123456789";
const UPPER = range(65, 90);
const LOWER = range(97, 122);

describe("classes", () => {
  test.each([
    ["\\d", DIGITS],
    ["\\w", `${DIGITS}${UPPER}_${LOWER}`],
    ["\\s", `${range(9, 13)} `],
    ["\\h", "\t \xa0"],
    ["\\v", `${range(10, 13)}\x85`],
    ["\\R", `${range(10, 13)}\x85`],
    ["[[:alpha:]]", UPPER + LOWER],
    ["[[:punct:]]", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"],
    ["[[:space:]]", `${range(9, 13)} `],
    ["[[:blank:]]", "\t "],
    ["[[:cntrl:]]", `${range(0, 31)}\x7f`],
    ["[[:graph:]]", range(33, 126)],
    ["[[:print:]]", range(32, 126)],
    ["[[:xdigit:]]", `${DIGITS}ABCDEFabcdef`],
    ["[[:ascii:]]", range(0, 127)],
    ["[[:upper:]]", UPPER],
    ["(?i)[[:upper:]]", UPPER + LOWER],
    ["(?i)[b-d]", "BCDbcd"],
    ["(?i)k", "Kk"],
    ["[]a]", "]a"],
    ["[a\\]]", "]a"],
    ["[-a]", "-a"],
    ["[a-]", "-a"],
    ["[\\w-]", `-${DIGITS}${UPPER}_${LOWER}`],
    ["[+--]", "+,-"],
    ["[\\x41-\\103]", "ABC"],
    ["[\\Qa-c\\E]", "-ac"],
    ["[\\b]", "\b"],
    ["(?xx)[a b]", "ab"],
    ["(?x)[a b]", " ab"],
  ])("%s matches exactly its bytes", (pattern, bytes) => {
    expect(bytesOf(pattern)).toBe(bytes);
  });

  test.each(["\\d", "\\w", "\\s", "\\h", "\\v"])("%s and its opposite share all bytes", (lower) => {
    const both = bytesOf(lower).length + bytesOf(lower.toUpperCase()).length;
    expect(both).toBe(256);
    expect(bytesOf(`${lower}|${lower.toUpperCase()}`)).toHaveLength(256);
    expect(bytesOf(`[^${lower}]`)).toBe(bytesOf(lower.toUpperCase()));
  });

  it("the dot matches every byte but a line feed, and that too with (?s)", () => {
    expect(bytesOf(".")).toBe(range(0, 9) + range(11, 255));
    expect(bytesOf("\\N")).toBe(bytesOf("."));
    expect(bytesOf("(?s).")).toHaveLength(256);
    expect(bytesOf("(?s)\\N")).toHaveLength(255);
  });
});

describe("escapes", () => {
  test.each([
    ["\\x41\\x{42}\\103\\o{104}", "ABCD"],
    ["\\0", "\0"],
    ["\\012", "\n"],
    ["\\t\\n\\r\\f\\a\\e", "\t\n\r\f\x07\x1b"],
    ["\\cA\\cz\\c?", "\x01\x1a\x7f"],
    ["\\-\\/\\<\\_\\\\", "-/<_\\"],
    ["\\Q.*\\E+", ".*"],
    ["\\Qa\\Eb", "ab"],
    ["a\\E+", "aaa"],
    ["\\Q\\\\E", "\\"],
    ["a{,x}", "a{,x}"],
    ["a{", "a{"],
    ["\\{1}a", "{1}a"],
    ["\\11", "\t"],
    ["\\xe9", "\xe9"],
  ])("%s matches what it stands for", (pattern, text) => {
    expect(whole(`^(?:${pattern})$`, text)).toBe(text);
  });
});

describe("positions", () => {
  test.each([
    ["^", "a\nb\n", ["0"]],
    ["(?m)^", "a\nb\n", ["0", "2"]],
    ["$", "a\nb\n", ["3", "4"]],
    ["(?m)$", "a\nb\n", ["1", "3", "4"]],
    ["\\A", "a\nb", ["0"]],
    ["\\Z", "a\n", ["1", "2"]],
    ["\\z", "a\n", ["2"]],
    ["\\b", "ab c", ["0", "2", "3", "4"]],
    ["\\B", " ab ", ["0", "2", "4"]],
    ["\\b", "\xe9a", ["1", "2"]],
    ["[[:<:]]", "ab c", ["0", "3"]],
    ["[[:>:]]", "ab c", ["2", "4"]],
    ["$", "\r\n", ["1", "2"]],
  ])("%s in %j", (pattern, text, positions) => {
    const marked = releaseCore().replace(programOf(pattern), latin1(text), latin1("|"));
    const found: string[] = [];
    Array.from(new TextDecoder("latin1").decode(marked)).reduce((at, char) => {
      if (char === "|") found.push(String(at));
      return char === "|" ? at : at + 1;
    }, 0);
    expect(found).toEqual(positions);
  });
});

describe("choices", () => {
  test.each([
    ["a|ab", "ab", ["a"]],
    ["(?:a|ab)c", "abc", ["abc"]],
    ["a*?", "aa", [""]],
    ["a+?", "aa", ["a"]],
    ["a??b", "ab", ["ab"]],
    ["a{2,3}?", "aaaa", ["aa"]],
    ["(?U)a+", "aa", ["a"]],
    ["(?U)a+?", "aa", ["aa"]],
    ["a{,2}", "aaa", ["aa"]],
    ["a{ 1 , 2 }", "aaa", ["aa"]],
    ["(a)|(b)", "b", ["b", undefined, "b"]],
    ["(a)(x)?(b)", "ab", ["ab", "a", undefined, "b"]],
    ["(a|b|c)+", "abc", ["abc", "c"]],
    // A group keeps its text from an earlier iteration.
    ["(?:(a)|b)+", "ab", ["ab", "a"]],
    // An iteration that matches nothing ends its loop, and counts.
    ["(a|b*)*", "a", ["a", ""]],
    ["(?:a|(|b))*", "ab", ["a", ""]],
    ["(|a)*", "aa", ["", ""]],
    ["(|a)+", "aa", ["", ""]],
    ["(a*)+", "aa", ["aa", ""]],
    ["((a*)*)*", "aa", ["aa", "", ""]],
    ["(a?){3}", "a", ["a", ""]],
    // CR LF is one line break, whole or not at all.
    ["\\R", "\r\n", ["\r\n"]],
    ["\\R\\n", "\r\n", undefined],
    ["^\\R{2}$", "\r\n\n", ["\r\n\n"]],
  ])("%s on %j", (pattern, text, expected) => {
    expect(captures(pattern, text)).toEqual(expected);
  });
});

describe("groups and options", () => {
  test.each([
    ["(?<y>\\d+)-(?P<m>\\d+)-(?'d'\\d+)", "1-2-3", ["1-2-3", "1", "2", "3"]],
    ["(?n)(a)(?<x>b)", "ab", ["ab", "b"]],
    ["(?i)a(?-i)b", "Ab", ["Ab"]],
    ["(?i:a)b", "AB", undefined],
    ["((?i)a)b", "AB", undefined],
    // An option reaches into the alternatives that follow.
    ["(?:a(?i)b|c)", "C", ["C"]],
    ["(?x) a b # c\n c", "abc", ["abc"]],
    ["(?x)a\\ b", "a b", ["a b"]],
    ["(?x)a+ ?", "aa", ["a"]],
    ["a(?#comment)+", "aa", ["aa"]],
    ["(?^i)a", "A", ["A"]],
    ["(?i)(?^:a)", "A", undefined],
    ["(?i)\\Qa\\E", "A", ["A"]],
    // ASCII letters only.
    ["(?i)\xe9", "\xc9", undefined],
    ["(?s-s).", "\n", undefined],
  ])("%s on %j", (pattern, text, expected) => {
    expect(captures(pattern, text)).toEqual(expected);
  });

  it("counts groups and lists names by number", () => {
    expect(compileRegex("(a)(?<y>b)(?:c)((?'z'd))")).toMatchObject({
      groups: 4,
      names: [
        { name: "y", group: 2 },
        { name: "z", group: 4 },
      ],
    });
  });
});

describe("text", () => {
  it("is bytes: a UTF-8 character is as many as it has", () => {
    const test8 = (pattern: string, text: string) =>
      releaseCore().test(programOf(pattern), new TextEncoder().encode(text));
    expect(test8("^.$", "é")).toBe(false);
    expect(test8("^..$", "é")).toBe(true);
    expect(test8("^[é]+$", "é")).toBe(true);
    expect(test8("^é?$", "\u00c3")).toBe(false);
    expect(test8("^é$", "é")).toBe(true);
    expect(test8("\\w", "é")).toBe(false);
  });
});
