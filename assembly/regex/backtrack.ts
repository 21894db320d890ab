/**
 * Backtracking that remembers where it has failed: the engine for nearly every search.
 *
 * A state that failed at a position fails there whatever way it is reached (see
 * src/compile/regex/graph.ts), so each (state, position) is tried at most once in a whole search,
 * over all starting positions: linear in the text. Only states where ways meet carry a bit.
 *
 * Visited bits, in blocks of 64 positions, cleared when a search first enters the block:
 *
 *   block 0: | row 1 u64 | row 2 u64 | … | row R u64 |   block 1: …
 *
 * Stack, 8 bytes an entry, growing up:
 *
 *   | instruction u32          | position u32 |    try this instruction at this position
 *   | RESTORE + slot           | old value    |    undo a SAVE
 *   | lowest u32 | 0 |  then  | LOOP + instruction | highest u32 |    leave a loop, highest first
 */
import {
  REGEX_NOT_EMPTY_AT_START,
  REGEX_OP_ASSERT,
  REGEX_OP_BYTE,
  REGEX_OP_LOOP,
  REGEX_OP_MATCH,
  REGEX_OP_SAVE,
  REGEX_OP_SET,
  REGEX_OP_SPLIT,
} from "../abi/regex";
import { isAt } from "./position";
import { inSet, rowCount, startOf } from "./program";

/** The stack is full; nothing is known. */
export const OVERFLOWN: i32 = -1;

const RESTORE: u32 = 0x80000000;
const LOOP: u32 = 0x40000000;
const OFFSET: u32 = 0x3fffffff;

let program: usize = 0;
let text: usize = 0;
let textLen: u32 = 0;
/** Bytes of one block of visited bits. */
let blockBytes: u32 = 0;
let firstBlock: u32 = 0;
let clearedBlocks: u32 = 0;
let bits: usize = 0;
let stackBase: usize = 0;
let stackEnd: usize = 0;

/** Steps are counted in the debug build only. */
export const COUNTS_STEPS: bool = ASC_OPTIMIZE_LEVEL == 0;
export let backtrackSteps: u64 = 0;

/** Bytes of visited bits for a search of `len` bytes from `start`. */
export function visitedBytes(ofProgram: usize, len: u32, start: u32): u64 {
  return <u64>((len >> 6) - (start >> 6) + 1) * (<u64>rowCount(ofProgram) << 3);
}

/**
 * Begins a search from `start` on; attempts then go from lower to higher positions. `work` holds
 * the visited bits (visitedBytes), then the stack.
 */
export function beginBacktrack(
  ofProgram: usize,
  ofText: usize,
  len: u32,
  start: u32,
  work: usize,
  workBytes: u32,
): void {
  program = ofProgram;
  text = ofText;
  textLen = len;
  blockBytes = rowCount(ofProgram) << 3;
  firstBlock = start >> 6;
  clearedBlocks = 0;
  bits = work;
  stackBase = work + <usize>visitedBytes(ofProgram, len, start);
  stackEnd = work + workBytes - 16;
}

/**
 * Prepares an attempt at a position where an earlier attempt ended with a match: states on the way
 * to that match are marked there without having failed. (Further right, whatever is marked failed;
 * further left, nothing is looked at again.)
 */
export function forgetPosition(at: u32): void {
  const block = (at >> 6) - firstBlock;
  if (block >= clearedBlocks) return;
  const keep = ~(<u64>1 << (at & 63));
  let word = bits + <usize>block * blockBytes;
  for (const end = word + blockBytes; word < end; word += 8) {
    store<u64>(word, load<u64>(word) & keep);
  }
}

/**
 * Tries to match at `start`. 1 and the end of the match in caps (u32 slots 0 and 1, then the
 * groups; 0: nothing is captured), 0 for no match, or OVERFLOWN.
 */
