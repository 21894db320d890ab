import { describe, expect, test } from "vitest";
import { type HoconSource, parseHocon, toJson } from "../../../src/config/hocon/index.ts";
import { INCLUDES_MAX, NESTING_MAX, VALUES_MAX } from "../../../src/config/hocon/limits.ts";
import type { Issue } from "../../../src/errors.ts";

const FILE = "etc/a.conf";

function read(text: string, more: Partial<HoconSource> = {}) {
  return parseHocon({ text, file: FILE, ...more });
}

function json(text: string, more: Partial<HoconSource> = {}) {
  const { root, issues } = read(text, more);
  expect(issues.filter((issue) => issue.severity === "error")).toEqual([]);
  return toJson(root);
}

function show({ at, message, hint }: Issue): string {
  return `${at?.line}:${at?.column} ${message}${hint ? ` (${hint})` : ""}`;
}

/** `line:column message (hint)` of each error. */
function errors(text: string, more: Partial<HoconSource> = {}): string[] {
  return read(text, more)
    .issues.filter((issue) => issue.severity === "error")
    .map(show);
}

function warnings(text: string, more: Partial<HoconSource> = {}): string[] {
  return read(text, more)
    .issues.filter((issue) => issue.severity === "warning")
    .map(show);
}

function files(all: Record<string, string>): Partial<HoconSource> {
  return { readInclude: (path) => (Object.hasOwn(all, path) ? all[path] : undefined) };
}

describe("places", () => {
  test("every value and key knows its line and column", () => {
    const { root } = read('\n  a.b = "x"\n  "c" : [1,\ttrue]\n');
    const a = root.members.get("a");
    expect(a?.keyAt).toEqual({ file: FILE, line: 2, column: 3 });
    const b = a?.value.kind === "object" ? a.value.members.get("b")?.value : undefined;
    expect(b).toMatchObject({ at: { line: 2, column: 9 }, contentAt: { line: 2, column: 10 } });
    const c = root.members.get("c")?.value;
    expect(c).toMatchObject({
      at: { line: 3, column: 9 },
      items: [{ at: { line: 3, column: 10 } }, { at: { line: 3, column: 13 } }],
    });
  });

  test.each([
    ["\n", 2],
    ["\r", 2],
    ["\r\n", 2],
    ["\u2028", 2],
    ["\u2029", 2],
    ["\n\r\n", 3],
    ["\u000b\u000c\u00a0\t", 1],
  ])("the line end %j makes line %i", (end, line) => {
    expect(read(`# c${end}# c`).issues).toEqual([]);
    expect(errors(`a = 1 ${end}b = 'x'`)[0]).toMatch(new RegExp(`^${line}:`));
  });

  test("columns count characters, and a byte-order mark is none", () => {
    expect(errors('\ufeffa = 1 b = "😀é" c = /x')).toEqual([
      '1:20 `/x` is a path and needs quotes (write `c = "/x"`)',
    ]);
  });

  test("substituted values keep the place they were written at", () => {
    const { root } = read("a = 1\nb = ${a}");
    expect(root.members.get("b")?.value.at.line).toBe(1);
  });
});

