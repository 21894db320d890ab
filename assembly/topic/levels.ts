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

const SEPARATOR: i8 = 0x2f;
const MULTIPLIER: u64 = 0x9e3779b97f4a7c15;

export let levelCount: u32 = 0;
/** Of the whole topic: the levels' hashes, mixed in order. */
export let topicHash: u32 = 0;

/** Mixes a word into a hash; agrees with `mixHash` in src/compile/rule/hash.ts. */
@inline
export function mixHash(hash: u32, word: u32): u32 {
  return (rotl<u32>(hash, 15) ^ word) * 0x9e3779b1;
}

/**
 * Hash of a level; agrees with `hashLevel` in src/compile/rule/hash.ts. Eight bytes a step; what they
 * say gathers in the upper half, which is the hash, and in its uppermost bits above all.
 *
 * SAFETY: reads up to seven bytes past the end (and ignores them), so eight bytes must follow in
 * memory: behind the input buffer lies scratch, behind a record's texts its slack.
 */
@inline
export function hashLevel(at: usize, len: u32): u32 {
  if (!len) return 0;
  let hash: u64 = 0;
  for (; len > 8; len -= 8, at += 8) hash = rotl<u64>((hash ^ load<u64>(at)) * MULTIPLIER, 32);
  const last = load<u64>(at) & (~(<u64>0) >> ((8 - len) << 3));
  return <u32>(((hash ^ last) * MULTIPLIER) >> 32);
}

/**
 * Splits and hashes a topic of the input buffer. OK, or ERR_TOPIC: too long or too deep.
 *
 * SAFETY: reads up to 32 bytes past the end, where scratch lies; the end itself is made to look like a
 * separator, so that there is one place that ends a level.
 */
export function splitTopic(topic: usize, len: u32): i32 {
  if (len > <u32>TOPIC_BYTES_MAX) return ERR_TOPIC;
  const separators = i8x16.splat(SEPARATOR);
  let hash: u32 = 0;
  let row = table;
  let start = topic;
  for (let at = topic; ; at += 32, len -= 32) {
    // Bit n: byte n is a separator.
    let found: u32 =
      i8x16.bitmask(i8x16.eq(v128.load(at), separators)) |
      (i8x16.bitmask(i8x16.eq(v128.load(at, 16), separators)) << 16);
    if (len < 32) found = (found & ((1 << len) - 1)) | (1 << len);
    for (; found; found &= found - 1) {
      if (row == table + <usize>TOPIC_LEVELS_MAX * ROW_BYTES) return ERR_TOPIC;
      const separator = at + <usize>ctz(found);
      const levelBytes = <u32>(separator - start);
      const levelHash = hashLevel(start, levelBytes);
      store<u32>(row, <u32>start);
      store<u32>(row, levelBytes, 4);
      store<u32>(row, levelHash, 8);
      hash = mixHash(hash, levelHash);
      row += ROW_BYTES;
      start = separator + 1;
    }
    if (len < 32) break;
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
