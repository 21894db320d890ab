/**
 * The hashes of the topic index; they agree with assembly/topic/levels.ts and assembly/rule/search.ts.
 * Only ever a way to find. What they are made of gathers in their uppermost bits, so that those say
 * where in a table to look: firstSlot.
 */

// MULTIPLIER, 64 bits, in parts.
const HIGH = 0x9e3779b9;
const LOW = 0x7f4a7c15;
const LOW_UPPER = LOW >>> 16;
const LOW_LOWER = LOW & 0xffff;

/** Hash of the level bytes[from, to), as an unsigned 32-bit number. */
export function hashLevel(bytes: Uint8Array, from: number, to: number): number {
  let high = 0;
  let low = 0;
  let at = from;
  do {
    // Eight bytes a step, into the halves the other way round.
    const a = high ^ wordAt(bytes, at, to);
    const b = low ^ wordAt(bytes, at + 4, to);
    high = (upperHalf(a) + Math.imul(a, HIGH) + Math.imul(b, LOW)) | 0;
    low = Math.imul(a, LOW);
    at += 8;
  } while (at < to);
  return high >>> 0;
}

/** The upper 32 bits of a 32-bit number (taken as unsigned) times LOW. */
function upperHalf(a: number): number {
  const upper = a >>> 16;
  const lower = a & 0xffff;
  // Both halves of LOW are below 2^15, so that every sum stays below 2^31.
  const crossed = Math.imul(upper, LOW_LOWER) + (Math.imul(lower, LOW_LOWER) >>> 16);
  const middle = Math.imul(lower, LOW_UPPER) + (crossed & 0xffff);
  return Math.imul(upper, LOW_UPPER) + (crossed >>> 16) + (middle >>> 16);
}

/** Four bytes, little-endian, zeros from `to` on. */
export function wordAt(bytes: Uint8Array, at: number, to: number): number {
  if (to - at >= 4) {
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
  let word = 0;
  for (let shift = 0; at < to; at++, shift += 8) word |= bytes[at]! << shift;
  return word;
}

/** Mixes a word into a hash. */
export function mixHash(hash: number, word: number): number {
  return Math.imul(((hash << 15) | (hash >>> 17)) ^ word, 0x9e3779b1) >>> 0;
}

/** Of a node's child for a literal level. */
export function childHash(parent: number, levelHash: number): number {
  return (Math.imul(parent, 0x9e3779b1) ^ levelHash) >>> 0;
}

/** Of a whole topic: its levels' hashes, mixed in order. */
export function hashTopic(bytes: Uint8Array, from: number, to: number): number {
  let whole = 0;
  let start = from;
  for (let at = from; at <= to; at++) {
    if (at !== to && bytes[at] !== 0x2f) continue;
    whole = mixHash(whole, hashLevel(bytes, start, at));
    start = at + 1;
  }
  return whole;
}

/** Where in a table a hash is looked for first; `mask`: number of slots - 1, at least 1. */
export function firstSlot(hash: number, mask: number): number {
  return hash >>> Math.clz32(mask);
}
