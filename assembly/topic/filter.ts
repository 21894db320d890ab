/**
 * One topic or filter against one rule filter, byte by byte. Any bytes are accepted; nothing is
 * validated, so a filter may stand where a topic is expected and is then read as plain levels.
 *
 * Source: authorization §1.3 (matching), §9 porting notes (containment, overlap).
 */

const SEPARATOR: u32 = 0x2f;
const PLUS: u32 = 0x2b;
const HASH: u32 = 0x23;
const DOLLAR: u32 = 0x24;

/** End of the level that starts at `at`: the next separator, or `end`. */
@inline
function levelEnd(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) != SEPARATOR) at++;
  return at;
}

/** Is the level [at, end) exactly the one byte? */
@inline
function isLevel(at: usize, end: usize, byte: u32): bool {
  return end - at == 1 && load<u8>(at) == byte;
}

@inline
function levelsEqual(a: usize, aEnd: usize, b: usize, bEnd: usize): bool {
  if (aEnd - a != bEnd - b) return false;
  while (a < aEnd) {
    if (load<u8>(a++) != load<u8>(b++)) return false;
  }
  return true;
}

/** Does the topic start with `$` and the filter with a wildcard level? Such a pair never matches. */
function isHidden(topic: usize, topicEnd: usize, filter: usize, filterEnd: usize): bool {
  if (topic >= topicEnd || load<u8>(topic) != DOLLAR) return false;
  const end = levelEnd(filter, filterEnd);
  return isLevel(filter, end, PLUS) || isLevel(filter, end, HASH);
}

/** Does the filter match the topic (or the requested filter, read as levels)? One pass. */
export function topicMatches(topic: usize, topicLen: u32, filter: usize, filterLen: u32): bool {
  const topicEnd = topic + topicLen;
  const filterEnd = filter + filterLen;
  if (isHidden(topic, topicEnd, filter, filterEnd)) return false;
  // INVARIANT: an `at` one past its end stands for "no level left".
  while (filter <= filterEnd) {
    const fEnd = levelEnd(filter, filterEnd);
    if (fEnd == filterEnd && isLevel(filter, fEnd, HASH)) return true;
    if (topic > topicEnd) return false;
    const tEnd = levelEnd(topic, topicEnd);
    if (!isLevel(filter, fEnd, PLUS) && !levelsEqual(topic, tEnd, filter, fEnd)) return false;
    filter = fEnd + 1;
    topic = tEnd + 1;
  }
  return topic > topicEnd;
}

/** Does the filter match every topic that the requested filter matches? One pass. */
export function filterContains(
  filter: usize,
  filterLen: u32,
  requested: usize,
  requestedLen: u32,
): bool {
  const filterEnd = filter + filterLen;
  const requestedEnd = requested + requestedLen;
  if (isHidden(requested, requestedEnd, filter, filterEnd)) return false;
  // Both mean every topic outside `$`.
  if (isLevel(requested, requestedEnd, HASH) && isPlusHash(filter, filterLen)) return true;
  while (filter <= filterEnd) {
    const fEnd = levelEnd(filter, filterEnd);
    if (fEnd == filterEnd && isLevel(filter, fEnd, HASH)) return true;
    if (requested > requestedEnd) return false;
    const rEnd = levelEnd(requested, requestedEnd);
    if (rEnd == requestedEnd && isLevel(requested, rEnd, HASH)) return false;
    if (!isLevel(filter, fEnd, PLUS)) {
      // A requested `+` is no text that a literal level could cover, and there is no literal `+`.
      if (!levelsEqual(requested, rEnd, filter, fEnd)) return false;
    }
    filter = fEnd + 1;
    requested = rEnd + 1;
  }
  return requested > requestedEnd;
}

@inline
function isPlusHash(at: usize, len: u32): bool {
  return len == 3 && load<u8>(at) == PLUS && load<u8>(at, 1) == SEPARATOR && load<u8>(at, 2) == HASH;
}

/** Is there a topic that both filters match? One pass. */
export function filtersOverlap(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  const aEnd = a + aLen;
  const bEnd = b + bLen;
  if (isHidden(a, aEnd, b, bEnd) || isHidden(b, bEnd, a, aEnd)) return false;
  while (true) {
    const isADone = a > aEnd;
    const isBDone = b > bEnd;
    const aStop = isADone ? a : levelEnd(a, aEnd);
    const bStop = isBDone ? b : levelEnd(b, bEnd);
    if (!isADone && aStop == aEnd && isLevel(a, aStop, HASH)) return true;
    if (!isBDone && bStop == bEnd && isLevel(b, bStop, HASH)) return true;
    if (isADone || isBDone) return isADone && isBDone;
    if (!isLevel(a, aStop, PLUS) && !isLevel(b, bStop, PLUS)) {
      if (!levelsEqual(a, aStop, b, bStop)) return false;
    }
    a = aStop + 1;
    b = bStop + 1;
  }
}

/** Has the filter a `+` level or a last level `#`? */
export function hasWildcard(filter: usize, len: u32): bool {
  const end = filter + len;
  while (filter <= end) {
    const stop = levelEnd(filter, end);
    if (isLevel(filter, stop, PLUS)) return true;
    if (stop == end && isLevel(filter, stop, HASH)) return true;
    filter = stop + 1;
  }
  return false;
}
