/**
 * Terminals: what a topic, a filter or "every topic" leads to, each an ascending list of rules.
 *
 * Rules of one terminal that ask a variable to equal a text are taken out of the list into a hash
 * table over (terminal, variable, value) once there are enough of them, so that 100,000 rules for as
 * many users on the same topic cost one probe.
 */

import { TERMINAL_DIRECT } from "../../../assembly/abi.ts";
import { childHash, mixHash } from "./hash.ts";
import type { CompiledWho, EqualityKey } from "./who.ts";
import { buildSlots, WordList } from "./words.ts";

/** Up to this many keyed rules stay in the list: looking at them is as cheap as the probe. */
const LISTED_MAX = 4;
const NO_RULE = 0xffffffff;
const NONE = 0;

/** The sections that terminals are made of. */
export interface TerminalSections {
  readonly terminals: WordList;
  readonly uses: WordList;
  readonly keyVariables: WordList;
  readonly keys: WordList;
  readonly keySlots: Uint8Array;
}

export class TerminalTable {
  readonly #rules = new RuleLists();
  readonly #actions = new WordList();

  /** A new, empty terminal. */
  create(): number {
    this.#actions.push(0);
    return this.#rules.create();
  }

  /** Adds a rule; rules come in ascending order, and twice the same is once. */
  add(terminal: number, rule: number, actions: number): void {
    this.#rules.add(terminal, rule);
    this.#actions.set(terminal, this.#actions.get(terminal) | actions);
  }

  /** The lowest rule. */
  lowestRule(terminal: number): number {
    const head = this.#rules.head(terminal);
    return head === NONE ? NO_RULE : this.#rules.rule(head);
  }

  /** What nodes and literals hold: the rule itself when it is the only one (it is not keyed then). */
  reference(terminal: number): number {
    const head = this.#rules.head(terminal);
    const isAlone = head !== NONE && this.#rules.next(head) === NONE;
    return isAlone ? TERMINAL_DIRECT | this.#rules.rule(head) : terminal + 1;
  }

  actions(terminal: number): number {
    return this.#actions.get(terminal);
  }

  emit(who: readonly CompiledWho[]): TerminalSections {
    const terminals = new WordList(this.#rules.count * 4);
    const uses = new WordList(this.#rules.linkCount);
    const keyVariables = new WordList();
    const keys = new WordList();
    const hashes = new WordList();
    const values = new WordList();
    for (let terminal = 0; terminal < this.#rules.count; terminal++) {
      const firstUse = uses.length;
      const keyed = this.#list(terminal, uses, who);
      const useCount = uses.length - firstUse;
      if (!keyed) {
        terminals.push(firstUse, useCount, keyVariables.length, 0);
        continue;
      }
      const variables = new Set<number>();
      for (const [place, { variable, value }] of keyed.keys.entries()) {
        variables.add(variable);
        hashes.push(mixHash(childHash(terminal, variable), value));
        const firstRule = uses.length;
        keyed.writeRules(place, uses);
        keys.push(terminal, variable, value, firstRule, uses.length - firstRule);
        values.push(keys.length / 5);
      }
      terminals.push(firstUse, useCount, keyVariables.length, variables.size);
      for (const variable of variables) keyVariables.push(variable);
    }
    return { terminals, uses, keyVariables, keys, keySlots: buildSlots(hashes, values) };
  }

  /** Writes the listed rules of a terminal to `uses` and returns the keyed ones, if any. */
  #list(terminal: number, uses: WordList, who: readonly CompiledWho[]): KeyedRules | undefined {
    const keyed = this.#hasKeyed(terminal, who) ? new KeyedRules() : undefined;
    const rules = this.#rules;
    for (let link = rules.head(terminal); link !== NONE; link = rules.next(link)) {
      const rule = rules.rule(link);
      const { equality, keys } = who[rule]!;
      if (keyed && equality) keyed.add(equality, rule);
      else if (keyed && keys) for (const key of keys) keyed.add(key, rule);
      else uses.push(rule);
    }
    return keyed;
  }

  /** Are there enough rules with keys for a table? */
  #hasKeyed(terminal: number, who: readonly CompiledWho[]): boolean {
    const rules = this.#rules;
    let count = 0;
    for (let link = rules.head(terminal); link !== NONE; link = rules.next(link)) {
      const { equality, keys } = who[rules.rule(link)]!;
      if ((equality || keys) && ++count > LISTED_MAX) return true;
    }
    return false;
  }
}

/** The keyed rules of one terminal: for each key, in the order of their first use, its rules. */
class KeyedRules {
  readonly keys: EqualityKey[] = [];
  /** Index in `keys` by the number of the key. */
  readonly #places = new Map<number, number>();
  readonly #rules = new RuleLists();

  add(key: EqualityKey, rule: number): void {
    let place = this.#places.get(key.id);
    if (place === undefined) {
      place = this.#rules.create();
      this.keys.push(key);
      this.#places.set(key.id, place);
    }
    this.#rules.add(place, rule);
  }

  writeRules(place: number, uses: WordList): void {
    const rules = this.#rules;
    for (let link = rules.head(place); link !== NONE; link = rules.next(link)) {
      uses.push(rules.rule(link));
    }
  }
}

/** Linked lists of rules in two word lists: an array for each of 100,000 lists takes ten times as much. */
class RuleLists {
  /** First and last link of each list. */
  readonly #ends = new WordList();
  /** rule · next link; link 0 is none. */
  readonly #links = new WordList();

  constructor() {
    this.#links.push(0, 0);
  }

  get count(): number {
    return this.#ends.length / 2;
  }

  get linkCount(): number {
    return this.#links.length / 2;
  }

  /** A new, empty list. */
  create(): number {
    return this.#ends.push(NONE, NONE) / 2;
  }

  /** Adds a rule at the end, unless it is there already. */
  add(list: number, rule: number): void {
    const tail = this.#ends.get(list * 2 + 1);
    if (tail !== NONE && this.rule(tail) === rule) return;
    const link = this.#links.push(rule, NONE) / 2;
    if (tail === NONE) this.#ends.set(list * 2, link);
    else this.#links.set(tail * 2 + 1, link);
    this.#ends.set(list * 2 + 1, link);
  }

  head(list: number): number {
    return this.#ends.get(list * 2);
  }

  rule(link: number): number {
    return this.#links.get(link * 2);
  }

  next(link: number): number {
    return this.#links.get(link * 2 + 1);
  }
}
