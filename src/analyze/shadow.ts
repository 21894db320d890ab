/**
 * Is a rule decided by earlier rules in every request it speaks about?
 *
 * What a filter selects is put down to a few requests that stand for all others: every `+` becomes a
 * level that no rule names, and `#` any number of those, up to one more than the deepest filter has.
 * Whoever selects such a request does it by its own wildcards, and so selects everything like it.
 * That makes the union of any number of earlier filters exact. A subscription in strict mode has to
 * be contained in one filter, so filters that end in `#` are asked about as well.
 */
import { ACTION_ANY, ACTION_SUBSCRIBE_ANY } from "../../assembly/abi.ts";
import type { Rule } from "../compile/rule/ast.ts";
import type { Switches } from "../config/compatibility.ts";
import { validateTopicName } from "../topic/validate.ts";
import { type Bindings, bindLevels } from "./binding.ts";
import { ANYBODY, canEscape, type Facts } from "./condition.ts";
import { type FilterIndex, type Placed, type Request, requestKey } from "./filter-index.ts";
import { type Level, type LooseTopic, plainLevels, type SymbolicTopic } from "./levels.ts";

/** A level that no rule names. */
const FRESH: Level = { type: "plus" };
const REST: Level = { type: "rest" };
const NO_BINDINGS: Bindings = new Map();

export interface ShadowQuestion {
  readonly rule: Rule;
  /** Undefined: no alternative is known, so none of the others' conditions can be said to follow. */
  readonly alternatives: readonly Facts[] | undefined;
  readonly topics: readonly (SymbolicTopic | undefined)[];
}

/** Numbers of earlier rules, from 0, that decide everything; empty when the rule can still apply. */
export function shadowingRules(
  { rule, alternatives, topics }: ShadowQuestion,
  index: FilterIndex,
  switches: Switches,
): readonly number[] {
  const cover = new Cover();
  for (const facts of alternatives ?? [ANYBODY]) {
    const hasPlaceholder = topics.some((topic) => topic?.type === "levels");
    const bindings = hasPlaceholder ? facts.equals : NO_BINDINGS;
    for (const topic of topics) {
      for (const asked of questionsOf(topic, rule, bindings, index.depth, switches)) {
        const isSame = sameTextDecides(rule, switches);
        if (!isDecided(asked, facts, bindings, rule.actions, index, cover, isSame)) return [];
      }
    }
  }
  return cover.rules();
}

/** Requests with what else is known to select them. */
interface Asked {
  readonly request: Request | undefined;
  /** Action bits it can be asked with. */
  readonly actions: number;
  /** Rules with the same text: placeholders are the same whatever they stand for. */
  readonly looseKey?: string | undefined;
  /** Only deny rules that go by overlap count. */
  readonly isByOverlap?: boolean | undefined;
}

function* questionsOf(
  topic: SymbolicTopic | undefined,
  rule: Rule,
  bindings: Bindings,
  depth: number,
  switches: Switches,
): Generator<Asked> {
  if (!topic) {
    yield { request: undefined, actions: ACTION_ANY };
    return;
  }
  const isTokenwise = rule.permission === "deny" || !switches.subscribe_containment;
  switch (topic.type) {
    case "never":
      return;
    case "equal":
      yield equalQuestion(topic);
      return;
    case "loose":
      yield* looseQuestions(topic, depth);
      return;
    case "levels": {
      const levels = bindLevels(topic.levels, bindings);
      if (topic.raw && !levels?.every(({ type }) => type !== "template")) {
        yield* looseQuestions(topic.raw, depth);
        return;
      }
      if (!levels) return;
      if (rule.permission === "deny" && switches.overlap_denies) {
        yield* overlapQuestions(levels, depth);
      } else yield* filterQuestions(levels, depth, isTokenwise);
    }
  }
}

/** More than a topic selects whose placeholders may add levels and wildcards. */
function* looseQuestions({ key, prefix }: LooseTopic, depth: number): Generator<Asked> {
  if (prefix.length === 0) {
    yield { request: undefined, actions: ACTION_ANY, looseKey: key };
    return;
  }
  for (const asked of filterQuestions([...prefix, REST], depth, true)) {
    yield { ...asked, looseKey: key };
  }
}

/** The requests that stand for all that a filter selects. */
function* filterQuestions(
  levels: readonly Level[],
  depth: number,
  isTokenwise: boolean,
): Generator<Asked> {
  const hasRest = levels.at(-1)?.type === "rest";
  const prefix = hasRest ? levels.slice(0, -1) : levels;
  yield* names(levels, depth);
  if (hasRest) {
    for (const deeper of deeperThan(prefix, depth)) yield filterQuestion(deeper);
  }
  // Compared level by level, `a/+` and `a/+/#` also select the requested filter `a/#`; contained in
  // `+/#` is only `#`, which means the same.
  const last = prefix.at(-1);
  if (last?.type === "plus" && (isTokenwise || (hasRest && prefix.length === 1))) {
    yield filterQuestion(prefix.slice(0, -1));
  }
}

/**
 * A deny rule that refuses by overlap: every filter that shares a topic with it is refused earlier
 * when each of its topics is, by other rules that go by overlap. What allow rules contain is left
 * out, so this one errs to "can still apply".
 */
function* overlapQuestions(levels: readonly Level[], depth: number): Generator<Asked> {
  for (const asked of names(levels, depth)) yield { ...asked, isByOverlap: true };
}

