/**
 * The levels of the topic being decided, split and hashed in one pass into a static table:
 *
 *   0       4     8      12
 *   | start | len | hash |     × TOPIC_LEVELS_MAX
 */
import { OK, ERR_TOPIC, TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX } from "../abi";

const table = memory.data(128 * 12, 8); // TOPIC_LEVELS_MAX * 12

const SEPARATORS: u64 = 0x2f2f2f2f2f2f2f2f;
const LOW_BITS: u64 = 0x7f7f7f7f7f7f7f7f;

export let levelCount: u32 = 0;
/** Of the whole topic: the levels' hashes, mixed in order. */
export let topicHash: u32 = 0;

/** Mixes two words into one; agrees with `mixHash` in src/compile/rule/hash.ts. */
@inline
export function mixHash(a: u32, b: u32): u32 {
  let hash = (a * 0x9e3779b1) ^ b;
  hash = (hash ^ (hash >> 15)) * 0x85ebca6b;
  return hash ^ (hash >> 13);
}

/**
 * Hash of a level; agrees with `hashLevel` in src/compile/rule/hash.ts. Two lanes of four bytes, so
 * that one multiplication need not wait for the other.
 *
 * SAFETY: reads up to seven bytes past the end (and ignores them), so eight bytes must follow in
 * memory: behind the input buffer lies scratch, behind a record's texts its slack.
 */
export function hashLevel(at: usize, len: u32): u32 {
  let even: u32 = len * 0x9e3779b1;
  let odd: u32 = 0xc2b2ae35;
  for (; len >= 8; len -= 8, at += 8) {
    even = hashRound(even, load<u32>(at));
    odd = hashRound(odd, load<u32>(at, 4));
  }
  if (len) {
    const rest = load<u64>(at) & (((<u64>1) << (len << 3)) - 1);
    even = hashRound(even, <u32>rest);
    odd = hashRound(odd, <u32>(rest >> 32));
  }
  return even ^ rotl<u32>(odd, 16);
}

@inline
function hashRound(hash: u32, word: u32): u32 {
  const mixed: u32 = (hash ^ word) * 0x85ebca6b;
  return mixed ^ (mixed >> 15);
}

/** Splits and hashes a topic of the input buffer. OK, or ERR_TOPIC: too long or too deep. */
export function splitTopic(topic: usize, len: u32): i32 {
  if (len > <u32>TOPIC_BYTES_MAX) return ERR_TOPIC;
  levelCount = 0;
  topicHash = 0;
  const end = topic + len;
  let start = topic;
  for (let at = topic; at < end; at += 8) {
    // Bit 7 of every byte that is a separator; exact, unlike the shorter test that borrows.
    const word = load<u64>(at) ^ SEPARATORS;
    let found: u64 = ~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS);
    const left = <u64>(end - at);
    if (left < 8) found &= (1 << (left << 3)) - 1;
    for (; found; found &= found - 1) {
      const separator = at + <usize>(ctz(found) >> 3);
      if (!addLevel(start, separator)) return ERR_TOPIC;
      start = separator + 1;
    }
  }
  return addLevel(start, end) ? OK : ERR_TOPIC;
}

@inline
function addLevel(start: usize, end: usize): bool {
  if (levelCount == <u32>TOPIC_LEVELS_MAX) return false;
  const row = table + <usize>levelCount * 12;
  const len = <u32>(end - start);
  const hash = hashLevel(start, len);
  store<u32>(row, <u32>start);
  store<u32>(row, len, 4);
  store<u32>(row, hash, 8);
  topicHash = mixHash(topicHash, hash);
  levelCount++;
  return true;
}

@inline
export function levelPtr(level: u32): usize {
  return load<u32>(table + <usize>level * 12);
}

@inline
export function levelLen(level: u32): u32 {
  return load<u32>(table + <usize>level * 12, 4);
}

@inline
export function levelHash(level: u32): u32 {
  return load<u32>(table + <usize>level * 12, 8);
}
