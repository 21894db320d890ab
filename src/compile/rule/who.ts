/**
 * Who-conditions → the condition section (layout: assembly/abi/rules.ts). Constants are folded away,
 * equal conditions are stored once, and for the topic index each condition says which equalities
 * it depends on.
 */
import {
  CACHED_ROOTS_MAX,
  CONDITION_ADDRESS,
  CONDITION_AND,
  CONDITION_EQUAL,
  CONDITION_HEIGHT_MAX,
  CONDITION_OR,
  CONDITION_PATTERN,
  CONDITION_RAISE,
  WHO_VALUE_MAX,
  WHO_VARIABLE_MAX,
} from "../../../assembly/abi.ts";
import type { Text } from "../../types.ts";
import { compileRegex } from "../regex/index.ts";
import type { AddressRange, Who } from "./ast.ts";
import type { VariableTable } from "./variables.ts";
import { type TextPool, textKey, ValueTable, WordList } from "./words.ts";

/** A variable that has to equal a text. There is one object for each pair of them. */
export interface EqualityKey {
  readonly type: "equal";
  /** Numbered from 0. */
  readonly id: number;
  readonly variable: number;
  /** The text's number among the values. */
  readonly value: number;
}

/** A rule's condition, compiled. */
export interface CompiledWho {
  /** The others have no condition in the section; this is an index for `numbers`. */
  readonly root: "everyone" | "nobody" | "equal" | number;
  /** All that is asked, where that fits beside the rule. */
  readonly equality?: EqualityKey;
  /** True only if `equality` or one of these holds; without both, nothing of the kind can be said. */
  readonly keys: readonly EqualityKey[] | undefined;
  readonly raises: boolean;
}

type Condition =
  | { readonly type: "constant"; readonly value: boolean }
  | EqualityKey
  | { readonly type: "leaf"; readonly words: readonly [number, number, number, number] }
  | { readonly type: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly type: "raise" };

const EVERYONE: CompiledWho = { root: "everyone", keys: undefined, raises: false };
export const NOBODY: CompiledWho = { root: "nobody", keys: undefined, raises: false };

/** More equalities than this in one `or` are not indexed. */
const KEYS_MAX = 64;

export class PatternError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export class NestingError extends Error {}

export class WhoCompiler {
  readonly #variables: VariableTable;
  readonly #roots: Condition[] = [];
  readonly #known = new Map<string, CompiledWho>();
  /** For each variable, its keys by their values. */
  readonly #keys: Map<number, EqualityKey>[] = [];
  #keyCount = 0;
  /** Conditions that are a single equality, by the number of the key. */
  readonly #equalities: (CompiledWho | undefined)[] = [];
  readonly #patternIndexes = new Map<string, number>();
  readonly #rangeIndexes = new Map<string, number>();
  readonly #programs: Uint8Array[] = [];
  #regexBytes = 0;
  /** What variables have to equal. */
  readonly values: ValueTable;
  readonly ranges: WordList = new WordList();
  readonly patterns: WordList = new WordList();

  constructor(texts: TextPool, variables: VariableTable) {
    this.#variables = variables;
    this.values = new ValueTable(texts);
  }

