/** What is wrong with a rule file although it loads: rules that never apply, conflicts, width. */
import { ACTION_SUBSCRIBE_ANY } from "../../assembly/abi.ts";
import type { Rule } from "../compile/rule/ast.ts";
import type { Switches } from "../config/compatibility.ts";
import { validateTopicName } from "../topic/validate.ts";
import { ANYBODY, alternativesOf, type Facts } from "./condition.ts";
import { type Conflict, type ConflictQuestion, conflictsOf, deniedBelow } from "./conflict.ts";
import { FilterIndex, WorkBudget, WorkExhausted } from "./filter-index.ts";
import { type SymbolicTopic, showLevels, symbolicTopic } from "./levels.ts";
import { shadowingRules } from "./shadow.ts";
import { deliveryWidth, isAboutSubscribing, widthsOf } from "./width.ts";
import { describeFieldName, nameRule } from "./words.ts";

export type FindingCode =
  | "WARN_ANALYZE_NEVER"
  | "WARN_ANALYZE_SHADOWED"
  | "WARN_ANALYZE_CONFLICT"
  | "WARN_ANALYZE_WIDE"
  | "WARN_ANALYZE_DELIVERY"
  | "WARN_ANALYZE_LIMIT";

export interface Finding {
  readonly code: FindingCode;
  /** `note`: nothing to mend. Left out: a warning. */
  readonly severity?: "warning" | "note" | undefined;
  /** The rule it is about, from 1; 0 for the file. */
  readonly rule: number;
  /** The earlier rules that cause it, from 1. */
  readonly others: readonly number[];
  readonly message: string;
  readonly hint?: string | undefined;
  /** Conflicts: the filter both rules select, and a topic of it. */
  readonly overlap?: string | undefined;
  readonly example?: string | undefined;
}

/**
 * LIMIT: steps of one analysis; a few seconds. Files of 10,000 rules stay far below unless thousands
 * of wildcard filters cross.
 */
export const ANALYSIS_STEPS_MAX = 20_000_000;
/** LIMIT: findings of one kind that are listed. */
export const FINDINGS_PER_CODE_MAX = 200;

export interface AnalysisOptions {
  readonly stepsMax?: number | undefined;
  /** Told before each rule how many are done. */
  readonly onRule?: ((done: number) => void) | undefined;
}

interface Prepared {
  readonly rule: Rule;
  readonly alternatives: readonly Facts[] | undefined;
  readonly topics: readonly (SymbolicTopic | undefined)[];
}

/**
 * Analyses rules in their order. What is reported is certain, but for conflicts between patterns,
 * which are taken to have clients in common. Cost: about the number of rules times the depth of
 * their filters; bounded by `stepsMax` (default
 * ANALYSIS_STEPS_MAX), and then a finding says where it stopped.
 */
export function analyzeRules(
  rules: readonly Rule[],
  switches: Switches,
  { stepsMax = ANALYSIS_STEPS_MAX, onRule }: AnalysisOptions = {},
): Finding[] {
  const prepared = rules.map((rule): Prepared => {
    const topics =
      rule.topics === "all"
        ? [undefined]
        : rule.topics.map((one) => symbolicTopic(one, rule.permission, switches));
    return { rule, alternatives: alternativesOf(rule.who), topics };
  });
  const findings = new Findings();
  const budget = new WorkBudget(stepsMax);
  const index = new FilterIndex(budget);
  const firstLevels = firstLevelsOf(prepared);
  for (const [number, one] of prepared.entries()) {
    onRule?.(number);
    try {
      analyzeRule(number, one, { rules, prepared, index, budget, switches, firstLevels, findings });
    } catch (error) {
      if (!(error instanceof WorkExhausted)) throw error;
      findings.add({
        code: "WARN_ANALYZE_LIMIT",
        rule: number + 1,
        others: [],
        message: `the analysis stopped at ${nameRule(rules, number)}: too many filters overlap`,
        hint: "what was found so far is right; split the file to see the rest",
      });
      break;
    }
  }
  return findings.all();
}

interface Analysis {
  readonly rules: readonly Rule[];
  readonly prepared: readonly Prepared[];
  readonly index: FilterIndex;
  readonly budget: WorkBudget;
  readonly switches: Switches;
  readonly firstLevels: readonly string[];
  readonly findings: Findings;
}

function analyzeRule(number: number, one: Prepared, analysis: Analysis): void {
  const { rules, prepared, index, budget, switches, firstLevels, findings } = analysis;
  const { rule, alternatives, topics } = one;
  if (neverApplies(one)) {
    // A condition on the security profile is meant to be false somewhere.
    if (!hasConstant(rule.who)) findings.add(neverFinding(number, one));
    return;
  }
  const shadows = shadowingRules(one, index, switches);
  if (shadows.length > 0) {
    findings.add(shadowFinding(number, shadows, rules));
    return;
  }
  if (alternatives) {
    const question: ConflictQuestion = {
      rule,
      alternatives,
      topics,
      alternativesOf: (earlier) => prepared[earlier]?.alternatives,
    };
    for (const conflict of conflictsOf(question, index, budget)) {
      findings.add(conflictFinding(number, conflict, rules));
    }
    addDelivery(number, question, analysis);
  }
  for (const { message, hint } of widthsOf(rule, topics, firstLevels, switches)) {
    findings.add({ code: "WARN_ANALYZE_WIDE", rule: number + 1, others: [], message, hint });
  }
  for (const facts of alternatives ?? []) {
    for (const topic of topics) {
      index.add({
        rule: number,
        permission: rule.permission,
        actions: rule.actions,
        isContaining: rule.permission === "allow" && switches.subscribe_containment,
        facts: isAnybody(facts) ? ANYBODY : facts,
        topic,
      });
    }
  }
}

