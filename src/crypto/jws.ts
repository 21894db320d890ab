/** The compact serialisation of a JWS, taken apart without believing any of it. */
import type { JsonValue } from "../json/parse.ts";
import { isJsonObject, isPlainJson, member, parseJsonFirstWins } from "../json/parse.ts";
import { decodeUtf8, joinBytes, toBytes } from "../text.ts";
import type { Text } from "../types.ts";
import {
  decodeBase64url,
  decodeBase64urlInto,
  encodeBase64url,
  isCanonicalBase64url,
} from "./base64url.ts";
import { Slab } from "./slab.ts";

/** The members of a JOSE header that matter here; all of them are the sender's claims. */
export interface JwsHeader {
  readonly alg: JsonValue | undefined;
  readonly kid: string | undefined;
  readonly hasCrit: boolean;
  /** `invalid`: present and not a boolean. */
  readonly b64: boolean | "invalid";
}

export interface CompactJws {
  readonly header: JwsHeader;
  /** The whole token as it was sent. */
  readonly token: Uint8Array;
  /** The bytes the signature is over. May share memory with the token. */
  readonly signingInput: Uint8Array;
  /** Undefined when it is not UTF-8. Not to be believed before the signature holds. */
  readonly payload: string | undefined;
  /** What isPlainJson says of the payload. */
  readonly isPlainPayload: boolean;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Takes tokens apart; undefined for what is not three base64url parts with a JSON object first. */
export type JwsReader = (token: Text) => CompactJws | undefined;

const DOT = 0x2e;
/** LIMIT: the most an MQTT password or username can hold. */
export const TOKEN_BYTES_MAX = 65_535;
/** LIMIT: headers worth remembering are short and few; the rest is read anew each time. */
const KNOWN_HEADER_BYTES_MAX = 512;
const KNOWN_HEADERS_MAX = 8;
/** LIMIT: longer payloads get memory of their own, which is not kept. */
const SCRATCH_BYTES = 4096;

interface KnownHeader {
  readonly encoded: Uint8Array;
  readonly header: JwsHeader;
}

/**
 * A reader of compact JWS. It remembers the last few headers, because all tokens of one issuer
 * share theirs byte for byte.
 *
 * The payload is signed in its one canonical encoding: a payload part with padding or stray bits is
 * judged as if it had none. With `b64: false` the signature is over the decoded payload.
 *
 * Source: authentication §3.3.3; RFC 7515 §5.2, RFC 7797.
 */
export function createJwsReader(): JwsReader {
  const known: KnownHeader[] = [];
  // Used within one call only: a small array of its own per token costs more than decoding it.
  const scratch = new Uint8Array(SCRATCH_BYTES);
  // Signatures outlive the call: keys may have to be fetched first.
  const slab = new Slab();

  function headerOf(token: Uint8Array, end: number): JwsHeader | undefined {
    for (const { encoded, header } of known) {
      if (encoded.length === end && startsWith(token, encoded)) return header;
    }
    const header = readHeader(token, end);
    if (header === undefined || end > KNOWN_HEADER_BYTES_MAX) return header;
    known.unshift({ encoded: token.slice(0, end), header });
    known.length = Math.min(known.length, KNOWN_HEADERS_MAX);
    return header;
  }

  return (text) => {
    const token = toBytes(text);
    if (token.length > TOKEN_BYTES_MAX) return undefined;
    const first = token.indexOf(DOT);
    const second = token.indexOf(DOT, first + 1);
    if (first < 0 || second < 0 || token.indexOf(DOT, second + 1) >= 0) return undefined;
    const header = headerOf(token, first);
    const signature = header && decodeBase64url(token, second + 1, token.length, slab);
    if (header === undefined || signature === undefined) return undefined;
    const room = second - first <= SCRATCH_BYTES ? scratch : new Uint8Array(second - first);
    const length = decodeBase64urlInto(token, first + 1, second, room);
    if (length < 0) return undefined;
    const payload = room.subarray(0, length);
    const signingInput =
      header.b64 === true && isCanonicalBase64url(token, first + 1, second)
        ? token.subarray(0, second)
        : signingInputOf(token.subarray(0, first + 1), header, payload);
    return {
      header,
      token,
      signingInput,
      signature,
      payload: decodeUtf8(payload),
      isPlainPayload: isPlainJson(room, length),
    };
  };
}

/** `alg` and `kid` for a message: short, quoted, without control characters. */
export function describeHeader(header: JwsHeader): string {
  const parts = [`alg ${quote(header.alg)}`];
  if (header.kid !== undefined) parts.push(`kid ${quote(header.kid)}`);
  return parts.join(", ");
}

function startsWith(token: Uint8Array, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index += 1) {
    if (token[index] !== prefix[index]) return false;
  }
  return true;
}

function readHeader(token: Uint8Array, end: number): JwsHeader | undefined {
  const bytes = decodeBase64url(token, 0, end);
  const text = bytes && decodeUtf8(bytes);
  if (text === undefined) return undefined;
  const reading = parseJsonFirstWins(text);
  if (!reading.ok || !isJsonObject(reading.value)) return undefined;
  const kid = member(reading.value, "kid");
  const b64 = member(reading.value, "b64");
  return {
    alg: member(reading.value, "alg"),
    kid: typeof kid === "string" ? kid : undefined,
    hasCrit: member(reading.value, "crit") !== undefined,
    b64: b64 === undefined || typeof b64 === "boolean" ? (b64 ?? true) : "invalid",
  };
}

function signingInputOf(prefix: Uint8Array, header: JwsHeader, payload: Uint8Array): Uint8Array {
  const signed = header.b64 === false ? payload : encodeBase64url(payload);
  return joinBytes([prefix, signed]);
}

function quote(value: JsonValue | undefined): string {
  if (typeof value !== "string") return value === undefined ? "missing" : "not a text";
  const printable = value.slice(0, 40).replace(/[^\x20-\x5f\x61-\x7e]/g, "?");
  return `\`${printable}${value.length > 40 ? "…" : ""}\``;
}
