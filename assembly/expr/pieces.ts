/** Texts given in pieces: a list of texts, bytes (0 to 255) and such lists, put together. */
import { EXPR_NESTING_MAX, EXPR_OUTPUT_BYTES_MAX } from "../abi/limits";
import { ERR_EXPR_OUTPUT, ERR_EXPR_STEPS, OK } from "../abi/status";
import { TAG_BYTES, TAG_INT, TAG_LIST } from "../abi/values";
import { readText, textLen, textPtr } from "./argument";
import { badArgument, produce, refusal, step } from "./budget";
import { elementOf, intOf, lenOf, ptrOf, tagOf } from "./value";

/** Set by `readPieces`. */
export let piecesPtr: usize = 0;
export let piecesLen: u32 = 0;

/** Argument `index` as one text. */
export function readPieces(args: usize, index: u32): i32 {
  const value = elementOf(args, index);
  if (tagOf(value) != TAG_LIST) {
    const status = readText(args, index);
    piecesPtr = textPtr;
    piecesLen = textLen;
    return status;
  }
  const total = measure(value, 0);
  if (total == NOT_PIECES) return badArgument(index);
  if (total == TOO_MANY) return ERR_EXPR_STEPS;
  if (total > EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
  const at = produce(<u32>total);
  if (!at) return refusal;
  write(value, at);
  piecesPtr = at;
  piecesLen = <u32>total;
  return OK;
}

/** The same for what must not be an atom: patterns and replacements. */
export function readBytePieces(args: usize, index: u32): i32 {
  const tag = tagOf(elementOf(args, index));
  return tag == TAG_BYTES || tag == TAG_LIST ? readPieces(args, index) : badArgument(index);
}

/** Argument `index` as bytes: a text, or a flat list of bytes. Leaves them where readPieces does. */
export function readByteList(args: usize, index: u32): i32 {
  const value = elementOf(args, index);
  if (tagOf(value) == TAG_BYTES) {
    piecesPtr = ptrOf(value);
    piecesLen = lenOf(value);
    return OK;
  }
  if (tagOf(value) != TAG_LIST) return badArgument(index);
  for (let i: u32 = 0, n = lenOf(value); i < n; i++) {
    if (tagOf(elementOf(ptrOf(value), i)) != TAG_INT) return badArgument(index);
  }
  return readPieces(args, index);
}

const NOT_PIECES: i64 = -1;
const TOO_MANY: i64 = -2;

/** Bytes of all pieces. LIMIT: lists nest at most EXPR_NESTING_MAX deep here. */
function measure(list: usize, depth: u32): i64 {
  if (depth > <u32>EXPR_NESTING_MAX) return NOT_PIECES;
  const count = lenOf(list);
  if (!step(<i32>(count >> 3) + 1)) return TOO_MANY;
  let total: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const item = elementOf(ptrOf(list), i);
    const tag = tagOf(item);
    if (tag == TAG_BYTES) total += lenOf(item);
    else if (tag == TAG_INT) {
      if (intOf(item) < 0 || intOf(item) > 255) return NOT_PIECES;
      total++;
    } else if (tag == TAG_LIST) {
      const inner = measure(item, depth + 1);
      if (inner < 0) return inner;
      total += inner;
    } else return NOT_PIECES;
  }
  return total;
}

/** Writes the pieces that `measure` accepted; returns the address behind them. */
function write(list: usize, to: usize): usize {
  const count = lenOf(list);
  for (let i: u32 = 0; i < count; i++) {
    const item = elementOf(ptrOf(list), i);
    const tag = tagOf(item);
    if (tag == TAG_BYTES) {
      memory.copy(to, ptrOf(item), lenOf(item));
      to += lenOf(item);
    } else if (tag == TAG_INT) store<u8>(to++, <u8>intOf(item));
    else to = write(item, to);
  }
  return to;
}
