/**
 * Checks an expression's blob once, when the image is opened, so that evaluation need not: every
 * offset inside the blob, every jump forward, the stack's height the same on every way to a place.
 * Hostile bytes give a status. Cost: one pass.
 */
import {
  EXPR_CODE_BYTES,
  EXPR_HEADER_BYTES,
  EXPR_MAGIC,
  EXPR_STACK_MAX,
  OP_CALL,
  OP_COALESCE,
  OP_CONST,
  OP_FAIL,
  OP_IS_EMPTY,
  OP_JUMP,
  OP_JUMP_FILLED,
  OP_JUMP_UNLESS,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_OR_EMPTY,
  OP_UNBOUND,
  OP_UNWIND,
  TAG_PATH,
  TAG_PROGRAM,
} from "../abi/expressions";
import { SLOT_COUNT } from "../abi/request";
import { ERR_EXPRESSION_BLOB, ERR_MEMORY, OK } from "../abi/status";
import { TAG_BIGINT, TAG_BYTES, TAG_FLOAT, TAG_INT, TAG_TRUE, VALUE_BYTES } from "../abi/values";
import { mark, restore, scratch } from "../arena";
import { isCallable } from "./builtins";
import {
  blobLength,
  codeAt,
  codeCount,
  constAt,
  constCount,
  opOf,
  operandA,
  operandB,
  operandC,
  stackNeed,
} from "./program";
import { verifyProgram } from "./regex";
import { lenOf, ptrOf, tagOf } from "./value";

/** No way leads here yet. */
const UNREACHED: u32 = 0xffff;

/** OK, ERR_EXPRESSION_BLOB or ERR_MEMORY. `blob` is 8-aligned. */
export function verifyExpression(blob: usize, length: u32): i32 {
  if (length < <u32>EXPR_HEADER_BYTES || load<u32>(blob) != EXPR_MAGIC) return ERR_EXPRESSION_BLOB;
  if (blobLength(blob) != length) return ERR_EXPRESSION_BLOB;
  const codes = codeCount(blob);
  const consts = constCount(blob);
  const room = length - <u32>EXPR_HEADER_BYTES;
  if (codes == 0 || codes >= UNREACHED || codes > room / <u32>EXPR_CODE_BYTES) return ERR_EXPRESSION_BLOB;
  if (consts > (room - codes * <u32>EXPR_CODE_BYTES) / <u32>VALUE_BYTES) return ERR_EXPRESSION_BLOB;
  if (stackNeed(blob) > <u32>EXPR_STACK_MAX) return ERR_EXPRESSION_BLOB;
  for (let i: u32 = 0; i < consts; i++) {
    if (!isConstant(blob, constAt(blob, i), length)) return ERR_EXPRESSION_BLOB;
  }
  const before = mark();
  const heights = scratch((codes + 1) * 2);
  if (!heights) return ERR_MEMORY;
  const isSound = checkCodes(blob, codes, heights);
  restore(before);
  return isSound ? OK : ERR_EXPRESSION_BLOB;
}

