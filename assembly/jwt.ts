/**
 * Reading a JSON Web Token before anybody has checked its signature: nothing here says the token
 * is genuine. Source: expressions §4.7.
 */
import { ERR_EXPR_INVALID_JWT_TOKEN, ERR_EXPR_JWT_DECODE, ERR_EXPR_MEMORY } from "./abi/status";
import { mark, restore, scratch } from "./arena";
import { findByte } from "./bytes";
import {
  BASE64_NO_PADDING,
  BASE64_URLSAFE,
  base64Decode,
  base64DecodedMax,
} from "./encoding/base64";
import { findValue, foundAt } from "./json/find";
import { jsonLookup } from "./json/lookup";

const DOT: u32 = 0x2e;

/** "alg" */
const algKey = memory.data<u8>([0x61, 0x6c, 0x67]);

/** Dots of the token that `splitToken` split last. */
let firstDot: usize = 0;
let secondDot: usize = 0;

/** Decoded bytes of the part that `decodePart` decoded last. */
let partPtr: usize = 0;
let partLen: u32 = 0;

/**
 * Writes the value that `path` leads to in the token's payload to `out`, as jsonLookup does; it may
 * point into scratch. Returns 0, ERR_EXPR_INVALID_JWT_TOKEN (not exactly three parts),
 * ERR_EXPR_JWT_DECODE (payload not base64url), or what jsonLookup returns. Header and signature are
 * not looked at. Cost: linear; nothing is decoded of a token that has not three parts.
 */
export function jwtLookup(token: usize, len: u32, path: usize, pathLen: u32, out: usize): i32 {
  if (!splitToken(token, len)) return ERR_EXPR_INVALID_JWT_TOKEN;
  const status = decodePart(firstDot + 1, secondDot);
  if (status < 0) return status;
  return jsonLookup(partPtr, partLen, path, pathLen, out);
}

/**
 * 1 when the text has exactly three parts, all base64url, the first a JSON object with a member
 * `alg`; 0 when not; ERR_EXPR_MEMORY or ERR_EXPR_NESTING when that cannot be told. Leaves scratch as it was.
 */
export function isJwt(token: usize, len: u32): i32 {
  if (!splitToken(token, len)) return 0;
  const before = mark();
  const status = isJwtParts(token, token + len);
  restore(before);
  return status == ERR_EXPR_JWT_DECODE ? 0 : status;
}

function isJwtParts(token: usize, end: usize): i32 {
  // The header last, so that its bytes are the ones at hand afterwards.
  let status = decodePart(secondDot + 1, end);
  if (status < 0) return status;
  status = decodePart(firstDot + 1, secondDot);
  if (status < 0) return status;
  status = decodePart(token, firstDot);
  if (status < 0) return status;
  status = findValue(partPtr, partLen, algKey, 3);
  return status < 0 ? status : foundAt ? 1 : 0;
}

/** Finds the two dots. False when there are fewer or more; stops at the third. */
function splitToken(token: usize, len: u32): bool {
  const end = token + len;
  firstDot = findByte(token, end, DOT);
  if (firstDot == end) return false;
  secondDot = findByte(firstDot + 1, end, DOT);
  return secondDot != end && findByte(secondDot + 1, end, DOT) == end;
}

/** Decodes [at, end) into scratch. 0, ERR_EXPR_JWT_DECODE or ERR_EXPR_MEMORY. */
function decodePart(at: usize, end: usize): i32 {
  const len = <u32>(end - at);
  partPtr = scratch(base64DecodedMax(len));
  if (!partPtr) return ERR_EXPR_MEMORY;
  const decoded = base64Decode(at, len, BASE64_URLSAFE | BASE64_NO_PADDING, partPtr);
  if (decoded < 0) return ERR_EXPR_JWT_DECODE;
  partLen = <u32>decoded;
  return 0;
}
