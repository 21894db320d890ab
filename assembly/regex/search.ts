/** Where a match could begin: skips positions at which no match can. */
import { REGEX_FLAG_ANCHORED } from "../abi/regex";
import { firstOf, flagsOf, inSet, prefixBytes, prefixOf, shortestOf } from "./program";

/** No position left. */
export const NOWHERE: u32 = 0xffffffff;

/** The first position from `at` where a match can begin, or NOWHERE. */
export function nextCandidate(program: usize, text: usize, len: u32, at: u32): u32 {
  const shortest = shortestOf(program);
  if (shortest > len || at > len - shortest) return NOWHERE;
  if (flagsOf(program) & REGEX_FLAG_ANCHORED) return at == 0 ? 0 : NOWHERE;
  const last = len - shortest;
  const prefix = prefixBytes(program);
  if (prefix) return findPrefix(prefixOf(program), prefix, text, len, at);
  const first = firstOf(program);
  if (!first) return at;
  for (; at <= last; at++) {
    if (at < len && inSet(first, load<u8>(text + at))) return at;
  }
  return NOWHERE;
}

/** The first place from `at` where the bytes (at least one) stand, or NOWHERE. */
export function findPrefix(prefix: usize, bytes: u32, text: usize, len: u32, at: u32): u32 {
  if (bytes > len) return NOWHERE;
  const last = len - bytes;
  const lead = load<u8>(prefix);
  for (; at <= last; at++) {
    if (load<u8>(text + at) != lead) continue;
    let i: u32 = 1;
    while (i < bytes && load<u8>(text + at + i) == load<u8>(prefix + i)) i++;
    if (i == bytes) return at;
  }
  return NOWHERE;
}
