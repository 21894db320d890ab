import { describe, expect, it } from "vitest";
import { parseTestFile } from "../../../../../bindings/node/policy-test/case-file.ts";
import {
  readYaml,
  YAML_NESTING_MAX,
  YAML_TOKENS_MAX,
  YAML_UNITS_MAX,
  YAML_VALUES_MAX,
} from "../../../../../bindings/node/policy-test/yaml.ts";
import { toJson } from "../../../../../src/config/hocon/index.ts";
import { IssueList } from "../../../../../src/config/issues.ts";
import { ConfigError, type Issue } from "../../../../../src/errors.ts";

function read(text: string): { value: unknown; issues: Issue[] } {
  const issues = new IssueList();
  const node = readYaml(text, "t.yaml", issues);
  return { value: JSON.parse(JSON.stringify(toJson(node))), issues: issues.all() };
}

/** `line:column message` of every issue. */
function problems(text: string): string[] {
  return read(text).issues.map(({ at, message }) => `${at?.line}:${at?.column} ${message}`);
}

describe("readYaml", () => {
  it.each([
    ["a: b", { a: "b" }],
    [
      "a: 1\nb: 1.5\nc: true\nd: null\ne: ~\nf:",
      { a: 1, b: 1.5, c: true, d: null, e: null, f: null },
    ],
    [
      "a: yes\nb: 2026-01-31\nc: '1'\nd: \"x\\u00e9\"",
      { a: "yes", b: "2026-01-31", c: "1", d: "xé" },
    ],
    ["a: [b, {c: d}]\ne:\n  - f\n  - g: h", { a: ["b", { c: "d" }], e: ["f", { g: "h" }] }],
    ["a: |\n  x\n  y\nb: >\n  x\n  y", { a: "x\ny\n", b: "x y\n" }],
    ["1: a\nnull: b\n'': c".split("\n'").at(0) ?? "", { 1: "a", null: "b" }],
    ["__proto__: a\nconstructor: b", JSON.parse('{"__proto__": "a", "constructor": "b"}')],
    ["\ufeff# a comment\n---\na: b\n...\n", { a: "b" }],
    ["a: &x {b: c}\nd: *x\ne: [*x]", { a: { b: "c" }, d: { b: "c" }, e: [{ b: "c" }] }],
    ["a: &x 1\nb: &x 2\nc: *x", { a: 1, b: 2, c: 2 }],
    ["a: !!str 1", { a: "1" }],
    ["", {}],
    ["# nothing", {}],
  ])("reads %j", (text, value) => {
    expect(read(text)).toEqual({ value, issues: [] });
  });

  it("gives numbers the text they were written as", () => {
    const issues = new IssueList();
    const { members } = readYaml("a: 007\nb: 1e3\nc: 0x1F", "t.yaml", issues);
    const texts = [...members.values()].map(({ value }) => value.kind === "number" && value.text);
    expect(texts).toEqual(["007", "1e3", "0x1F"]);
  });

  it("knows where everything stands, characters beyond the BMP counted as one", () => {
    const { members } = readYaml("a:\n  - '😀': [x, \"y\"]", "t.yaml", new IssueList());
    const list = members.get("a")?.value;
    expect(members.get("a")?.keyAt).toEqual({ file: "t.yaml", line: 1, column: 1 });
    expect(list?.at).toMatchObject({ line: 2, column: 3 });
    const inner = list?.kind === "array" ? list.items[0] : undefined;
    const member = inner?.kind === "object" ? inner.members.get("😀") : undefined;
    expect(member?.keyAt).toMatchObject({ line: 2, column: 5 });
    const items = member?.value.kind === "array" ? member.value.items : [];
    expect(items.map(({ at }) => at.column)).toEqual([11, 14]);
    expect(items[1]).toMatchObject({ contentAt: { line: 2, column: 15 } });
  });

  it.each([
    ["a key twice", "a: 1\nb: 2\na: 3", ["3:1 the key `a` stands on line 1 already"]],
    ["a key twice in braces", "a: {b: 1, b: 2}", ["1:11 the key `b` stands on line 1 already"]],
    ["a tag of its own", "a: !secret b", ["1:4 not YAML: unresolved tag"]],
    ["a binary", "a: !!binary aGk=", ["1:4 not YAML: unresolved tag"]],
    ["a set", "a: !!set {b}", ["1:4 not YAML: unresolved tag"]],
    ["a merge", "a: &x {b: c}\nd: {<<: *x}", ["2:5 `<<` merges are not read"]],
    [
      "a second document",
      "a: b\n---\nc: d",
      ["2:1 a test file is one document, and here a second one begins"],
    ],
    ["another version", "%YAML 1.1\n---\na: yes", ["1:1 only YAML 1.2 is read"]],
    ["an unknown anchor", "a: *x", ["1:4 there is no anchor `&x` before this"]],
    ["an anchor inside itself", "a: &x [*x]", ["1:8 there is no anchor `&x` before this"]],
    ["a list as a key", "? [a]\n: b", ["1:3 a key is a word"]],
    ["an empty key", "'': b", ["1:1 a key is a word"]],
    ["no key", ": b", ["1:1 a key is a word"]],
    ["an alias as a key", "a: &x b\n*x : c", ["2:1 a key is a word"]],
    [
      "infinity",
      "a: .inf\nb: .nan",
      ["1:4 this number cannot be used", "2:4 this number cannot be used"],
    ],
    ["a list", "- a", ["1:1 a test file is a mapping: begin with `tests:`"]],
    ["a text", "hello", ["1:1 a test file is a mapping: begin with `tests:`"]],
    ["tabs as indent", "a:\n\tb: c", ["2:1 not YAML: tabs are not allowed as indentation"]],
    [
      "an open bracket",
      "a: [b",
      [
        "1:6 not YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
      ],
    ],
  ])("refuses %s", (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it("never repeats what it met", () => {
    for (const text of [
      'a: "hunter2',
      "a: hunter2: b",
      "a: !hunter2 b",
      "a: [hunter2]hunter2",
      "%hunter2 x\n---\na",
    ]) {
      const messages = problems(text);
      expect(messages).not.toEqual([]);
      expect(messages.join()).not.toContain("hunter2");
    }
  });

  it("refuses a billion laughs, and what is as deep", () => {
    const laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let n = 1; n < 10; n++) {
      laughs.push(
        `a${n}: &a${n} [${Array(10)
          .fill(`*a${n - 1}`)
          .join(", ")}]`,
      );
    }
    expect(problems(laughs.join("\n"))).toEqual([
      `5:45 the file has more than ${YAML_VALUES_MAX} values, aliases written out`,
    ]);
    const deep = ["a0: &a0 [x]"];
    for (let n = 1; n < YAML_NESTING_MAX; n++) deep.push(`a${n}: &a${n} [*a${n - 1}]`);
    expect(problems(deep.slice(0, -1).join("\n"))).toEqual([]);
    expect(problems(deep.join("\n"))).toEqual([
      `${YAML_NESTING_MAX}:12 more than ${YAML_NESTING_MAX} values are inside each other`,
    ]);
  });

  it("has limits for nesting, values, tokens and characters", () => {
    const nested = (levels: number): string => `a: ${"[".repeat(levels)}${"]".repeat(levels)}`;
    expect(problems(nested(YAML_NESTING_MAX - 1))).toEqual([]);
    expect(problems(nested(YAML_NESTING_MAX))[0]).toMatch(/values are inside each other$/);
    expect(problems(nested(100_000))[0]).toMatch(/values are inside each other$/);
    expect(problems("{".repeat(100_000))[0]).toMatch(/values are inside each other$/);
    expect(problems("- ".repeat(10_000))[0]).toMatch(/values are inside each other$/);
    const long = (units: number): string => `a: ${"x".repeat(units - 3)}`;
    expect(problems(long(YAML_UNITS_MAX))).toEqual([]);
    expect(problems(long(YAML_UNITS_MAX + 1))).toEqual([
      `1:1 the file has more than ${YAML_UNITS_MAX} characters`,
    ]);
    expect(problems(`a: [${"x,".repeat(YAML_TOKENS_MAX / 2)}]`)[0]).toMatch(/words and signs$/);
  });
});

describe("a test file in YAML", () => {
  const text = `now: 2026-01-31T12:00:00Z
clients:
  reader: {clientid: 007, attrs: {site: 12}}
tests:
  - name: reads
    client: reader
    subscribe: [a/+, a/b]
    qos: 1
    expect: allow
    rule: 1
  - client: {clientid: c, username: u}
    connect: {expect: deny, code: 0x86}
`;

  it("says the same as one in HOCON", () => {
    const hocon = `now = "2026-01-31T12:00:00Z"
clients { reader { clientid = "007", attrs { site = 12 } } }
tests = [
  { name = reads, client = reader, subscribe = ["a/+", "a/b"], qos = 1, expect = allow, rule = 1 }
  { client { clientid = c, username = u }, connect { expect = deny, code = 134 } }
]`;
    const yaml = parseTestFile(text, "t.yaml").cases.map(({ at: _, ...one }) => one);
    expect(yaml).toEqual(parseTestFile(hocon, "t.conf").cases.map(({ at: _, ...one }) => one));
    expect(yaml).toHaveLength(2);
  });

  it("places a case where it begins", () => {
    const places = parseTestFile(text, "t.yml").cases.map(({ at }) => [at.line, at.column]);
    expect(places).toEqual([
      [5, 5],
      [11, 5],
    ]);
  });

  it("says where a key is unknown, and which one is near", () => {
    const issues = issuesOf(text.replace("expect: allow", "exepct: allow"));
    expect(issues[0]).toMatchObject({
      at: { file: "t.yaml", line: 5, column: 5 },
      message: "what is to be expected? add `expect`: allow or deny",
    });
    expect(issues[1]).toMatchObject({
      at: { file: "t.yaml", line: 9, column: 5 },
      message: "there is no key `exepct` in a test",
      hint: expect.stringContaining("did you mean `expect`?"),
    });
  });

  it("says where a value is of the wrong kind", () => {
    const [issue] = issuesOf(text.replace("qos: 1", "qos: high"));
    expect(issue).toMatchObject({
      at: { line: 8, column: 10 },
      message: "`qos` is a whole number from 0 to 2",
    });
  });
});

function issuesOf(text: string): readonly Issue[] {
  try {
    parseTestFile(text, "t.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  throw new Error("read without a complaint");
}
