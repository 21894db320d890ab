/** Splitting and joining. Source: expressions §4.3. */
import { FN_SPLIT } from "../abi/functions";
import { HOST_FLAGS_SHIFT, HOST_NOT_UTF8 } from "../abi/host";
import { EXPR_OUTPUT_BYTES_MAX, LIST_LENGTH_MAX } from "../abi/limits";
import {
  ERR_EXPR_INVALID_ARGUMENT,
  ERR_EXPR_LIST_LENGTH,
  ERR_EXPR_MEMORY,
  ERR_EXPR_OUTPUT,
  ERR_EXPR_STEPS,
  OK,
} from "../abi/status";
import { TAG_BIGINT, TAG_BYTES, TAG_INT, TAG_LIST, VALUE_BYTES } from "../abi/values";
import { mark, scratch } from "../arena";
import { findByte } from "../bytes";
import { utf8Valid } from "../encoding/utf8";
import { host } from "../host";
import { isAscii, isWord, readBytes, readText, textLen, textPtr } from "./argument";
import { badArgument, flags, produce, produceList, refusal, refuse, room, step } from "./budget";
import { toText } from "./convert";
import { askHost } from "./hosted";
import { piecesLen, piecesPtr, readPieces } from "./pieces";
import { search } from "./search";
import { copyValue, elementOf, intOf, lenOf, ptrOf, setBytes, setRange, tagOf } from "./value";

const CR: u32 = 13;
const LF: u32 = 10;
const wordNotrim = memory.data<u8>([0x6e, 0x6f, 0x74, 0x72, 0x69, 0x6d]);
const wordNocrlf = memory.data<u8>([0x6e, 0x6f, 0x63, 0x72, 0x6c, 0x66]);
const wordLeadingNotrim = memory.data<u8>([
  0x6c, 0x65, 0x61, 0x64, 0x69, 0x6e, 0x67, 0x5f, 0x6e, 0x6f, 0x74, 0x72, 0x69, 0x6d,
]);
const wordTrailingNotrim = memory.data<u8>([
  0x74, 0x72, 0x61, 0x69, 0x6c, 0x69, 0x6e, 0x67, 0x5f, 0x6e, 0x6f, 0x74, 0x72, 0x69, 0x6d,
]);

/** Where to split. */
const EVERY: u32 = 0;
const FIRST: u32 = 1;
const LAST: u32 = 2;

export function split(args: usize, argc: u32, out: usize): i32 {
  let status = readText(args, 0);
  if (status < 0) return status;
  const at = textPtr;
  const end = at + textLen;
  const isTextAscii = isAscii(at, textLen);
  status = readBytes(args, 1);
  if (status < 0) return status;
  const wanted = textPtr;
  const len = textLen;
  let where = EVERY;
  let keepsEmpty = false;
  if (argc > 2) {
    if (isWord(args, 2, wordNotrim, 6)) keepsEmpty = true;
    else if (isWord(args, 2, wordLeadingNotrim, 14)) {
      where = FIRST;
      keepsEmpty = true;
    } else if (isWord(args, 2, wordTrailingNotrim, 15)) {
      where = LAST;
      keepsEmpty = true;
    } else if (isWord(args, 2, wordLeadingNotrim, 7)) where = FIRST;
    else if (isWord(args, 2, wordTrailingNotrim, 8)) where = LAST;
    else return badArgument(2);
  }
  if (!isTextAscii || !isAscii(wanted, len)) return askHost(FN_SPLIT, args, argc, out);
  return where == EVERY
    ? splitEvery(at, end, wanted, len, keepsEmpty, out)
    : splitOnce(at, end, wanted, len, where == LAST, keepsEmpty, out);
}

function splitEvery(
  at: usize,
  end: usize,
  wanted: usize,
  len: u32,
  keepsEmpty: bool,
  out: usize,
): i32 {
  // Pieces are counted first, so that the list needs no room to grow.
  const count = scanPieces(at, end, wanted, len, keepsEmpty, 0);
  if (!step(<i32>(count >> 4))) return ERR_EXPR_STEPS;
  const list = produceList(count);
  if (!list) return refusal;
  scanPieces(at, end, wanted, len, keepsEmpty, list);
  setRange(out, TAG_LIST, list, count);
  return OK;
}

