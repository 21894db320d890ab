/**
 * JSON text → value. Strings without escapes are views of the text; everything else that needs room
 * takes it from scratch. Works on text that findValue has accepted, so it checks limits only.
 *
 * Containers are built without recursion. A first pass counts values, which bounds all memory
 * beforehand; the second puts finished values on a stack and, when a container closes, moves its
 * elements from there to a block of their own:
 *
 *   | finished containers' elements → …   | stack of values waiting for their container → … |
 *   0                              blocks                                     2 × count × 16
 */
import { JSON_VALUE_DEPTH_MAX, LIST_LENGTH_MAX, SCRATCH_BYTES } from "../abi/limits";
import { ERR_EXPR_LIST_LENGTH, ERR_EXPR_MEMORY, ERR_EXPR_NESTING, OK } from "../abi/status";
import {
  TAG_BYTES,
  TAG_FALSE,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_TRUE,
  VALUE_BYTES,
} from "../abi/values";
import { scratch } from "../arena";
import { skipBlanks } from "./find";
import { behindNumber, readNumber, scanNumber } from "./number";
import { sortPairs } from "./pairs";
import { hasEscapes, scanString, unescapeString } from "./string";

/** Per open container: where its elements start on the stack, bit 0 set for an object. */
const frames = memory.data(512 * 4, 8);

/** Address behind the scalar that `readScalar` read last. */
let behindScalar: usize = 0;

/**
 * Reads the JSON value at `at` into `out`. 0, or ERR_EXPR_MEMORY, ERR_EXPR_LIST_LENGTH,
 * ERR_EXPR_NESTING. Maps come sorted by key bytes, of equal keys the last.
 * Cost: linear, but for maps n log n comparisons.
 */
export function buildValue(at: usize, end: usize, out: usize): i32 {
  const byte: u32 = load<u8>(at);
  if (byte != 0x7b && byte != 0x5b) return readScalar(at, end, out);
  const count = countValues(at, end);
  if (count < 0) return count;
  if (<u32>count > <u32>SCRATCH_BYTES / (2 * VALUE_BYTES)) return ERR_EXPR_MEMORY;
  const room = <u32>count * VALUE_BYTES;
  let block = scratch(2 * room);
  if (!block) return ERR_EXPR_MEMORY;
  let top = block + room;
  let depth: u32 = 0;

  while (true) {
    // Values, keys and opening brackets push; a closing bracket folds; commas and colons only separate.
    const next: u32 = load<u8>(at);
    if (next == 0x7b || next == 0x5b) {
      store<u32>(frames + (<usize>depth << 2), <u32>top | (next == 0x7b ? 1 : 0));
      depth++;
      at++;
    } else if (next == 0x7d || next == 0x5d) {
      depth--;
      const frame = load<u32>(frames + (<usize>depth << 2));
      const first = <usize>(frame & ~1);
      const status = foldContainer(first, top, (frame & 1) != 0, block, depth ? first : out);
      if (status < 0) return status;
      block += <usize>status * VALUE_BYTES;
      if (!depth) return OK;
      top = first + VALUE_BYTES;
      at++;
    } else if (next == 0x2c || next == 0x3a) {
      at++;
    } else {
      const status = readScalar(at, end, top);
      if (status) return status;
      top += VALUE_BYTES;
      at = behindScalar;
    }
    at = skipBlanks(at, end);
  }
}

/**
 * Makes one list or map of the values in [first, top): moves them to `block` and writes the container to
 * `out`, which may be `first`. Answers how many values were moved, or a negative error.
 */
function foldContainer(first: usize, top: usize, isMap: bool, block: usize, out: usize): i32 {
  const moved = <u32>(top - first) / VALUE_BYTES;
  memory.copy(block, first, top - first);
  let count = moved;
  if (isMap) {
    const pairs = sortPairs(block, moved >> 1);
    if (pairs < 0) return pairs;
    count = <u32>pairs;
  }
  if (count > <u32>LIST_LENGTH_MAX) return ERR_EXPR_LIST_LENGTH;
  store<u32>(out, isMap ? TAG_MAP : TAG_LIST);
  store<u32>(out, count, 4);
  store<u64>(out, <u64>block, 8);
  return moved;
}

/** Values in the container at `at`, itself, keys and nested ones included, or ERR_EXPR_NESTING. */
function countValues(at: usize, end: usize): i32 {
  let count: i32 = 0;
  let depth: u32 = 0;
  do {
    const next: u32 = load<u8>(at);
    if (next == 0x7b || next == 0x5b) {
      if (depth == <u32>JSON_VALUE_DEPTH_MAX) return ERR_EXPR_NESTING;
      depth++;
      count++;
      at++;
    } else if (next == 0x7d || next == 0x5d) {
      depth--;
      at++;
    } else if (next == 0x22) {
      count++;
      at = scanString(at + 1, end) + 1;
    } else if (next == 0x2c || next == 0x3a || next <= 0x20) {
      at++;
    } else {
      count++;
      at = scalarEnd(at, end);
    }
  } while (depth);
  return count;
}

/** Behind a number, `true`, `false` or `null`. */
function scalarEnd(at: usize, end: usize): usize {
  const byte: u32 = load<u8>(at);
  if (byte == 0x66) return at + 5;
  return byte >= 0x61 ? at + 4 : scanNumber(at, end);
}

/** Reads a string, number, `true`, `false` or `null` into `out` and sets `behindScalar`. */
function readScalar(at: usize, end: usize, out: usize): i32 {
  const byte: u32 = load<u8>(at);
  if (byte == 0x22) return readString(at + 1, end, out);
  if (byte < 0x61) {
    const status = readNumber(at, end, out);
    behindScalar = behindNumber;
    return status;
  }
  store<u32>(out, byte == 0x74 ? TAG_TRUE : byte == 0x66 ? TAG_FALSE : TAG_NULL);
  store<u32>(out, 0, 4);
  store<u64>(out, 0, 8);
  behindScalar = at + (byte == 0x66 ? 5 : 4);
  return OK;
}

function readString(at: usize, end: usize, out: usize): i32 {
  const quote = scanString(at, end);
  let text = at;
  let len = <u32>(quote - at);
  if (hasEscapes) {
    text = scratch(len);
    if (!text) return ERR_EXPR_MEMORY;
    len = unescapeString(at, quote, text);
  }
  store<u32>(out, TAG_BYTES);
  store<u32>(out, len, 4);
  store<u64>(out, <u64>text, 8);
  behindScalar = quote + 1;
  return OK;
}