function* names(levels: readonly Level[], depth: number): Generator<Asked> {
  const hasRest = levels.at(-1)?.type === "rest";
  const all = hasRest ? deeperThan(levels.slice(0, -1), depth) : [levels];
  for (const name of all) {
    const [first] = name;
    const isEmpty = !first || (name.length === 1 && first.type === "text" && first.text === "");
    if (!isEmpty) yield { request: { levels: name, key: keyOf(name) }, actions: ACTION_ANY };
  }
}

function* deeperThan(prefix: readonly Level[], depth: number): Generator<readonly Level[]> {
  const deepest = Math.max(prefix.length, depth) + 1;
  for (let length = prefix.length; length <= deepest; length++) {
    yield [...prefix, ...new Array<Level>(length - prefix.length).fill(FRESH)];
  }
}

function filterQuestion(prefix: readonly Level[]): Asked {
  const levels = [...prefix, REST];
  return { request: { levels, key: keyOf(levels) }, actions: ACTION_SUBSCRIBE_ANY };
}

function equalQuestion(topic: SymbolicTopic & { type: "equal" }): Asked {
  const { key, text } = topic;
  const isName = text !== undefined && validateTopicName(text) === undefined;
  const levels = text === undefined ? [] : plainLevels(text);
  return { request: { levels, key }, actions: isName ? ACTION_ANY : ACTION_SUBSCRIBE_ANY };
}

/** What `eq` would compare; a level that no rule names equals none. */
function keyOf(levels: readonly Level[]): string | undefined {
  const texts: string[] = [];
  for (const level of levels) {
    if (level.type === "text") texts.push(level.text);
    else if (level.type === "rest") texts.push("#");
    else return undefined;
  }
  return requestKey(texts.join("/"));
}

/** Is there for every client with these facts, and every action, a rule that decides? */
function isDecided(
  asked: Asked,
  facts: Facts,
  bindings: Bindings,
  ruleActions: number,
  index: FilterIndex,
  cover: Cover,
  isSame: (placed: Placed) => boolean,
): boolean {
  const wanted = ruleActions & asked.actions;
  if (wanted === 0) return true;
  const found: Placed[] = [];
  const take = (bucket: Iterable<Placed>, isTokenOnly: boolean): void => {
    for (const placed of bucket) {
      index.budget.spend(2);
      if ((placed.actions & wanted) === 0 || (isTokenOnly && placed.isContaining)) continue;
      if (asked.isByOverlap && !goesByOverlap(placed)) continue;
      found.push(placed);
    }
  };
  if (asked.request) {
    index.select(asked.request, bindings, (bucket, isTokenOnly) =>
      take(bucket.given(facts), isTokenOnly),
    );
  } else take(index.everything.given(facts), false);
  const loose = asked.looseKey === undefined ? undefined : index.looseBucket(asked.looseKey);
  if (loose) {
    for (const placed of loose.given(facts)) {
      if ((placed.actions & wanted) !== 0 && isSame(placed)) found.push(placed);
    }
  }
  return cover.decide(found, facts, wanted);
}

/**
 * Does an earlier rule with the same text select everything that this one does? What is compared level
 * by level selects no less than what is contained; and a deny rule takes values that an allow rule
 * refuses.
 */
function sameTextDecides(rule: Rule, switches: Switches): (placed: Placed) => boolean {
  const isChecked = switches.safe_placeholders || switches.absent_never_matches;
  return ({ permission, isContaining }) =>
    !isContaining && (permission === "deny" || rule.permission === "allow" || !isChecked);
}

function goesByOverlap({ permission, topic }: Placed): boolean {
  return permission === "deny" && topic?.type !== "equal";
}

/** Which rules it takes, over all requests. */
class Cover {
  /** Rules that decide everything alone; undefined before the first request. */
  #alone: Set<number> | undefined;
  readonly #used = new Set<number>();

  rules(): readonly number[] {
    const [alone] = this.#alone ?? [];
    if (alone !== undefined) return [alone];
    return [...this.#used].sort((a, b) => a - b);
  }

  decide(found: readonly Placed[], facts: Facts, wanted: number): boolean {
    for (let bit = 1; bit <= wanted; bit <<= 1) {
      if ((wanted & bit) !== 0 && !this.#decideBit(found, facts, bit)) return false;
    }
    const byRule = new Map<number, Facts[]>();
    for (const placed of found) {
      if ((placed.actions & wanted) !== wanted) continue;
      const known = byRule.get(placed.rule);
      if (known) known.push(placed.facts);
      else byRule.set(placed.rule, [placed.facts]);
    }
    const alone = [...byRule].filter(([, others]) => !canEscape(facts, others));
    const numbers = alone.map(([rule]) => rule);
    this.#alone = new Set(this.#alone ? numbers.filter((one) => this.#alone?.has(one)) : numbers);
    return true;
  }

  #decideBit(found: readonly Placed[], facts: Facts, bit: number): boolean {
    const others: Facts[] = [];
    const rules: number[] = [];
    for (const placed of found) {
      if ((placed.actions & bit) === 0) continue;
      others.push(placed.facts);
      rules.push(placed.rule);
      if (canEscape(facts, [placed.facts])) continue;
      this.#used.add(placed.rule);
      return true;
    }
    if (others.length < 2 || canEscape(facts, others)) return false;
    for (const rule of rules) this.#used.add(rule);
    return true;
  }
}