/** Number of pieces; writes them when `list` is not 0. */
function scanPieces(
  at: usize,
  end: usize,
  wanted: usize,
  len: u32,
  keepsEmpty: bool,
  list: usize,
): u32 {
  let count: u32 = 0;
  let hit: usize;
  do {
    hit = len == 0 ? 0 : search(at, end, wanted, len, false);
    const stop: usize = hit ? hit : end;
    if (keepsEmpty || stop > at) {
      if (list) setBytes(elementOf(list, count), at, <u32>(stop - at));
      count++;
    }
    at = hit + len;
  } while (hit);
  return count;
}

function splitOnce(
  at: usize,
  end: usize,
  wanted: usize,
  len: u32,
  isLast: bool,
  keepsEmpty: bool,
  out: usize,
): i32 {
  const list = produceList(2);
  if (!list) return refusal;
  const hit: usize = len == 0 ? 0 : search(at, end, wanted, len, isLast);
  let count: u32 = 0;
  const stop: usize = hit ? hit : end;
  if (keepsEmpty || stop > at) setBytes(elementOf(list, count++), at, <u32>(stop - at));
  if (hit) {
    const rest = hit + len;
    if (keepsEmpty || end > rest) setBytes(elementOf(list, count++), rest, <u32>(end - rest));
  }
  setRange(out, TAG_LIST, list, count);
  return OK;
}

/** Which bytes separate, one bit each. */
const separators = memory.data(32, 8);

@inline
function isSeparator(byte: u32): bool {
  return ((load<u32>(separators + ((byte >> 5) << 2)) >> (byte & 31)) & 1) != 0;
}

@inline
function addSeparator(byte: u32): void {
  const at = separators + ((byte >> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (byte & 31)));
}

/** No single byte separates; the bits say which do. */
const SEVERAL: u32 = 256;

/** Splits at bytes; CR LF is a character of its own, which only `nocrlf` makes a separator. */
export function tokens(args: usize, argc: u32, out: usize): i32 {
  let status = readText(args, 0);
  if (status < 0) return status;
  const at = textPtr;
  const end = at + textLen;
  status = readBytes(args, 1);
  if (status < 0) return status;
  const splitsPairs = argc > 2;
  if (splitsPairs && !isWord(args, 2, wordNocrlf, 6)) return badArgument(2);
  if (textLen == 1 && !splitsPairs && load<u8>(textPtr) != CR) {
    return writeTokens(at, end, load<u8>(textPtr), false, out);
  }
  memory.fill(separators, 0, 32);
  for (let i: u32 = 0; i < textLen; i++) addSeparator(load<u8>(textPtr + i));
  if (splitsPairs) {
    addSeparator(CR);
    addSeparator(LF);
  }
  // While CR separates, a pair is not a separator but part of a piece. Where only LF separates, it does.
  return writeTokens(at, end, SEVERAL, isSeparator(CR) && !splitsPairs, out);
}

/** The pieces of [at, end) as a list. `only`: the one separator, or SEVERAL. */
function writeTokens(at: usize, end: usize, only: u32, keepsPairs: bool, out: usize): i32 {
  // Nothing else takes scratch in here, so values taken one by one stand in a row.
  const list = mark();
  let count: u32 = 0;
  while (at < end) {
    const stop = only == SEVERAL ? pieceEnd(at, end, keepsPairs) : findByte(at, end, only);
    if (stop > at) {
      const item = scratch(VALUE_BYTES);
      if (!item) return ERR_EXPR_MEMORY;
      if (++count > <u32>LIST_LENGTH_MAX) return ERR_EXPR_LIST_LENGTH;
      setBytes(item, at, <u32>(stop - at));
    }
    at = stop + 1;
  }
  if (!step(<i32>(count >> 4))) return ERR_EXPR_STEPS;
  setRange(out, TAG_LIST, list, count);
  return OK;
}

/** Where the piece ends that begins at `at`; `at` when a separator stands there. */
function pieceEnd(at: usize, end: usize, keepsPairs: bool): usize {
  while (at < end) {
    if (keepsPairs && isPair(at, end)) at += 2;
    else if (isSeparator(load<u8>(at))) break;
    else at++;
  }
  return at;
}

@inline
function isPair(at: usize, end: usize): bool {
  return load<u8>(at) == CR && at + 1 < end && load<u8>(at, 1) == LF;
}

