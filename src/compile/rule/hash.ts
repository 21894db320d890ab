/** The hashes of the topic index; they agree with assembly/topic/levels.ts. Only ever a way to find. */

/** Hash of the level bytes[from, to), as an unsigned 32-bit number. */
export function hashLevel(bytes: Uint8Array, from: number, to: number): number {
  let hash = Math.imul(to - from, 0x9e3779b1);
  let at = from;
  for (; to - at >= 4; at += 4) {
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = hashRound(hash, word);
  }
  if (at === to) return hash >>> 0;
  let word = 0;
  for (let shift = 0; at < to; at++, shift += 8) word |= bytes[at]! << shift;
  return hashRound(hash, word) >>> 0;
}

function hashRound(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** Mixes two words into one. */
export function mixHash(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ b;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
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
