/**
 * The best plain-JavaScript rule index we could write, with the engine's semantics for the rules of
 * bench/data: a trie of Maps over levels, template levels as edges, rules for one user in a Map by
 * user, the lowest rule number wins, and subtrees that cannot win are skipped. It reads the string in
 * place and knows nothing of actions, conditions, limits or hostile text, which ours pays for.
 */
import type { Rule } from "../../src/compile/rule/ast.ts";
import { type BenchClient, isAbout } from "../data/rules.ts";

const NONE = Number.MAX_SAFE_INTEGER;

class Node {
  /** Of the whole subtree. */
  lowest = NONE;
  literals: Map<string, Node> | undefined;
  plus: Node | undefined;
  ownId: Node | undefined;
  /** Rules of filters that end here, and of those that go on with `#`. */
  here: Rules | undefined;
  hash: Rules | undefined;
}

class Rules {
  everyone = NONE;
  byUser: Map<string, number> | undefined;
  /** Those with other conditions, ascending. */
  conditional: { rule: Rule; number: number }[] | undefined;

  add(rule: Rule, number: number): void {
    const { who } = rule;
    if (who.type === "all") {
      this.everyone = Math.min(this.everyone, number);
    } else if (who.type === "equal") {
      this.byUser ??= new Map();
      const user = String(who.value);
      if (!this.byUser.has(user)) this.byUser.set(user, number);
    } else {
      this.conditional ??= [];
      this.conditional.push({ rule, number });
    }
  }

  lowest(client: BenchClient): number {
    let lowest = this.everyone;
    if (this.byUser) lowest = Math.min(lowest, this.byUser.get(client.username) ?? NONE);
    if (!this.conditional) return lowest;
    for (const { rule, number } of this.conditional) {
      if (number >= lowest) break;
      if (isAbout(rule, client)) return number;
    }
    return lowest;
  }
}

export class TopicIndex {
  readonly #root = new Node();
  readonly #rules: readonly Rule[];
  #topic = "";
  #client: BenchClient = { clientId: "", username: "", peerHost: "" };
  #best = NONE;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    rules.forEach((rule, number) => {
      if (rule.topics === "all") throw new Error("the benches have no rules for all topics");
      for (const { text } of rule.topics) this.#add(String(text), rule, number);
    });
  }

  /** Number of the lowest rule that fits, or -1. */
  find(client: BenchClient, topic: string): number {
    this.#topic = topic;
    this.#client = client;
    this.#best = NONE;
    this.#walk(this.#root, 0);
    return this.#best === NONE ? -1 : this.#best;
  }

  isAllowed(rule: number): boolean {
    return rule >= 0 && this.#rules[rule]!.permission === "allow";
  }

  #add(filter: string, rule: Rule, number: number): void {
    let node = this.#root;
    node.lowest = Math.min(node.lowest, number);
    for (const level of filter.split("/")) {
      if (level === "#") {
        node.hash ??= new Rules();
        node.hash.add(rule, number);
        return;
      }
      node = childFor(node, level);
      node.lowest = Math.min(node.lowest, number);
    }
    node.here ??= new Rules();
    node.here.add(rule, number);
  }

  /** `from`: where the next level starts; past the end when none is left. */
  #walk(node: Node, from: number): void {
    if (node.lowest >= this.#best) return;
    if (node.hash) this.#best = Math.min(this.#best, node.hash.lowest(this.#client));
    const topic = this.#topic;
    if (from > topic.length) {
      if (node.here) this.#best = Math.min(this.#best, node.here.lowest(this.#client));
      return;
    }
    const found = topic.indexOf("/", from);
    const end = found < 0 ? topic.length : found;
    if (node.literals || node.ownId) {
      const level = topic.slice(from, end);
      const literal = node.literals?.get(level);
      if (literal) this.#walk(literal, end + 1);
      if (node.ownId && level === this.#client.clientId) this.#walk(node.ownId, end + 1);
    }
    if (node.plus) this.#walk(node.plus, end + 1);
  }
}

function childFor(node: Node, level: string): Node {
  if (level === "+") {
    node.plus ??= new Node();
    return node.plus;
  }
  if (level === "${clientid}") {
    node.ownId ??= new Node();
    return node.ownId;
  }
  node.literals ??= new Map();
  let child = node.literals.get(level);
  if (!child) {
    child = new Node();
    node.literals.set(level, child);
  }
  return child;
}