export function nth(args: usize, out: usize): i32 {
  let position: i64;
  switch (tagOf(args)) {
    case TAG_INT:
      position = intOf(args);
      break;
    case TAG_BIGINT:
      position = load<u8>(ptrOf(args)) == 0x2d ? 0 : i64.MAX_VALUE;
      break;
    case TAG_BYTES:
    case TAG_LIST: {
      const status = readPieces(args, 0);
      if (status < 0) return status;
      position = parsePosition(piecesPtr, piecesLen);
      if (position == i64.MIN_VALUE) {
        badArgument(0);
        return ERR_EXPR_INVALID_ARGUMENT;
      }
      break;
    }
    default:
      return badArgument(0);
  }
  const list = elementOf(args, 1);
  if (tagOf(list) != TAG_LIST) return badArgument(1);
  if (position <= 0) return badArgument(0);
  if (position > <i64>lenOf(list)) setBytes(out, 0, 0);
  else copyValue(out, elementOf(ptrOf(list), <u32>(position - 1)));
  return OK;
}

/** Decimal integer with an optional sign; i64.MIN_VALUE when it is none. Large ones saturate. */
function parsePosition(at: usize, len: u32): i64 {
  const end = at + len;
  let isNegative = false;
  if (at < end && (load<u8>(at) == 0x2d || load<u8>(at) == 0x2b)) {
    isNegative = load<u8>(at) == 0x2d;
    at++;
  }
  if (at == end) return i64.MIN_VALUE;
  let number: i64 = 0;
  for (; at < end; at++) {
    const digit: u32 = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return i64.MIN_VALUE;
    number = min<i64>(number * 10 + digit, 1 << 40);
  }
  return isNegative ? -number : number;
}

/** Texts of `count` values, as a list of bytes in `pieces`. */
function textsOf(values: usize, count: u32, pieces: usize): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const status = toText(elementOf(values, i), i, elementOf(pieces, i));
    if (status < 0) return status;
  }
  return OK;
}

/** `concat(list)`, `concat(a, b)`, and with more arguments where the compiler lets it. */
export function concat(args: usize, argc: u32, out: usize): i32 {
  let values = args;
  let count = argc;
  if (argc == 1) {
    if (tagOf(args) != TAG_LIST) return badArgument(0);
    values = ptrOf(args);
    count = lenOf(args);
  }
  const pieces = join(values, count, 0, 0, out);
  if (!pieces) return refusal;
  if (utf8Valid(ptrOf(out), lenOf(out))) return OK;
  return host(HOST_NOT_UTF8 | (flags << HOST_FLAGS_SHIFT), pieces, <i32>count, out);
}

export function joinToString(args: usize, argc: u32, out: usize): i32 {
  let separator = comma;
  let separatorLen: u32 = 2;
  let list = args;
  if (argc > 1) {
    list = elementOf(args, 1);
    if (tagOf(list) != TAG_LIST) return badArgument(1);
    const status = readBytes(args, 0);
    if (status < 0) return status;
    separator = textPtr;
    separatorLen = textLen;
  } else if (tagOf(list) != TAG_LIST) return badArgument(0);
  return join(ptrOf(list), lenOf(list), separator, separatorLen, out) ? OK : refusal;
}

const comma = memory.data<u8>([0x2c, 0x20]);

/** Writes the joined texts to `out`; returns the pieces (count values), or 0 with `refusal` set. */
function join(values: usize, count: u32, separator: usize, separatorLen: u32, out: usize): usize {
  if (!step(<i32>(count >> 2))) return refuse(ERR_EXPR_STEPS);
  const pieces = room(count * VALUE_BYTES);
  if (!pieces) return 0;
  const status = textsOf(values, count, pieces);
  if (status < 0) return refuse(status);
  let total: u64 = count > 0 ? <u64>(count - 1) * separatorLen : 0;
  for (let i: u32 = 0; i < count; i++) total += lenOf(elementOf(pieces, i));
  if (total > <u64>EXPR_OUTPUT_BYTES_MAX) return refuse(ERR_EXPR_OUTPUT);
  const result = produce(<u32>total);
  if (!result) return 0;
  let to = result;
  for (let i: u32 = 0; i < count; i++) {
    if (i > 0 && separatorLen > 0) {
      memory.copy(to, separator, separatorLen);
      to += separatorLen;
    }
    const piece = elementOf(pieces, i);
    memory.copy(to, ptrOf(piece), lenOf(piece));
    to += lenOf(piece);
  }
  setBytes(out, result, <u32>total);
  return pieces;
}
