/**
 * What the analysis claims, against every request of a richer world than that of analyze.test.ts:
 * several fields with absent, empty and reshaping values, patterns, nested conditions, every QoS and
 * retain flag, empty levels, `$`-topics, `eq` of all kinds, and switches in every combination. Here
 * only wrong claims count: what is called idle must decide nothing, what is left out of `who-can`
 * must admit nobody.
 */
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
import { runs } from "../support/runs.ts";

interface Asked {
  readonly action: Action;
  readonly topic: string;
}

const LEVELS = ["a", "b", "", "$x", "z"];
const pairs = (alphabet: readonly string[]): string[] =>
  alphabet.flatMap((one) => [one, ...alphabet.map((other) => `${one}/${other}`)]);
const NAMES = [...pairs(LEVELS), "a/b/a", "a/z/z", "z/z/z", "//", "$z", "$x/z/z", "undefined/a"];
const FILTERS = [
  ...pairs([...LEVELS, "+", "#"]),
  ...["a/+/#", "+/+/#", "a/+/+", "$x/+/#", "z/z/#", "a/b/#", "/+/#", "undefined/#"],
].filter((text) => text !== "" && !validateTopicFilter(text));
const QOS = [0, 1, 2] as const;
const REQUESTS: readonly Asked[] = [
  ...NAMES.filter((text) => text !== "").flatMap((topic) =>
    QOS.flatMap((qos) =>
      [true, false].map((retain) => ({ action: { type: "publish", qos, retain } as const, topic })),
    ),
  ),
  ...FILTERS.flatMap((topic) =>
    QOS.map((qos) => ({ action: { type: "subscribe", qos } as const, topic })),
  ),
];

/** Absent, empty, ordinary, and such that would reshape a topic. */
const VALUES = ["a", "b", "z", "", "+", "#", "a/b", "$x", "a\u0001"];
const CLIENTS: readonly ReferenceClient[] = [
  ...VALUES.map((clientId) => ({ clientId, username: "a", peerHost: "10.0.0.1" })),
  ...[null, ...VALUES].map((username) => ({ clientId: "z", username })),
  ...["a", "b"].flatMap((one) =>
    ["a", "z", null].map((username) => ({
      clientId: one,
      username,
      peerHost: "10.200.0.1",
      clientAttrs: { t: one },
    })),
  ),
  ...["", "+", "a/b", "z"].map((t) => ({ clientId: "a", username: "b", clientAttrs: { t } })),
  { clientId: "z", username: null, peerHost: "::ffff:10.0.0.1" },
  { clientId: "z", username: null, peerHost: "fd00::1" },
];

const level = fc.constantFrom(
  ...["a", "b", "", "$x", "+", "+", "${clientid}", "${username}"],
  ...["${client_attrs.t}", "a${username}", "${clientid}${username}", "${$}x"],
);
const filter = fc
  .tuple(fc.array(level, { maxLength: 2 }), fc.boolean())
  .map(([texts, hasRest]) => [...texts, ...(hasRest || texts.length === 0 ? ["#"] : [])].join("/"))
  .map((text): TopicEntry => ({ type: "filter", text }));
const equal = fc
  .constantFrom("a", "a/#", "#", "a/b", "+/#", "$x", "$x/#", "+", "a/+", "/", "a+", "${clientid}/#")
  .map((text): TopicEntry => ({ type: "equal", text }));
const entry = fc.oneof({ weight: 5, arbitrary: filter }, { weight: 1, arbitrary: equal });

