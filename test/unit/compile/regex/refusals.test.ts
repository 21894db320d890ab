import { describe, expect, it, test } from "vitest";
import { REGEX_PROGRAM_MAX } from "../../../../assembly/abi.ts";
import { compileRegex } from "../../../../src/compile/regex/index.ts";
import { instructions, latin1, programOf } from "../../../support/regex.ts";

const refused = (pattern: string) => {
  const compiled = compileRegex(pattern);
  return compiled.ok ? undefined : compiled;
};

describe("what PCRE2 has and this engine refuses", () => {
  test.each([
    ["back-reference", 4, "(a)x\\1", "(a)x\\001"],
    ["back-reference", 0, "\\8", "[\\8]"],
    ["back-reference", 0, "\\k<n>", "[\\k]"],
    ["back-reference", 3, "(a)\\g{1}", "(a)[\\g{1}]"],
    ["back-reference", 8, "(?<n>a)b(?P=n)", "(?<n>a)b(?P<m>c)"],
    ["recursion", 3, "(a)\\g<1>", "(a)g<1>"],
    ["recursion", 1, "a(?R)", "a(R)"],
    ["recursion", 4, "(a)b(?1)", "(a)b(1)"],
    ["recursion", 0, "(?-1)", "(?-i)"],
    ["recursion", 0, "(?+1)", "(?:\\+1)"],
    ["recursion", 7, "(?<n>a)(?&n)", "(?<n>a)(&n)"],
    ["recursion", 7, "(?<n>a)(?P>n)", "(?<n>a)(P>n)"],
    ["look-ahead", 1, "^(?!.*admin)", "^(?!admin)"],
    ["look-ahead", 1, "a(?=b+)", "a(?=b)"],
    ["look-ahead", 1, "a(?=(b))", "a(?!(b))"],
    ["look-ahead", 1, "a(*pla:b?)", "a(*pla:b)"],
    ["look-ahead", 0, "(?!a{256})", "(?!a{255})"],
    ["look-ahead", 0, "(?*a)", "(?=a)"],
    ["look-ahead", 0, "(*napla:a)", "(*nla:a)"],
    ["look-behind", 0, "(?<=a?)b", "(?<=a)b"],
    ["look-behind", 0, "(?<!a|b+)b", "(?<!a|bb)b"],
    ["look-behind", 0, "(?<*a)b", "(?<!a)b"],
    ["atomic group", 2, "xy(?>a|ab?)c", "xy(?>a|ab)c"],
    ["atomic group", 0, "(?>a*?)b", "(?>a*)b"],
    ["atomic group", 0, "(*atomic:a*b)", "(*atomic:ab*)"],
    ["possessive quantifier", 7, "(?:ab?)++", "(?:ab)++"],
    ["possessive quantifier", 8, "(?:a|bb)?+", "(?:a|b)?+"],
    ["conditional", 4, "(a)?(?(1)b|c)", "(a)?(b|c)"],
    ["callout", 1, "x(?C1)", "x(?:C1)"],
    ["backtracking verb", 1, "a(*COMMIT)b", "a(\\*COMMIT)b"],
    ["backtracking verb", 1, "a(*MARK:x)b", "a(MARK:x)b"],
    ["Unicode mode", 0, "(*UTF)a", "\\(\\*UTF\\)a"],
    ["Unicode mode", 0, "(*UTF8).", "(UTF8)."],
    ["Unicode mode", 0, "(*UCP)\\w", "(UCP)\\w"],
    ["start-of-pattern option", 0, "(*CRLF)a", "(CRLF)a"],
    ["extended character class", 0, "(?[[a-z]])", "[[a-z]"],
    ["Unicode property", 1, "a\\p{L}", "ap{L}"],
    ["Unicode property", 1, "[\\P{Lu}]", "[P{Lu}]"],
    ["\\C", 1, "a\\C", "aC"],
    ["\\K", 1, "a\\Kb", "aKb"],
    ["\\G", 0, "\\Ga", "\\Aa"],
  ])(
    "refuses a %s (at byte %i of `%s`), and accepts `%s`",
    (feature, offset, pattern, nearMiss) => {
      expect(refused(pattern)).toMatchObject({ feature, offset, hint: expect.any(String) });
      expect(refused(nearMiss)).toBeUndefined();
    },
  );

  it("prints the rewrite of a look-ahead", () => {
    expect(refused("^(?!.*admin)")?.hint).toContain("not(regex_match(x, 'admin'))");
  });
});

