import { describe, expect, test } from "vitest";
import { parseHocon, toJson } from "../../../src/config/hocon/index.ts";

function read(text: string) {
  return parseHocon({ text, file: "test.conf" });
}

/** Authentication, appendix E. `error`: the text is refused. */
const VECTORS: readonly (readonly [text: string, json: unknown])[] = [
  [
    "a = 5m\nb = 10MB\nc = 50%\nd = 1h30m\ne = 10M",
    { a: "5m", b: "10MB", c: "50%", d: "1h30m", e: "10M" },
  ],
  ["a = 1m\n30s", { a: "1m30s" }],
  ["a = foo bar", { a: "foobar" }],
  ["a = foo\nbar", { a: "foobar" }],
  ['a = "x" "y"', { a: "xy" }],
  ["a = foo.bar-baz_1@x%", { a: "foo.bar-baz_1@x%" }],
  ["a = a|b", { a: "a|b" }],
  ["a = 50%b", { a: "50%b" }],
  ["a = 007", { a: 7 }],
  ["a = .5", { a: 0.5 }],
  ["a = 1.0E-3", { a: 0.001 }],
  ["b = +3", { b: 3 }],
  ["a = 5.", "error"],
  ["a = 1e5", "error"],
  ["a = 1abc", "error"],
  ["a = 0x10", "error"],
  ["a = 2w", "error"],
  ["a = 1.5s", "error"],
  ["a = 100B", "error"],
  ["a = 10Kb", "error"],
  ["a = /x", "error"],
  ["a = http://h", "error"],
  ["a = h:1", "error"],
  ["a = 127.0.0.1:1", "error"],
  ["a = 0.0.0.0:1883", "error"],
  ["a = 'x'", "error"],
  ["a = _b", "error"],
  ["a = é", "error"],
  ["a += 1", "error"],
  ["a = *", "error"],
  ["a = 5 foo", "error"],
  ["a = foo 5", "error"],
  ['a = 5"x"', "error"],
  ['a = true "x"', "error"],
  ["a = foo#c", { a: "foo" }],
  ["a = foo//c", { a: "foo" }],
  ['a = "#x // y" # c', { a: "#x // y" }],
  ['a = "x\\ny\\"z\\u0041"', { a: 'x\ny"z\\u0041' }],
  ['a = "tab\\tx\\qz"', { a: "tab\tx\\qz" }],
  ['a = """l1\nl2 \\n "q" """', { a: 'l1\nl2 \\n "q" ' }],
  ['a = """\nx\n"""', { a: "\nx\n" }],
  ['a = """~\n   l1\n     l2\n   ~"""', { a: "l1\n  l2\n" }],
  ['a = """~\n   l1\n     l2\n   """', { a: "l1\n  l2\n" }],
  ['a = """"q""""', "error"],
  ['a = "multi\nline"', "error"],
  ["a = on", { a: "on" }],
  ["a = True", { a: "True" }],
  ["a = nullx", { a: "nullx" }],
  ["a = null", { a: null }],
  ["a = [tlsv1.3]", { a: ["tlsv1.3"] }],
  ["a {b=1}\na.c=2\na {b=3}", { a: { b: 3, c: 2 } }],
  ["a {b=1} {c=2}", { a: { b: 1, c: 2 } }],
  ["a = [1,2,3]\na = [4]", { a: [4] }],
  ["a = [1 2 3]", { a: [1, 2, 3] }],
  ["a = [1,]", { a: [1] }],
  ["a = [1 # c\n2]", { a: [1, 2] }],
  ["a = [5m 10m]", { a: ["5m10m"] }],
  ["a = [1 a]", { a: [1, "a"] }],
  ["a = [a 1]", "error"],
  ["a = [{x=1} 2]", "error"],
  ["a = [,1]", "error"],
  ["a = [1,,2]", "error"],
  ["a=1,,b=2", "error"],
  [",a=1", "error"],
  ["a=1,", "error"],
  ["{a=1,}", { a: 1 }],
  ["a {b=1,}", { a: { b: 1 } }],
  ["a=1 b=2", { a: 1, b: 2 }],
  ["a\n{\nb=1\n}", { a: { b: 1 } }],
  ["a =\n 5", { a: 5 }],
  ["a = [\n{x=1}\n{x=2}\n]", { a: [{ x: 1 }, { x: 2 }] }],
  ["a = [{x=1} {y=2}]", { a: [{ x: 1, y: 2 }] }],
  ["a = {x=1}\n{y=2}", "error"],
  ["a = [1,2] [3]", { a: [1, 2, 3] }],
  ["a = [1]\n[2]", { a: [1, 2] }],
  ["a = [[1]\n[2]]", { a: [[1, 2]] }],
  ["a = [foo\nbar]", { a: ["foobar"] }],
  ['a = [a, b c, "d e"]', { a: ["a", "bc", "d e"] }],
  ["a = [{x=1},{x=2}]\na.1.x = 9\na.3 {x=7}", { a: [{ x: 9 }, { x: 2 }, { x: 7 }] }],
  ["a = [{x=1}]\na.5.x=1", "error"],
  ["a = [{x=1}]\na.0.x=1", "error"],
  ["authentication = [{x=1}]\nauthentication.2 {y=1}", { authentication: [{ x: 1 }, { y: 1 }] }],
  [
    "authentication.1 {x=1}\nauthentication.2 {x=2}",
    { authentication: { "1": { x: 1 }, "2": { x: 2 } } },
  ],
  ["authentication {x=1}\nauthentication {y=2}", { authentication: { x: 1, y: 2 } }],
  ["b=1\na=${b}\nb=2", { b: 2, a: 2 }],
  ["a=foo\na=${a}bar", { a: "foobar" }],
  ['x=foo\na=${x}"-bar"', { x: "foo", a: "foo-bar" }],
  ["a = pre${?none}post", { a: "prepost" }],
  ["a={x=1}\nb=${a}{y=2}", { a: { x: 1 }, b: { x: 1, y: 2 } }],
  ["a=[1]\nb=${a}[2]", { a: [1], b: [1, 2] }],
  ["a=1\na=${?x}", { a: 1 }],
  ["a=${?x}", {}],
  ["a=[${?x},1]", { a: [1] }],
  ["a=${nope}", "error"],
  ["a=${b}\nb=${a}", "error"],
  ["x=1\ny=2\na=${x}${y}", "error"],
  ["b=1\na=${ b }", "error"],
  ['a="${username}"', { a: "${username}" }],
  ['a="${EMQX_ETC_DIR}/x"', { a: "${EMQX_ETC_DIR}/x" }],
  ['"a.b" = 1', { "a.b": 1 }],
  ['a = {"b.c" = 1}', { a: { "b.c": 1 } }],
  ['a."b" = 1', "error"],
  ['"a".b = 1', "error"],
  ["a b = 1", "error"],
  ["1 = x", "error"],
  ["true = 1", "error"],
  ["null = 1", "error"],
  ["a..b = 1", { a: { b: 1 } }],
  ["listeners.tcp.1a.x = 1", { listeners: { tcp: { "1a": { x: 1 } } } }],
  ["listeners.ssl.my-1.x = 1", { listeners: { ssl: { "my-1": { x: 1 } } } }],
  ["a=1\na {b=2}", { a: { b: 2 } }],
  ["a {b=2}\na=1", { a: 1 }],
  ["[1,2]", "error"],
  ["a=1}", "error"],
  ["a", "error"],
  ["", {}],
  ["# only\n// comments\n", {}],
  ["include = 1", "error"],
  ['include file("x")', "error"],
];

describe("the published HOCON vectors", () => {
  for (const [text, expected] of VECTORS) {
    test(`${expected === "error" ? "refuses" : "reads"} ${JSON.stringify(text)}`, () => {
      const { root, issues } = read(text);
      const errors = issues.filter((issue) => issue.severity === "error");
      if (expected === "error") {
        expect(errors).not.toEqual([]);
        for (const issue of errors) {
          expect(issue.at?.file).toBe("test.conf");
          expect(issue.at?.line).toBeGreaterThan(0);
          expect(issue.at?.column).toBeGreaterThan(0);
        }
      } else {
        expect(errors).toEqual([]);
        expect(toJson(root)).toEqual(expected);
      }
    });
  }
});