const range = fc.constantFrom(
  { network: Uint8Array.of(10, 0, 0, 0), prefixLength: 9 },
  { network: Uint8Array.of(10, 128, 0, 0), prefixLength: 9 },
  { network: Uint8Array.of(10, 0, 0, 0), prefixLength: 8 },
  { network: Uint8Array.of(0xfd, ...new Array<number>(15).fill(0)), prefixLength: 8 },
);
const field = fc.constantFrom<(Who & { type: "equal" })["field"]>(
  { name: "clientid" },
  { name: "username" },
  { name: "client_attr", attr: "t" },
);
const leaf: fc.Arbitrary<Who> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Who>({ type: "all" }) },
  fc
    .tuple(field, fc.constantFrom("a", "b", "", "a/b"))
    .map(([one, value]): Who => ({ type: "equal", field: one, value })),
  fc
    .tuple(field, fc.constantFrom("^a", "a|b", ".*", "^$"))
    .map(([one, pattern]): Who => ({ type: "pattern", field: one, pattern })),
  fc.array(range, { maxLength: 3 }).map((ranges): Who => ({ type: "address", ranges })),
  fc.boolean().map((value): Who => ({ type: "constant", value })),
);
const { who } = fc.letrec<{ who: Who }>((tie) => ({
  who: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: leaf },
    fc.record({
      type: fc.constantFrom("and" as const, "or" as const),
      of: fc.array(tie("who"), { maxLength: 3 }),
    }),
  ),
}));
const someWho = (mayRaise: boolean): fc.Arbitrary<Who> =>
  mayRaise ? fc.oneof({ weight: 12, arbitrary: who }, fc.constant<Who>({ type: "raise" })) : who;

/** Mostly everything or one kind; some odd sets of QoS and retain flags. */
const actions = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(511, 511, 63, 448) },
  fc.nat(511),
  fc.constantFrom(1, 2, 3, 64, 128, 64 | 1),
);
const rulesOf = (mayRaise: boolean): fc.Arbitrary<Rule[]> =>
  fc.array(
    fc.record({
      permission: fc.constantFrom("allow", "deny"),
      who: someWho(mayRaise),
      actions,
      topics: fc.oneof(
        { weight: 8, arbitrary: fc.array(entry, { maxLength: 3 }) },
        { weight: 1, arbitrary: fc.constant("all" as const) },
      ),
    }),
    { minLength: 2, maxLength: 7 },
  );

const flags = fc.record({
  subscribe_containment: fc.boolean(),
  overlap_denies: fc.boolean(),
  safe_placeholders: fc.boolean(),
  separator_in_placeholder: fc.boolean(),
  absent_never_matches: fc.boolean(),
  standard_addresses: fc.boolean(),
});
const someSwitches: fc.Arbitrary<Switches> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(resolveSwitches("strict")) },
  { weight: 2, arbitrary: fc.constant(resolveSwitches("emqx")) },
  { weight: 3, arbitrary: flags.map((some) => resolveSwitches("strict", some)) },
  fc.boolean().map((on) => resolveSwitches("strict", { overlap_denies: on })),
);

const TIMEOUT_MS = 240_000;

