import { describe, expect, test } from "vitest";
import { ACL_NESTING_MAX } from "../../../../src/compile/acl/terms.ts";
import { issuesOf, readRule, readRules } from "../../../support/acl.ts";

/** The username a rule compares with, to see how its text was read. */
function usernameOf(text: string): unknown {
  const { who } = readRule(`{allow, {username, ${text}}, all, all}.`);
  return who.type === "equal" ? who.value : who;
}

describe("texts", () => {
  test.each([
    ['"ab"', "ab"],
    ['"a" "b"', "ab"],
    ['"a"\n% comment\n"b"', "ab"],
    ['"é日👍"', "é日👍"],
    ["alice", "alice"],
    ["'Alice B'", "Alice B"],
    ["'it\\'s'", "it's"],
    ["a@b_C1", "a@b_C1"],
    ['<<"ab">>', "ab"],
    ['<<"a","b">>', "ab"],
    ['<<"a" "b">>', "ab"],
    ["<<97,98>>", "ab"],
    ["<<$a, 16#62>>", "ab"],
    ['<<"é"/utf8>>', "é"],
    ['<<"é"/utf8,"!">>', "é!"],
    ["<<>>", ""],
    ["[]", ""],
    ['""', ""],
    ["[97,98]", "ab"],
    ["[$a|[$b]]", "ab"],
    ['[$a|"b"]', "ab"],
    ['["a",<<"b">>]', "ab"],
    ["[$a,$\\s,$\\x41,2#1100011,1_0]", "a Ac\n"],
    ['"\\n\\r\\t\\b\\f\\v\\e\\s\\d"', "\n\r\t\b\f\v\x1b \x7f"],
    ['"\\0\\60\\060\\x30\\x{30}\\^a\\^@"', "\x00000" + "0\x01\x00"],
    ['"\\x{1f44d}\\"\\\\\\q"', '👍"\\q'],
    ['"a\nb"', "a\nb"],
  ])("%s is %j", (written, text) => expect(usernameOf(written)).toBe(text));

  test("without /utf8 each character of a binary is one byte", () => {
    expect(usernameOf('<<"é">>')).toEqual(Uint8Array.of(0xe9));
    expect(usernameOf('<<"日">>')).toEqual(Uint8Array.of(0xe5));
    expect(issuesOf('{allow, {username, <<"é">>}, all, all}.')).toEqual(["1:20 WARN TEXT"]);
  });

  test.each(["1", "1.5", "{a}", "[a]", "[1114112]", "[55296]", "[97|<<98>>|c]", "#{}", "-1"])(
    "%s is none",
    (written) => expect(issuesOf(`{allow, {username, ${written}}, all, all}.`)).not.toEqual([]),
  );
});

describe("files", () => {
  test("may be empty, or hold comments only", () => {
    for (const text of ["", " \n", "% nothing", "%% {allow, all}\n"]) {
      expect(readRules(text)).toEqual({ rules: [], issues: [] });
    }
  });

  test("keep the place and the text of each rule", () => {
    const { rules } = readRules("% é👍\n\n  {allow,\n all}. {deny, all}.");
    expect(rules.map(({ at, text }) => ({ at, text }))).toEqual([
      { at: { file: "acl.conf", line: 3, column: 3 }, text: "{allow,\n all}" },
      { at: { file: "acl.conf", line: 4, column: 8 }, text: "{deny, all}" },
    ]);
  });

  test("count columns in characters", () => {
    expect(issuesOf('{allow, {username, "é👍"}, nothing, all}.')).toEqual(["1:27 ERR ACTION"]);
  });

  test("are refused where they are not UTF-8", () => {
    const bytes = [...new TextEncoder().encode('{allow, {username, "\ufffd'), 0xe9, 0x22];
    const rest = new TextEncoder().encode("}, all, all}.");
    expect(issuesOf(Uint8Array.of(...bytes, ...rest))).toEqual(["1:22 ERR SYNTAX"]);
  });

  test("are refused with a latin-1 comment, but not with a UTF-8 one", () => {
    expect(issuesOf("%% -*- coding: latin-1 -*-\n{allow, all}.")).toEqual(["1:8 ERR SYNTAX"]);
    expect(issuesOf("%% -*- coding: utf-8 -*-\n{allow, all}.")).toEqual([]);
    expect(issuesOf("\n\n% coding: latin-1\n{allow, all}.")).toEqual([]);
  });

  test("say so when they begin with a byte order mark", () => {
    expect(readRules("\ufeff{allow, all}.\n{deny, all}.").issues).toMatchObject([
      { message: expect.stringContaining("byte order mark"), at: { line: 1, column: 1 } },
    ]);
  });
});

