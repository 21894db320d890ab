/**
 * What people use today: qlobber, the trie that aedes and most brokers on Node match topics with, with
 * the options that aedes gives it. It holds rule numbers; of those that match, the lowest wins whose
 * user and placeholders fit the client.
 */
import { Qlobber } from "qlobber";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { type BenchClient, isAbout } from "../data/rules.ts";

interface Condition {
  readonly rule: Rule;
  /** Level that must be the client's id, or -1. */
  readonly ownLevel: number;
}

const PLACEHOLDER = "${clientid}";

export class QlobberIndex {
  readonly #index = new Qlobber<number>({
    separator: "/",
    wildcard_one: "+",
    wildcard_some: "#",
    match_empty_levels: true,
  });
  readonly #conditions: readonly Condition[];

  constructor(rules: readonly Rule[]) {
    this.#conditions = rules.map((rule, number) => {
      const { topics } = rule;
      if (topics === "all" || topics.length !== 1) throw new Error("one filter for each rule");
      const filter = String(topics[0]!.text);
      this.#index.add(filter.replace(PLACEHOLDER, "+"), number);
      return {
        rule,
        ownLevel: filter.split("/").indexOf(PLACEHOLDER),
      };
    });
  }

  /** Number of the lowest rule that fits, or -1. */
  find(client: BenchClient, topic: string): number {
    let best = -1;
    for (const number of this.#index.match(topic)) {
      if (best >= 0 && number >= best) continue;
      const { rule, ownLevel } = this.#conditions[number]!;
      if (!isAbout(rule, client)) continue;
      if (ownLevel >= 0 && topic.split("/")[ownLevel] !== client.clientId) continue;
      best = number;
    }
    return best;
  }
}
