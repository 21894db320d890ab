/** Reading the arguments of a function: type checks, and texts as (pointer, length). */
import { ERR_EXPR_BADARG, OK } from "../abi/status";
import {
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_INT,
  TAG_NULL,
  TAG_TRUE,
  TAG_UNDEFINED,
} from "../abi/values";
import { badArgument } from "./budget";
import { atomName, elementOf, intOf, lenOf, nameLen, namePtr, ptrOf, tagOf } from "./value";

/** Set by `readText` and `readBytes`. */
export let textPtr: usize = 0;
export let textLen: u32 = 0;

/** Argument `index` as text: bytes, or the name of an atom other than `null` and `undefined`. */
export function readText(args: usize, index: u32): i32 {
  const value = elementOf(args, index);
  switch (tagOf(value)) {
    case TAG_BYTES:
      textPtr = ptrOf(value);
      textLen = lenOf(value);
      return OK;
    case TAG_ATOM:
    case TAG_TRUE:
    case TAG_FALSE:
      atomName(value);
      textPtr = namePtr;
      textLen = nameLen;
      return OK;
    case TAG_NULL:
    case TAG_UNDEFINED:
      badArgument(index);
      return ERR_EXPR_BADARG;
    default:
      return badArgument(index);
  }
}

/** Argument `index` as bytes and nothing else. */
export function readBytes(args: usize, index: u32): i32 {
  const value = elementOf(args, index);
  if (tagOf(value) != TAG_BYTES) return badArgument(index);
  textPtr = ptrOf(value);
  textLen = lenOf(value);
  return OK;
}

/**
 * Argument `index` as a count from 0 to `limit`; -1 when it is none. Integers beyond `limit` (large
 * ones included) are `limit`.
 */
export function readCount(args: usize, index: u32, limit: i32): i32 {
  const value = elementOf(args, index);
  if (tagOf(value) == TAG_BIGINT) return load<u8>(ptrOf(value)) == 0x2d ? -1 : limit;
  if (tagOf(value) != TAG_INT) return -1;
  const number = intOf(value);
  if (number < 0) return -1;
  return number > <i64>limit ? limit : <i32>number;
}

/** Is argument `index` the word at `word` (`len` bytes)? */
export function isWord(args: usize, index: u32, word: usize, len: u32): bool {
  const value = elementOf(args, index);
  if (tagOf(value) != TAG_BYTES || lenOf(value) != len) return false;
  const at = ptrOf(value);
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(at + i) != load<u8>(word + i)) return false;
  }
  return true;
}

/** Is argument `index` an integer, of any size? */
export function isInteger(args: usize, index: u32): bool {
  const tag = tagOf(elementOf(args, index));
  return tag == TAG_INT || tag == TAG_BIGINT;
}

/** Are these bytes all below 128? Cost: eight bytes a step. */
export function isAscii(at: usize, len: u32): bool {
  const end = at + len;
  for (; at + 8 <= end; at += 8) {
    if (load<u64>(at) & 0x8080808080808080) return false;
  }
  for (; at < end; at++) {
    if (load<u8>(at) & 0x80) return false;
  }
  return true;
}
