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
import { buildSlots, type Span, TextPool, TextTable, textKey, WordList } from "./words.ts";

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

/** What there is to come, so that tables begin with room for it: all of them grow. */
export interface Sizes {
  readonly entries: number;
  readonly textBytes: number;
}

/** A part of one level: text in the text section, or a variable. */
type LevelPart = Span | { readonly variable: number };

export class TopicIndex {
  readonly #texts: TextPool;
  readonly #variables: VariableTable;
  readonly #terminals: TerminalTable;
  readonly #trie: Trie;
  /** Literal topics, and `eq` texts with wildcards; terminal of each. */
  readonly #literals: TextTable;
  readonly #literalTerminals = new WordList();
  /** Filters with wildcards; terminal of each. */
  readonly #filters: TextTable;
  readonly #filterTerminals = new WordList();
  /** Templates as written, which the text section does not hold. */
  readonly #templates: TextTable;
  /** Of each template: first piece · piece count · terminal + 1, 0 for none. */
  readonly #templatePlaces = new WordList();
  /** First piece of the parts of a level, by what they spell; of a lone variable, by its index. */
  readonly #levelPieces = new Map<string | number, number>();
  readonly pieces: WordList = new WordList();

  /** `sizes` is a guess at what there is to come. */
  constructor(
    texts: TextPool,
    variables: VariableTable,
    terminals: TerminalTable,
    { entries, textBytes }: Sizes,
  ) {
    this.#texts = texts;
    this.#variables = variables;
    this.#terminals = terminals;
    this.#trie = new Trie(texts, terminals, entries);
    this.#literals = new TextTable(texts, entries);
    this.#filters = new TextTable(texts, entries);
    this.#templates = new TextTable(new TextPool(textBytes), entries);
  }

  /** `eq`: the text itself, whatever it holds. */
  equal(text: Text): PlacedTopic {
    return { ...this.#literal(text), kind: ENTRY_TOPIC_EQUAL };
  }

  /** A filter without placeholders. */
  filter(text: Text): PlacedTopic {
    if (!hasWildcard(typeof text === "string" ? text : textKey(text))) return this.#literal(text);
    const row = this.#filters.add(text);
    const { offset, length } = this.#filters.span(row);
    if (row === this.#filterTerminals.length) {
      this.#filterTerminals.push(this.#filterTerminal(offset, offset + length));
    }
    const terminal = this.#filterTerminals.get(row);
    return { kind: ENTRY_TOPIC_FILTER, first: offset, count: length, terminal };
  }

  /** The template that `source` was read as. */
  template(source: Text, parts: readonly TemplatePart[]): PlacedTopic {
    const at = this.#templates.add(source) * 3;
    if (at === this.#templatePlaces.length) {
      const spans = parts.map((part): LevelPart => {
        if (part.type === "text") return this.#texts.add(part.text);
        return { variable: this.#variables.ofPlaceholder(part.name) };
      });
      const first = this.#addPieces(spans);
      const terminal = this.#templateTerminal(this.#splitLevels(spans));
      this.#templatePlaces.push(first, parts.length, terminal === undefined ? 0 : terminal + 1);
    }
    const terminal = this.#templatePlaces.get(at + 2);
    return {
      kind: ENTRY_TOPIC_TEMPLATE,
      first: this.#templatePlaces.get(at),
      count: this.#templatePlaces.get(at + 1),
      terminal: terminal === 0 ? undefined : terminal - 1,
    };
  }

  emit(): TrieSections & { literals: WordList; literalSlots: Uint8Array } {
    // What terminals come to is known only now that all rules are.
    const { count } = this.#literals;
    const { bytes } = this.#texts;
    const literals = new WordList(count * 4);
    const hashes = new WordList(count);
    const numbers = new WordList(count);
    for (let row = 0; row < count; row++) {
      const { offset, length } = this.#literals.span(row);
      const reference = this.#terminals.reference(this.#literalTerminals.get(row));
      literals.push(offset, length, reference, 0);
      hashes.push(hashTopic(bytes, offset, offset + length));
      numbers.push(row + 1);
    }
    return { ...this.#trie.emit(), literals, literalSlots: buildSlots(hashes, numbers) };
  }

  #literal(text: Text): PlacedTopic {
    const row = this.#literals.add(text);
    if (row === this.#literalTerminals.length) {
      this.#literalTerminals.push(this.#terminals.create());
    }
    const { offset, length } = this.#literals.span(row);
    const terminal = this.#literalTerminals.get(row);
    return { kind: ENTRY_TOPIC_FILTER, first: offset, count: length, terminal };
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
    for (let index = 0; index < levels.length; index++) {
      const level = levels[index]!;
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
    const [part, more] = level;
    const isVariable = part && !more && "variable" in part;
    const signature = isVariable ? part.variable : level.map((one) => this.#partKey(one)).join("/");
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
    const add = (part: LevelPart): void => {
      const level = levels.at(-1)!;
      // Of one part, nearly always: pushing would make room for sixteen more.
      if (level.length === 0) levels[levels.length - 1] = [part];
      else level.push(part);
    };
    for (const part of parts) {
      if ("variable" in part) {
        add(part);
        continue;
      }
      const to = part.offset + part.length;
      for (let start = part.offset; start <= to; ) {
        const end = this.#levelEnd(start, to);
        if (start > part.offset) levels.push([]);
        if (end > start) add({ offset: start, length: end - start });
        start = end + 1;
      }
    }
    return levels;
  }

  /** Would empty values leave a level that is a wildcard (`+${username}`)? */
  #canBecomeWildcard(level: readonly LevelPart[]): boolean {
    if (level.length < 2) return false;
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
