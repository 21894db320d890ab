/**
 * Text functions over ASCII; texts with other characters go to the host, which knows grapheme
 * clusters and case. Source: expressions §4.2.
 */
import {
  FN_FIND,
  FN_LTRIM,
  FN_LOWER,
  FN_PAD,
  FN_REPLACE,
  FN_REVERSE,
  FN_RTRIM,
  FN_STRLEN,
  FN_SUBSTR,
  FN_TRIM,
  FN_UPPER,
} from "../abi/functions";
import { EXPR_OUTPUT_BYTES_MAX } from "../abi/limits";
import { ERR_EXPR_OUTPUT, OK } from "../abi/status";
import { TAG_LIST, TAG_NULL, TAG_UNDEFINED } from "../abi/values";
import { bytesEqual } from "../bytes";
import {
  isAscii,
  isInteger,
  isWord,
  readBytes,
  readCount,
  readText,
  textLen,
  textPtr,
} from "./argument";
import { badArgument, produce, refusal } from "./budget";
import { askHost } from "./hosted";
import { search } from "./search";
import { copyValue, elementOf, lenOf, ptrOf, setBytes, setInt, tagOf } from "./value";

const CR: u32 = 13;
const LF: u32 = 10;
const wordLeading = memory.data<u8>([0x6c, 0x65, 0x61, 0x64, 0x69, 0x6e, 0x67]);
const wordTrailing = memory.data<u8>([0x74, 0x72, 0x61, 0x69, 0x6c, 0x69, 0x6e, 0x67]);
const wordBoth = memory.data<u8>([0x62, 0x6f, 0x74, 0x68]);
const wordAll = memory.data<u8>([0x61, 0x6c, 0x6c]);

/** Which occurrence a search is about. */
const FIRST: u32 = 0;
const LAST: u32 = 1;
const EVERY: u32 = 2;
const NO_WORD: u32 = 3;

export function lower(args: usize, argc: u32, out: usize): i32 {
  return changeCase(FN_LOWER, 0x41, args, argc, out);
}

export function upper(args: usize, argc: u32, out: usize): i32 {
  return changeCase(FN_UPPER, 0x61, args, argc, out);
}

/** Flips the case bit of the 26 letters from `first` on. */
function changeCase(fn: u32, first: u32, args: usize, argc: u32, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  const from = textPtr;
  const len = textLen;
  if (!isAscii(from, len)) return askHost(fn, args, argc, out);
  const at = produce(len);
  if (!at) return refusal;
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(from + i);
    store<u8>(at + i, byte - first < 26 ? byte ^ 0x20 : byte);
  }
  setBytes(out, at, len);
  return OK;
}

/** trim, ltrim and rtrim; `fn` says which ends. Of a list ltrim trims the first texts, as the reference does. */
export function trim(fn: u32, args: usize, argc: u32, out: usize): i32 {
  if (fn == FN_LTRIM && tagOf(args) == TAG_LIST) return askHost(fn, args, argc, out);
  let status = readText(args, 0);
  if (status < 0) return status;
  let at = textPtr;
  let end = at + textLen;
  if (!isAscii(at, textLen)) return askHost(fn, args, argc, out);
  const hasSet = argc > 1;
  if (hasSet) {
    if (tagOf(elementOf(args, 1)) == TAG_LIST) return askHost(fn, args, argc, out);
    status = readBytes(args, 1);
    if (status < 0) return status;
    if (!isAscii(textPtr, textLen)) return askHost(fn, args, argc, out);
    setMembers(textPtr, textLen);
  } else setMembers(blanks, BLANK_COUNT);
  // CR LF is one character: a blank, but never a member of a set. At the end, though, the reference
  // looks for members byte by byte and meets the pair only through its CR.
  if (fn != FN_RTRIM) {
    while (at < end) {
      if (isPair(at, end)) {
        if (hasSet) break;
        at += 2;
      } else if (isMember(load<u8>(at))) at++;
      else break;
    }
  }
  if (fn != FN_LTRIM) {
    const keepsPairs = hasSet && isMember(CR);
    while (at < end) {
      if (keepsPairs && end - at > 1 && isPair(end - 2, end)) break;
      if (!isMember(load<u8>(end - 1))) break;
      end--;
    }
  }
  setBytes(out, at, <u32>(end - at));
  return OK;
}

