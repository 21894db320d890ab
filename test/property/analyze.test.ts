/** The analysis against every request of a small world, decided by the plain reference. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyzeRules } from "../../src/analyze/index.ts";
import { whoCan } from "../../src/analyze/who-can.ts";
import type { Rule, TopicEntry, Who } from "../../src/compile/rule/ast.ts";
import { resolveSwitches, type Switches } from "../../src/config/compatibility.ts";
import { validateTopicFilter } from "../../src/topic/validate.ts";
import type { Action } from "../../src/types.ts";
import type { ReferenceClient } from "../reference/client.ts";
import { referenceDecide } from "../reference/decide.ts";

/** `z` and the client id `z` stand for what no rule names; the odd ids reshape topics. */
const NAMES = ["a", "b", "$x", "", "z"];
const CLIENT_IDS = ["a", "b", "z", "+", "#", "a/b", "$x", ""];

const words = (alphabet: readonly string[], longest: number): string[] => {
  let all: string[][] = alphabet.map((one) => [one]);
  const texts = all.map((levels) => levels.join("/"));
  for (let length = 2; length <= longest; length++) {
    all = all.flatMap((levels) => alphabet.map((one) => [...levels, one]));
    texts.push(...all.map((levels) => levels.join("/")));
  }
  return texts.filter((text) => text !== "");
};
/** As a first level, the hidden name that no rule names. */
const withHidden = (alphabet: readonly string[]): string[] => [
  ...words(alphabet, 3),
  "$z",
  ...words(alphabet, 2).map((rest) => `$z/${rest}`),
];
/** The rules below name at most two levels before `#`, so three levels show everything. */
const TOPICS = withHidden(NAMES);
const FILTERS = withHidden(["a", "b", "z", "$x", "+", "#"]).filter(
  (text) => !validateTopicFilter(text),
);
const PUBLISH: Action = { type: "publish", qos: 0, retain: false };
const SUBSCRIBE: Action = { type: "subscribe", qos: 0 };

const CLIENTS: readonly ReferenceClient[] = CLIENT_IDS.flatMap((clientId) =>
  (clientId.length === 1 && clientId > "A"
    ? ["10.0.0.1", "10.200.0.1", "11.0.0.1", undefined]
    : ["10.0.0.1"]
  ).map((peerHost) => ({
    clientId,
    ...(peerHost === undefined ? {} : { peerHost }),
  })),
);

const level = fc.constantFrom("a", "b", "$x", "+", "+");
const filterText = (levels: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(levels, { maxLength: 2 }), fc.boolean())
    .map(([texts, hasRest]) =>
      [...texts, ...(hasRest || texts.length === 0 ? ["#"] : [])].join("/"),
    );
const plainEntry: fc.Arbitrary<TopicEntry> = fc.oneof(
  { weight: 6, arbitrary: filterText(level).map((text): TopicEntry => ({ type: "filter", text })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("a", "a/#", "#", "a/b", "+/#")
      .map((text): TopicEntry => ({ type: "equal", text })),
  },
);
const anyEntry: fc.Arbitrary<TopicEntry> = fc.oneof(
  plainEntry,
  filterText(fc.constantFrom("a", "b", "+", "${clientid}", "a${clientid}")).map(
    (text): TopicEntry => ({ type: "filter", text }),
  ),
);
const ip = (...network: number[]) => ({ network: Uint8Array.from(network), prefixLength: 9 });
const leaf: fc.Arbitrary<Who> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Who>({ type: "all" }) },
  fc
    .constantFrom("a", "b")
    .map((value): Who => ({ type: "equal", field: { name: "clientid" }, value })),
  fc
    .subarray([ip(10, 0, 0, 0), ip(10, 128, 0, 0)], { minLength: 1 })
    .map((ranges): Who => ({ type: "address", ranges })),
);
const who: fc.Arbitrary<Who> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  fc.record({ type: fc.constantFrom("and", "or"), of: fc.array(leaf, { maxLength: 2 }) }),
);
const rulesOf = (entry: fc.Arbitrary<TopicEntry>): fc.Arbitrary<Rule[]> =>
  fc.array(
    fc.record({
      permission: fc.constantFrom("allow", "deny"),
      who,
      actions: fc.constantFrom(511, 511, 63, 448),
      topics: fc.oneof(
        { weight: 8, arbitrary: fc.array(entry, { minLength: 1, maxLength: 2 }) },
        { weight: 1, arbitrary: fc.constant("all" as const) },
      ),
    }),
    { minLength: 2, maxLength: 5 },
  );

