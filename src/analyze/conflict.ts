/**
 * Earlier rules of the other permission that share topics, clients and actions with a rule, where
 * the order of the two looks like chance.
 *
 * Two orders are on purpose and not reported: an earlier rule for part of the topics is an
 * exception, and an earlier rule for some of the clients singles them out.
 */
import { ACTION_SUBSCRIBE_ANY } from "../../assembly/abi.ts";
import type { Rule } from "../compile/rule/ast.ts";
import { isFilterSubset } from "../topic/set.ts";
import { intersectAddresses } from "./address-space.ts";
import { bindLevels } from "./binding.ts";
import { ANYBODY, canEscape, type Facts, joinFacts } from "./condition.ts";
import type { Bucket, FilterIndex, Placed, TrieNode, WorkBudget } from "./filter-index.ts";
import { type Level, plainLevels, type SymbolicTopic, showLevels } from "./levels.ts";
import { type Overlap, overlapOf } from "./overlap.ts";

export interface Conflict {
  /** From 0. */
  readonly earlier: number;
  readonly overlap: Overlap;
}

export interface ConflictQuestion {
  readonly rule: Rule;
  readonly alternatives: readonly Facts[];
  readonly topics: readonly (SymbolicTopic | undefined)[];
  /** Conditions of the earlier rules, by number. */
  readonly alternativesOf: (rule: number) => readonly Facts[] | undefined;
}

/** No more than this many a rule: what follows is more of the same. */
export const CONFLICTS_PER_RULE_MAX = 3;

/** Comparing two conditions takes as long as this many nodes of the index. */
const STEPS_PER_COMPARISON = 4;

/** The conflicts of a rule with earlier ones, each earlier rule once. */
export function conflictsOf(
  question: ConflictQuestion,
  index: FilterIndex,
  budget: WorkBudget,
): readonly Conflict[] {
  const found = new Map<number, Conflict>();
  const { rule, topics } = question;
  const other = rule.permission === "allow" ? "deny" : "allow";
  for (const topic of topics) {
    const levels = walkable(topic);
    if (!levels) continue;
    const take = (bucket: Bucket): boolean => {
      for (const placed of candidates(bucket, question.alternatives, budget)) {
        if (placed.permission !== other || (placed.actions & rule.actions) === 0) continue;
        if (found.has(placed.rule)) continue;
        const overlap = conflictWith(placed, topic, question);
        if (overlap) found.set(placed.rule, { earlier: placed.rule, overlap });
        if (found.size >= CONFLICTS_PER_RULE_MAX) return false;
      }
      return true;
    };
    const walk: Walk = { levels, other, actions: rule.actions, take, budget };
    if (!take(index.everything) || !walkOverlaps(walk, index.root, 0, false)) break;
  }
  return [...found.values()].sort((a, b) => a.earlier - b.earlier);
}

/** The first earlier deny rule for part of what a wildcard subscription would deliver. */
export function deniedBelow(
  question: ConflictQuestion,
  index: FilterIndex,
  budget: WorkBudget,
): { conflict: Conflict; topic: SymbolicTopic | undefined } | undefined {
  // Deliveries are judged as the subscription was, QoS included.
  const actions = question.rule.actions & ACTION_SUBSCRIBE_ANY;
  for (const topic of question.topics) {
    const levels = topic ? walkable(topic) : WHOLE;
    if (!levels?.some(({ type }) => type === "plus" || type === "rest")) continue;
    let found: Conflict | undefined;
    const take = (bucket: Bucket): boolean => {
      for (const placed of compatible(bucket, question.alternatives, budget)) {
        if (placed.permission !== "deny" || (placed.actions & actions) === 0) continue;
        const overlap = firstOverlap(placed, topic, question.alternatives);
        if (!overlap) continue;
        found = { earlier: placed.rule, overlap };
        return false;
      }
      return true;
    };
    const walk: Walk = { levels, other: "deny", actions, take, budget, withExceptions: true };
    walkOverlaps(walk, index.root, 0, false);
    if (found) return { conflict: found, topic };
  }
  return undefined;
}

function firstOverlap(
  placed: Placed,
  topic: SymbolicTopic | undefined,
  alternatives: readonly Facts[],
): Overlap | undefined {
  for (const facts of alternatives) {
    const both = joinFacts(facts, placed.facts);
    const overlap = both && overlapOf(placed.topic, topic, both.equals);
    if (overlap) return overlap;
  }
  return undefined;
}

/** Earlier rules that could be in conflict: for a rule about everybody, only others like it. */
function* candidates(
  bucket: Bucket,
  alternatives: readonly Facts[],
  budget: WorkBudget,
): Generator<Placed> {
  const isForEveryone = alternatives.some((facts) => !canEscape(ANYBODY, [facts]));
  if (isForEveryone) yield* bucket.unconditional();
  else yield* compatible(bucket, alternatives, budget);
}