/** Blanks below 128: U+0009–000D and the space. */
const blanks = memory.data<u8>([9, 10, 11, 12, 13, 32]);
const BLANK_COUNT: u32 = 6;

/** The ASCII characters that trim removes, one bit each. */
let membersLow: u64 = 0;
let membersHigh: u64 = 0;

function setMembers(at: usize, len: u32): void {
  membersLow = 0;
  membersHigh = 0;
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(at + i);
    if (byte < 64) membersLow |= <u64>1 << byte;
    else membersHigh |= <u64>1 << (byte & 63);
  }
}

@inline
function isMember(byte: u32): bool {
  return (((byte < 64 ? membersLow : membersHigh) >> (byte & 63)) & 1) != 0;
}

/** Does CR LF stand at `at`? */
@inline
function isPair(at: usize, end: usize): bool {
  return load<u8>(at) == CR && at + 1 < end && load<u8>(at, 1) == LF;
}

export function strlen(args: usize, argc: u32, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  if (!isAscii(textPtr, textLen)) return askHost(FN_STRLEN, args, argc, out);
  setInt(out, <i64>clusters(textPtr, textLen));
  return OK;
}

/** Grapheme clusters of an ASCII text. */
function clusters(at: usize, len: u32): u32 {
  const end = at + len;
  let count = len;
  for (; at + 1 < end; at++) {
    if (load<u8>(at) == CR && load<u8>(at, 1) == LF) count--;
  }
  return count;
}

export function substr(args: usize, argc: u32, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  let count: i32 = i32.MAX_VALUE;
  if (argc > 2) {
    count = readCount(args, 2, i32.MAX_VALUE);
    if (count < 0) return badArgument(2);
    if (count == 0 && isInteger(args, 1)) {
      // Nothing is cut out of anywhere, not even of a place before the text.
      setBytes(out, textPtr, 0);
      return OK;
    }
  }
  const start = readCount(args, 1, i32.MAX_VALUE);
  if (start < 0) return badArgument(1);
  if (!isAscii(textPtr, textLen)) return askHost(FN_SUBSTR, args, argc, out);
  const end = textPtr + textLen;
  const from = skipClusters(textPtr, end, start);
  const to = skipClusters(from, end, count);
  setBytes(out, from, <u32>(to - from));
  return OK;
}

function skipClusters(at: usize, end: usize, count: i32): usize {
  for (; count > 0 && at < end; count--) at += isPair(at, end) ? 2 : 1;
  return at;
}

export function reverse(args: usize, argc: u32, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  const from = textPtr;
  const len = textLen;
  if (!isAscii(from, len)) return askHost(FN_REVERSE, args, argc, out);
  const at = produce(len);
  if (!at) return refusal;
  let to = at + len;
  const end = from + len;
  for (let i = from; i < end; ) {
    if (isPair(i, end)) {
      to -= 2;
      store<u8>(to, CR);
      store<u8>(to, LF, 1);
      i += 2;
    } else store<u8>(--to, load<u8>(i++));
  }
  setBytes(out, at, len);
  return OK;
}

