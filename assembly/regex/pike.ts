/**
 * All ways at once, one byte of text at a time: the engine whose memory does not grow with the
 * text. Slower than backtracking; used when that would need too much memory.
 *
 * The threads of a position stand in a list, preferred first. Working memory, for I instructions
 * and S slots (none when nothing is captured):
 *
 *   | seen I×u32 | list a I×u32 | list b I×u32 | stack 2I×(u32, u32) | caps a I×S×u32 | caps b | scratch S×u32 |
 */
import {
  REGEX_ANCHORED,
  REGEX_NOT_EMPTY_AT_START,
  REGEX_OP_ASSERT,
  REGEX_OP_BYTE,
  REGEX_OP_LOOP,
  REGEX_OP_MATCH,
  REGEX_OP_SAVE,
  REGEX_OP_SPLIT,
} from "../abi/regex";
import { COUNTS_STEPS } from "./backtrack";
import { isAt } from "./position";
import { inSet, instructionCount, instructionsOf, startOf } from "./program";
import { nextCandidate, NOWHERE } from "./search";

const RESTORE: u32 = 0x80000000;

let program: usize = 0;
let instructions: u32 = 0;
let text: usize = 0;
let textLen: u32 = 0;
let slotBytes: u32 = 0;
let seen: usize = 0;
let stack: usize = 0;
/** Slots of the thread being followed. */
let slots: usize = 0;
/** Where the list being filled, its captures and its number of threads are. */
let list: usize = 0;
let listCaps: usize = 0;
let listCount: u32 = 0;

export let pikeSteps: u64 = 0;

/** A state is in the list being filled if its `seen` is this + position - start of the search. */
let epoch: u32 = 0;
let origin: u32 = 0;
/** Bytes of text the searches since `beginPike` have looked at. */
export let pikeScanned: u64 = 0;

/** Begins a run of searches with one program and working memory of pikeBytes. */
export function beginPike(ofProgram: usize, work: usize): void {
  memory.fill(work, 0, instructionCount(ofProgram) << 2);
  epoch = 1;
  pikeScanned = 0;
}

/** Bytes of working memory for a program with `slotCount` slots. */
export function pikeBytes(ofProgram: usize, slotCount: u32): u32 {
  const count = instructionCount(ofProgram);
  return count * 28 + count * slotCount * 8 + slotCount * 4;
}

/** Searches from `start` on. 1 and the match in caps (0: nothing is captured), or 0. */
export function pikeSearch(
  ofProgram: usize,
  ofText: usize,
  len: u32,
  start: u32,
  flags: u32,
  caps: usize,
  slotCount: u32,
  work: usize,
): i32 {
  origin = start;
  const found = search(ofProgram, ofText, len, start, flags, caps, slotCount, work);
  // Never wraps: a run looks at a bounded multiple of the text (see exec.ts).
  epoch += lastPos - start + 2;
  pikeScanned += lastPos - start + 1;
  return found;
}

/** Where the search ended. */
let lastPos: u32 = 0;