/** Numbers of the rules, from 1, that decide some request. */
function decidingRules(rules: readonly Rule[], switches: Switches): Set<number> {
  const deciding = new Set<number>();
  const ask = (client: ReferenceClient, action: Action, topic: string): void => {
    const { rule } = referenceDecide(rules, client, action, topic, switches);
    if (rule >= 0) deciding.add(rule + 1);
  };
  for (const client of CLIENTS) {
    for (const topic of TOPICS) ask(client, PUBLISH, topic);
    for (const filter of FILTERS) ask(client, SUBSCRIBE, filter);
    if (deciding.size === rules.length) break;
  }
  return deciding;
}

function reportedAsIdle(rules: readonly Rule[], switches: Switches): number[] {
  return analyzeRules(rules, switches)
    .filter(({ code }) => code === "WARN_ANALYZE_SHADOWED" || code === "WARN_ANALYZE_NEVER")
    .map(({ rule }) => rule);
}

const RUNS = { numRuns: 25 };
/** The plain reference is asked some thousand times a run. */
const TIMEOUT_MS = 120_000;
const MODES = {
  strict: resolveSwitches("strict"),
  emqx: resolveSwitches("emqx"),
  overlap: resolveSwitches("strict", { overlap_denies: true }),
} as const;

describe("shadowed rules", () => {
  test.each(["strict", "emqx"] as const)(
    "are exactly those that decide nothing, without placeholders, in %s mode",
    (mode) => {
      fc.assert(
        fc.property(rulesOf(plainEntry), (rules) => {
          const deciding = decidingRules(rules, MODES[mode]);
          const idle = rules.map((_, index) => index + 1).filter((number) => !deciding.has(number));
          expect(reportedAsIdle(rules, MODES[mode])).toEqual(idle);
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );

  test.each(["strict", "emqx", "overlap"] as const)(
    "never decide anything, with placeholders, in %s mode",
    (mode) => {
      fc.assert(
        fc.property(rulesOf(anyEntry), (rules) => {
          const deciding = decidingRules(rules, MODES[mode]);
          for (const number of reportedAsIdle(rules, MODES[mode]))
            expect(deciding).not.toContain(number);
        }),
        RUNS,
      );
    },
    TIMEOUT_MS,
  );
});

describe("conflicts", () => {
  test("give a topic that both rules select, for some client", () => {
    const switches = MODES.strict;
    fc.assert(
      fc.property(rulesOf(anyEntry), (rules) => {
        for (const { code, rule, others, example } of analyzeRules(rules, switches)) {
          if (code !== "WARN_ANALYZE_CONFLICT") continue;
          const [later, earlier] = [rules[rule - 1]!, rules[others[0]! - 1]!];
          expect(later.permission).not.toBe(earlier.permission);
          const both = [
            ...CLIENTS,
            ...["10.0.0.1", "10.200.0.1"].map((peerHost) => ({ clientId: "x", peerHost })),
          ].some((client) =>
            [later, earlier].every((one) => {
              const action = (later.actions & earlier.actions & 63) !== 0 ? PUBLISH : SUBSCRIBE;
              return referenceDecide([one], client, action, example!, switches).rule === 0;
            }),
          );
          expect(both, `${example}`).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe.each(["strict", "emqx", "overlap"] as const)("who-can in %s mode", (mode) => {
  const switches = MODES[mode];
  const request = fc.oneof(
    fc.constantFrom(...TOPICS).map((topic) => ({ action: PUBLISH, topic })),
    fc.constantFrom(...FILTERS).map((topic) => ({ action: SUBSCRIBE, topic })),
  );
  const admitting = (rules: readonly Rule[], action: Action, topic: string): number[] => {
    const found = new Set<number>();
    for (const client of CLIENTS) {
      const { verdict, rule } = referenceDecide(rules, client, action, topic, switches);
      if (verdict === "allow") found.add(rule + 1);
    }
    return [...found].sort((a, b) => a - b);
  };

  test("lists exactly the allow rules that decide for some client", () => {
    fc.assert(
      fc.property(rulesOf(plainEntry), request, (rules, { action, topic }) => {
        const answer = whoCan(rules, { action, topic, switches, noMatch: "deny" });
        expect(answer.admissions.map(({ rule }) => rule)).toEqual(admitting(rules, action, topic));
      }),
      { numRuns: 600 },
    );
  });

  test("leaves out no rule that admits anybody, placeholders included", () => {
    fc.assert(
      fc.property(rulesOf(anyEntry), request, (rules, { action, topic }) => {
        const answer = whoCan(rules, { action, topic, switches, noMatch: "deny" });
        const listed = answer.admissions.map(({ rule }) => rule);
        expect(listed).toEqual(expect.arrayContaining(admitting(rules, action, topic)));
      }),
      { numRuns: 600 },
    );
  });
});
