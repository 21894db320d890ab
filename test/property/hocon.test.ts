import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type HoconJson, parseHocon, toJson } from "../../src/config/hocon/index.ts";
import { printHocon } from "../support/hocon.ts";
import { runs } from "../support/runs.ts";

/** Plain data that has no prototype, as `toJson` makes it. */
const json = fc
  .dictionary(
    fc.oneof(
      fc.string({ unit: "grapheme", minLength: 0, maxLength: 8 }),
      fc.constantFrom("__proto__", "constructor", "a.b", "1"),
    ),
    fc.jsonValue({ maxDepth: 4, stringUnit: "grapheme" }) as fc.Arbitrary<HoconJson>,
    { maxKeys: 6 },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as HoconJson);

const FRAGMENTS = [
  ..."{}[],=:\n \"\\$#/'.+-15eé()~",
  '"""',
  "${a}",
  "${?b.c}",
  "${a",
  "a",
  "b.c",
  "a.1",
  "include ",
  'include "a"',
  "required(",
  "true",
  "null",
  "5m",
  "1.5",
  "a = ",
  "a { ",
  "[1]",
  "{x=1}",
  "\\u0041",
  "\ud83d",
  "\u2028",
];

const soup = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 60 }).map((all) => all.join(""));

describe("the HOCON reader", () => {
  test("reads back what was printed", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = printHocon(value);
        const { root, issues } = parseHocon({ text, file: "t.conf", unicodeEscapes: true });
        expect(issues.filter((issue) => issue.severity === "error")).toEqual([]);
        expect(JSON.stringify(toJson(root))).toBe(JSON.stringify(value));
      }),
    );
  });

  test("answers any text with a document or with placed errors", () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary" })), (text) => {
        const { root, issues } = parseHocon({
          text,
          file: "t.conf",
          readInclude: (path) => (path === "a" ? "b.c = ${?a} [2]" : undefined),
        });
        toJson(root);
        for (const issue of issues) {
          expect(issue.at?.line).toBeGreaterThan(0);
          expect(issue.at?.column).toBeGreaterThan(0);
        }
      }),
      runs(800),
    );
  });
});