function search(
  ofProgram: usize,
  ofText: usize,
  len: u32,
  start: u32,
  flags: u32,
  caps: usize,
  slotCount: u32,
  work: usize,
): i32 {
  program = ofProgram;
  text = ofText;
  textLen = len;
  const count = instructionCount(ofProgram);
  instructions = <u32>(instructionsOf(ofProgram) - ofProgram);
  slotBytes = slotCount << 2;
  seen = work;
  let here = work + (count << 2);
  list = here + (count << 2);
  stack = list + (count << 2);
  let hereCaps = stack + (count << 4);
  listCaps = hereCaps + <usize>count * slotBytes;
  slots = listCaps + <usize>count * slotBytes;

  let hereCount: u32 = 0;
  let found: i32 = 0;
  let pos = start;
  while (true) {
    lastPos = pos;
    if (!found && (pos == start || !(flags & REGEX_ANCHORED))) {
      if (!hereCount && !(flags & REGEX_ANCHORED)) {
        pos = nextCandidate(program, text, len, pos);
        if (pos == NOWHERE) return 0;
        lastPos = pos;
      }
      // A match that begins here is worth less than any that began before.
      const fill = list;
      const fillCaps = listCaps;
      list = here;
      listCaps = hereCaps;
      listCount = hereCount;
      memory.fill(slots, 0xff, slotBytes);
      if (slotBytes) store<u32>(slots, pos);
      follow(startOf(program), pos, start, flags);
      hereCount = listCount;
      list = fill;
      listCaps = fillCaps;
    }
    if (!hereCount && (found || flags & REGEX_ANCHORED)) return found;
    listCount = 0;
    for (let i: u32 = 0; i < hereCount; i++) {
      const at = load<u32>(here + (<usize>i << 2));
      const op = load<u8>(program + at);
      const own = hereCaps + <usize>i * slotBytes;
      if (COUNTS_STEPS) pikeSteps++;
      if (op == REGEX_OP_MATCH) {
        found = 1;
        if (caps) {
          copySlots(caps, own);
          store<u32>(caps, pos, 4);
        }
        // The threads after this one are worth less.
        break;
      }
      if (pos == len) continue;
      const byte = load<u8>(text + pos);
      const instruction = program + at;
      const fits =
        op == REGEX_OP_BYTE
          ? byte == load<u8>(instruction, 1)
          : inSet(program + load<u32>(instruction, 8), byte);
      if (!fits) continue;
      copySlots(slots, own);
      follow(op == REGEX_OP_LOOP ? at : load<u32>(instruction, 4), pos + 1, start, flags);
    }
    if (pos == len) return found;
    const swap = here;
    here = list;
    list = swap;
    const swapCaps = hereCaps;
    hereCaps = listCaps;
    listCaps = swapCaps;
    hereCount = listCount;
    pos++;
  }
}

/** Adds every thread that `from` leads to at `pos` without a byte, in order of preference. */
function follow(from: u32, pos: u32, start: u32, flags: u32): void {
  let top = stack;
  let at = from;
  while (true) {
    const here = program + at;
    const mark = seen + ((at - instructions) >> 2);
    const now = epoch + pos - origin;
    if (COUNTS_STEPS) pikeSteps++;
    if (load<u32>(mark) != now) {
      store<u32>(mark, now);
      const op = load<u8>(here);
      if (op == REGEX_OP_SPLIT) {
        store<u32>(top, load<u32>(here, 8));
        top += 8;
        at = load<u32>(here, 4);
        continue;
      }
      if (op == REGEX_OP_SAVE) {
        if (slotBytes) {
          const slot = load<u32>(here, 8);
          store<u32>(top, RESTORE | slot);
          store<u32>(top, load<u32>(slots + (<usize>slot << 2)), 4);
          top += 8;
          store<u32>(slots + (<usize>slot << 2), pos);
        }
        at = load<u32>(here, 4);
        continue;
      }
      if (op == REGEX_OP_ASSERT) {
        if (isAt(program, here, text, textLen, pos)) {
          at = load<u32>(here, 4);
          continue;
        }
      } else if (op != REGEX_OP_MATCH || pos != start || !(flags & REGEX_NOT_EMPTY_AT_START)) {
        store<u32>(list + (<usize>listCount << 2), at);
        copySlots(listCaps + <usize>listCount * slotBytes, slots);
        listCount++;
        if (op == REGEX_OP_LOOP) {
          at = load<u32>(here, 4);
          continue;
        }
      }
    }
    while (true) {
      if (top == stack) return;
      top -= 8;
      const entry = load<u32>(top);
      if (entry & RESTORE) {
        store<u32>(slots + (<usize>(entry & ~RESTORE) << 2), load<u32>(top, 4));
        continue;
      }
      at = entry;
      break;
    }
  }
}

/** Slots come in pairs. */
@inline
function copySlots(to: usize, from: usize): void {
  for (let at: usize = 0; at < slotBytes; at += 8) store<u64>(to + at, load<u64>(from + at));
}
