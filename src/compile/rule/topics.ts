/**
 * Topic entries → where they stand in the index: the table of literal topics, the trie, or the list
 * of templates that have to be rendered.
 */
import {
  ENTRY_TOPIC_EQUAL,
  ENTRY_TOPIC_FILTER,
  ENTRY_TOPIC_TEMPLATE,
} from "../../../assembly/abi.ts";
import type { Text } from "../../types.ts";
import { hashTopic } from "./hash.ts";
import type { TerminalTable } from "./terminals.ts";
import type { TemplatePart } from "./topic-template.ts";
import { ROOT, Trie, type TrieSections } from "./trie.ts";
import type { VariableTable } from "./variables.ts";
import { buildSlots, type Span, type TextPool, textKey, WordList } from "./words.ts";

const SEPARATOR = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

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

/** A part of one level: text in the text section, or a variable. */
type LevelPart = Span | { readonly variable: number };

export class TopicIndex {
  readonly #texts: TextPool;
  readonly #variables: VariableTable;
  readonly #terminals: TerminalTable;
  readonly #trie: Trie;
  readonly #literals = new WordList();
  readonly #literalHashes = new WordList();
  readonly #literalNumbers = new WordList();
  /** Literal topics, and `eq` texts with wildcards. */
  readonly #literalTopics = new Map<string, PlacedTopic>();
  readonly #filters = new Map<string, PlacedTopic>();
  readonly #templates = new Map<string, PlacedTopic>();
  /** First piece of the parts of a level, by what they spell. */
  readonly #levelPieces = new Map<string, number>();
  readonly pieces: WordList = new WordList();

  constructor(texts: TextPool, variables: VariableTable, terminals: TerminalTable) {
    this.#texts = texts;
    this.#variables = variables;
    this.#terminals = terminals;
    this.#trie = new Trie(texts, terminals);
  }

  /** `eq`: the text itself, whatever it holds. */
  equal(text: Text): PlacedTopic {
    const { first, count, terminal } = this.#literal(text, textKey(text));
    return { kind: ENTRY_TOPIC_EQUAL, first, count, terminal };
  }

  /** A filter without placeholders. */
  filter(text: Text): PlacedTopic {
    const key = textKey(text);
    if (!hasWildcard(key)) return this.#literal(text, key);
    let placed = this.#filters.get(key);
    if (!placed) {
      const { offset, length } = this.#texts.add(text);
      const terminal = this.#filterTerminal(offset, offset + length);
      placed = { kind: ENTRY_TOPIC_FILTER, first: offset, count: length, terminal };
      this.#filters.set(key, placed);
    }
    return placed;
  }

