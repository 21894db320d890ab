/**
 * The pairs of a map in order of their keys' bytes, each key once.
 *
 *  0            16             32
 *  | key value  | element value | …
 */
import { ERR_EXPR_MEMORY } from "../abi/status";
import { mark, restore, scratch } from "../arena";

export const PAIR_BYTES: u32 = 32;

/**
 * Sorts `count` pairs whose keys are texts and drops all but the last of equal keys, in place.
 * Answers how many are left, or ERR_EXPR_MEMORY. Cost: n log n comparisons (a merge sort: input
 * cannot make it worse), working memory as large as the pairs, given back.
 */
export function sortPairs(pairs: usize, count: u32): i32 {
  if (count < 2) return count;
  const before = mark();
  let to = scratch(count * PAIR_BYTES);
  if (!to) return ERR_EXPR_MEMORY;
  let from = pairs;
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let left: u32 = 0; left < count; left += width << 1) {
      const middle = min(left + width, count);
      merge(from, left, middle, min(middle + width, count), to);
    }
    const sorted = to;
    to = from;
    from = sorted;
  }
  if (from != pairs) memory.copy(pairs, from, <usize>count * PAIR_BYTES);
  restore(before);
  return keepLast(pairs, count);
}

/** Merges the sorted runs [left, middle) and [middle, right); of equal keys the left comes first. */
function merge(from: usize, left: u32, middle: u32, right: u32, to: usize): void {
  let a = left;
  let b = middle;
  for (let i = left; i < right; i++) {
    const takeLeft =
      a < middle && (b == right || compareKeys(pairAt(from, a), pairAt(from, b)) <= 0);
    memory.copy(pairAt(to, i), pairAt(from, takeLeft ? a++ : b++), PAIR_BYTES);
  }
}

/** Of neighbours with equal keys keeps the last. Answers how many are left. */
function keepLast(pairs: usize, count: u32): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 1; i < count; i++) {
    if (compareKeys(pairAt(pairs, kept), pairAt(pairs, i))) kept++;
    if (kept != i) memory.copy(pairAt(pairs, kept), pairAt(pairs, i), PAIR_BYTES);
  }
  return kept + 1;
}

@inline
function pairAt(pairs: usize, index: u32): usize {
  return pairs + <usize>index * PAIR_BYTES;
}

/** Order of two keys as bytes, a prefix before what it begins. */
function compareKeys(a: usize, b: usize): i32 {
  const aLen = load<u32>(a, 4);
  const bLen = load<u32>(b, 4);
  const difference = memory.compare(
    <usize>load<u64>(a, 8),
    <usize>load<u64>(b, 8),
    min(aLen, bLen),
  );
  return difference ? difference : <i32>aLen - <i32>bLen;
}
