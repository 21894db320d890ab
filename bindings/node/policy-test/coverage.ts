/** Which rules of a policy decided something in a test. */
import type { Rule } from "../../../src/compile/rule/ast.ts";

export interface Coverage {
  readonly policy: string;
  readonly rules: number;
  /** Numbers of the rules that no test reached, from 1. */
  readonly missed: readonly number[];
  /** Their places and texts. */
  readonly missedRules: readonly Rule[];
}

/** Collects over all test files of a run. */
export class RuleCoverage {
  readonly #policies = new Map<string, { rules: readonly Rule[]; reached: Set<number> }>();

  /** Where the rules of this policy are marked as reached. */
  of(policy: string, rules: readonly Rule[]): (rule: number) => void {
    let known = this.#policies.get(policy);
    if (!known) {
      known = { rules, reached: new Set() };
      this.#policies.set(policy, known);
    }
    const { reached } = known;
    return (rule) => reached.add(rule);
  }

  all(): Coverage[] {
    return [...this.#policies].map(([policy, { rules, reached }]) => {
      const missed = rules.map((_, index) => index + 1).filter((number) => !reached.has(number));
      const missedRules = missed.flatMap((number) => rules[number - 1] ?? []);
      return { policy, rules: rules.length, missed, missedRules };
    });
  }
}

/** Rules that were reached, in percent; 100 where there are none. */
export function coveragePercent(coverages: readonly Coverage[]): number {
  const rules = coverages.reduce((sum, one) => sum + one.rules, 0);
  const missed = coverages.reduce((sum, one) => sum + one.missed.length, 0);
  return rules === 0 ? 100 : ((rules - missed) / rules) * 100;
}
