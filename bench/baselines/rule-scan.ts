/** Rule by rule from the top, filters split beforehand: what most ACL plugins do. */
import type { Rule } from "../../src/compile/rule/ast.ts";
import { type BenchClient, isAbout } from "../data/rules.ts";

export class RuleScan {
  readonly #rules: readonly { filters: readonly (readonly string[])[]; rule: Rule }[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules.map((rule) => ({
      filters: rule.topics === "all" ? [] : rule.topics.map(({ text }) => String(text).split("/")),
      rule,
    }));
  }

  /** Number of the first rule that fits, or -1. */
  find(client: BenchClient, topic: string): number {
    const levels = topic.split("/");
    return this.#rules.findIndex(
      ({ filters, rule }) =>
        isAbout(rule, client) && filters.some((filter) => isMatch(filter, levels, client.clientId)),
    );
  }
}

function isMatch(filter: readonly string[], levels: readonly string[], clientId: string): boolean {
  for (const [i, want] of filter.entries()) {
    if (want === "#") return true;
    if (i >= levels.length) return false;
    if (want === "${clientid}" ? levels[i] !== clientId : want !== "+" && levels[i] !== want) {
      return false;
    }
  }
  return filter.length === levels.length;
}
