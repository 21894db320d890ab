/** The hashes of the topic index; they agree with assembly/topic/levels.ts. Only ever a way to find. */

/** FNV-1a over bytes[from, to), as an unsigned 32-bit number. */
export function hashLevel(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash >>> 0;
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