export function pad(args: usize, argc: u32, out: usize): i32 {
  let status = readText(args, 0);
  if (status < 0) return status;
  const from = textPtr;
  const len = textLen;
  if (!isInteger(args, 1)) return badArgument(1);
  const wanted = max(readCount(args, 1, i32.MAX_VALUE), 0);
  let direction = LAST;
  if (argc > 2) {
    direction = isWord(args, 2, wordBoth, 4) ? EVERY : readEnd(args, 2);
    if (direction == NO_WORD) return badArgument(2);
  }
  let filler = space;
  let fillerLen: u32 = 1;
  if (argc > 3) {
    status = readBytes(args, 3);
    if (status < 0) return status;
    filler = textPtr;
    fillerLen = textLen;
  }
  if (wanted > EXPR_OUTPUT_BYTES_MAX && fillerLen > 0) return ERR_EXPR_OUTPUT;
  if (!isAscii(from, len) || !isAscii(filler, fillerLen)) return askHost(FN_PAD, args, argc, out);
  const missing = max(wanted - <i32>clusters(from, len), 0);
  if (missing == 0 || fillerLen == 0) {
    setBytes(out, from, len);
    return OK;
  }
  const total = <u64>missing * fillerLen + len;
  if (total > <u64>EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
  const at = produce(<u32>total);
  if (!at) return refusal;
  const before = direction == EVERY ? missing / 2 : direction == FIRST ? missing : 0;
  let to = repeat(at, filler, fillerLen, before);
  memory.copy(to, from, len);
  to = repeat(to + len, filler, fillerLen, missing - before);
  setBytes(out, at, <u32>(to - at));
  return OK;
}

const space = memory.data<u8>([0x20]);

function repeat(to: usize, from: usize, len: u32, count: i32): usize {
  for (; count > 0; count--) {
    memory.copy(to, from, len);
    to += len;
  }
  return to;
}

/** Bytewise; what is no text comes back as it is, but for `null` and `undefined`. */
export function rmPrefix(args: usize, out: usize): i32 {
  let status = readBytes(args, 1);
  if (status < 0) return status;
  const prefix = textPtr;
  const prefixLen = textLen;
  status = readText(args, 0);
  if (status < 0) {
    const tag = tagOf(args);
    if (tag == TAG_NULL || tag == TAG_UNDEFINED) return status;
    copyValue(out, args);
    return OK;
  }
  const cut = prefixLen <= textLen && bytesEqual(textPtr, prefixLen, prefix, prefixLen);
  const skipped: u32 = cut ? prefixLen : 0;
  setBytes(out, textPtr + skipped, textLen - skipped);
  return OK;
}

export function ascii(args: usize, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  if (textLen == 0) return badArgument(0);
  setInt(out, <i64>load<u8>(textPtr));
  return OK;
}

export function find(args: usize, argc: u32, out: usize): i32 {
  let status = readText(args, 0);
  if (status < 0) return status;
  const at = textPtr;
  const len = textLen;
  status = readBytes(args, 1);
  if (status < 0) return status;
  const wanted = textPtr;
  const wantedLen = textLen;
  let which = FIRST;
  if (argc > 2) {
    which = readEnd(args, 2);
    if (which == NO_WORD) return badArgument(2);
  }
  if (!isAscii(at, len) || !isAscii(wanted, wantedLen)) return askHost(FN_FIND, args, argc, out);
  const hit = wantedLen == 0 ? at : search(at, at + len, wanted, wantedLen, which == LAST);
  if (hit) setBytes(out, hit, <u32>(at + len - hit));
  else setBytes(out, at, 0);
  return OK;
}

export function replace(args: usize, argc: u32, out: usize): i32 {
  let status = readText(args, 0);
  if (status < 0) return status;
  const from = textPtr;
  const len = textLen;
  status = readBytes(args, 1);
  if (status < 0) return status;
  const wanted = textPtr;
  const wantedLen = textLen;
  status = readBytes(args, 2);
  if (status < 0) return status;
  const by = textPtr;
  const byLen = textLen;
  let which = EVERY;
  if (argc > 3 && !isWord(args, 3, wordAll, 3)) {
    which = readEnd(args, 3);
    if (which == NO_WORD) return badArgument(3);
  }
  if (!isAscii(from, len) || !isAscii(wanted, wantedLen)) {
    return askHost(FN_REPLACE, args, argc, out);
  }
  const end = from + len;
  let hits: u32 = 0;
  if (wantedLen > 0) {
    let at = search(from, end, wanted, wantedLen, which == LAST);
    while (at) {
      hits++;
      if (which != EVERY) break;
      at = search(at + wantedLen, end, wanted, wantedLen, false);
    }
  }
  if (hits == 0) {
    setBytes(out, from, len);
    return OK;
  }
  const total = <u64>len + <u64>hits * byLen - <u64>hits * wantedLen;
  if (total > <u64>EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
  const result = produce(<u32>total);
  if (!result) return refusal;
  let to = result;
  let rest = from;
  for (; hits > 0; hits--) {
    const hit = search(rest, end, wanted, wantedLen, which == LAST);
    memory.copy(to, rest, hit - rest);
    to += hit - rest;
    memory.copy(to, by, byLen);
    to += byLen;
    rest = hit + wantedLen;
  }
  memory.copy(to, rest, end - rest);
  setBytes(out, result, <u32>total);
  return OK;
}

/** FIRST for `leading`, LAST for `trailing`, else NO_WORD. */
export function readEnd(args: usize, index: u32): u32 {
  if (isWord(args, index, wordLeading, 7)) return FIRST;
  return isWord(args, index, wordTrailing, 8) ? LAST : NO_WORD;
}
