/** A client's whole chain (token, file, stored rules, in both orders) decides as the plain lists do. */
import fc from "fast-check";
import { describe, test } from "vitest";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { compileRules } from "../../src/compile/rule/compile.ts";
import { resolveSwitches, type Switches } from "../../src/config/compatibility.ts";
import type { RuleAnswer } from "../../src/core/core.ts";
import {
  actionBit,
  closeClient,
  closeSharedRules,
  decide,
  isCovered,
  openClient,
  openSharedRules,
  setStoredRules,
  setTokenRules,
} from "../../src/core/rules.ts";
import type { Action, Text } from "../../src/types.ts";
import { byteString, type ReferenceClient } from "../reference/client.ts";
import { referenceDecide } from "../reference/decide.ts";
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

interface Chain {
  readonly token: readonly Rule[];
  readonly image: readonly Rule[];
  readonly own: readonly Rule[];
  readonly shared: readonly Rule[];
  readonly isBehindImage: boolean;
  readonly skipsFailures: boolean;
}

type Origin = RuleAnswer["origin"];

/** The sources as plain lists, one after the other; the stored lists are one source. */
function referenceChain(
  chain: Chain,
  client: ReferenceClient,
  action: Action,
  topic: Text,
  switches: Switches,
): string {
  const { token, image, own, shared } = chain;
  const file: [Origin, readonly Rule[]][] = [["image", image]];
  const stored: [Origin, readonly Rule[]][] = [
    ["own", own],
    ["shared", shared],
  ];
  const sources = [[["token", token]] as [Origin, readonly Rule[]][]];
  sources.push(...(chain.isBehindImage ? [file, stored] : [stored, file]));
  for (const source of sources) {
    for (const [origin, rules] of source) {
      const { verdict, rule } = referenceDecide(rules, client, action, topic, switches);
      if (verdict === "nomatch") continue;
      if (verdict !== "exception") return `${verdict} ${origin} ${rule}`;
      if (chain.skipsFailures && origin !== "token") break;
      return `failed ${origin} ${rule}`;
    }
  }
  return "no_match";
}

function describeAnswer({ verdict, origin, rule }: RuleAnswer): string {
  return verdict === "no_match" ? verdict : `${verdict} ${origin} ${rule}`;
}

/** Compiles a chain for a client, asks, and gives everything back. */
function withChain(
  chain: Chain,
  client: ReferenceClient,
  switches: Switches,
  ask: (core: ReturnType<typeof coreWith>, handle: number) => void,
): void {
  const blobOf = (rules: readonly Rule[]) => compileRules(rules, { switches }).blob;
  const core = coreWith(chain.image, switches);
  const handle = openClient(core, requestOf(client));
  setTokenRules(core, handle, blobOf(chain.token));
  const shared = openSharedRules(core, blobOf(chain.shared));
  setStoredRules(core, handle, { ...chain, own: blobOf(chain.own), shared });
  ask(core, handle);
  closeSharedRules(core, shared);
  closeClient(core, handle);
  if (core.exports.records_used() !== 0) throw new Error("something was left behind");
}

/** With a file that fails in front, its failure is an answer only where failures are none to skip. */
function agrees(chain: Chain, actual: string, expected: string): boolean {
  if (actual === expected) return true;
  // The image's own failure at the chain's end is the session's to translate.
  return (
    chain.skipsFailures &&
    !chain.isBehindImage &&
    expected === "no_match" &&
    actual.startsWith("failed image")
  );
}

function chains(rules: fc.Arbitrary<Rule[]>, token: fc.Arbitrary<Rule[]>): fc.Arbitrary<Chain> {
  const some = (list: fc.Arbitrary<Rule[]>) => fc.oneof(fc.constant([]), list);
  return fc.record({
    token: some(token),
    image: some(rules),
    own: some(rules),
    shared: some(rules),
    isBehindImage: fc.boolean(),
    skipsFailures: fc.boolean(),
  });
}

function allRules({ token, image, own, shared }: Chain): readonly Rule[] {
  return [...token, ...image, ...own, ...shared];
}

describe("a client's chain", () => {
  test.each([
    ["strict", chains(strictRules, strictRules)],
    ["emqx", chains(looseRules, strictRules)],
  ] as const)("decides as the plain lists do in %s mode", (preset, arbitraryChain) => {
    const switches = resolveSwitches(preset);
    const overlap = { ...switches, overlap_denies: true };
    fc.assert(
      fc.property(
        arbitraryChain,
        arbitraryClient,
        arbitraryRequests,
        fc.constantFrom(switches, overlap),
        (chain, client, requests, mode) => {
          withChain(chain, client, mode, (core, handle) => {
            for (const [action, anyTopic, aim] of requests) {
              const topic = aimAt(allRules(chain), client, anyTopic, aim);
              const answer = decide(core, handle, actionBit(action), topic);
              const actual = describeAnswer(answer);
              const expected = referenceChain(chain, client, action, topic, mode);
              if (!agrees(chain, actual, expected)) {
                throw new Error(`core ${actual}, reference ${expected}`);
              }
            }
          });
        },
      ),
      runs(200),
    );
  });

  test.each([
    ["strict", chains(strictRules, strictRules)],
    ["emqx", chains(looseRules, strictRules)],
  ] as const)("covers only what it allows topic by topic in %s mode", (preset, arbitraryChain) => {
    const switches = resolveSwitches(preset);
    const topics = fc.array(arbitraryTopic, { maxLength: 12 });
    fc.assert(
      fc.property(
        arbitraryChain,
        arbitraryClient,
        arbitraryRequests,
        topics,
        (chain, client, requests, names) => {
          const action: Action = { type: "subscribe", qos: 0 };
          const filters = requests.map(([, topic, aim]) =>
            aimAt(allRules(chain), client, topic, aim),
          );
          // Topics that each entry of each rule is about, with `a` for `+`, `a` and `a/b` for `#`.
          const aimed = allRules(chain)
            .flatMap(({ topics }) => (topics === "all" ? [] : topics))
            .flatMap((_, entry) =>
              [15, 30].map((at) => aimAt(allRules(chain), client, "a", [entry, at])),
            );
          withChain(chain, client, switches, (core, handle) => {
            for (const wanted of [...filters, "#", "a/#", "+"]) {
              if (!isCovered(core, handle, actionBit(action), wanted)) continue;
              for (const topic of [...names, ...aimed]) {
                const name = byteString(topic);
                if (/[+#]/.test(name) || !topicMatches(byteString(wanted), name)) continue;
                const answer = referenceChain(chain, client, action, topic, switches);
                if (!answer.startsWith("allow")) {
                  throw new Error(`${JSON.stringify(wanted)} is covered, ${name}: ${answer}`);
                }
              }
            }
          });
        },
      ),
      runs(600),
    );
  });
});