/** Earlier rules that may meet one of the alternatives; some may come twice. */
function* compatible(
  bucket: Bucket,
  alternatives: readonly Facts[],
  budget: WorkBudget,
): Generator<Placed> {
  for (const facts of alternatives) {
    for (const placed of bucket.compatible(facts)) {
      budget.spend(STEPS_PER_COMPARISON);
      const [a, b] = [facts.addresses, placed.facts.addresses];
      if (!a || !b || intersectAddresses(a, b).length > 0) yield placed;
    }
  }
}

function conflictWith(
  placed: Placed,
  topic: SymbolicTopic | undefined,
  { alternatives, alternativesOf }: ConflictQuestion,
): Overlap | undefined {
  const earlier = alternativesOf(placed.rule);
  if (!earlier || isNarrower(earlier, alternatives)) return undefined;
  for (const facts of alternatives) {
    const both = joinFacts(facts, placed.facts);
    if (!both || isException(placed.topic, topic, both.equals)) continue;
    const overlap = overlapOf(placed.topic, topic, both.equals);
    if (overlap) return overlap;
  }
  return undefined;
}

/** Do the earlier conditions single out some of the clients that the later ones speak about? */
function isNarrower(earlier: readonly Facts[], later: readonly Facts[]): boolean {
  const isWithin = (inner: readonly Facts[], outer: readonly Facts[]): boolean =>
    inner.every((facts) => !canEscape(facts, outer));
  return isWithin(earlier, later) && !isWithin(later, earlier);
}

/** Does the earlier rule speak about no more topics than the later one? */
function isException(
  earlier: SymbolicTopic | undefined,
  later: SymbolicTopic | undefined,
  equals: ReadonlyMap<string, string>,
): boolean {
  if (!later) return true;
  if (!earlier) return false;
  if (earlier.type !== "levels" || later.type !== "levels") return earlier.type === "equal";
  const inner = bindLevels(earlier.levels, equals);
  const outer = bindLevels(later.levels, equals);
  if (!inner || !outer) return true;
  return isWithinLevels(inner, outer);
}

/** Is every topic of `inner` one of `outer`? A placeholder is one level like any other text. */
function isWithinLevels(inner: readonly Level[], outer: readonly Level[]): boolean {
  const plain = (levels: readonly Level[]): string =>
    levels
      .map((level) =>
        level.type === "template"
          ? `\ue000${level.key.replaceAll("/", "\ue001")}`
          : showLevels([level]),
      )
      .join("/");
  const wide = outer.map((level, at): Level => {
    const narrow = inner[at];
    // A literal under a placeholder is one client's part of what is everyone's.
    return level.type === "template" && narrow?.type === "text" ? narrow : level;
  });
  return isFilterSubset(plain(inner), plain(wide));
}

interface Walk {
  readonly levels: readonly Level[];
  readonly other: "allow" | "deny";
  readonly actions: number;
  /** False: enough. */
  readonly take: (bucket: Bucket) => boolean;
  readonly budget: WorkBudget;
  /** Also topics of which the walk's own say no less. */
  readonly withExceptions?: boolean | undefined;
}

const WHOLE: readonly Level[] = [{ type: "rest" }];

function walkable(topic: SymbolicTopic | undefined): readonly Level[] | undefined {
  if (topic?.type === "levels") return topic.levels;
  // Every topic contains all others, so what came earlier is an exception.
  return topic?.type === "equal" && topic.text !== undefined ? plainLevels(topic.text) : undefined;
}

/**
 * Visits the topics that may overlap; `isWider`: at some level they say less than the walk's own.
 * Subtrees in which all would be exceptions, or of the same permission, are left out.
 */
function walkOverlaps(walk: Walk, node: TrieNode, at: number, isWider: boolean): boolean {
  walk.budget.spend(1);
  if ((node.below[walk.other] & walk.actions) === 0) return true;
  const level = walk.levels[at];
  if (level?.type === "rest") return !(isWider || walk.withExceptions) || takeSubtree(walk, node);
  if (node.rest && !walk.take(node.rest)) return false;
  if (!level) return !(isWider || walk.withExceptions) || !node.end || walk.take(node.end);
  const next = (child: TrieNode | undefined, wider: boolean): boolean =>
    !child || walkOverlaps(walk, child, at + 1, wider);
  if (!next(node.plus, isWider || level.type !== "plus")) return false;
  if (level.type === "text") {
    if (!next(node.literals.get(level.text), isWider)) return false;
  } else {
    for (const child of node.literals.values()) if (!next(child, isWider)) return false;
  }
  for (const edge of node.edges.values()) {
    const wider =
      level.type === "text" || (level.type === "template" && level.key !== edge.level.key);
    if (!next(edge.node, isWider || wider)) return false;
  }
  return true;
}

function takeSubtree(walk: Walk, node: TrieNode): boolean {
  walk.budget.spend(1);
  if ((node.below[walk.other] & walk.actions) === 0) return true;
  if (node.rest && !walk.take(node.rest)) return false;
  if (node.end && !walk.take(node.end)) return false;
  const children = [
    ...node.literals.values(),
    ...[...node.edges.values()].map((edge) => edge.node),
  ];
  if (node.plus) children.push(node.plus);
  return children.every((child) => takeSubtree(walk, child));
}
