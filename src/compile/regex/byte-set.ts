/** Sets of bytes, and the ones the pattern language names (spec: expressions §4.5). */

/** 256 bits in eight words; byte b is bit b & 31 of word b >> 5. */
export type ByteSet = Uint32Array;

/** The set of these bytes and inclusive ranges. */
export function byteSet(...parts: readonly (number | readonly [number, number])[]): ByteSet {
  const set = new Uint32Array(8);
  for (const part of parts) {
    const [low, high] = typeof part === "number" ? [part, part] : part;
    addRange(set, low, high);
  }
  return set;
}

export function addRange(set: ByteSet, low: number, high: number): void {
  for (let byte = low; byte <= high; byte++) set[byte >> 5]! |= 1 << (byte & 31);
}

export function addSet(set: ByteSet, other: ByteSet): void {
  for (let i = 0; i < 8; i++) set[i]! |= other[i]!;
}

/** The bytes that both sets have. */
export function common(set: ByteSet, other: ByteSet): ByteSet {
  return set.map((word, i) => word & other[i]!);
}

export function complement(set: ByteSet): ByteSet {
  return set.map((word) => ~word);
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return ((set[byte >> 5]! >>> (byte & 31)) & 1) === 1;
}

/** Adds the other case of every ASCII letter of the set. */
export function addOtherCase(set: ByteSet): void {
  // Letters are bits 1 to 26 of words 2 (upper case) and 3 (lower case).
  const letters = (set[2]! | set[3]!) & 0x07fffffe;
  set[2]! |= letters;
  set[3]! |= letters;
}

/** The only byte of the set, or -1. */
export function singleByte(set: ByteSet): number {
  let found = -1;
  for (let i = 0; i < 8; i++) {
    const word = set[i]!;
    if (word === 0) continue;
    if (found >= 0 || (word & (word - 1)) !== 0) return -1;
    found = i * 32 + 31 - Math.clz32(word);
  }
  return found;
}

export function isFullSet(set: ByteSet): boolean {
  return set.every((word) => word === 0xffffffff);
}

/** A key that equal sets share. */
export function setKey(set: ByteSet): string {
  return String.fromCharCode(...new Uint16Array(set.buffer, set.byteOffset, 16));
}

export const LINE_FEED = 10;

const digit = byteSet([48, 57]);
const word = byteSet([48, 57], [65, 90], [97, 122], 95);
const space = byteSet([9, 13], 32);
const horizontal = byteSet(9, 32, 160);
const vertical = byteSet([10, 13], 133);

export const ANY_BYTE: ByteSet = byteSet([0, 255]);
export const NOT_LINE_FEED: ByteSet = complement(byteSet(LINE_FEED));

/** The classes written as `\` and a letter. */
export const ESCAPE_CLASSES: Readonly<Record<string, ByteSet>> = {
  d: digit,
  D: complement(digit),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
  h: horizontal,
  H: complement(horizontal),
  v: vertical,
  V: complement(vertical),
};

/** The classes written as `[:name:]` inside a class: ASCII only. */
export const POSIX_CLASSES: Readonly<Record<string, ByteSet>> = {
  alpha: byteSet([65, 90], [97, 122]),
  lower: byteSet([97, 122]),
  upper: byteSet([65, 90]),
  alnum: byteSet([48, 57], [65, 90], [97, 122]),
  ascii: byteSet([0, 127]),
  blank: byteSet(9, 32),
  cntrl: byteSet([0, 31], 127),
  digit,
  graph: byteSet([33, 126]),
  print: byteSet([32, 126]),
  punct: byteSet([33, 47], [58, 64], [91, 96], [123, 126]),
  space,
  word,
  xdigit: byteSet([48, 57], [65, 70], [97, 102]),
};
