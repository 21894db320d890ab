/** Escapes, hexadecimal and base64. Source: expressions §4.4, §4.6. */
import { FN_INT2HEXSTR } from "../abi/functions";
import { ERR_EXPR_CHARACTER, ERR_EXPR_ESCAPE, OK } from "../abi/status";
import { TAG_BIGINT, TAG_BYTES, TAG_INT } from "../abi/values";
import {
  base64Decode,
  base64DecodedMax,
  base64Encode,
  base64EncodedMax,
  BASE64_NO_PADDING,
  BASE64_URLSAFE,
} from "../encoding/base64";
import { hexDecode, hexDigit, hexEncode } from "../encoding/hex";
import { utf8Encode, utf8Valid } from "../encoding/utf8";
import { isWord, readBytes, readText, textLen, textPtr } from "./argument";
import { badArgument, produce, refusal } from "./budget";
import { askHost } from "./hosted";
import { piecesLen, piecesPtr, readByteList } from "./pieces";
import { intOf, setBytes, tagOf } from "./value";

const BACKSLASH: u32 = 0x5c;
const NO_ESCAPE: u32 = 0xff;

export function unescape(args: usize, out: usize): i32 {
  const status = readText(args, 0);
  if (status < 0) return status;
  if (!utf8Valid(textPtr, textLen)) return badArgument(0);
  let at = textPtr;
  const end = at + textLen;
  // Nothing grows: `\x` and its digits are never shorter than the character they stand for.
  const result = produce(textLen);
  if (!result) return refusal;
  let to = result;
  while (at < end) {
    const byte: u32 = load<u8>(at++);
    if (byte != BACKSLASH || at == end) {
      store<u8>(to++, byte);
      continue;
    }
    const letter: u32 = load<u8>(at++);
    if (letter != 0x78) {
      const meaning = escapeOf(letter);
      if (meaning == NO_ESCAPE) return ERR_EXPR_ESCAPE;
      store<u8>(to++, meaning);
      continue;
    }
    if (at == end || hexDigit(load<u8>(at)) < 0) return ERR_EXPR_ESCAPE;
    let code: u32 = 0;
    for (; at < end; at++) {
      const digit = hexDigit(load<u8>(at));
      if (digit < 0) break;
      code = min<u32>(code * 16 + digit, 0x110000);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return ERR_EXPR_CHARACTER;
    to += utf8Encode(code, to);
  }
  setBytes(out, result, <u32>(to - result));
  return OK;
}

function escapeOf(letter: u32): u32 {
  switch (letter) {
    case 0x5c: // backslash
    case 0x27: // '
    case 0x22: // "
    case 0x3f: // ?
      return letter;
    case 0x6e: // n
      return 10;
    case 0x74: // t
      return 9;
    case 0x72: // r
      return 13;
    case 0x62: // b
      return 8;
    case 0x66: // f
      return 12;
    case 0x76: // v
      return 11;
    case 0x61: // a
      return 7;
    default:
      return NO_ESCAPE;
  }
}

export function bin2hexstr(args: usize, out: usize): i32 {
  const status = readBytes(args, 0);
  if (status < 0) return status;
  const at = produce(textLen * 2);
  if (!at) return refusal;
  setBytes(out, at, hexEncode(textPtr, textLen, at, true));
  return OK;
}

export function hexstr2bin(args: usize, out: usize): i32 {
  const status = readBytes(args, 0);
  if (status < 0) return status;
  const at = produce((textLen + 1) / 2);
  if (!at) return refusal;
  const written = hexDecode(textPtr, textLen, at);
  if (written < 0) return badArgument(0);
  setBytes(out, at, <u32>written);
  return OK;
}

export function int2hexstr(args: usize, out: usize): i32 {
  if (tagOf(args) == TAG_BIGINT) return askHost(FN_INT2HEXSTR, args, 1, out);
  if (tagOf(args) != TAG_INT) return badArgument(0);
  const number = intOf(args);
  const isNegative = number < 0;
  let rest: u64 = isNegative ? 0 - <u64>number : <u64>number;
  const at = produce(17);
  if (!at) return refusal;
  let to = at + 17;
  do {
    const digit = <u32>(rest & 15);
    store<u8>(--to, digit + (digit < 10 ? 0x30 : 0x37));
    rest >>= 4;
  } while (rest);
  if (isNegative) store<u8>(--to, 0x2d);
  setBytes(out, to, <u32>(at + 17 - to));
  return OK;
}

const wordNoPadding = memory.data<u8>([
  0x6e, 0x6f, 0x5f, 0x70, 0x61, 0x64, 0x64, 0x69, 0x6e, 0x67,
]);
const wordUrlsafe = memory.data<u8>([0x75, 0x72, 0x6c, 0x73, 0x61, 0x66, 0x65]);

/** Options from argument 1 on; words that are none count for nothing. */
function base64Options(args: usize, argc: u32): u32 {
  let options: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    if (isWord(args, i, wordNoPadding, 10)) options |= BASE64_NO_PADDING;
    else if (isWord(args, i, wordUrlsafe, 7)) options |= BASE64_URLSAFE;
  }
  return options;
}

/** Without options a list of bytes will not do. */
function readData(args: usize, argc: u32): i32 {
  return argc == 1 && tagOf(args) != TAG_BYTES ? badArgument(0) : readByteList(args, 0);
}

export function encodeBase64(args: usize, argc: u32, out: usize): i32 {
  const status = readData(args, argc);
  if (status < 0) return status;
  const at = produce(base64EncodedMax(piecesLen));
  if (!at) return refusal;
  setBytes(out, at, base64Encode(piecesPtr, piecesLen, base64Options(args, argc), at));
  return OK;
}

export function decodeBase64(args: usize, argc: u32, out: usize): i32 {
  const status = readData(args, argc);
  if (status < 0) return status;
  const at = produce(base64DecodedMax(piecesLen));
  if (!at) return refusal;
  const written = base64Decode(piecesPtr, piecesLen, base64Options(args, argc), at);
  if (written < 0) return badArgument(0);
  setBytes(out, at, <u32>written);
  return OK;
}
