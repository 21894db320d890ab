/**
 * Replaces every match in a text.
 *
 * Source: expressions §4.5 (replacement text, order of matches).
 */
import { EXPR_OUTPUT_BYTES_MAX } from "../abi/limits";
import { REGEX_ANCHORED, REGEX_NOT_EMPTY_AT_START } from "../abi/regex";
import { ERR_MEMORY, ERR_REGEX_OUTPUT, ERR_REGEX_REPLACEMENT, OK } from "../abi/status";
import { mark, restore, scratch } from "../arena";
import { beginSearch, capsBytes, searchNext } from "./exec";
import { regexGroupCount } from "./program";

const AMPERSAND: u8 = 38;
const BACKSLASH: u8 = 92;
const LETTER_G: u8 = 103;
const OPEN_BRACE: u8 = 123;
const CLOSE_BRACE: u8 = 125;

let out: usize = 0;
let outLen: u32 = 0;

/**
 * Writes address (u32) and length (u32) of the result to `outPtrLen`; the result stands at the
 * scratch mark the caller had, and stays until the caller restores that mark. OK,
 * ERR_REGEX_REPLACEMENT (`\g` without a group number), ERR_REGEX_OUTPUT (the result would be longer
 * than EXPR_OUTPUT_BYTES_MAX) or ERR_MEMORY (also when there is no room for what keeps this linear);
 * after an error nothing is taken.
 *
 * The replacement is not looked at while nothing matches. Linear in the text and the result.
 */
export function regexReplace(
  program: usize,
  text: usize,
  len: u32,
  repl: usize,
  replLen: u32,
  outPtrLen: usize,
): i32 {
  const top = mark();
  const caps = scratch(capsBytes(program));
  let status: i32 = caps ? OK : ERR_MEMORY;
  if (status == OK && !beginSearch(program, text, len, 0, EXPR_OUTPUT_BYTES_MAX)) {
    status = ERR_MEMORY;
  }
  if (status == OK) {
    out = scratch(EXPR_OUTPUT_BYTES_MAX);
    outLen = 0;
    status = out ? replaceAll(program, text, len, repl, replLen, caps) : ERR_MEMORY;
  }
  restore(top);
  if (status != OK) return status;
  const result = scratch(outLen);
  // SAFETY: the result lay above `top` already, so there is room for it at `top`.
  memory.copy(result, out, outLen);
  store<u32>(outPtrLen, <u32>result);
  store<u32>(outPtrLen, outLen, 4);
  return OK;
}

/**
 * After an empty match where the search began, a non-empty one is tried there; after other empty ones, the
 * search goes on a byte further.
 */
function replaceAll(
  program: usize,
  text: usize,
  len: u32,
  repl: usize,
  replLen: u32,
  caps: usize,
): i32 {
  const slots = (regexGroupCount(program) + 1) << 1;
  let copied: u32 = 0;
  let pos: u32 = 0;
  let flags: u32 = 0;
  let isChecked = false;
  while (pos <= len) {
    const status = searchNext(pos, flags, caps);
    if (status < 0) return status;
    if (status == 0) {
      if (!flags) break;
      flags = 0;
      pos++;
      continue;
    }
    if (!isChecked) {
      const wellFormed = checkReplacement(repl, replLen);
      if (wellFormed != OK) return wellFormed;
      isChecked = true;
    }
    const start = load<u32>(caps);
    const end = load<u32>(caps, 4);
    if (!put(text + copied, start - copied)) return ERR_REGEX_OUTPUT;
    if (!putReplacement(text, repl, replLen, caps, slots)) return ERR_REGEX_OUTPUT;
    copied = end;
    // The reference looks for a non-empty match where the search began, not where the empty one is.
    const isRetried = start == end && start == pos;
    pos = start == end && !isRetried ? end + 1 : end;
    flags = isRetried ? REGEX_ANCHORED | REGEX_NOT_EMPTY_AT_START : 0;
  }
  return put(text + copied, len - copied) ? OK : ERR_REGEX_OUTPUT;
}

@inline
function put(bytes: usize, count: u32): bool {
  if (count > <u32>EXPR_OUTPUT_BYTES_MAX - outLen) return false;
  copy(out + outLen, bytes, count);
  outLen += count;
  return true;
}

/** memory.copy is a call out of the module: not worth it for a few bytes. */
@inline
function copy(to: usize, from: usize, count: u32): void {
  if (count > 24) {
    memory.copy(to, from, count);
  } else {
    for (let i: u32 = 0; i < count; i++) store<u8>(to + i, load<u8>(from + i));
  }
}

/** `\g` must be followed by a group number, bare or in braces, or by nothing. */
function checkReplacement(repl: usize, len: u32): i32 {
  for (let i: u32 = 0; i + 1 < len; i++) {
    if (load<u8>(repl + i) != BACKSLASH) continue;
    i++;
    if (load<u8>(repl + i) != LETTER_G || i + 1 == len) continue;
    const isBraced = load<u8>(repl + i + 1) == OPEN_BRACE;
    let at = i + 1 + <u32>isBraced;
    const digits = at;
    while (at < len && isDigit(load<u8>(repl + at))) at++;
    if (at == digits) return ERR_REGEX_REPLACEMENT;
    if (isBraced && (at == len || load<u8>(repl + at) != CLOSE_BRACE)) return ERR_REGEX_REPLACEMENT;
  }
  return OK;
}

/** Appends the replacement of one match; it has been checked. */
function putReplacement(text: usize, repl: usize, len: u32, caps: usize, slots: u32): bool {
  let i: u32 = 0;
  while (i < len) {
    const byte = load<u8>(repl + i);
    if (byte == AMPERSAND) {
      i++;
      if (!putGroup(text, caps, slots, 0)) return false;
      continue;
    }
    if (byte != BACKSLASH || i + 1 == len) {
      const from = i;
      i++;
      while (i < len && load<u8>(repl + i) != AMPERSAND && load<u8>(repl + i) != BACKSLASH) i++;
      if (!put(repl + from, i - from)) return false;
      continue;
    }
    const next = load<u8>(repl + i + 1);
    const isGroup = next == LETTER_G && i + 2 < len;
    if (!isGroup && (!isDigit(next) || next == 48)) {
      // `\0` is the digit; every other character stands for itself.
      if (!put(repl + i + 1, 1)) return false;
      i += 2;
      continue;
    }
    const isBraced = isGroup && load<u8>(repl + i + 2) == OPEN_BRACE;
    i += isBraced ? 3 : isGroup ? 2 : 1;
    let group: u32 = 0;
    for (; i < len && isDigit(load<u8>(repl + i)); i++) {
      group = min<u32>(group * 10 + load<u8>(repl + i) - 48, 100000);
    }
    if (isBraced) i++;
    if (!putGroup(text, caps, slots, group)) return false;
  }
  return true;
}

/** Appends a group's text; nothing for a group that took no part or does not exist. */
function putGroup(text: usize, caps: usize, slots: u32, group: u32): bool {
  const slot = group << 1;
  if (slot >= slots) return true;
  const start = load<u32>(caps + (<usize>slot << 2));
  const end = load<u32>(caps + (<usize>slot << 2), 4);
  if (start == 0xffffffff || end == 0xffffffff) return true;
  return put(text + start, end - start);
}

@inline
function isDigit(byte: u32): bool {
  return byte - 48 < 10;
}