describe("advice", () => {
  test.each([
    [
      "bind = 0.0.0.0:1883",
      '`0.0.0.0:1883` is an address and needs quotes (write `bind = "0.0.0.0:1883"`)',
    ],
    ["path = /etc/x", '`/etc/x` is a path and needs quotes (write `path = "/etc/x"`)'],
    [
      "url = https://h/x?y",
      '`https://h/x?y` is a URL and needs quotes (write `url = "https://h/x?y"`)',
    ],
    ["t = 1.5s", '`1.5s` needs quotes (write `t = "1.5s"`)'],
    ["n = 1e5", "`1e5` is not a number: an exponent needs a fraction (write `1.0e5`)"],
    ["n = 5.", "`5.` is not a number: digits are missing (write `5.0`)"],
    ["a = 'x'", "found `'x'`: single quotes do not quote (use double quotes: `\"…\"`)"],
    ["l = [a, 10.0.0.1]", '`10.0.0.1` is an address and needs quotes (write `"10.0.0.1"`)'],
  ])("%s", (text, advice) => {
    expect(errors(text).map((one) => one.replace(/^\d+:\d+ /, ""))).toEqual([advice]);
  });

  test("brackets name the place where they were opened", () => {
    expect(errors("a {\n  b = [\n    1\n")).toEqual([
      "2:7 the `[` opened here is never closed (add `]`; the file ends in line 4)",
    ]);
    expect(errors("a = [\n  { b = 1\n]\nc = 2")).toEqual([
      "3:1 found `]` while the `{` opened in line 2, column 3 is not closed (add `}` before it)",
    ]);
    expect(errors("a = 1 }\nb = 2 ]")).toHaveLength(2);
  });

  test("texts that are not closed name the place where they were opened", () => {
    expect(errors('a = "x\nb = 1')[0]).toMatch(/^1:5 .*not closed on the same line/);
    expect(errors('a = 1\nb = """x\ny')[0]).toMatch(/^2:5 .*never closed/);
  });

  test("reading goes on after a mistake, so that all are found at once", () => {
    const text = "a = 'x'\nb { c = /y, d = 1e5 }\ne = [1, *]\nf = 1 2\ng = 1";
    expect(errors(text).map((one) => one.split(" ")[0])).toEqual([
      "1:5",
      "2:9",
      "2:17",
      "3:9",
      "4:7",
    ]);
  });

  test("a missing value is told from one that looks like a key", () => {
    expect(errors("a =\nb = 1")[0]).toContain("`a` has no value: the key `b` follows");
    expect(errors("a = b = 1")[0]).toContain("expected a value, found `b`");
    expect(errors("a = }")[0]).toContain("expected a value, found `}`");
    expect(errors("a =")[0]).toContain("expected a value, found the end of the file");
  });
});

describe("warnings", () => {
  test("texts and lists that join across lines", () => {
    expect(warnings("a = foo\nbar")).toEqual([
      "2:1 this text is joined to the one on the line before it, without a blank " +
        "(put a comma between list elements, or write one text in quotes on one line)",
    ]);
    expect(warnings("a = [[1]\n[2]]")[0]).toMatch(/^2:1 this list is appended/);
    expect(warnings("a = foo bar\nb = [{x=1}\n{y=2}]")).toEqual([]);
    expect(warnings('a = """x\ny""" z')).toEqual([]);
  });

  test("escapes that are none, and escapes that EMQX does not know", () => {
    expect(warnings('a = "x\\qy"')[0]).toMatch(/^1:7 this backslash starts no escape/);
    expect(warnings('a = "\\u0041"')[0]).toContain("not decoded, as in EMQX 6.2");
    expect(warnings('a = "\\u0041"', { unicodeEscapes: true })[0]).toContain("decoded here");
    expect(warnings('a = """\\q\\u0041"""')).toEqual([]);
  });
});

describe("unicode escapes", () => {
  test.each([
    ["\\u0041", "A"],
    ["\\ud83d\\ude00", "😀"],
    ["\\u00e9\\u00E9", "éé"],
    ["\\u004", "\\u004"],
    ["\\ud83d", "\\ud83d"],
    ["\\ude00\\ud83d", "\\ude00\\ud83d"],
    ["\\\\u0041", "\\u0041"],
  ])("%s is %j", (source, value) => {
    expect(json(`a = "${source}"`, { unicodeEscapes: true })).toEqual({ a: value });
  });
});

describe("keys", () => {
  test("`__proto__` and `constructor` are keys like any other", () => {
    const { root } = read('"__proto__" { x = 1 }\nconstructor = 2\na = ${constructor}');
    expect([...root.members.keys()]).toEqual(["__proto__", "constructor", "a"]);
    expect(Object.hasOwn(toJson(root) as object, "__proto__")).toBe(true);
    expect(({} as { x?: number }).x).toBe(undefined);
    expect(errors("a = ${toString}")).toHaveLength(1);
  });

  test("the whole document may stand in braces, but nothing behind them", () => {
    expect(json("\n{ a = 1\n b = 2 }\n")).toEqual({ a: 1, b: 2 });
    expect(errors("{ a = 1 } b = 2")[0]).toContain("after the `}` that closes");
  });
});