describe("syntax errors", () => {
  test.each([
    ["{allow, all}", "1:13 ERR SYNTAX", "dot"],
    ["{allow, all}.{deny, all}.", "1:13 ERR SYNTAX", "line of its own"],
    ["{allow, all", "1:12 ERR SYNTAX", "still open"],
    ["{allow, all,}.", "1:13 ERR SYNTAX", "last comma"],
    ["{Allow, all}.", "1:2 ERR SYNTAX", "`allow`"],
    ["{allow, ALL}.", "1:9 ERR SYNTAX", "`all`"],
    ["{allow, _}.", "1:9 ERR SYNTAX", "`all`"],
    ["{allow, Who}.", "1:9 ERR SYNTAX", "in quotes"],
    ["{allow, {and, [all]}, all, all}.", "1:10 ERR SYNTAX", "'and'"],
    ["{allow, {username, “alice”}, all, all}.", "1:20 ERR SYNTAX", "straight quotes"],
    ["{allow, all, all, [t/#]}.", "1:21 ERR SYNTAX", "in quotes"],
    ['{allow, all, all, ["a" b]}.', "1:24 ERR SYNTAX", "comma"],
    ['{allow, all, all, ["a", | ]}.', "1:25 ERR SYNTAX", undefined],
    ['{allow, {username, "a}, all, all}.', "1:20 ERR SYNTAX", "close it"],
    ['{allow, {username, ~"a"}, all, all}.', "1:20 ERR SYNTAX", "utf8"],
    ['{allow, {username, """a"""}, all, all}.', "1:20 ERR SYNTAX", '"…"'],
    ['{allow, {username, "\\xg"}, all, all}.', "1:21 ERR SYNTAX", "\\x2f"],
    ['{allow, {username, "\\x{d800}"}, all, all}.', "1:21 ERR SYNTAX", "\\x2f"],
    ['{allow, {username, <<"a"/latin1>>}, all, all}.', "1:26 ERR SYNTAX", undefined],
    ["{allow, {clientid, fun() -> ok end}, all, all}.", "1:20 ERR SYNTAX", "in quotes"],
    ["{allow, list_to_atom(all)}.", "1:21 ERR SYNTAX", undefined],
    ["{allow, 3#4}.", "1:9 ERR SYNTAX", undefined],
    [".", "1:1 ERR SYNTAX", undefined],
  ])("%s", (text, issue, hint) => {
    expect(issuesOf(text)).toEqual([issue]);
    const [found] = readRules(text).issues;
    if (hint === undefined) expect(found?.hint).toBeUndefined();
    else expect(found?.hint).toContain(hint);
  });

  test("do not keep later rules from being read", () => {
    const text = [
      "{allow, {username, }, all, all}.",
      '{allow, all, publish, ["a"}.',
      "{deny, all, oops, all}.",
      "{allow, all}",
      "{deny, all}.",
      "{allow, {username, 'x, all, all}.",
      "{deny, all, publish, all}.",
    ].join("\n");
    expect(issuesOf(text)).toEqual([
      "1:20 ERR SYNTAX",
      "2:27 ERR SYNTAX",
      "3:13 ERR ACTION",
      "4:13 ERR SYNTAX",
      "6:20 ERR SYNTAX",
    ]);
    expect(readRules(text).rules.map((rule) => rule.at?.line)).toEqual([4, 5, 7]);
  });

  test("point at the text whose closing quote is missing", () => {
    const text = '{allow, all, all, ["t/#]}.\n{deny, all, all, ["x"]}.';
    expect(readRules(text).issues[0]?.hint).toContain("line 1");
  });

  test("end the reading when there are too many of them", () => {
    const { issues } = readRules("{allow, }.\n".repeat(500));
    expect(issues).toHaveLength(200);
    expect(issues.at(-1)?.message).toContain("the rest is not checked");
  });
});

test("warnings are listed up to a limit and do not cost a rule", () => {
  const { rules, issues } = readRules("{allow, all, all, []}.\n".repeat(300));
  expect(rules).toHaveLength(300);
  expect(issues).toHaveLength(200);
  expect(issues.at(-1)?.message).toContain("further warnings are not listed");
});

test("a word has at most 255 characters, in quotes or without", () => {
  for (const mark of ["", "'"]) {
    const rule = (length: number): string =>
      `{allow, {username, ${mark}${"a".repeat(length)}${mark}}, all, all}.`;
    expect(issuesOf(rule(255))).toEqual([]);
    expect(issuesOf(rule(256))).toEqual(["1:20 ERR SYNTAX"]);
  }
});

describe("nesting", () => {
  const nest = (depth: number): string => {
    const who = `${"{'and', [".repeat(depth)}all${"]}".repeat(depth)}`;
    return `{allow, ${who}, all, all}.`;
  };

  test("is read up to the limit and refused past it", () => {
    // Each condition nests twice, in its tuple and in its list, below the rule's own tuple.
    const deepest = Math.floor((ACL_NESTING_MAX - 1) / 2);
    expect(issuesOf(nest(deepest))).toEqual([]);
    expect(issuesOf(nest(deepest + 1))).toEqual([expect.stringContaining("ERR SYNTAX")]);
  });
});

describe("hostile text is answered at once", () => {
  test.each([
    '"',
    "{",
    "[",
    "[|",
    "#{",
    "<<",
    "'\n",
    '{"\n',
    '"\\x',
    '"\\',
    "~",
    "$",
    "16#zz ",
    "{allow, all}.{",
    "{a b}. ",
    "% \n",
    "9",
    "X",
  ])("%j again and again", (piece) => {
    const { issues } = readRules(piece.repeat(100_000));
    expect(issues.length).toBeLessThanOrEqual(200);
  });
});
