/**
 * The levels of the topic being decided, split and hashed in one pass into a static table:
 *
 *   0       4     8      12
 *   | start | len | hash |     × TOPIC_LEVELS_MAX
 */
import { OK, ERR_TOPIC, TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX } from "../abi";

const table = memory.data(128 * 12, 8); // TOPIC_LEVELS_MAX * 12

const FNV_OFFSET: u32 = 0x811c9dc5;
const FNV_PRIME: u32 = 0x01000193;

export let levelCount: u32 = 0;
/** Of the whole topic: the levels' hashes, mixed in order. */
export let topicHash: u32 = 0;

/** Mixes two words into one; agrees with `mixHash` in src/compile/rule/hash.ts. */
@inline
export function mixHash(a: u32, b: u32): u32 {
  let hash = (a * 0x9e3779b1) ^ b;
  hash = (hash ^ (hash >> 15)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

/** FNV-1a over [at, at + len); agrees with `hashLevel` in src/compile/rule/hash.ts. */
export function hashLevel(at: usize, len: u32): u32 {
  let hash = FNV_OFFSET;
  for (const end = at + len; at < end; at++) hash = (hash ^ load<u8>(at)) * FNV_PRIME;
  return hash;
}

/** Splits and hashes a topic. OK, or ERR_TOPIC when it is too long or too deep. */
export function splitTopic(topic: usize, len: u32): i32 {
  if (len > <u32>TOPIC_BYTES_MAX) return ERR_TOPIC;
  const end = topic + len;
  let count: u32 = 0;
  let whole: u32 = 0;
  let row = table;
  let start = topic;
  let hash = FNV_OFFSET;
  for (let at = topic; ; at++) {
    const byte: u32 = at < end ? load<u8>(at) : 0x2f;
    if (byte != 0x2f) {
      hash = (hash ^ byte) * FNV_PRIME;
      continue;
    }
    if (count == <u32>TOPIC_LEVELS_MAX) return ERR_TOPIC;
    store<u32>(row, <u32>start);
    store<u32>(row, <u32>(at - start), 4);
    store<u32>(row, hash, 8);
    whole = mixHash(whole, hash);
    row += 12;
    count++;
    if (at == end) break;
    start = at + 1;
    hash = FNV_OFFSET;
  }
  levelCount = count;
  topicHash = whole;
  return OK;
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
