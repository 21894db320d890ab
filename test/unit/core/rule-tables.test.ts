/** The hash tables of a rule set: hashes find, bytes confirm, and what is no table is refused. */
import { describe, expect, it } from "vitest";
import {
  CONDITION_EQUAL,
  ENTRY_RULES,
  ERR_RULES_BLOB,
  OK,
  RULES_HEADER_BYTES,
  SECTION_CHILD_SLOTS,
  SECTION_CONDITIONS,
  SECTION_KEY_SLOTS,
  SECTION_LITERAL_SLOTS,
  SECTION_RULES,
  SECTION_VALUE_SLOTS,
  WHO_EQUAL,
  WHO_VARIABLE_SHIFT,
} from "../../../assembly/abi.ts";
import { packImage } from "../../../src/compile/image.ts";
import type { Rule, Who } from "../../../src/compile/rule/ast.ts";
import { compileRules } from "../../../src/compile/rule/compile.ts";
import { hashLevel } from "../../../src/compile/rule/hash.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { allow, filter, PUBLISH, userIs } from "../../support/rule-builders.ts";
import { coreWith, decideOnce, newCore } from "../../support/rules-core.ts";

const switches = resolveSwitches("strict");

/** Pairs of different levels with the same hash, among many that look random. */
function collidingLevels(): [string, string][] {
  const known = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let i = 1; i < 400_000; i++) {
    const level = [0x9e3779b1, 0x85ebca6b].map((by) => spread(i, by)).join("");
    const hash = hashLevel(Buffer.from(level), 0, level.length);
    const other = known.get(hash);
    if (other === undefined) known.set(hash, level);
    else pairs.push([other, level]);
  }
  return pairs;
}

/** Seven characters. */
function spread(i: number, by: number): string {
  const mixed = Math.imul(i ^ (i << 13), by);
  return ((mixed ^ (mixed >>> 15)) >>> 0).toString(36).padStart(7, "0");
}

describe("levels with the same hash", () => {
  const pairs = collidingLevels();

  it("exist", () => {
    expect(pairs.length).toBeGreaterThan(0);
  });

  it.each([
    ["topics", (level: string) => `a/${level}/b`],
    ["the levels of filters", (level: string) => `a/${level}/+`],
    ["the ends of filters", (level: string) => `${level}/#`],
  ])("are told apart in %s", (_, filterOf) => {
    for (const [one, other] of pairs) {
      const rules = ["x", "y", one].map((level) => allow([filter(filterOf(level))]));
      const core = coreWith(rules);
      const ask = (level: string) =>
        decideOnce(core, { clientId: "c" }, PUBLISH, filterOf(level).replace(/[+#]/, "b")).rule;
      expect([ask(one), ask(other)]).toEqual([2, -1]);
    }
  });

  it.each([1, 100])("are told apart as usernames, with %i rules on the topic", (count) => {
    for (const [one, other] of pairs) {
      const others = Array.from({ length: count - 1 }, (_, i) => `user-${i}`);
      const rules = [...others, one].map((name) => allow([filter("a/b")], userIs(name)));
      const core = coreWith(rules);
      const ask = (username: string) =>
        decideOnce(core, { clientId: "c", username }, PUBLISH, "a/b").rule;
      expect([ask(one), ask(other)]).toEqual([count - 1, -1]);
    }
  });
});

describe("a rule set", () => {
  const BOTH: Who = {
    type: "and",
    of: [userIs("b"), { type: "equal", field: { name: "zone" }, value: "c" }],
  };

  /** The status of opening these rules once `damage` has been done to them. */
  function statusAfter(
    rules: readonly Rule[],
    damage: (view: DataView, sectionAt: (section: number) => number) => void,
  ): number {
    const { blob } = compileRules(rules, { switches });
    const view = new DataView(blob.buffer);
    damage(view, (section) => RULES_HEADER_BYTES + section * 8);
    const image = packImage([{ kind: ENTRY_RULES, id: 0, blob }], 0);
    const core = newCore();
    core.bytes.set(image, core.exports.image_alloc(image.length));
    return core.exports.image_open();
  }

  it.each([
    ["children", SECTION_CHILD_SLOTS],
    ["literals", SECTION_LITERAL_SLOTS],
    ["keys", SECTION_KEY_SLOTS],
    ["values", SECTION_VALUE_SLOTS],
  ])("needs two slots in the table of %s", (_, section) => {
    const withSlots = (count: number): number =>
      statusAfter([], (view, sectionAt) => view.setUint32(sectionAt(section) + 4, count, true));
    expect([withSlots(2), withSlots(1), withSlots(0)]).toEqual([
      OK,
      ERR_RULES_BLOB,
      ERR_RULES_BLOB,
    ]);
  });

  it.each([
    ["the variable and value that it has", 0, 1, OK],
    ["a variable that it has not", 1, 1, ERR_RULES_BLOB],
    ["a value that it has not", 0, 2, ERR_RULES_BLOB],
    ["no value", 0, 0, ERR_RULES_BLOB],
  ])("may compare %s beside a rule", (_, variable, value, status) => {
    const word = (WHO_EQUAL | (variable << WHO_VARIABLE_SHIFT) | value) >>> 0;
    const answer = statusAfter([allow([filter("a")], userIs("b"))], (view, sectionAt) => {
      const rule = view.getUint32(sectionAt(SECTION_RULES), true);
      expect(view.getUint32(rule + 4, true)).toBe((WHO_EQUAL | 1) >>> 0);
      view.setUint32(rule + 4, word, true);
    });
    expect(answer).toBe(status);
  });

  it.each([
    ["the variables and values that it has", 1, 2, OK],
    ["a variable that it has not", 2, 1, ERR_RULES_BLOB],
    ["a value that it has not", 0, 3, ERR_RULES_BLOB],
    ["no value", 0, 0, ERR_RULES_BLOB],
  ])("may compare %s in a condition", (_, variable, value, status) => {
    const answer = statusAfter([allow([filter("a")], BOTH)], (view, sectionAt) => {
      // Behind the `and` that they are of.
      const equal = view.getUint32(sectionAt(SECTION_CONDITIONS), true) + 16;
      expect(view.getUint32(equal, true)).toBe(CONDITION_EQUAL);
      view.setUint32(equal + 4, variable, true);
      view.setUint32(equal + 8, value, true);
    });
    expect(answer).toBe(status);
  });
});
