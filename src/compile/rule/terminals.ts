/**
 * Terminals: what a topic, a filter or "every topic" leads to, each an ascending list of rules.
 *
 * Rules of one terminal that ask a variable to equal a text are taken out of the list into a hash
 * table over (terminal, variable, text) once there are enough of them, so that 100,000 rules for as
 * many users on the same topic cost one probe.
 */

import { TERMINAL_DIRECT } from "../../../assembly/abi.ts";
import { hashLevel, mixHash } from "./hash.ts";
import { type CompiledWho, type EqualityKey, keyName } from "./who.ts";
import { buildSlots, type Span, type TextPool, WordList } from "./words.ts";

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

interface Key {
  readonly variable: number;
  readonly text: Span;
  readonly rules: number[];
}

export class TerminalTable {
  /** First and last link of each terminal. */
  readonly #heads = new WordList();
  readonly #tails = new WordList();
  /** rule · next link; link 0 is none. */
  readonly #links = new WordList();
  readonly #actions = new WordList();

  constructor() {
    this.#links.push(0, 0);
  }

  /** A new, empty terminal. */
  create(): number {
    this.#heads.push(NONE);
    this.#tails.push(NONE);
    this.#actions.push(0);
    return this.#heads.length - 1;
  }

  /** Adds a rule; rules come in ascending order, and twice the same is once. */
  add(terminal: number, rule: number, actions: number): void {
    const tail = this.#tails.get(terminal);
    if (tail !== NONE && this.#links.get(tail) === rule) return;
    const link = this.#links.push(rule, NONE);
    if (tail === NONE) this.#heads.set(terminal, link);
    else this.#links.set(tail + 1, link);
    this.#tails.set(terminal, link);
    this.#actions.set(terminal, this.#actions.get(terminal) | actions);
  }

  /** The lowest rule. */
  lowestRule(terminal: number): number {
    const head = this.#heads.get(terminal);
    return head === NONE ? NO_RULE : this.#links.get(head);
  }

  /** What nodes and literals hold: the rule itself when it is the only one (it is not keyed then). */
  reference(terminal: number): number {
    const head = this.#heads.get(terminal);
    const isAlone = head !== NONE && head === this.#tails.get(terminal);
    return isAlone ? TERMINAL_DIRECT | this.#links.get(head) : terminal + 1;
  }

  actions(terminal: number): number {
    return this.#actions.get(terminal);
  }

  emit(texts: TextPool, who: (rule: number) => CompiledWho): TerminalSections {
    const terminals = new WordList();
    const uses = new WordList();
    const keyVariables = new WordList();
    const keys = new WordList();
    const hashes = new WordList();
    const values = new WordList();
    for (let terminal = 0; terminal < this.#heads.length; terminal++) {
      const firstUse = uses.length;
      const keyed = this.#list(terminal, uses, who);
      terminals.push(firstUse, uses.length - firstUse, keyVariables.length);
      if (!keyed) {
        terminals.push(0);
        continue;
      }
      const variables = new Set<number>();
      for (const { variable, text, rules } of keyed) {
        variables.add(variable);
        const hash = hashLevel(texts.bytes, text.offset, text.offset + text.length);
        hashes.push(mixHash(mixHash(terminal, variable), hash));
        keys.push(terminal, variable, text.offset, text.length, uses.length, rules.length);
        values.push(keys.length / 6);
        for (const rule of rules) uses.push(rule);
      }
      terminals.push(variables.size);
      for (const variable of variables) keyVariables.push(variable);
    }
    return { terminals, uses, keyVariables, keys, keySlots: buildSlots(hashes, values) };
  }

  /** Writes the listed rules of a terminal to `uses` and returns the keyed ones, if any. */
  #list(
    terminal: number,
    uses: WordList,
    who: (rule: number) => CompiledWho,
  ): Iterable<Key> | undefined {
    const isKeyed = this.#countKeyed(terminal, who) > LISTED_MAX;
    const keyed = isKeyed ? new Map<number, Key>() : undefined;
    for (let link = this.#heads.get(terminal); link !== NONE; link = this.#links.get(link + 1)) {
      const rule = this.#links.get(link);
      const keys = keyed && who(rule).keys;
      if (!keys) uses.push(rule);
      else for (const key of keys) addToKey(keyed, key, rule);
    }
    return keyed?.values();
  }

  #countKeyed(terminal: number, who: (rule: number) => CompiledWho): number {
    let count = 0;
    for (let link = this.#heads.get(terminal); link !== NONE; link = this.#links.get(link + 1)) {
      if (who(this.#links.get(link)).keys) count++;
    }
    return count;
  }
}

function addToKey(keyed: Map<number, Key>, equality: EqualityKey, rule: number): void {
  const name = keyName(equality);
  let key = keyed.get(name);
  if (!key) {
    key = { ...equality, rules: [] };
    keyed.set(name, key);
  }
  if (key.rules.at(-1) !== rule) key.rules.push(rule);
}
