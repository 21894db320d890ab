/**
 * The messages of SCRAM, read and written.
 *
 *   client-first   n,,n=USER,r=NONCE            or y,,…   or n,a=AUTHZID,…
 *   server-first   r=NONCE+OURS,s=SALT,i=ITERATIONS
 *   client-final   c=BASE64(n,,),r=NONCE+OURS,p=BASE64(PROOF)
 *   server-final   v=BASE64(SIGNATURE)
 *
 * Source: RFC 5802 §5, §7; authentication §6.2.
 */
import { decodeBase64, encodeBase64 } from "../../crypto/base64.ts";
import { decodeUtf8 } from "../../text.ts";

/** LIMIT: bytes of a message; a name and a nonce need a few dozen. */
export const SCRAM_MESSAGE_BYTES_MAX = 8_192;

/** What the client knows of channel bindings: `n` none, `y` some, but it thinks we do not. */
export type BindingFlag = "n" | "y";

export interface ClientFirst {
  readonly flag: BindingFlag;
  /** Decoded. */
  readonly user: string;
  readonly nonce: string;
  /** Without the flag: what is signed. */
  readonly bare: string;
}

export interface ClientFinal {
  readonly flag: BindingFlag;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** What is signed. */
  readonly withoutProof: string;
}

/** `saslname`: `,` and `=` are written `=2C` and `=3D`. */
const NAME = "(?:[^\\0=,]|=2C|=3D)+";
const AUTHZID = new RegExp(`^(?:a=${NAME})?$`, "u");
const USER = new RegExp(`^n=(${NAME})$`, "u");
const NONCE = /^r=([\x21-\x2b\x2d-\x7e]+)$/;
const BINDING = /^c=([A-Za-z0-9+/=]+)$/;
const PROOF = /^p=([A-Za-z0-9+/=]+)$/;
const EXTENSION = /^([A-Za-z])=[^\0,]+$/u;
/** Letters with a meaning of their own; `m` announces an extension that must be understood. */
const TAKEN = /^[acmnprsiv]/;

/**
 * Reads a client-first message. Undefined when it is malformed, asks for channel binding (`p=`) or
 * for an extension that must be understood (`m=`); others are passed over.
 */
export function readClientFirst(data: Uint8Array): ClientFirst | undefined {
  const parts = toParts(data);
  if (!parts) return undefined;
  const [flag, authzid = "?", user = "", nonce = "", ...extensions] = parts;
  const name = USER.exec(user)?.[1];
  const random = NONCE.exec(nonce)?.[1];
  if (!isFlag(flag) || !AUTHZID.test(authzid) || name === undefined || random === undefined) {
    return undefined;
  }
  if (!extensions.every(isExtension)) return undefined;
  return { flag, user: unescapeName(name), nonce: random, bare: parts.slice(2).join(",") };
}

/** Reads a client-final message. Undefined when it is malformed. */
export function readClientFinal(data: Uint8Array): ClientFinal | undefined {
  const parts = toParts(data);
  if (!parts) return undefined;
  const [binding = "", nonce = "", ...others] = parts;
  const proof = others.pop() ?? "";
  const flag = readBinding(BINDING.exec(binding)?.[1]);
  const random = NONCE.exec(nonce)?.[1];
  const bytes = decodeExactly(PROOF.exec(proof)?.[1]);
  if (flag === undefined || random === undefined || bytes === undefined) return undefined;
  if (!others.every(isExtension)) return undefined;
  return { flag, nonce: random, proof: bytes, withoutProof: parts.slice(0, -1).join(",") };
}

export function writeServerFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
}

export function writeServerFinal(signature: Uint8Array): string {
  return `v=${encodeBase64(signature)}`;
}

/** The flag in what the client says it began with; nothing may stand behind that header. */
function readBinding(encoded: string | undefined): BindingFlag | undefined {
  const header = decodeExactly(encoded);
  const parts = header && toParts(header);
  if (parts?.length !== 3) return undefined;
  const [flag, authzid, rest] = parts;
  return isFlag(flag) && AUTHZID.test(authzid!) && rest === "" ? flag : undefined;
}

/** No two messages may mean the same: bits that base64 leaves unused have to be zero. */
function decodeExactly(encoded: string | undefined): Uint8Array | undefined {
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  return bytes && encodeBase64(bytes) === encoded ? bytes : undefined;
}

function isFlag(text: string | undefined): text is BindingFlag {
  return text === "n" || text === "y";
}

function isExtension(text: string): boolean {
  return EXTENSION.test(text) && !TAKEN.test(text);
}

function unescapeName(name: string): string {
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

/** A comma is never part of anything. */
function toParts(data: Uint8Array): string[] | undefined {
  if (data.length > SCRAM_MESSAGE_BYTES_MAX) return undefined;
  return decodeUtf8(data)?.split(",");
}