  /** Throws PatternError or NestingError for what cannot be compiled. */
  add(who: Who): CompiledWho {
    if (who.type === "all") return EVERYONE;
    const condition = this.#fold(who, 0);
    if (condition.type === "constant") return condition.value ? EVERYONE : NOBODY;
    if (condition.type === "equal") return this.#equality(condition);
    const signature = signatureOf(condition);
    let compiled = this.#known.get(signature);
    if (!compiled) {
      const raises = canRaise(condition);
      // A raise counts for clients that no key names, so such a rule has to be looked at always.
      const keys = raises ? undefined : keysOf(condition);
      compiled = { root: this.#roots.length, keys, raises };
      this.#roots.push(condition);
      this.#known.set(signature, compiled);
    }
    return compiled;
  }

  /** The most frequent condition by far, and the one that there may be 100,000 of. */
  #equality(key: EqualityKey): CompiledWho {
    let compiled = this.#equalities[key.id];
    if (!compiled) {
      const isShort = key.variable <= WHO_VARIABLE_MAX && key.value <= WHO_VALUE_MAX;
      compiled = isShort
        ? { root: "equal", equality: key, keys: undefined, raises: false }
        : { root: this.#roots.length, keys: [key], raises: false };
      if (!isShort) this.#roots.push(key);
      this.#equalities[key.id] = compiled;
    }
    return compiled;
  }

  /**
   * The condition section, the roots first. `numbers[i]` is where root i stands; the first
   * `cached` of them are worth remembering per client.
   */
  emit(): { words: WordList; numbers: Uint32Array; cached: number } {
    const isWorthy = this.#roots.map(isWorthCaching);
    const queue = this.#roots.filter((_, root) => isWorthy[root]);
    const worthyCount = queue.length;
    const numbers = new Uint32Array(this.#roots.length);
    let worthy = 0;
    for (const [root, condition] of this.#roots.entries()) {
      if (isWorthy[root]) numbers[root] = worthy++;
      else numbers[root] = queue.push(condition) - 1;
    }
    const words = new WordList(queue.length * 4);
    for (let i = 0; i < queue.length; i++) {
      const condition = queue[i]!;
      if (condition.type === "equal") {
        words.push(CONDITION_EQUAL, condition.variable, condition.value, 0);
        continue;
      }
      const children = childrenOf(condition);
      if (children) {
        const kind = isConjunction(condition) ? CONDITION_AND : CONDITION_OR;
        words.push(kind, queue.length, children.length, heightOf(condition));
        for (const child of children) queue.push(child);
      } else words.push(...leafWords(condition));
    }
    return { words, numbers, cached: Math.min(worthyCount, CACHED_ROOTS_MAX) };
  }

  /** The regex section. */
  regexBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#regexBytes);
    this.#programs.forEach((program, index) => {
      bytes.set(program, this.patterns.get(index * 2));
    });
    return bytes;
  }

  #fold(who: Who, depth: number): Condition {
    if (depth >= CONDITION_HEIGHT_MAX) {
      throw new NestingError(`conditions nest deeper than ${CONDITION_HEIGHT_MAX} levels`);
    }
    switch (who.type) {
      case "all":
        return { type: "constant", value: true };
      case "constant":
        return who;
      case "raise":
        return who;
      case "equal": {
        return this.#key(this.#variables.ofField(who.field), this.values.add(who.value));
      }
      case "pattern": {
        const variable = this.#variables.ofField(who.field);
        const pattern = this.#pattern(who.pattern);
        return { type: "leaf", words: [CONDITION_PATTERN, variable, pattern, 0] };
      }
      case "address":
        return this.#address(who.ranges);
      default:
        return foldList(
          who.type,
          who.of.map((one) => this.#fold(one, depth + 1)),
        );
    }
  }

  #key(variable: number, value: number): EqualityKey {
    this.#keys[variable] ??= new Map();
    const keys = this.#keys[variable];
    let key = keys.get(value);
    if (!key) {
      key = { type: "equal", id: this.#keyCount++, variable, value };
      keys.set(value, key);
    }
    return key;
  }

  #address(ranges: readonly AddressRange[]): Condition {
    if (ranges.length === 0) return { type: "constant", value: false };
    const key = ranges.map((range) => `${textKey(range.network)}/${range.prefixLength}`).join();
    const known = this.#rangeIndexes.get(key);
    const first = known ?? this.ranges.length / 6;
    const words: [number, number, number, number] = [CONDITION_ADDRESS, first, ranges.length, 0];
    if (known !== undefined) return { type: "leaf", words };
    this.#rangeIndexes.set(key, first);
    for (const { network, prefixLength } of ranges) {
      const bytes = new Uint8Array(16);
      bytes.set(network);
      const view = new DataView(bytes.buffer);
      this.ranges.push(network.length, prefixLength);
      for (let at = 0; at < 16; at += 4) this.ranges.push(view.getUint32(at, true));
    }
    return { type: "leaf", words };
  }

  #pattern(pattern: Text): number {
    const key = textKey(pattern);
    const known = this.#patternIndexes.get(key);
    if (known !== undefined) return known;
    const compiled = compileRegex(pattern);
    if (!compiled.ok) throw new PatternError(compiled.message, compiled.offset);
    const index = this.#programs.length;
    const offset = (this.#regexBytes + 7) & ~7;
    this.#patternIndexes.set(key, index);
    this.#programs.push(compiled.program);
    this.patterns.push(offset, compiled.program.length);
    this.#regexBytes = offset + compiled.program.length;
    return index;
  }
}