/** An allow rule for wide subscriptions after a deny rule for some of their topics. */
function addDelivery(number: number, question: ConflictQuestion, analysis: Analysis): void {
  const { rule } = question;
  if (rule.permission !== "allow" || !isAboutSubscribing(rule)) return;
  const below = deniedBelow(question, analysis.index, analysis.budget);
  if (!below) return;
  const { conflict, topic } = below;
  const wide = topic?.type === "levels" ? showLevels(topic.levels) : "#";
  const { message, hint } = deliveryWidth({
    wide,
    denied: conflict.overlap.filter,
    by: nameRule(analysis.rules, conflict.earlier),
    switches: analysis.switches,
  });
  analysis.findings.add({
    code: "WARN_ANALYZE_DELIVERY",
    severity: analysis.switches.enforce_delivery ? "note" : "warning",
    rule: number + 1,
    others: [conflict.earlier + 1],
    message,
    hint,
    overlap: conflict.overlap.filter,
    example: conflict.overlap.example,
  });
}

function neverApplies({ rule, alternatives, topics }: Prepared): boolean {
  return (
    rule.actions === 0 ||
    alternatives?.length === 0 ||
    topics.every((topic) => selectsNothing(topic, rule.actions))
  );
}

/** A filter in `eq` is a subscription; no PUBLISH has such a topic. */
function selectsNothing(topic: SymbolicTopic | undefined, actions: number): boolean {
  if (topic?.type === "never") return true;
  if (topic?.type !== "equal" || (actions & ACTION_SUBSCRIBE_ANY) !== 0) return false;
  return topic.text === undefined || validateTopicName(topic.text) !== undefined;
}

function neverFinding(number: number, { rule, alternatives }: Prepared): Finding {
  const why =
    rule.actions === 0
      ? "its action has an empty list of QoS"
      : alternatives?.length === 0
        ? "no client can meet its condition"
        : "no valid request is selected by its topics";
  return {
    code: "WARN_ANALYZE_NEVER",
    rule: number + 1,
    others: [],
    message: `this rule never applies: ${why}`,
  };
}

function shadowFinding(
  number: number,
  shadows: readonly number[],
  rules: readonly Rule[],
): Finding {
  const permission = rules[number]?.permission;
  const isContrary = shadows.some((one) => rules[one]?.permission !== permission);
  const names = shadows.slice(0, 5).map((one) => nameRule(rules, one));
  const more = shadows.length > 5 ? ` and ${shadows.length - 5} more` : "";
  const together = shadows.length > 1 ? " together" : "";
  const verb = shadows.length > 1 ? "decide" : "decides";
  return {
    code: "WARN_ANALYZE_SHADOWED",
    rule: number + 1,
    others: shadows.map((one) => one + 1),
    message: `this rule never applies: ${names.join(", ")}${more}${together} ${verb} everything it speaks about${
      isContrary ? `, and not all ${permission === "allow" ? "allow" : "deny"}` : ""
    }`,
    hint: isContrary ? "move it up if it is meant to count, or remove it" : "remove it",
  };
}

function conflictFinding(number: number, conflict: Conflict, rules: readonly Rule[]): Finding {
  const { earlier, overlap } = conflict;
  const first = rules[earlier];
  const values = [...overlap.values].map(
    ([name, value]) => `${describeFieldName(name)} \`${value}\``,
  );
  const whom = values.length > 0 ? ` for a client with ${values.join(" and ")}` : "";
  return {
    code: "WARN_ANALYZE_CONFLICT",
    rule: number + 1,
    others: [earlier + 1],
    message: `${nameRule(rules, earlier)} has the other permission, selects \`${overlap.filter}\` too${whom}, and comes first: \`${overlap.example}\` is ${first?.permission === "allow" ? "allowed" : "denied"}`,
    hint: "put the rule that should win first, or make the filters disjoint",
    overlap: overlap.filter,
    example: overlap.example,
  };
}

/** First levels that the rules name, each once. */
function firstLevelsOf(prepared: readonly Prepared[]): string[] {
  const found = new Set<string>();
  for (const { topics } of prepared) {
    for (const topic of topics) {
      const first = topic?.type === "levels" ? topic.levels[0] : undefined;
      if (first?.type === "text" && topic?.type === "levels" && topic.levels.length > 1) {
        found.add(first.text);
      }
    }
  }
  return [...found];
}

function hasConstant(who: Rule["who"]): boolean {
  if (who.type === "and" || who.type === "or") return who.of.some(hasConstant);
  return who.type === "constant";
}

function isAnybody({ equals, opaque, addresses }: Facts): boolean {
  return equals.size === 0 && opaque.size === 0 && !addresses;
}

/** Collects, and stops listing a kind that has too many. */
class Findings {
  readonly #found: Finding[] = [];
  /** The first that was left out of each kind, and how many are. */
  readonly #left = new Map<FindingCode, { readonly first: Finding; count: number }>();
  readonly #counts = new Map<FindingCode, number>();

  add(finding: Finding): void {
    const { code } = finding;
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    const left = this.#left.get(code);
    if (count <= FINDINGS_PER_CODE_MAX) this.#found.push(finding);
    else if (left) left.count++;
    else this.#left.set(code, { first: finding, count: 1 });
  }

  all(): Finding[] {
    return [
      ...this.#found,
      ...[...this.#left].map(
        ([code, { first, count }]): Finding => ({
          code: "WARN_ANALYZE_LIMIT",
          severity: first.severity,
          rule: 0,
          others: [],
          message: `${count} more ${code === "WARN_ANALYZE_DELIVERY" ? "such notes on deliveries" : `findings like ${code}`} are not listed`,
        }),
      ),
    ];
  }
}
