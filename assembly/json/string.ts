/** JSON strings: validation, comparison with a path piece, unescaping. Source: RFC 8259 §7. */
import { hexDigit } from "../encoding/hex";
import { utf8Encode, utf8Sequence } from "../encoding/utf8";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const DOT: u32 = 0x2e;

/** Does the string that `scanString` accepted last hold an escape? */
export let hasEscapes: bool = false;

/**
 * Checks the string whose opening quote is just before `at`. Answers the address of its closing
 * quote, or 0: not closed, a raw control character, a bad escape, half a surrogate pair, bad UTF-8.
 * Sets `hasEscapes`. Cost: one pass, sixteen bytes a step over plain ASCII.
 */
@inline
export function scanString(at: usize, end: usize): usize {
  hasEscapes = false;
  // Most strings are short and plain.
  const special = specialBytes(v128.load(at));
  if (special) {
    const quote = at + <usize>ctz(special);
    if (load<u8>(quote) == QUOTE && quote < end) return quote;
  }
  return scanRest(at, end);
}

function scanRest(at: usize, end: usize): usize {
  while (at < end) {
    const special = specialBytes(v128.load(at));
    if (!special) {
      at += 16;
      continue;
    }
    at += <usize>ctz(special);
    if (at >= end) return 0;
    const byte: u32 = load<u8>(at);
    if (byte == QUOTE) return at;
    if (byte < 0x20) return 0;
    if (byte == BACKSLASH) hasEscapes = true;
    const size = byte == BACKSLASH ? escapeBytes(at, end) : utf8Sequence(at, end);
    if (!size) return 0;
    at += size;
  }
  return 0;
}

/**
 * If the string [at, quote), once unescaped, is the path piece that starts at `piece`: the address
 * behind that piece (`pathEnd`, or a dot). Otherwise 0. The string was accepted by scanString.
 * Cost: at most the string's length, however long the piece is.
 */
export function matchPiece(
  at: usize,
  quote: usize,
  escaped: bool,
  piece: usize,
  pathEnd: usize,
): usize {
  if (!escaped) {
    const len = quote - at;
    if (len > pathEnd - piece) return 0;
    for (let i: usize = 0; i < len; i++) {
      const byte: u32 = load<u8>(at + i);
      // A key with a dot in it cannot be named by a path.
      if (byte != <u32>load<u8>(piece + i) || byte == DOT) return 0;
    }
    piece += len;
  } else {
    while (at < quote) {
      let size: u32 = 1;
      if (load<u8>(at) == <u8>BACKSLASH) {
        const encoded = readEscape(at);
        size = utf8Encode(<u32>encoded, <usize>unescaped);
        at += <usize>(encoded >> 32);
      } else {
        store<u8>(unescaped, load<u8>(at++));
      }
      if (size > <u32>(pathEnd - piece)) return 0;
      for (let i: u32 = 0; i < size; i++) {
        const byte: u32 = load<u8>(unescaped + i);
        if (byte != <u32>load<u8>(piece++) || byte == DOT) return 0;
      }
    }
  }
  return piece == pathEnd || load<u8>(piece) == <u8>DOT ? piece : 0;
}

/**
 * Writes the string [at, quote) without its escapes to `out` and returns the bytes written, never
 * more than the string has. The string was accepted by scanString.
 */
export function unescapeString(at: usize, quote: usize, out: usize): u32 {
  let to = out;
  while (at < quote) {
    if (load<u8>(at) != <u8>BACKSLASH) {
      store<u8>(to++, load<u8>(at++));
      continue;
    }
    const encoded = readEscape(at);
    to += utf8Encode(<u32>encoded, to);
    at += <usize>(encoded >> 32);
  }
  return <u32>(to - out);
}

/** One unescaped code point, for the comparison above. */
const unescaped = memory.data(4);

/** A bit for each byte that needs a look: quote, backslash, control character, non-ASCII. */
@inline
function specialBytes(bytes: v128): i32 {
  const quotes = i8x16.eq(bytes, i8x16.splat(<i8>QUOTE));
  const backslashes = i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH));
  // As signed numbers what is not ASCII is negative.
  const others = i8x16.lt_s(bytes, i8x16.splat(0x20));
  return i8x16.bitmask(v128.or(v128.or(quotes, backslashes), others));
}

/** Bytes of the escape at `at` (a surrogate pair is one escape), or 0 when it is not a valid one. */
function escapeBytes(at: usize, end: usize): u32 {
  if (end - at < 2) return 0;
  const kind: u32 = load<u8>(at, 1);
  if (kind != 0x75) return shortEscape(kind) ? 2 : 0;
  const unit = hex4(at + 2, end);
  if (unit < 0) return 0;
  if ((unit & 0xf800) != 0xd800) return 6;
  if (unit >= 0xdc00 || end - at < 12) return 0;
  if (load<u8>(at, 6) != <u8>BACKSLASH || load<u8>(at, 7) != 0x75) return 0;
  return (hex4(at + 8, end) & ~0x3ff) == 0xdc00 ? 12 : 0;
}

/** The code point a valid escape stands for, with the escape's length in the high 32 bits. */
function readEscape(at: usize): u64 {
  const kind: u32 = load<u8>(at, 1);
  if (kind != 0x75) return (<u64>2 << 32) | <u64>shortEscape(kind);
  const unit = hex4(at + 2, at + 6);
  if ((unit & 0xf800) != 0xd800) return (<u64>6 << 32) | <u64>unit;
  const low = hex4(at + 8, at + 12);
  return (<u64>12 << 32) | <u64>(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
}

/** The character behind a one-letter escape, or 0. */
function shortEscape(letter: u32): u32 {
  switch (letter) {
    case 0x22:
    case 0x2f:
    case 0x5c:
      return letter;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return 0;
  }
}

/** Value of four hexadecimal digits, or -1. */
function hex4(at: usize, end: usize): i32 {
  if (end - at < 4) return -1;
  const a = hexDigit(load<u8>(at));
  const b = hexDigit(load<u8>(at, 1));
  const c = hexDigit(load<u8>(at, 2));
  const d = hexDigit(load<u8>(at, 3));
  if ((a | b | c | d) < 0) return -1;
  return (a << 12) | (b << 8) | (c << 4) | d;
}
