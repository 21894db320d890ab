/**
 * The levels of the topic being decided, split and hashed in one pass into a static table:
 *
 *   0       4     8      12    16
 *   | start | len | hash | 0   |     × TOPIC_LEVELS_MAX
 */
import { TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX } from "../abi/limits";
import { ERR_TOPIC, OK } from "../abi/status";

const table = memory.data(128 * 16, 16); // TOPIC_LEVELS_MAX * ROW_BYTES
const ROW_BYTES: usize = 16;

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

/** Hash of a level, outside the hot path; see hashOf. */
export function hashLevel(at: usize, len: u32): u32 {
  return hashOf(at, len);
}

/**
 * Hash of a level; agrees with `hashLevel` in src/compile/rule/hash.ts. Two lanes of four bytes, so
 * that one multiplication need not wait for the other.
 *
 * SAFETY: reads up to seven bytes past the end (and ignores them), so eight bytes must follow in
 * memory: behind the input buffer lies scratch, behind a record's texts its slack.
 */
@inline
function hashOf(at: usize, len: u32): u32 {
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

/**
 * Splits and hashes a topic of the input buffer. OK, or ERR_TOPIC: too long or too deep.
 *
 * SAFETY: reads up to eight bytes past the end, where scratch lies; the end itself is made to look
 * like a separator, so that there is one place that ends a level.
 */
export function splitTopic(topic: usize, len: u32): i32 {
  if (len > <u32>TOPIC_BYTES_MAX) return ERR_TOPIC;
  const end = topic + len;
  let hash: u32 = 0;
  let row = table;
  let start = topic;
  for (let at = topic; ; at += 8) {
    // Bit 7 of every byte that is a separator; exact, unlike the shorter test that borrows.
    const word = load<u64>(at) ^ SEPARATORS;
    let found: u64 = ~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS);
    const left = <u64>(end - at) << 3;
    if (left < 64) found = (found & (((<u64>1) << left) - 1)) | ((<u64>0x80) << left);
    for (; found; found &= found - 1) {
      if (row == table + <usize>TOPIC_LEVELS_MAX * ROW_BYTES) return ERR_TOPIC;
      const separator = at + <usize>(ctz(found) >> 3);
      const levelBytes = <u32>(separator - start);
      const levelHash = hashOf(start, levelBytes);
      store<u32>(row, <u32>start);
      store<u32>(row, levelBytes, 4);
      store<u32>(row, levelHash, 8);
      hash = mixHash(hash, levelHash);
      row += ROW_BYTES;
      start = separator + 1;
    }
    if (left < 64) break;
  }
  topicHash = hash;
  levelCount = <u32>((row - table) / ROW_BYTES);
  return OK;
}

@inline
export function levelPtr(level: u32): usize {
  return load<u32>(table + <usize>level * ROW_BYTES);
}

@inline
export function levelLen(level: u32): u32 {
  return load<u32>(table + <usize>level * ROW_BYTES, 4);
}

@inline
export function levelHash(level: u32): u32 {
  return load<u32>(table + <usize>level * ROW_BYTES, 8);
}
