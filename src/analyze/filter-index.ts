/**
 * The topics of the rules read so far, as a trie over levels: which of them select a request, and
 * which could share a topic with a filter. Placeholders are edges of their own.
 */
import { textKey } from "../compile/rule/words.ts";
import { type Bindings, bindLevel } from "./binding.ts";
import { ANYBODY, type Facts } from "./condition.ts";
import { isSystemLevel, type Level, type SymbolicTopic } from "./levels.ts";

/** One alternative of a rule's condition, at one of its topics. */
export interface Placed {
  /** From 0. */
  readonly rule: number;
  readonly permission: "allow" | "deny";
  readonly actions: number;
  /** Admits a requested filter only if it contains it. */
  readonly isContaining: boolean;
  readonly facts: Facts;
  /** Undefined: every topic. */
  readonly topic: SymbolicTopic | undefined;
}

/** What is asked: a topic name, or with `rest` at its end a filter. `+` is a level nobody names. */
export interface Request {
  readonly levels: readonly Level[];
  /** The exact text, where there is one: what `eq` compares. */
  readonly key: string | undefined;
}

/** Thrown when the work set aside is used up. */
export class WorkExhausted extends Error {}

/** Counts work, so that no rule file can make an analysis endless. */
export class WorkBudget {
  #left: number;

  constructor(units: number) {
    this.#left = units;
  }

  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new WorkExhausted();
  }
}

/** Rules of one topic, by what their conditions ask first. */
export class Bucket {
  readonly #anybody: Placed[] = [];
  /** Field → value. */
  readonly #equal = new Map<string, Map<string, Placed[]>>();
  readonly #opaque = new Map<string, Placed[]>();
  readonly #addressed: Placed[] = [];