describe("lists", () => {
  test("elements are edited by number, and may be appended one by one", () => {
    expect(json("a = [1]\na.1 = 2\na.2 = 3\na.3.x = 4")).toEqual({ a: [2, 3, { x: 4 }] });
    expect(errors("a = [1]\na.3 = 2")).toEqual([
      "2:1 the list has 1 elements, there is no number `3` (elements count from 1; 2 appends one)",
    ]);
    expect(json("a = [1]\na.b = 2")).toEqual({ a: { b: 2 } });
    expect(json("a = [1]\na {}")).toEqual({ a: {} });
  });

  test("elements that vanish do not count", () => {
    expect(json("a = [${?no}, 1]\na.1 = 2\na.2 = 3")).toEqual({ a: [2, 3] });
  });
});

describe("substitutions", () => {
  test("point at siblings, at later text and through each other", () => {
    expect(json("a { x = ${a.y}, y = ${z} }\nz = 1")).toEqual({ a: { x: 1, y: 1 }, z: 1 });
    expect(json("a = ${b}\na.x = 2\nb { x = 1, y = 1 }")).toEqual({
      a: { x: 2, y: 1 },
      b: { x: 1, y: 1 },
    });
  });

  test("a copy is a copy", () => {
    expect(json("a { x { y = 1 } }\nb = ${a}\nb.x.y = 2\nb.x.z = 3")).toEqual({
      a: { x: { y: 1 } },
      b: { x: { y: 2, z: 3 } },
    });
    expect(json("a = [1]\nb = ${a} [2]\nb.1 = 9")).toEqual({ a: [1], b: [9, 2] });
  });

  test("a reference to itself takes the value before", () => {
    expect(json("a = [1]\na = ${a} [2]\na = ${a} [3]")).toEqual({ a: [1, 2, 3] });
    expect(json("a { x = 1 }\na = ${a} { y = 2 }\na.x = ${a.x}")).toEqual({ a: { x: 1, y: 2 } });
    expect(json("a.b = foo\na.b = ${a.b}x\na.c = ${d}\nd = 1")).toEqual({
      a: { b: "foox", c: 1 },
      d: 1,
    });
    expect(json("a = 1\na = { old = ${a} }")).toEqual({ a: { old: 1 } });
    expect(json("a = 1\na = [${a}, 2]")).toEqual({ a: [1, 2] });
    expect(json("a = ${?a} [1]")).toEqual({ a: [1] });
  });

  test("circles and nothing are errors, told once", () => {
    expect(errors("a = ${b}\nb = ${c}\nc = ${a}")).toHaveLength(1);
    expect(errors("a = ${a}")[0]).toContain("nothing in the configuration is called `a`");
    expect(errors("a { b = ${a.b} }")).toHaveLength(1);
    expect(errors("a { b = ${c} }\nc { d = ${a} }")).toHaveLength(1);
    expect(errors("a = ${x.y}\nx = 1")[0]).toContain("called `x.y`");
  });

  test("only like joins like", () => {
    expect(errors("x = 1\na = ${x}s")[0]).toBe(
      "2:9 a text cannot be joined to a number (only texts join texts, objects objects, and lists " +
        "lists; quote a number to join it)",
    );
    expect(errors("x = [1]\na = ${x}{y=1}")).toHaveLength(1);
    expect(json("x = 1\na = ${x}${?none}")).toEqual({ x: 1, a: 1 });
  });
});

