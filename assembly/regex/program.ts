/**
 * Reading a regular-expression program (layout: abi/regex.ts), and checking one that comes from outside.
 * `program` is the address of its first byte, `at` an offset in it.
 */
import { REGEX_PROGRAM_MAX } from "../abi/limits";
import {
  REGEX_AT_BEFORE,
  REGEX_AT_NOT,
  REGEX_FLAG_LITERAL,
  REGEX_HEADER_BYTES,
  REGEX_INSTRUCTION_BYTES,
  REGEX_MAGIC,
  REGEX_OP_ASSERT,
  REGEX_OP_LOOP,
  REGEX_OP_MATCH,
  REGEX_OP_SAVE,
  REGEX_OP_SET,
  REGEX_OP_SPLIT,
  REGEX_SET_BYTES,
  REGEX_SETS_MAX,
  REGEX_WORK_BYTES_MAX,
} from "../abi/regex";
import { ERR_MEMORY, ERR_REGEX_BLOB, OK } from "../abi/status";
import { mark, restore, scratch } from "../arena";

@inline
export function programBytes(program: usize): u32 {
  return load<u32>(program);
}

@inline
export function instructionCount(program: usize): u32 {
  return load<u32>(program, 8);
}

/** Number of capture groups. */
@inline
export function regexGroupCount(program: usize): u32 {
  return load<u32>(program, 16);
}

@inline
export function rowCount(program: usize): u32 {
  return load<u32>(program, 20);
}

@inline
export function startOf(program: usize): u32 {
  return load<u32>(program, 24);
}

@inline
export function flagsOf(program: usize): u32 {
  return load<u32>(program, 28);
}

/** Address of the set of bytes a match can begin with; 0 for none. */
@inline
export function firstOf(program: usize): usize {
  const offset = load<u32>(program, 32);
  return offset ? program + offset : 0;
}

@inline
export function prefixBytes(program: usize): u32 {
  return load<u32>(program, 36);
}

@inline
export function prefixOf(program: usize): usize {
  return instructionsOf(program) + <usize>instructionCount(program) * REGEX_INSTRUCTION_BYTES;
}

@inline
export function requiredBytes(program: usize): u32 {
  return load<u32>(program, 44);
}

@inline
export function requiredOf(program: usize): usize {
  return prefixOf(program) + prefixBytes(program);
}

@inline
export function shortestOf(program: usize): u32 {
  return load<u32>(program, 40);
}

@inline
export function instructionsOf(program: usize): usize {
  return program + REGEX_HEADER_BYTES + <usize>load<u32>(program, 12) * REGEX_SET_BYTES;
}

@inline
export function inSet(set: usize, byte: u32): bool {
  return ((<u32>load<u8>(set + (byte >> 3)) >> (byte & 7)) & 1) != 0;
}

/**
 * Checks `len` foreign bytes at `at`. After OK the engines read nothing outside the program, end
 * after at most instructions × (length + 1) steps, and need no more than REGEX_WORK_BYTES_MAX to do
 * it. Uses scratch. ERR_REGEX_BLOB: not such a program.
 */
export function regexVerify(program: usize, len: u32): i32 {
  if (len < <u32>REGEX_HEADER_BYTES || load<u32>(program, 4) != REGEX_MAGIC) return ERR_REGEX_BLOB;
  const bytes = programBytes(program);
  if (bytes > len || bytes < <u32>REGEX_HEADER_BYTES || bytes & 7) return ERR_REGEX_BLOB;
  const count = instructionCount(program);
  const sets = load<u32>(program, 12);
  const groups = regexGroupCount(program);
  if (!count || count > <u32>REGEX_PROGRAM_MAX || sets > <u32>REGEX_SETS_MAX) return ERR_REGEX_BLOB;
  if (groups > <u32>REGEX_PROGRAM_MAX) return ERR_REGEX_BLOB;
  if (count * (28 + 16 * (groups + 1)) > <u32>REGEX_WORK_BYTES_MAX) return ERR_REGEX_BLOB;
  if (rowCount(program) > count) return ERR_REGEX_BLOB;
  const first: u32 = <u32>REGEX_HEADER_BYTES + sets * <u32>REGEX_SET_BYTES;
  const end: u32 = first + count * <u32>REGEX_INSTRUCTION_BYTES;
  const prefix = prefixBytes(program);
  if (end > bytes || prefix > bytes - end) return ERR_REGEX_BLOB;
  if (requiredBytes(program) > bytes - end - prefix) return ERR_REGEX_BLOB;
  if (!prefix && flagsOf(program) & REGEX_FLAG_LITERAL) return ERR_REGEX_BLOB;
  if (load<u32>(program, 32) && !isSet(load<u32>(program, 32), first)) return ERR_REGEX_BLOB;
  if (!isInstruction(startOf(program), first, end)) return ERR_REGEX_BLOB;
  const top = mark();
  const ways = scratch(count << 1);
  if (!ways) return ERR_MEMORY;
  memory.fill(ways, 0, count << 1);
  const status = checkInstructions(program, first, end, ways);
  restore(top);
  return status;
}

