/**
 * Text and its bytes: the one reading of UTF-8, strict for whatever is compared, with U+FFFD in it
 * for whatever is only shown. A byte-order mark is a character like others, in front of a name too:
 * without it one client id could pass for another.
 */
import type { Text } from "./types.ts";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a text. Half a surrogate pair, which has none, becomes U+FFFD: see isUtf8. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** The text that bytes spell; undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** As decodeUtf8, for documents from elsewhere: a byte-order mark in front is left out [RFC 8259 8.1]. */
export function decodeDocument(bytes: Uint8Array): string | undefined {
  return decodeUtf8(bytes)?.replace(/^\ufeff/, "");
}

/** Can the text be told from every other by its characters? Not with half a surrogate pair in it. */
export function isUtf8(text: Text): boolean {
  return toText(text) !== undefined;
}

/** The text as a string; undefined when it is not UTF-8, or holds half a surrogate pair. */
export function toText(text: Text): string | undefined {
  if (typeof text !== "string") return decodeUtf8(text);
  return /\p{Surrogate}/u.test(text) ? undefined : text;
}

/** The text as its bytes; bytes pass through, no matter what they spell. */
export function toBytes(text: Text): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}

/** The text as a string to show, with U+FFFD for what is not UTF-8. Two texts may look the same. */
export function showText(text: Text): string {
  return typeof text === "string" ? text : lenient.decode(text);
}

/** Bytes that are made characters at once: arguments of one call, which engines limit. */
const SLICE_BYTES = 4096;

/** One character, U+0000 to U+00FF, for each byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    const slice: unknown = bytes.subarray(at, at + SLICE_BYTES);
    // Not spread: that copies the bytes first, and takes several times as long.
    text += String.fromCharCode.apply(null, slice as number[]);
  }
  return text;
}

/** Two lower-case hexadecimal digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** All parts in one piece. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