describe("includes", () => {
  test("are merged where they stand, at the root and in objects", () => {
    const more = files({ "b.conf": "x = 1\ny = 1" });
    expect(json('x = 0\ninclude "b.conf"\ny = 2', more)).toEqual({ x: 1, y: 2 });
    expect(json('a { include required("b.conf"), y = 3 }', more)).toEqual({ a: { x: 1, y: 3 } });
    expect(json('a = foo\ninclude "b.conf"', more)).toEqual({ a: "foo", x: 1, y: 1 });
    expect(json("a = include\nb = [1]", more)).toEqual({ a: "include", b: [1] });
  });

  test("are asked for by the including file, and keep their own places", () => {
    const asked: [string, string][] = [];
    const { issues } = read('include "sub/b.conf"', {
      readInclude: (path, fromFile) => {
        asked.push([path, fromFile]);
        return path === "sub/b.conf" ? 'include "../c.conf"' : "x = 'y'";
      },
    });
    expect(asked).toEqual([
      ["sub/b.conf", FILE],
      ["../c.conf", "etc/sub/b.conf"],
    ]);
    expect(issues[0]?.at).toEqual({ file: "etc/c.conf", line: 1, column: 5 });
  });

  test("a missing file is a warning, or an error where it is required", () => {
    expect(json('include "no.conf"\na = 1')).toEqual({ a: 1 });
    expect(warnings('include "no.conf"')[0]).toContain("nothing is included");
    expect(errors('include required("no.conf")')).toEqual([
      "1:18 there is no file `no.conf` to include (the path is relative to the including file)",
    ]);
    const broken = {
      readInclude: () => {
        throw new Error("no permission");
      },
    };
    expect(errors('include "x"', broken)).toEqual(["1:9 cannot read `x`: no permission"]);
  });

  test("circles are errors that show the way round", () => {
    const more = files({ "b.conf": 'include "./a.conf"', "./a.conf": 'include "b.conf"' });
    expect(errors('include "b.conf"', more)).toEqual([
      "1:9 `etc/a.conf` includes itself (the circle is etc/a.conf → etc/b.conf → etc/a.conf)",
    ]);
    const twice = files({ "b.conf": "x = ${?x} [1]" });
    expect(json('include "b.conf"\ninclude "b.conf"', twice)).toEqual({ x: [1, 1] });
  });

  test.each([
    "include b.conf",
    "include",
    'include url("x")',
    "include required(x)",
    'include {"x"}',
  ])("%s is refused", (text) => {
    expect(errors(text)).toHaveLength(1);
  });
});

describe("limits", () => {
  const limit = (text: string, more: Partial<HoconSource> = {}) => {
    const { issues } = read(text, more);
    return issues.filter((issue) => issue.code === "ERR_CONFIG_LIMIT").length;
  };
  const nested = (depth: number) => `a = ${"[".repeat(depth)}${"]".repeat(depth)}`;
  const dotted = (depth: number) => `${Array(depth).fill("a").join(".")} = 1`;
  const chained = (length: number) =>
    `${Array.from({ length }, (_, i) => `a${i} = \${a${i + 1}}\n`).join("")}a${length} = 1`;

  test("nesting, by brackets and by dots", () => {
    expect(limit(nested(NESTING_MAX - 1))).toBe(0);
    expect(limit(nested(NESTING_MAX))).toBe(1);
    expect(limit(dotted(NESTING_MAX))).toBe(0);
    expect(limit(dotted(NESTING_MAX + 1))).toBe(1);
  });

  test("includes", () => {
    const more = { readInclude: () => "x = 1" };
    expect(limit('include "b"\n'.repeat(INCLUDES_MAX), more)).toBe(0);
    expect(limit('include "b"\n'.repeat(INCLUDES_MAX + 1), more)).toBe(1);
  });

  test("values", () => {
    expect(limit(`a = [${"1,".repeat(VALUES_MAX - 1)}]`)).toBe(0);
    expect(limit(`a = [${"1,".repeat(VALUES_MAX)}]`)).toBe(1);
  });

  test("chains of substitutions", () => {
    expect(limit(chained(99))).toBe(0);
    expect(limit(chained(100))).toBe(1);
  });

  test("what substitutions multiply", () => {
    const lists = Array.from({ length: 40 }, (_, i) => `a${i + 1} = [\${a${i}}, \${a${i}}]\n`);
    expect(limit(`a0 = x\n${lists.join("")}`)).toBe(1);
    const texts = Array.from({ length: 40 }, (_, i) => `a${i + 1} = \${a${i}}\${a${i}}\n`);
    expect(limit(`a0 = x\n${texts.join("")}`)).toBe(1);
    expect(limit("a { x = ${b}, z = ${b} }\nb { y = ${a}, w = ${a} }")).toBe(1);
  });

  test("hostile texts of 30,000 parts are read in one pass", () => {
    const many = 30_000;
    const texts = [
      "{".repeat(many),
      "}".repeat(many),
      "a=".repeat(many),
      '"'.repeat(many),
      "a = ${".repeat(many),
      `a = [1]\n${"a.1 = 2\n".repeat(many)}`,
      `a = [${"${?x},".repeat(1000)}1]\n${"a.1 = 2\n".repeat(many)}`,
      `a = x\n${"a = ${a}x\n".repeat(many)}`,
      `a = "${"\\q".repeat(many)}"`,
      "x = [ é\n".repeat(many),
    ];
    for (const text of texts) expect(read(text).issues.length).toBeLessThan(300);
  });
});
