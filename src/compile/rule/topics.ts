/**
 * Topic entries → where they stand in the index: the table of literal topics, the trie, or the list
 * of templates that have to be rendered.
 */
import {
  ENTRY_TOPIC_EQUAL,
  ENTRY_TOPIC_FILTER,
  ENTRY_TOPIC_TEMPLATE,
} from "../../../assembly/abi.ts";
import { toBytes } from "../bytes.ts";
import { hashTopic } from "./hash.ts";
import type { TerminalTable } from "./terminals.ts";
import type { TemplatePart } from "./topic-template.ts";
import { type FilterLevel, Trie, type TrieSections } from "./trie.ts";
import type { VariableTable } from "./variables.ts";
import { buildSlots, bytesKey, type Span, type TextPool, WordList } from "./words.ts";

const SEPARATOR = 0x2f;

/** Where a topic entry ended up. */
export interface PlacedTopic {
  /** ENTRY_TOPIC_…. */
  readonly kind: number;
  /** Text offset and length, or first piece and piece count. */
  readonly first: number;
  readonly count: number;
  /** Undefined: only rendering can tell what it matches. */
  readonly terminal: number | undefined;
}

export class TopicIndex {
  readonly #texts: TextPool;
  readonly #variables: VariableTable;
  readonly #terminals: TerminalTable;
  readonly #trie: Trie;
  readonly #literals = new WordList();
  readonly #literalHashes = new WordList();
  readonly #literalNumbers = new WordList();
  /** Literal topics, and `eq` texts with wildcards, by their bytes. */
  readonly #literalTopics = new Map<string, PlacedTopic>();
  readonly #filters = new Map<string, PlacedTopic>();
  readonly pieces: WordList = new WordList();

  constructor(texts: TextPool, variables: VariableTable, terminals: TerminalTable) {
    this.#texts = texts;
    this.#variables = variables;
    this.#terminals = terminals;
    this.#trie = new Trie(texts, terminals);
  }

  /** `eq`: the text itself, whatever it holds. */
  equal(text: Uint8Array): PlacedTopic {
    const { first, count, terminal } = this.#literal(text);
    return { kind: ENTRY_TOPIC_EQUAL, first, count, terminal };
  }

  /** A filter without placeholders. */
  filter(text: Uint8Array): PlacedTopic {
    if (!hasWildcard(text)) return this.#literal(text);
    const key = bytesKey(text);
    let placed = this.#filters.get(key);
    if (!placed) {
      const span = this.#texts.add(text);
      const terminal = this.#trie.terminalOf(levelsOf(text, span.offset, true));
      placed = { kind: ENTRY_TOPIC_FILTER, first: span.offset, count: span.length, terminal };
      this.#filters.set(key, placed);
    }
    return placed;
  }

  template(parts: readonly TemplatePart[]): PlacedTopic {
    const key = `\${}${JSON.stringify(parts)}`;
    let placed = this.#filters.get(key);
    if (!placed) {
      const whole = this.#piecesOf(parts);
      const levels = splitParts(parts);
      const terminal = levels.some(canBecomeWildcard)
        ? undefined
        : this.#trie.terminalOf(this.#templateLevels(levels));
      placed = { kind: ENTRY_TOPIC_TEMPLATE, ...whole, terminal };
      this.#filters.set(key, placed);
    }
    return placed;
  }

  emit(): TrieSections & { literals: WordList; literalSlots: Uint8Array } {
    return {
      ...this.#trie.emit(),
      literals: this.#literals,
      literalSlots: buildSlots(this.#literalHashes, this.#literalNumbers),
    };
  }

  #literal(text: Uint8Array): PlacedTopic {
    const key = bytesKey(text);
    let placed = this.#literalTopics.get(key);
    if (!placed) {
      const { offset, length } = this.#texts.add(text);
      const terminal = this.#terminals.create();
      this.#literals.push(offset, length, terminal, 0);
      this.#literalHashes.push(hashTopic(text, 0, text.length));
      this.#literalNumbers.push(this.#literals.length / 4);
      placed = { kind: ENTRY_TOPIC_FILTER, first: offset, count: length, terminal };
      this.#literalTopics.set(key, placed);
    }
    return placed;
  }

  #piecesOf(parts: readonly TemplatePart[]): { first: number; count: number } {
    const first = this.pieces.length / 3;
    for (const part of parts) {
      if (part.type === "variable") {
        this.pieces.push(this.#variables.ofPlaceholder(part.name) + 1, 0, 0);
      } else {
        const { offset, length } = this.#texts.share(toBytes(part.text));
        this.pieces.push(0, offset, length);
      }
    }
    return { first, count: parts.length };
  }

  *#templateLevels(levels: readonly (readonly TemplatePart[])[]): Iterable<FilterLevel> {
    for (const [index, parts] of levels.entries()) {
      if (parts.some((part) => part.type === "variable")) {
        const { first, count } = this.#piecesOf(parts);
        const signature = JSON.stringify(parts);
        yield { type: "edge", signature, firstPiece: first, pieceCount: count };
        continue;
      }
      const text = toBytes(textOf(parts));
      const span = this.#texts.share(text);
      yield* levelsOf(text, span.offset, index === levels.length - 1);
    }
  }
}

/** Has the filter a `+` level, or a last level `#`? */
function hasWildcard(text: Uint8Array): boolean {
  for (let start = 0; start <= text.length; ) {
    const end = levelEnd(text, start);
    if (end - start === 1) {
      if (text[start] === 0x2b) return true;
      if (text[start] === 0x23 && end === text.length) return true;
    }
    start = end + 1;
  }
  return false;
}

/** The levels of a text that stands at `offset` in the text section. */
function* levelsOf(text: Uint8Array, offset: number, isLast: boolean): Iterable<FilterLevel> {
  for (let start = 0; start <= text.length; ) {
    const end = levelEnd(text, start);
    const only = end - start === 1 ? text[start] : 0;
    if (only === 0x2b) yield { type: "plus" };
    else if (only === 0x23 && isLast && end === text.length) yield { type: "hash" };
    else yield { type: "literal", text: { offset: offset + start, length: end - start } as Span };
    start = end + 1;
  }
}

function levelEnd(text: Uint8Array, start: number): number {
  const end = text.indexOf(SEPARATOR, start);
  return end === -1 ? text.length : end;
}

/** The parts of each level; a level without parts is empty. */
function splitParts(parts: readonly TemplatePart[]): TemplatePart[][] {
  const levels: TemplatePart[][] = [[]];
  for (const part of parts) {
    if (part.type === "variable") {
      levels.at(-1)!.push(part);
      continue;
    }
    for (const [index, text] of part.text.split("/").entries()) {
      if (index > 0) levels.push([]);
      if (text !== "") levels.at(-1)!.push({ type: "text", text });
    }
  }
  return levels;
}

/** Would empty values leave a level that is a wildcard (`+${username}`)? */
function canBecomeWildcard(level: readonly TemplatePart[]): boolean {
  if (!level.some((part) => part.type === "variable")) return false;
  const text = textOf(level);
  return text === "+" || text === "#";
}

function textOf(parts: readonly TemplatePart[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