  add(placed: Placed): void {
    const { facts } = placed;
    if (facts === ANYBODY) {
      this.#anybody.push(placed);
      return;
    }
    const [equality] = facts.equals;
    const [opaque] = facts.opaque;
    if (equality) {
      const [field, value] = equality;
      let values = this.#equal.get(field);
      if (!values) {
        values = new Map();
        this.#equal.set(field, values);
      }
      pushTo(values, value, placed);
    } else if (opaque !== undefined) pushTo(this.#opaque, opaque, placed);
    else this.#addressed.push(placed);
  }

  /** Those whose conditions, addresses aside, may follow from the facts. */
  *given(facts: Facts): Generator<Placed> {
    yield* this.#anybody;
    for (const [field, value] of facts.equals) {
      yield* this.#equal.get(field)?.get(value) ?? [];
    }
    for (const fact of facts.opaque) yield* this.#opaque.get(fact) ?? [];
    if (facts.addresses) yield* this.#addressed;
  }

  /** Those whose conditions do not contradict the facts by an equality. */
  *compatible(facts: Facts): Generator<Placed> {
    yield* this.#anybody;
    for (const [field, values] of this.#equal) {
      const value = facts.equals.get(field);
      if (value !== undefined) yield* values.get(value) ?? [];
      else for (const placed of values.values()) yield* placed;
    }
    for (const placed of this.#opaque.values()) yield* placed;
    yield* this.#addressed;
  }

  /** Those that speak about everybody. */
  unconditional(): readonly Placed[] {
    return this.#anybody;
  }
}

interface Edge {
  readonly level: Level & { readonly type: "template" };
  readonly node: TrieNode;
}

export class TrieNode {
  readonly literals = new Map<string, TrieNode>();
  readonly edges = new Map<string, Edge>();
  plus: TrieNode | undefined;
  /** Topics that end here, and those that end in `#` here. */
  end: Bucket | undefined;
  rest: Bucket | undefined;
  /** Actions of the rules at and below, by permission. */
  readonly below = { allow: 0, deny: 0 };
}

export class FilterIndex {
  /** Pays for what is looked at. */
  readonly budget: WorkBudget;
  readonly root = new TrieNode();
  readonly everything = new Bucket();
  readonly #equals = new Map<string, Bucket>();
  readonly #loose = new Map<string, Bucket>();
  /** Levels of the deepest filter. */
  depth = 0;

  constructor(budget: WorkBudget) {
    this.budget = budget;
  }

  add(placed: Placed): void {
    const { topic } = placed;
    if (!topic) this.everything.add(placed);
    else if (topic.type === "equal") bucketOf(this.#equals, topic.key).add(placed);
    else if (topic.type === "loose") bucketOf(this.#loose, topic.key).add(placed);
    else if (topic.type === "levels") {
      this.#addLevels(topic.levels, placed);
      if (topic.raw) bucketOf(this.#loose, topic.raw.key).add(placed);
    }
  }

  /** The same text with placeholders that may mean anything. */
  looseBucket(key: string): Bucket | undefined {
    return this.#loose.get(key);
  }

  /**
   * The buckets of all filters that select the request of a client with these fixed values.
   * `isTokenOnly`: they match a requested filter level by level and do not contain it.
   */
  select(
    request: Request,
    bindings: Bindings,
    take: (bucket: Bucket, isTokenOnly: boolean) => void,
  ): void {
    take(this.everything, false);
    const equal = request.key === undefined ? undefined : this.#equals.get(request.key);
    if (equal) take(equal, false);
    this.#walk(this.root, request.levels, 0, bindings, false, take);
  }

  #walk(
    node: TrieNode,
    levels: readonly Level[],
    at: number,
    bindings: Bindings,
    isTokenOnly: boolean,
    take: (bucket: Bucket, isTokenOnly: boolean) => void,
  ): void {
    this.budget.spend(1);
    const level = levels[at];
    const isSystem = at === 0 && level !== undefined && isSystemLevel(level);
    if (node.rest && !isSystem) take(node.rest, isTokenOnly);
    if (!level) {
      if (node.end) take(node.end, isTokenOnly);
      return;
    }
    const go = (next: TrieNode | undefined, tokenOnly: boolean): void => {
      if (next) this.#walk(next, levels, at + 1, bindings, tokenOnly, take);
    };
    if (level.type === "rest") {
      // `#` and `+/#` select the same topics.
      if (at === 0 && node.plus?.rest) take(node.plus.rest, isTokenOnly);
      go(node.plus, true);
      return;
    }
    if (!isSystem) go(node.plus, isTokenOnly);
    if (level.type === "plus") return;
    if (level.type === "text") go(node.literals.get(level.text), isTokenOnly);
    else if (bindings.size === 0) go(node.edges.get(level.key)?.node, isTokenOnly);
    if (bindings.size === 0 || node.edges.size === 0) return;
    for (const edge of node.edges.values()) {
      this.budget.spend(1);
      const bound = bindLevel(edge.level, at, bindings);
      if (bound && isSameLevel(bound, level)) go(edge.node, isTokenOnly);
    }
  }

  #addLevels(levels: readonly Level[], placed: Placed): void {
    const { permission, actions } = placed;
    this.depth = Math.max(this.depth, levels.length);
    let node = this.root;
    node.below[permission] |= actions;
    for (const level of levels) {
      if (level.type === "rest") {
        node.rest ??= new Bucket();
        node.rest.add(placed);
        return;
      }
      node = childOf(node, level);
      node.below[permission] |= actions;
    }
    node.end ??= new Bucket();
    node.end.add(placed);
  }
}

/** The key under which `eq` topics of this text are found. */
export function requestKey(text: string): string {
  return textKey(text);
}

function childOf(node: TrieNode, level: Level): TrieNode {
  if (level.type === "plus") {
    node.plus ??= new TrieNode();
    return node.plus;
  }
  if (level.type === "template") {
    let edge = node.edges.get(level.key);
    if (!edge) {
      edge = { level, node: new TrieNode() };
      node.edges.set(level.key, edge);
    }
    return edge.node;
  }
  const text = level.type === "text" ? level.text : "";
  let child = node.literals.get(text);
  if (!child) {
    child = new TrieNode();
    node.literals.set(text, child);
  }
  return child;
}

function isSameLevel(a: Level, b: Level): boolean {
  if (a.type === "text") return b.type === "text" && a.text === b.text;
  return a.type === "template" && b.type === "template" && a.key === b.key;
}

function bucketOf(buckets: Map<string, Bucket>, key: string): Bucket {
  let bucket = buckets.get(key);
  if (!bucket) {
    bucket = new Bucket();
    buckets.set(key, bucket);
  }
  return bucket;
}

function pushTo(lists: Map<string, Placed[]>, key: string, placed: Placed): void {
  const list = lists.get(key);
  if (list) list.push(placed);
  else lists.set(key, [placed]);
}