/** Folds an `and` or `or`, unless a condition that can raise would get lost. */
function foldList(type: "and" | "or", children: readonly Condition[]): Condition {
  const deciding = type === "or";
  const kept: Condition[] = [];
  for (const child of children) {
    if (child.type !== "constant") kept.push(child);
    else if (child.value === deciding) {
      if (!kept.some(canRaise)) return child;
      kept.push(child);
      break;
    }
  }
  if (kept.length === 0) return { type: "constant", value: !deciding };
  if (kept.length === 1) return kept[0]!;
  // Without raises the order does not matter, and equalities are the quickest to look at.
  if (!kept.some(canRaise)) kept.sort((a, b) => costOf(a) - costOf(b));
  return { type, of: kept };
}

function costOf(condition: Condition): number {
  return condition.type === "equal" ? 0 : condition.type === "leaf" ? 1 : 2;
}

/** Patterns and addresses are, unless an equality keeps all but a few clients away from them. */
function isWorthCaching(condition: Condition): boolean {
  return hasLeaf(condition) && keysOf(condition) === undefined;
}

function hasLeaf(condition: Condition): boolean {
  if (condition.type === "and" || condition.type === "or") return condition.of.some(hasLeaf);
  return condition.type === "leaf";
}

function canRaise(condition: Condition): boolean {
  if (condition.type === "and" || condition.type === "or") return condition.of.some(canRaise);
  return condition.type === "raise";
}

/** A constant that folding could not remove is an empty `and` (true) or `or` (false). */
function childrenOf(condition: Condition): readonly Condition[] | undefined {
  if (condition.type === "constant") return [];
  return condition.type === "and" || condition.type === "or" ? condition.of : undefined;
}

function isConjunction(condition: Condition): boolean {
  return condition.type === "constant" ? condition.value : condition.type === "and";
}

function heightOf(condition: Condition): number {
  const children = childrenOf(condition);
  return children ? 1 + children.reduce((most, child) => Math.max(most, heightOf(child)), 0) : 0;
}

function leafWords(condition: Condition): readonly [number, number, number, number] {
  switch (condition.type) {
    case "leaf":
      return condition.words;
    case "equal":
      return [CONDITION_EQUAL, condition.variable, condition.value, 0];
    default:
      return [CONDITION_RAISE, 0, 0, 0];
  }
}

/** Values have numbers, so equal words mean equal conditions. */
function signatureOf(condition: Condition): string {
  switch (condition.type) {
    case "and":
    case "or":
      return `${condition.type}(${condition.of.map(signatureOf).join()})`;
    case "constant":
      return `${condition.value}`;
    default:
      return leafWords(condition).join(" ");
  }
}

function keysOf(condition: Condition): readonly EqualityKey[] | undefined {
  switch (condition.type) {
    case "equal":
      return [condition];
    case "and": {
      const choices = condition.of.map(keysOf).filter((keys) => keys !== undefined);
      return choices.reduce<readonly EqualityKey[] | undefined>(
        (least, keys) => (least && least.length <= keys.length ? least : keys),
        undefined,
      );
    }
    case "or": {
      const all: EqualityKey[] = [];
      for (const child of condition.of) {
        const keys = keysOf(child);
        if (!keys || all.length + keys.length > KEYS_MAX) return undefined;
        all.push(...keys);
      }
      return all;
    }
    default:
      return undefined;
  }
}
