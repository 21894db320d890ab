/** Growing arrays that the rule-set compiler builds sections in: far smaller than arrays of objects. */
import { latin1, toBytes } from "../../text.ts";
import type { Text } from "../../types.ts";
import { firstSlot, hashLevel } from "./hash.ts";

const NOT_ASCII = /[^\x00-\x7f]/;
const encoder = new TextEncoder();

/** A growing list of unsigned 32-bit words. */
export class WordList {
  #words: Uint32Array<ArrayBuffer>;
  length = 0;

  /** `capacity`: words that there is room for without growing. */
  constructor(capacity = 64) {
    this.#words = new Uint32Array(capacity);
  }

  push(...values: readonly number[]): number {
    const at = this.length;
    this.#reserve(values.length);
    for (const value of values) this.#words[this.length++] = value;
    return at;
  }

  /** Adds zeros. */
  extend(count: number): number {
    const at = this.length;
    this.#reserve(count);
    this.length += count;
    return at;
  }

  /** The words themselves, and room behind them; valid until the list grows. */
  get words(): Uint32Array<ArrayBuffer> {
    return this.#words;
  }

  get(index: number): number {
    return this.#words[index]!;
  }

  set(index: number, value: number): void {
    this.#words[index] = value;
  }

  /** The bytes as they stand in a blob; a view, valid until the next push. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.length * 4);
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(this.#words.length * 2, this.length + more));
    grown.set(this.#words);
    this.#words = grown;
  }
}

/** Where a text lies in the text section. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** From this length on, calling the encoder takes less time than a loop over the characters. */
const ENCODED_LENGTH_MIN = 32;

/** The text section: bytes one after the other, without separators. */
export class TextPool {
  #bytes: Uint8Array;
  #shared: TextTable | undefined;
  length = 0;

  /** `capacity`: bytes that there is room for without growing. */
  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  add(text: Text): Span {
    const offset = this.length;
    this.#reserve(typeof text === "string" ? text.length * 3 : text.length);
    if (typeof text !== "string") {
      this.#bytes.set(text, offset);
      this.length += text.length;
    } else {
      this.length += this.#write(text, offset);
    }
    return { offset, length: this.length - offset };
  }

  /** Like `add`, but equal texts get the same span. */
  share(text: Text): Span {
    this.#shared ??= new TextTable(this);
    return this.#shared.span(this.#shared.add(text));
  }

  /** Takes back what was added from `length` on. */
  truncate(length: number): void {
    this.length = length;
  }

  /** Returns the length in bytes. */
  #write(text: string, offset: number): number {
    const bytes = this.#bytes;
    if (text.length >= ENCODED_LENGTH_MIN) return this.#encode(text, offset);
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code > 127) return this.#encode(text, offset);
      bytes[offset + at] = code;
    }
    return text.length;
  }

  #encode(text: string, offset: number): number {
    const room = this.#bytes.subarray(offset, offset + text.length * 3);
    return encoder.encodeInto(text, room).written;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  equals(a: Span, b: Span): boolean {
    return a.length === b.length && this.hasAt(a.offset, b);
  }

  /** Do the bytes at `offset` begin with the text of a span? */
  hasAt(offset: number, span: Span): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < span.length; i++) {
      if (bytes[offset + i] !== bytes[span.offset + i]) return false;
    }
    return true;
  }
}

const ROW_WORDS = 3;

/** Different texts of a pool, numbered from 0 and found by their bytes: no object for each of them. */
export class TextTable {
  readonly #texts: TextPool;
  /** offset · length · hash. */
  readonly #rows = new WordList();
  /** Open addressing: row + 1, 0 is empty. */
  #slots: Uint32Array<ArrayBuffer>;

  /** Grows to any size; `rows` is a guess at it. */
  constructor(texts: TextPool, rows = 32) {
    this.#texts = texts;
    this.#slots = new Uint32Array(slotCount(rows));
  }

  get count(): number {
    return this.#rows.length / ROW_WORDS;
  }

  /** The number of the text; `count` as it was before for a new one, which goes into the pool. */
  add(text: Text): number {
    const texts = this.#texts;
    const added = texts.add(text);
    const hash = hashLevel(texts.bytes, added.offset, added.offset + added.length);
    const rows = this.#rows.words;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = firstSlot(hash, mask);
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const row = slots[slot]! - 1;
      const at = row * ROW_WORDS;
      if (rows[at + 2] !== hash || rows[at + 1] !== added.length) continue;
      if (!texts.hasAt(rows[at]!, added)) continue;
      texts.truncate(added.offset);
      return row;
    }
    const row = this.#rows.push(added.offset, added.length, hash) / ROW_WORDS;
    slots[slot] = row + 1;
    if ((row + 1) * 2 > slots.length) this.#grow();
    return row;
  }

  span(row: number): Span {
    return {
      offset: this.#rows.get(row * ROW_WORDS),
      length: this.#rows.get(row * ROW_WORDS + 1),
    };
  }

  #grow(): void {
    const rows = this.#rows.words;
    const { count } = this;
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < count; row++) {
      let slot = firstSlot(rows[row * ROW_WORDS + 2]!, mask);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}

/** The values that variables are compared with, numbered from 1, and the table they are found in. */
export class ValueTable {
  readonly #texts: TextPool;
  readonly #table: TextTable;

  constructor(texts: TextPool) {
    this.#texts = texts;
    this.#table = new TextTable(texts);
  }

  /** The text's number. */
  add(text: Text): number {
    return this.#table.add(text) + 1;
  }

  emit(): { texts: WordList; slots: Uint8Array } {
    const { count } = this.#table;
    const texts = new WordList(count * 2);
    const hashes = new WordList(count);
    const numbers = new WordList(count);
    for (let row = 0; row < count; row++) {
      const { offset, length } = this.#table.span(row);
      texts.push(offset, length);
      hashes.push(hashLevel(this.#texts.bytes, offset, offset + length));
      numbers.push(row + 1);
    }
    return { texts, slots: buildSlots(hashes, numbers) };
  }
}

/** A string that is equal exactly when the texts' bytes are. */
export function textKey(text: Text): string {
  if (typeof text === "string" && !NOT_ASCII.test(text)) return text;
  return latin1(toBytes(text));
}

/**
 * An open-addressing table of (hash, value) slots, a power of two of them and at most half full.
 * `values[i]` is never 0, which marks an empty slot.
 */
export function buildSlots(hashes: WordList, values: WordList): Uint8Array {
  const size = slotCount(hashes.length);
  const slots = new Uint32Array(size * 2);
  const hashWords = hashes.words;
  const valueWords = values.words;
  for (let i = 0; i < hashes.length; i++) {
    const hash = hashWords[i]!;
    let slot = firstSlot(hash, size - 1);
    while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = valueWords[i]!;
  }
  return new Uint8Array(slots.buffer);
}

/** Slots for so many values: a power of two, twice as many or more, and not less than 2. */
export function slotCount(values: number): number {
  let size = 2;
  while (size < values * 2) size *= 2;
  return size;
}
