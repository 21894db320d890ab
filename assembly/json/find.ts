/**
 * Finds a value by path in a JSON text, validating the whole text on the way.
 *
 * One loop without recursion: what is open is one bit a level, so nesting costs nothing but the
 * bytes it is written with. Source: RFC 8259, expressions §4.7.
 */
import { JSON_DEPTH_MAX } from "../abi/limits";
import { ERR_EXPR_NESTING } from "../abi/status";
import { scanNumber } from "./number";
import { hasEscapes, matchPiece, scanString } from "./string";

/** One bit a level: is the container that encloses it an object? */
const openObjects = memory.data(8192);

/** Address of the value that `findValue` found last; 0 for none. */
export let foundAt: usize = 0;

/**
 * Is this text one JSON value? 1 yes, 0 no, ERR_EXPR_NESTING when it is nested too deeply to say.
 *
 * Sets `foundAt` to the value that `path` leads to: keys of nested objects, separated by dots, an
 * empty piece being a key too. Of equal keys the last counts. It is 0 when the top level is not an
 * object, when a key is missing or its value is no object, and when the text is not JSON.
 * Cost: one pass over the text; a key is compared with a path piece once.
 */
export function findValue(text: usize, len: u32, path: usize, pathLen: u32): i32 {
  foundAt = 0;
  const end = text + len;
  const pathEnd = path + pathLen;
  let at = skipBlanks(text, end);
  let depth: u32 = 0;
  let isObject = false;
  // Innermost open object that the path runs through (0: none yet), and the piece to look for in it.
  let pathDepth: u32 = 0;
  let piece = path;
  // Where to go on when the value at hand is an object. Set for the top and after a matching key.
  let descend: usize = path;
  let found: usize = 0;

  while (at < end) {
    // A value starts here.
    const byte: u32 = load<u8>(at);
    let isOpened = false;
    if (byte == 0x22) {
      at = scanString(at + 1, end);
      if (!at) return 0;
      at++;
    } else if (byte == 0x7b || byte == 0x5b) {
      if (depth == <u32>JSON_DEPTH_MAX) return ERR_EXPR_NESTING;
      pushOpen(depth++, isObject);
      isObject = byte == 0x7b;
      if (isObject && descend) {
        pathDepth = depth;
        piece = descend;
      }
      at = skipBlanks(at + 1, end);
      isOpened = at < end && load<u8>(at) != (isObject ? 0x7d : 0x5d);
      if (isOpened && !isObject) {
        descend = 0;
        continue;
      }
    } else {
      at = scanScalar(at, end, byte);
      if (!at) return 0;
    }
    descend = 0;

    // Behind a value, or inside an object just opened: close containers until another value comes.
    while (true) {
      if (!isOpened) {
        if (!depth) {
          if (skipBlanks(at, end) != end) return 0;
          foundAt = found;
          return 1;
        }
        at = skipBlanks(at, end);
        if (at == end) return 0;
        const next: u32 = load<u8>(at);
        at++;
        if (next == (isObject ? 0x7d : 0x5d)) {
          if (isObject && depth == pathDepth) {
            pathDepth--;
            if (pathDepth) piece = pieceBefore(piece, path);
          }
          isObject = popOpen(--depth);
          continue;
        }
        if (next != 0x2c) return 0;
        at = skipBlanks(at, end);
        if (!isObject) break;
      }
      isOpened = false;
      // A key starts here.
      if (at == end || load<u8>(at) != 0x22) return 0;
      const key = at + 1;
      const quote = scanString(key, end);
      if (!quote) return 0;
      const escaped = hasEscapes;
      at = skipBlanks(quote + 1, end);
      if (at == end || load<u8>(at) != 0x3a) return 0;
      at = skipBlanks(at + 1, end);
      if (depth == pathDepth && (escaped || load<u8>(key) == load<u8>(piece) || key == quote)) {
        const behind = matchPiece(key, quote, escaped, piece, pathEnd);
        if (behind == pathEnd) {
          found = at;
        } else if (behind) {
          // A later duplicate replaces the earlier one even where the path then leads nowhere.
          found = 0;
          descend = behind + 1;
        }
      }
      break;
    }
  }
  return 0;
}

/** Steps over SPACE, TAB, LF and CR. */
@inline
export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) <= 0x20 && isBlank(load<u8>(at))) at++;
  return at;
}

@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}

/** Checks a number, `true`, `false` or `null`; the address behind it, or 0. */
function scanScalar(at: usize, end: usize, byte: u32): usize {
  if (byte == 0x2d || byte - 0x30 < 10) return scanNumber(at, end);
  if (end - at < 4) return 0;
  const word = load<u32>(at);
  if (word == 0x65757274 || word == 0x6c6c756e) return at + 4; // true, null
  if (end - at < 5 || word != 0x736c6166 || load<u8>(at, 4) != 0x65) return 0; // fals, e
  return at + 5;
}

/** Start of the piece before the one at `piece`. Cost: that piece's length, already read as a key. */
function pieceBefore(piece: usize, path: usize): usize {
  let at = piece - 1;
  while (at > path && load<u8>(at - 1) != 0x2e) at--;
  return at;
}

@inline
function pushOpen(depth: u32, isObject: bool): void {
  const slot = openObjects + (depth >> 3);
  const bit: u32 = 1 << (depth & 7);
  const bits: u32 = load<u8>(slot);
  store<u8>(slot, isObject ? bits | bit : bits & ~bit);
}

@inline
function popOpen(depth: u32): bool {
  return ((<u32>load<u8>(openObjects + (depth >> 3)) >> (depth & 7)) & 1) != 0;
}