/** Checks each instruction on its own, then that every meeting point has a visited bit. */
function checkInstructions(program: usize, first: u32, end: u32, ways: usize): i32 {
  countWay(ways, startOf(program), first);
  for (let at = first; at < end; at += <u32>REGEX_INSTRUCTION_BYTES) {
    const here = program + at;
    const op = <i32>load<u8>(here);
    const operand = load<u32>(here, 8);
    if (op > REGEX_OP_ASSERT || <u32>load<u16>(here, 2) > rowCount(program)) return ERR_REGEX_BLOB;
    const isShift = op == REGEX_OP_ASSERT;
    if (!isShift && !isFirst(load<u16>(here, 12), first)) return ERR_REGEX_BLOB;
    if (!isFirst(load<u16>(here, 14), first)) return ERR_REGEX_BLOB;
    if (op == REGEX_OP_MATCH) continue;
    if (!isInstruction(load<u32>(here, 4), first, end)) return ERR_REGEX_BLOB;
    countWay(ways, load<u32>(here, 4), first);
    if (op == REGEX_OP_SET || op == REGEX_OP_LOOP) {
      if (!isSet(operand, first)) return ERR_REGEX_BLOB;
      if (op == REGEX_OP_LOOP) countWay(ways, at, first);
    } else if (op == REGEX_OP_SPLIT) {
      if (!isInstruction(operand, first, end)) return ERR_REGEX_BLOB;
      countWay(ways, operand, first);
    } else if (op == REGEX_OP_SAVE) {
      if (operand < 2 || operand >= (regexGroupCount(program) + 1) << 1) return ERR_REGEX_BLOB;
    } else if (op == REGEX_OP_ASSERT) {
      const test = <i32>load<u8>(here, 1) & ~REGEX_AT_NOT;
      if (test > REGEX_AT_BEFORE) return ERR_REGEX_BLOB;
      if (test == REGEX_AT_BEFORE && !isSet(operand, first)) return ERR_REGEX_BLOB;
    }
  }
  // Without the bit, backtracking through a meeting point could take exponential time.
  for (let at = first; at < end; at += <u32>REGEX_INSTRUCTION_BYTES) {
    const isMatch = load<u8>(program + at) == REGEX_OP_MATCH;
    if (!isMatch && load<u16>(wayOf(ways, at, first)) > 1 && !load<u16>(program + at, 2)) {
      return ERR_REGEX_BLOB;
    }
  }
  return OK;
}

@inline
function wayOf(ways: usize, at: u32, first: u32): usize {
  return ways + ((at - first) >> 3);
}

/** Counts one more way to the instruction, up to two. */
@inline
function countWay(ways: usize, at: u32, first: u32): void {
  const way = wayOf(ways, at, first);
  store<u16>(way, <u16>min<u32>(2, <u32>load<u16>(way) + 1));
}

@inline
function isInstruction(at: u32, first: u32, end: u32): bool {
  return at >= first && at < end && ((at - first) & <u32>(REGEX_INSTRUCTION_BYTES - 1)) == 0;
}

/** Is this the offset of a set? Sets lie between the header and the first instruction. */
@inline
function isSet(at: u32, first: u32): bool {
  return (
    at >= <u32>REGEX_HEADER_BYTES &&
    at < first &&
    ((at - <u32>REGEX_HEADER_BYTES) & <u32>(REGEX_SET_BYTES - 1)) == 0
  );
}

/** Is this a nextFirst or operandFirst? */
@inline
function isFirst(word: u32, first: u32): bool {
  return word == 0 || isSet((word | 1) << 4, first);
}
