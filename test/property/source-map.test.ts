/** Laws of the source map: what is written comes back, and no damage does more than lose places. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENTRY_SOURCE_MAP } from "../../assembly/abi.ts";
import { packImage } from "../../src/compile/image.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { compileSourceMap } from "../../src/compile/source-map.ts";
import { RuleReferences } from "../../src/rule-references.ts";
import { runs } from "../support/runs.ts";

const word = fc.oneof(fc.nat(3), fc.nat({ max: 0xffffffff }));
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const rules = fc.array(
  fc.record({
    at: fc.record({ file: fc.oneof(fc.constant("acl.conf"), text), line: word, column: word }),
    text,
  }),
  { maxLength: 8 },
);

function compile(places: readonly Pick<Rule, "at" | "text">[]): Uint8Array {
  const rest = { permission: "allow", who: { type: "all" }, actions: 1, topics: "all" } as const;
  return compileSourceMap(places.map((place) => ({ ...rest, ...place })));
}

function referencesOf(map: Uint8Array): RuleReferences {
  return new RuleReferences(packImage([{ kind: ENTRY_SOURCE_MAP, id: 0, blob: map }], 0));
}

describe("the source map", () => {
  test("gives every rule its place and text back", () => {
    fc.assert(
      fc.property(rules, (places) => {
        const read = referencesOf(compile(places));
        for (const [index, place] of places.entries()) {
          expect(read.get(index)).toEqual({ number: index + 1, ...place });
        }
      }),
      runs(300),
    );
  });

  test("gives a place for every number whatever its bytes are", () => {
    const damage = fc.array(fc.tuple(fc.nat(400), fc.oneof(fc.nat(8), fc.nat(255))), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(rules, damage, fc.nat(8), word, (places, bytes, cut, rule) => {
        const map = compile(places);
        for (const [at, byte] of bytes) map[at % map.length] = byte;
        const read = referencesOf(map.subarray(0, map.length - cut));
        for (const index of [rule, ...places.keys()]) {
          const { number, at, text: written } = read.get(index);
          expect(number).toBe(index + 1);
          expect([typeof at?.file, typeof at?.line, typeof at?.column, typeof written]).toEqual([
            "string",
            "number",
            "number",
            "string",
          ]);
        }
      }),
      runs(500),
    );
  });
});
