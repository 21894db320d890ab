/** Base64url (RFC 4648 §5) over bytes, strict about its alphabet. */
import type { Slab } from "./slab.ts";

const PAD = 0x3d;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Character code → its six bits, or -1. */
const SEXTETS = new Int8Array(256).fill(-1);
for (let index = 0; index < ALPHABET.length; index += 1)
  SEXTETS[ALPHABET.charCodeAt(index)] = index;

/**
 * The bytes that `text[start, end)` stands for, or undefined when it is not base64url; cut from `slab`
 * where there is one.
 *
 * `=` padding may be left out or complete; unused bits of the last character may be anything (see
 * isCanonicalBase64url). `+`, `/`, blanks and a single left-over character are refused.
 * Source: authentication §3.3.3; vectors `structure` of jwt_verify.
 */
export function decodeBase64url(
  text: Uint8Array,
  start = 0,
  end: number = text.length,
  slab?: Slab,
): Uint8Array<ArrayBuffer> | undefined {
  const length = ((end - start - paddingLength(text, start, end)) * 3) >> 2;
  const bytes = slab ? slab.take(length) : new Uint8Array(length);
  return decodeBase64urlInto(text, start, end, bytes) < 0 ? undefined : bytes;
}

/**
 * The same into `bytes`, which must have room for three bytes per four characters. Returns how many
 * were written, or -1. What `bytes` holds after -1 means nothing.
 */
export function decodeBase64urlInto(
  text: Uint8Array,
  start: number,
  end: number,
  bytes: Uint8Array,
): number {
  const stop = end - paddingLength(text, start, end);
  const rest = (stop - start) & 3;
  if (rest === 1 || (stop !== end && ((end - start) & 3) !== 0)) return -1;
  const whole = stop - rest;
  let at = start;
  let out = 0;
  let seen = 0;
  while (at < whole) {
    const a = SEXTETS[text[at]!]!;
    const b = SEXTETS[text[at + 1]!]!;
    const c = SEXTETS[text[at + 2]!]!;
    const d = SEXTETS[text[at + 3]!]!;
    seen |= a | b | c | d;
    bytes[out] = (a << 2) | (b >> 4);
    bytes[out + 1] = (b << 4) | (c >> 2);
    bytes[out + 2] = (c << 6) | d;
    at += 4;
    out += 3;
  }
  if (rest !== 0) {
    const a = SEXTETS[text[at]!]!;
    const b = SEXTETS[text[at + 1]!]!;
    seen |= a | b;
    bytes[out] = (a << 2) | (b >> 4);
    out += 1;
    if (rest === 3) {
      const c = SEXTETS[text[at + 2]!]!;
      seen |= c;
      bytes[out] = (b << 4) | (c >> 2);
      out += 1;
    }
  }
  // A -1 anywhere leaves the sign bit set.
  return seen < 0 ? -1 : out;
}

/**
 * Is valid base64url `text[start, end)` the one encoding of its bytes: no padding, unused bits zero?
 * Answers for text that decodeBase64url accepted.
 */
export function isCanonicalBase64url(text: Uint8Array, start: number, end: number): boolean {
  if (end === start) return true;
  const last = text[end - 1]!;
  if (last === PAD) return false;
  const rest = (end - start) & 3;
  if (rest === 0) return true;
  return (SEXTETS[last]! & (rest === 2 ? 0x0f : 0x03)) === 0;
}

/** Unpadded base64url of `bytes`, as ASCII bytes. */
export function encodeBase64url(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Math.ceil((bytes.length * 4) / 3);
  const text = new Uint8Array(length);
  let out = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let shift = 18; shift >= 0 && out < length; shift -= 6) {
      text[out] = ALPHABET.charCodeAt((group >> shift) & 63);
      out += 1;
    }
  }
  return text;
}

/** 0, 1 or 2 trailing `=`. */
function paddingLength(text: Uint8Array, start: number, end: number): number {
  if (end === start || text[end - 1] !== PAD) return 0;
  return end - 1 > start && text[end - 2] === PAD ? 2 : 1;
}
