/** The core decides as the plain reference does, for any rules, clients and requests. */
import fc from "fast-check";
import { describe, test } from "vitest";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { resolveSwitches, type Switches } from "../../src/config/compatibility.ts";
import type { SwitchName } from "../../src/config/switch-names.ts";
import type { RuleAnswer } from "../../src/core/core.ts";
import { actionBit, closeClient, decide, isCovered, openClient } from "../../src/core/rules.ts";
import type { Action, Text } from "../../src/types.ts";
import { byteString, type ReferenceClient } from "../reference/client.ts";
import { type ReferenceDecision, referenceDecide } from "../reference/decide.ts";
import { topicMatches } from "../reference/topic.ts";
import {
  aimAt,
  arbitraryClient,
  arbitraryRequests,
  arbitraryTopic,
  looseRules,
  strictRules,
} from "../support/rule-arbitraries.ts";
import { coreWith, requestOf } from "../support/rules-core.ts";
import { runs } from "../support/runs.ts";

const VERDICTS = {
  allow: "allow",
  deny: "deny",
  nomatch: "no_match",
  exception: "failed",
} as const;

function agrees(answer: RuleAnswer, expected: ReferenceDecision): boolean {
  return answer.verdict === VERDICTS[expected.verdict] && answer.rule === expected.rule;
}

/** Is this a topic name that the filter matches? */
function isDelivered(filter: Text, topic: Text): boolean {
  const name = byteString(topic);
  return !/[+#]/.test(name) && topicMatches(byteString(filter), name);
}

function checkAll(
  rules: readonly Rule[],
  client: ReferenceClient,
  requests: readonly (readonly [Action, Text, readonly number[]])[],
  switches: Switches,
): void {
  const core = coreWith(rules, switches);
  const handle = openClient(core, requestOf(client));
  for (const [action, anyTopic, aim] of requests) {
    const topic = aimAt(rules, client, anyTopic, aim);
    const answer = decide(core, handle, actionBit(action), topic);
    const expected = referenceDecide(rules, client, action, topic, switches);
    if (!agrees(answer, expected)) {
      throw new Error(`core ${JSON.stringify(answer)}, reference ${JSON.stringify(expected)}`);
    }
  }
  closeClient(core, handle);
}

const OPTIONS: readonly SwitchName[] = [
  "subscribe_containment",
  "overlap_denies",
  "safe_placeholders",
  "separator_in_placeholder",
  "absent_never_matches",
  "standard_addresses",
];
const anySwitches = fc
  .subarray([...OPTIONS])
  .map((on) => new Set<SwitchName>(on))
  .map((on) => Object.fromEntries(OPTIONS.map((name) => [name, on.has(name)])));

describe("the core and the reference", () => {
  test("agree on strict rules in strict mode", () => {
    const switches = resolveSwitches("strict");
    fc.assert(
      fc.property(strictRules, arbitraryClient, arbitraryRequests, (rules, client, requests) => {
        checkAll(rules, client, requests, switches);
      }),
      runs(700),
    );
  });

  test("agree on every rule in emqx mode", () => {
    const switches = resolveSwitches("emqx");
    fc.assert(
      fc.property(looseRules, arbitraryClient, arbitraryRequests, (rules, client, requests) => {
        checkAll(rules, client, requests, switches);
      }),
      runs(700),
    );
  });

  test("agree under every combination of the switches that decide", () => {
    fc.assert(
      fc.property(
        strictRules,
        arbitraryClient,
        arbitraryRequests,
        anySwitches,
        (rules, client, requests, overrides) => {
          checkAll(rules, client, requests, resolveSwitches("strict", overrides));
        },
      ),
      runs(700),
    );
  });

  test("agree that what a covered filter delivers is allowed", () => {
    fc.assert(
      fc.property(
        strictRules,
        arbitraryClient,
        arbitraryRequests,
        fc.array(arbitraryTopic, { maxLength: 12 }),
        anySwitches,
        (rules, client, requests, topics, overrides) => {
          const [, anyFilter, aim] = requests[0]!;
          const filter = aimAt(rules, client, anyFilter, aim);
          const switches = resolveSwitches("strict", overrides);
          const action: Action = { type: "subscribe", qos: 0 };
          const core = coreWith(rules, switches);
          const handle = openClient(core, requestOf(client));
          if (!isCovered(core, handle, actionBit(action), filter)) return;
          for (const topic of [filter, ...topics]) {
            if (!isDelivered(filter, topic)) continue;
            const { verdict } = referenceDecide(rules, client, action, topic, switches);
            if (verdict !== "allow") throw new Error(`${verdict} on ${topic}`);
          }
        },
      ),
      runs(700),
    );
  });
});
