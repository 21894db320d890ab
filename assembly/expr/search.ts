/** Where a text stands in a text. Both are ASCII; places are addresses. */
import { mark, restore } from "../arena";
import { bytesEqual } from "../bytes";
import { room } from "./budget";

const CR: u32 = 13;
const LF: u32 = 10;

/** Wanted texts up to here are compared place by place; longer ones need a table to stay linear. */
const SHORT: u32 = 16;

/**
 * First or last place in ASCII [at, end) where `wanted` (not empty) stands, 0 when nowhere. A match
 * must not end inside CR LF. The last is the one that starts last, overlaps included.
 * Cost: linear in the text, whatever is wanted.
 */
export function search(at: usize, end: usize, wanted: usize, len: u32, isLast: bool): usize {
  if (<usize>len > end - at) return 0;
  if (len > SHORT) return searchLong(at, end, wanted, len, isLast);
  const first = load<u8>(wanted);
  const endsInCr = load<u8>(wanted + len - 1) == CR;
  const last = end - len;
  if (isLast) {
    for (let i = last; i >= at; i--) {
      if (isHit(i, end, wanted, len, first, endsInCr)) return i;
    }
    return 0;
  }
  for (let i = at; i <= last; i++) {
    if (isHit(i, end, wanted, len, first, endsInCr)) return i;
  }
  return 0;
}

/**
 * The same by the algorithm of Knuth, Morris and Pratt. Without room for its table nothing is found,
 * and `refusal` is set.
 */
function searchLong(at: usize, end: usize, wanted: usize, len: u32, isLast: bool): usize {
  const before = mark();
  const table = room(len * 4);
  if (!table) return 0;
  store<u32>(table, 0);
  let matched: u32 = 0;
  for (let i: u32 = 1; i < len; i++) {
    const byte = load<u8>(wanted + i);
    while (matched > 0 && load<u8>(wanted + matched) != byte) matched = fallback(table, matched);
    if (load<u8>(wanted + matched) == byte) matched++;
    store<u32>(table + (<usize>i << 2), matched);
  }
  const endsInCr = load<u8>(wanted + len - 1) == CR;
  let found: usize = 0;
  matched = 0;
  for (; at < end; at++) {
    const byte = load<u8>(at);
    while (matched > 0 && load<u8>(wanted + matched) != byte) matched = fallback(table, matched);
    if (load<u8>(wanted + matched) == byte) matched++;
    if (matched < len) continue;
    if (!endsInCr || at + 1 == end || load<u8>(at, 1) != LF) {
      found = at + 1 - len;
      if (!isLast) break;
    }
    matched = fallback(table, matched);
  }
  restore(before);
  return found;
}

@inline
function fallback(table: usize, matched: u32): u32 {
  return load<u32>(table + (<usize>(matched - 1) << 2));
}

@inline
function isHit(at: usize, end: usize, wanted: usize, len: u32, first: u8, endsInCr: bool): bool {
  if (load<u8>(at) != first || !bytesEqual(at, len, wanted, len)) return false;
  return !endsInCr || at + len == end || load<u8>(at + len) != LF;
}
