/** The hashes of the topic index; they agree with assembly/topic/levels.ts. Only ever a way to find. */

/** Hash of the level bytes[from, to), as an unsigned 32-bit number. */
export function hashLevel(bytes: Uint8Array, from: number, to: number): number {
  let even = Math.imul(to - from, 0x9e3779b1);
  let odd = 0xc2b2ae35 | 0;
  for (let at = from; at < to; at += 8) {
    even = hashRound(even, wordAt(bytes, at, to));
    odd = hashRound(odd, wordAt(bytes, at + 4, to));
  }
  return (even ^ ((odd << 16) | (odd >>> 16))) >>> 0;
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

function hashRound(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** Mixes two words into one. */
export function mixHash(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ b;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
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