describe("what PCRE2 refuses", () => {
  test.each([
    ["unknown escape", 1, "a\\i", "a\\."],
    ["unknown escape", 0, "\\u0061", "\\x61"],
    ["unknown escape", 0, "\\l", "\\_"],
    ["unknown escape", 1, "[\\y]", "[\\-]"],
    ["hexadecimal digits", 0, "\\xg", "\\xa"],
    ["hexadecimal digits", 0, "\\x{}", "\\x{ 41 }"],
    ["brace is not closed", 0, "\\x{41", "\\x{41}"],
    ["over FF", 0, "\\x{100}", "\\x{ff}"],
    ["over FF", 0, "\\400", "\\377"],
    ["needs a brace", 0, "\\o101", "\\o{101}"],
    ["octal digits", 0, "\\o{8}", "\\o{7}"],
    ["printable ASCII", 0, "\\c\u0001", "\\cA"],
    ["names no byte", 0, "\\N{x}", "\\N{2}"],
    ["ends the pattern", 3, "abc\\", "abc\\\\"],
    ["nothing to repeat", 0, "*a", "\\*a"],
    ["nothing to repeat", 2, "a**", "a*"],
    ["nothing to repeat", 1, "^*", "(?:^)*"],
    ["nothing to repeat", 2, "\\b+", "(?:\\b)+"],
    ["nothing to repeat", 2, "a|+", "a|\\+"],
    ["nothing to repeat", 4, "(?i)+", "(?i:a)+"],
    ["nothing to repeat", 1, "(*)", "(\\*)"],
    ["out of order", 1, "a{2,1}", "a{1,2}"],
    ["over 65535", 1, "a{65536}", "a{65536"],
    ["class is not closed", 1, "x[a-", "x[a-]"],
    ["class is not closed", 0, "[]", "[]]"],
    ["class is not closed", 0, "[^]", "[^]]"],
    ["range is out of order", 3, "[z-a]", "[a-z]"],
    ["class such as", 4, "[\\d-z]", "[\\d-]"],
    ["class such as", 3, "[a-\\d]", "[\\da-]"],
    ["class such as", 11, "[[:alpha:]-z]", "[[:alpha:]-]"],
    ["no meaning in a character class", 1, "[\\B]", "[\\b]"],
    ["no meaning in a character class", 1, "[\\R]", "\\R"],
    ["unknown POSIX class `foo`", 1, "[[:foo:]]", "[[:foo]"],
    ["only inside brackets", 0, "[:alpha:]", "[:alpha]"],
    ["collating elements", 1, "[[.a.]]", "[[.a]"],
    ["group is not closed", 1, "a(b", "a(b)"],
    ["closes no group", 2, "ab)", "ab\\)"],
    ["comment is not closed", 1, "a(?#b", "a(?#b)"],
    ["two groups are called `n`", 7, "(?<n>a)(?<n>b)", "(?J)(?<n>a)(?<n>b)"],
    ["two groups are called `n`", 14, "((?J)(?<n>a))b(?<n>b)", "(?J)((?<n>a))(?<n>b)"],
    ["different names", 11, "(?|(?<n>a)|(?<m>b))", "(?|(?<n>a)|(?<n>b))"],
    ["cannot start with a digit", 3, "(?<1n>a)", "(?<n1>a)"],
    ["`>` is missing", 4, "(?<n-x>a)", "(?<n_x>a)"],
    ["name is missing", 3, "(?<>a)", "(?<_>a)"],
    ["unknown group", 0, "(?Px)", "(?P<x>)"],
    ["unknown option `y`", 2, "(?y)", "(?x)"],
    ["unknown option `-`", 4, "(?i--m)", "(?i-m)"],
    ["unknown verb", 0, "(*nope)", "(nope)"],
  ])("says `%s` at byte %i of `%s`, and accepts `%s`", (message, offset, pattern, nearMiss) => {
    expect(refused(pattern)).toMatchObject({ offset, message: expect.stringContaining(message) });
    expect(refused(pattern)?.feature).toBeUndefined();
    expect(refused(nearMiss)).toBeUndefined();
  });

  it("counts offsets in bytes", () => {
    expect(refused("é(")?.offset).toBe(2);
    expect(compileRegex(latin1("é("))).toMatchObject({ ok: false, offset: 1 });
  });
});

describe("limits of a pattern", () => {
  it("takes REGEX_PROGRAM_MAX instructions and refuses one more", () => {
    const most = REGEX_PROGRAM_MAX - 1;
    expect(instructions(programOf(`a{${most}}`))).toBe(REGEX_PROGRAM_MAX);
    expect(refused(`a{${most + 1}}`)?.message).toContain(`${REGEX_PROGRAM_MAX} instructions`);
  });

  it("refuses counters whose product is too large, at once", () => {
    for (const pattern of ["(?:a{1000}){1000}", "((a{999}){999}){999}", "((){65535}){65535}"]) {
      expect(refused(pattern)?.message).toContain("instructions");
    }
  });

  it("refuses more groups than the working memory holds", () => {
    expect(refused("()".repeat(250))).toBeUndefined();
    expect(refused("()".repeat(400))?.message).toContain("groups are too many");
  });

  it("takes 250 open groups and refuses one more", () => {
    const nested = (depth: number) => `${"(?:".repeat(depth)}a${")".repeat(depth)}`;
    expect(refused(nested(250))).toBeUndefined();
    expect(refused(nested(251))?.message).toContain("nest deeper than 250");
  });

  it("compiles long patterns without deep recursion", () => {
    expect(refused("ab?".repeat(3000))).toBeUndefined();
    expect(refused("a{0}(?:)".repeat(8000))).toBeUndefined();
    expect(refused("|".repeat(9000))).toBeUndefined();
  });
});