describe("whatever the switches", () => {
  test(
    "a rule that is said never to apply decides nothing",
    () => {
      let claims = 0;
      fc.assert(
        fc.property(rulesOf(true), someSwitches, (rules, switches) => {
          const idle = analyzeRules(rules, switches)
            .filter(({ code }) => code === "WARN_ANALYZE_SHADOWED" || code === "WARN_ANALYZE_NEVER")
            .map(({ rule }) => rule - 1);
          claims += idle.length;
          if (idle.length === 0) return;
          for (const client of CLIENTS) {
            for (const { action, topic } of REQUESTS) {
              const { rule, verdict } = referenceDecide(rules, client, action, topic, switches);
              if (verdict === "exception" || !idle.includes(rule)) continue;
              const said = { client, action, topic, rule: rule + 1 };
              throw new Error(`it decides: ${JSON.stringify(said)}`);
            }
          }
        }),
        runs(60),
      );
      expect(claims).toBeGreaterThan(10);
    },
    TIMEOUT_MS,
  );

  test(
    "who-can leaves out nobody",
    () => {
      const noMatch = fc.constantFrom("allow" as const, "deny" as const);
      const request = fc.constantFrom(...REQUESTS);
      fc.assert(
        fc.property(
          rulesOf(true),
          someSwitches,
          request,
          noMatch,
          (rules, switches, { action, topic }, otherwise) => {
            const answer = whoCan(rules, { action, topic, switches, noMatch: otherwise });
            const listed = answer.admissions.map(({ rule }) => rule);
            for (const client of CLIENTS) {
              const { verdict, rule } = referenceDecide(rules, client, action, topic, switches);
              if (verdict === "allow") expect(listed, JSON.stringify(client)).toContain(rule + 1);
              if (verdict === "nomatch" && otherwise === "allow") {
                expect(answer.otherwise, JSON.stringify(client)).toBe(true);
              }
            }
          },
        ),
        runs(1_000),
      );
    },
    TIMEOUT_MS,
  );

  test(
    "who-can names no client that is not admitted, where values tell",
    () => {
      // `if username is a` alone: exactly these clients, but for those that a deny rule takes away.
      const request = fc.constantFrom(...REQUESTS);
      fc.assert(
        fc.property(rulesOf(false), request, (rules, { action, topic }) => {
          const switches = resolveSwitches("strict");
          const answer = whoCan(rules, { action, topic, switches, noMatch: "deny" });
          for (const { rule, who: words } of answer.admissions) {
            const only = rules[rule - 1]!;
            const alone = (client: ReferenceClient): boolean =>
              referenceDecide([only], client, action, topic, switches).verdict === "allow";
            if (words === "everyone") expect(CLIENTS.every(alone)).toBe(true);
            const value = /^if (username|client id) is `([^`]*)`$/.exec(words);
            if (!value) continue;
            const isMeant = ({ clientId, username }: ReferenceClient): boolean =>
              (value[1] === "username" ? username : clientId) === value[2];
            for (const client of CLIENTS) expect(alone(client)).toBe(isMeant(client));
          }
        }),
        runs(600),
      );
    },
    TIMEOUT_MS,
  );

  test(
    "a conflict or denied delivery gives a topic that both rules select, patterns aside",
    () => {
      const hasPattern = (one: Who): boolean =>
        one.type === "pattern" || ("of" in one && one.of.some(hasPattern));
      fc.assert(
        fc.property(rulesOf(false), someSwitches, (rules, switches) => {
          for (const { code, rule, others, example } of analyzeRules(rules, switches)) {
            // A denied delivery is a conflict of which only the deny rule's part is denied.
            if (code !== "WARN_ANALYZE_CONFLICT" && code !== "WARN_ANALYZE_DELIVERY") continue;
            const both = [rules[rule - 1]!, rules[others[0]! - 1]!];
            expect(new Set(both.map(({ permission }) => permission)).size).toBe(2);
            if (both.some((one) => hasPattern(one.who))) continue;
            const isShared = WIDE_CLIENTS.some((client) =>
              REQUEST_ACTIONS.some((action) =>
                both.every(
                  (one) => referenceDecide([one], client, action, example!, switches).rule === 0,
                ),
              ),
            );
            expect(isShared, `${example} of ${JSON.stringify(both)}`).toBe(true);
          }
        }),
        runs(200),
      );
    },
    TIMEOUT_MS,
  );
});

const REQUEST_ACTIONS: readonly Action[] = [
  ...QOS.flatMap((qos) =>
    [true, false].map((retain) => ({ type: "publish", qos, retain }) as const),
  ),
  ...QOS.map((qos) => ({ type: "subscribe", qos }) as const),
];
/** Examples put `x` for a value that is free; the rest follows from literals and from one another. */
const FREE = ["a", "b", "x", "ax", "bx", "aa", "ab", "xx", "aax", "axx", "$x", "a/b", "", null];
const WIDE_CLIENTS: readonly ReferenceClient[] = FREE.flatMap((clientId) =>
  FREE.flatMap((username) =>
    FREE.flatMap((t) =>
      ["10.0.0.1", "10.200.0.1", "fd00::1"].map((peerHost) => ({
        clientId: clientId ?? "",
        username,
        peerHost,
        ...(t === null ? {} : { clientAttrs: { t } }),
      })),
    ),
  ),
);