function isConstant(blob: usize, value: usize, length: u32): bool {
  switch (tagOf(value)) {
    case TAG_INT:
    case TAG_FLOAT:
    case TAG_TRUE:
      return true;
    case TAG_BYTES:
    case TAG_BIGINT:
      return isInside(<u32>ptrOf(value), lenOf(value), length);
    case TAG_PROGRAM:
      return (
        isInside(<u32>ptrOf(value), lenOf(value), length) &&
        (<u32>ptrOf(value) & 7) == 0 &&
        verifyProgram(blob + ptrOf(value), lenOf(value))
      );
    case TAG_PATH: {
      const count = lenOf(value);
      if (count == 0 || count > length >> 3) return false;
      if (!isInside(<u32>ptrOf(value), count << 3, length)) return false;
      for (let i: u32 = 0; i < count; i++) {
        const pair = blob + ptrOf(value) + (<usize>i << 3);
        if (!isInside(load<u32>(pair), load<u32>(pair, 4), length)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

@inline
function isInside(offset: u32, bytes: u32, length: u32): bool {
  return offset <= length && bytes <= length - offset;
}

/** Walks the code once; `heights` keeps the stack's height at each place jumps go to. */
function checkCodes(blob: usize, codes: u32, heights: usize): bool {
  memory.fill(heights, 0xff, (codes + 1) * 2);
  let height: u32 = 0;
  for (let at: u32 = 0; at < codes; at++) {
    if (!merge(heights, at, height)) return false;
    height = heightAt(heights, at);
    if (height == UNREACHED) return false;
    height = afterCode(blob, at, codes, height, heights);
    if (height == BROKEN || (height != UNREACHED && height > stackNeed(blob))) return false;
  }
  return merge(heights, codes, height) && heightAt(heights, codes) == 1;
}

const BROKEN: u32 = 0xfffe;

@inline
function heightAt(heights: usize, at: u32): u32 {
  return load<u16>(heights + (<usize>at << 1));
}

/** Notes that the place `at` is reached with this height; false when another way disagrees. */
function merge(heights: usize, at: u32, height: u32): bool {
  if (height == UNREACHED) return true;
  const known = heightAt(heights, at);
  if (known != UNREACHED) return known == height;
  store<u16>(heights + (<usize>at << 1), height);
  return true;
}

/** Height after the code at `at`; UNREACHED behind a jump, BROKEN when the code is not sound. */
function afterCode(blob: usize, at: u32, codes: u32, height: u32, heights: usize): u32 {
  const code = codeAt(blob, at);
  const b = operandB(code);
  const c = operandC(code);
  switch (opOf(code)) {
    case OP_CONST:
      if (c >= constCount(blob) || tagOf(constAt(blob, c)) == TAG_PATH) return BROKEN;
      return height + 1;
    case OP_LOAD:
    case OP_LOAD_OR_EMPTY:
      if (operandA(code) >= <u32>SLOT_COUNT) return BROKEN;
      return isVariable(blob, c) && isHandler(blob, at, b, codes, height, heights) ? height + 1 : BROKEN;
    case OP_UNBOUND:
      return isVariable(blob, c) && isHandler(blob, at, b, codes, height, heights) ? height + 1 : BROKEN;
    case OP_CALL:
      if (!isName(blob, c) || b > height || !isCallable(operandA(code), b)) return BROKEN;
      return height - b + 1;
    case OP_LIST:
      return b > height ? BROKEN : height - b + 1;
    case OP_JUMP:
      return isAhead(at, c, codes) && merge(heights, c, height) ? UNREACHED : BROKEN;
    case OP_JUMP_UNLESS:
      if (height == 0 || !isAhead(at, c, codes) || !merge(heights, c, height - 1)) return BROKEN;
      return height - 1;
    case OP_JUMP_FILLED:
      if (height == 0 || !isAhead(at, c, codes) || !merge(heights, c, height)) return BROKEN;
      return height - 1;
    case OP_UNWIND:
      return b > height ? BROKEN : b;
    case OP_IS_EMPTY:
      return height == 0 ? BROKEN : height;
    case OP_COALESCE:
      return height == 0 || !isName(blob, c) ? BROKEN : height;
    case OP_FAIL:
      return isName(blob, c) ? height + 1 : BROKEN;
    default:
      return BROKEN;
  }
}

@inline
function isAhead(at: u32, target: u32, codes: u32): bool {
  return target > at && target <= codes;
}

@inline
function isVariable(blob: usize, index: u32): bool {
  return index < constCount(blob) && tagOf(constAt(blob, index)) == TAG_PATH;
}

@inline
function isName(blob: usize, index: u32): bool {
  return index < constCount(blob) && tagOf(constAt(blob, index)) == TAG_BYTES;
}

/** Unbound variables go to an UNWIND further on, which the stack is high enough for. */
function isHandler(
  blob: usize,
  at: u32,
  target: u32,
  codes: u32,
  height: u32,
  heights: usize,
): bool {
  if (target == 0) return true;
  if (target <= at || target >= codes) return false;
  const code = codeAt(blob, target);
  const cut = operandB(code);
  return opOf(code) == OP_UNWIND && cut <= height && merge(heights, target, cut);
}