export function backtrackAt(start: u32, flags: u32, caps: usize): i32 {
  // Locals stay in registers, globals do not.
  const base = program;
  const subject = text;
  const len = textLen;
  const bottom = stackBase;
  const limit = stackEnd;
  let top = bottom;
  let at: u32 = startOf(base);
  let pos: u32 = start;
  while (true) {
    // Here `at` and `pos` say what to try next; leaving the switch means that it failed.
    const here = base + at;
    const head = load<u32>(here);
    const row = head >> 16;
    if (COUNTS_STEPS) backtrackSteps++;
    if (row == 0 || !visit(row, pos)) {
      switch (<i32>(head & 0xff)) {
        case REGEX_OP_BYTE: {
          if (pos < len && load<u8>(subject + pos) == ((head >> 8) & 0xff)) {
            pos++;
            at = load<u32>(here, 4);
            continue;
          }
          break;
        }
        case REGEX_OP_SET: {
          if (pos < len && inSet(base + load<u32>(here, 8), load<u8>(subject + pos))) {
            pos++;
            at = load<u32>(here, 4);
            continue;
          }
          break;
        }
        case REGEX_OP_SPLIT: {
          const first = canGo(base, load<u16>(here, 12), subject, len, pos);
          if (!canGo(base, load<u16>(here, 14), subject, len, pos)) {
            if (!first) break;
            at = load<u32>(here, 4);
            continue;
          }
          if (first) {
            if (top >= limit) return OVERFLOWN;
            store<u32>(top, load<u32>(here, 8));
            store<u32>(top, pos, 4);
            top += 8;
            at = load<u32>(here, 4);
          } else {
            at = load<u32>(here, 8);
          }
          continue;
        }
        case REGEX_OP_LOOP: {
          const high = runLoop(row, base + load<u32>(here, 8), subject, len, pos);
          if (COUNTS_STEPS) backtrackSteps += high - pos;
          if (high == pos) {
            at = load<u32>(here, 4);
            continue;
          }
          if (top >= limit) return OVERFLOWN;
          store<u32>(top, pos);
          store<u32>(top, LOOP | at, 8);
          store<u32>(top, high, 12);
          top += 16;
          break;
        }
        case REGEX_OP_SAVE: {
          if (caps) {
            const slot = load<u32>(here, 8);
            const cell = caps + (<usize>slot << 2);
            // With nothing to go back to there is nothing to undo for.
            if (top != bottom) {
              if (top >= limit) return OVERFLOWN;
              store<u32>(top, RESTORE | slot);
              store<u32>(top, load<u32>(cell), 4);
              top += 8;
            }
            store<u32>(cell, pos);
          }
          at = load<u32>(here, 4);
          continue;
        }
        case REGEX_OP_ASSERT: {
          if (isAt(base, here, subject, len, pos)) {
            at = load<u32>(here, 4);
            continue;
          }
          break;
        }
        case REGEX_OP_MATCH: {
          if (pos == start && flags & REGEX_NOT_EMPTY_AT_START) break;
          if (caps) {
            store<u32>(caps, start);
            store<u32>(caps, pos, 4);
          }
          return 1;
        }
      }
    }
    // Back to the latest choice.
    while (true) {
      if (top == bottom) return 0;
      const entry = load<u32>(top - 8);
      pos = load<u32>(top - 4);
      if (!(entry & (RESTORE | LOOP))) {
        at = entry;
        top -= 8;
        break;
      }
      if (entry & RESTORE) {
        store<u32>(caps + (<usize>(entry & ~RESTORE) << 2), pos);
        top -= 8;
        continue;
      }
      const loop = base + (entry & OFFSET);
      const low = load<u32>(top - 16);
      const first = <u32>load<u16>(loop, 12);
      while (pos > low && !canGo(base, first, subject, len, pos)) pos--;
      at = load<u32>(loop, 4);
      if (pos > low) {
        store<u32>(top - 4, pos - 1);
      } else {
        top -= 16;
      }
      break;
    }
  }
}

/** Can a way that begins as `word` (nextFirst or operandFirst) says go on at this position? */
@inline
function canGo(base: usize, word: u32, subject: usize, len: u32, pos: u32): bool {
  if (!word) return true;
  if (pos == len) return (word & 1) == 0;
  return inSet(base + ((word | 1) << 4), load<u8>(subject + pos));
}

/** Marks (row, pos); was it marked before? */
@inline
function visit(row: u32, pos: u32): bool {
  const word = wordOf(row, pos);
  const bit = <u64>1 << (pos & 63);
  const seen = load<u64>(word);
  if (seen & bit) return true;
  store<u64>(word, seen | bit);
  return false;
}

/** Address of the visited bits of a row in the block of `pos`; clears blocks up to it. */
@inline
function wordOf(row: u32, pos: u32): usize {
  const block = (pos >> 6) - firstBlock;
  if (block >= clearedBlocks) clearTo(block);
  return bits + <usize>block * blockBytes + (<usize>(row - 1) << 3);
}

function clearTo(block: u32): void {
  const from = bits + <usize>clearedBlocks * blockBytes;
  const end = bits + <usize>(block + 1) * blockBytes;
  if (end - from > 256) {
    memory.fill(from, 0, end - from);
  } else {
    for (let at = from; at < end; at += 8) store<u64>(at, 0);
  }
  clearedBlocks = block + 1;
}

/**
 * The highest position reached from `pos` by bytes of the set, short of one at which this loop has
 * been before. Marks all of them (`pos` is marked already).
 */
function runLoop(row: u32, set: usize, subject: usize, len: u32, pos: u32): u32 {
  let at = pos + 1;
  while (at <= len) {
    // One block of visited bits at a time.
    const word = wordOf(row, at);
    const seen = load<u64>(word);
    const shift = at & 63;
    const ahead = seen >> shift;
    const blockEnd = (at | 63) + 1;
    const stop = min(ahead ? at + <u32>ctz<u64>(ahead) : blockEnd, len + 1);
    const begin = at;
    while (at < stop && inSet(set, load<u8>(subject + at - 1))) at++;
    if (at > begin) {
      const fresh = at - begin == 64 ? ~(<u64>0) : ((<u64>1 << (at - begin)) - 1) << shift;
      store<u64>(word, seen | fresh);
    }
    if (at != blockEnd) break;
  }
  return at - 1;
}