  /** The template that `source` was read as. */
  template(source: Text, parts: readonly TemplatePart[]): PlacedTopic {
    const key = textKey(source);
    let placed = this.#templates.get(key);
    if (!placed) {
      const spans = parts.map((part): LevelPart => {
        if (part.type === "text") return this.#texts.add(part.text);
        return { variable: this.#variables.ofPlaceholder(part.name) };
      });
      const first = this.#addPieces(spans);
      const terminal = this.#templateTerminal(this.#splitLevels(spans));
      placed = { kind: ENTRY_TOPIC_TEMPLATE, first, count: parts.length, terminal };
      this.#templates.set(key, placed);
    }
    return placed;
  }

  emit(): TrieSections & { literals: WordList; literalSlots: Uint8Array } {
    return {
      ...this.#trie.emit(),
      literals: this.#emitLiterals(),
      literalSlots: buildSlots(this.#literalHashes, this.#literalNumbers),
    };
  }

  /** The literals, with what their terminals come to now that all rules are known. */
  #emitLiterals(): WordList {
    const literals = new WordList();
    for (let at = 0; at < this.#literals.length; at += 4) {
      const word = (index: number): number => this.#literals.get(at + index);
      literals.push(word(0), word(1), this.#terminals.reference(word(2)), 0);
    }
    return literals;
  }

  #literal(text: Text, key: string): PlacedTopic {
    let placed = this.#literalTopics.get(key);
    if (!placed) {
      const { offset, length } = this.#texts.add(text);
      const terminal = this.#terminals.create();
      this.#literals.push(offset, length, terminal, 0);
      this.#literalHashes.push(hashTopic(this.#texts.bytes, offset, offset + length));
      this.#literalNumbers.push(this.#literals.length / 4);
      placed = { kind: ENTRY_TOPIC_FILTER, first: offset, count: length, terminal };
      this.#literalTopics.set(key, placed);
    }
    return placed;
  }

  #filterTerminal(from: number, to: number): number {
    let node = ROOT;
    for (let start = from; start <= to; ) {
      const end = this.#levelEnd(start, to);
      const level = { offset: start, length: end - start };
      if (end === to && this.#spells(level, HASH)) return this.#trie.hashTerminal(node);
      node = this.#step(node, level);
      start = end + 1;
    }
    return this.#trie.terminal(node);
  }

  #templateTerminal(levels: readonly (readonly LevelPart[])[]): number | undefined {
    if (levels.some((level) => this.#canBecomeWildcard(level))) return undefined;
    let node = ROOT;
    for (const [index, level] of levels.entries()) {
      const only = level.length === 1 ? level[0]! : undefined;
      if (level.length === 0) node = this.#trie.literal(node, { offset: 0, length: 0 });
      else if (!only || "variable" in only) node = this.#edge(node, level);
      else if (index === levels.length - 1 && this.#spells(only, HASH)) {
        return this.#trie.hashTerminal(node);
      } else node = this.#step(node, only);
    }
    return this.#trie.terminal(node);
  }

  #step(node: number, level: Span): number {
    return this.#spells(level, PLUS) ? this.#trie.plus(node) : this.#trie.literal(node, level);
  }

  #edge(node: number, level: readonly LevelPart[]): number {
    const signature = level.map((part) => this.#partKey(part)).join("/");
    let first = this.#levelPieces.get(signature);
    if (first === undefined) {
      first = this.#addPieces(level);
      this.#levelPieces.set(signature, first);
    }
    return this.#trie.edge(node, first, level.length);
  }

  /** No level holds a `/`, so joined keys are as unique as their parts. */
  #partKey(part: LevelPart): string {
    if ("variable" in part) return String(part.variable);
    return ` ${textKey(this.#texts.bytes.subarray(part.offset, part.offset + part.length))}`;
  }

  #addPieces(parts: readonly LevelPart[]): number {
    const first = this.pieces.length / 3;
    for (const part of parts) {
      if ("variable" in part) this.pieces.push(part.variable + 1, 0, 0);
      else this.pieces.push(0, part.offset, part.length);
    }
    return first;
  }

  /** The parts of each level; a level without parts is empty. */
  #splitLevels(parts: readonly LevelPart[]): LevelPart[][] {
    const levels: LevelPart[][] = [[]];
    for (const part of parts) {
      if ("variable" in part) {
        levels.at(-1)!.push(part);
        continue;
      }
      const to = part.offset + part.length;
      for (let start = part.offset; start <= to; ) {
        const end = this.#levelEnd(start, to);
        if (start > part.offset) levels.push([]);
        if (end > start) levels.at(-1)!.push({ offset: start, length: end - start });
        start = end + 1;
      }
    }
    return levels;
  }

  /** Would empty values leave a level that is a wildcard (`+${username}`)? */
  #canBecomeWildcard(level: readonly LevelPart[]): boolean {
    const texts = level.filter((part): part is Span => !("variable" in part));
    if (texts.length === level.length || texts.length !== 1) return false;
    return this.#spells(texts[0]!, PLUS) || this.#spells(texts[0]!, HASH);
  }

  #levelEnd(start: number, to: number): number {
    const { bytes } = this.#texts;
    let end = start;
    while (end < to && bytes[end] !== SEPARATOR) end++;
    return end;
  }

  #spells({ offset, length }: Span, byte: number): boolean {
    return length === 1 && this.#texts.bytes[offset] === byte;
  }
}

/** Has the filter a `+` level, or a last level `#`? */
function hasWildcard(filter: string): boolean {
  if (filter.includes("+") && /(?:^|\/)\+(?:\/|$)/.test(filter)) return true;
  return filter === "#" || filter.endsWith("/#");
}
