/**
 * Just enough DER to see what kind of public key a PEM block holds and to bring it into
 * SubjectPublicKeyInfo or PKCS#8 form, which is all that web cryptography imports.
 */
import { toHex } from "../text.ts";
import type { KeyType, PemBlock } from "./crypto.ts";

/** A key in a form that web cryptography can import. */
export interface EncodedKey {
  readonly format: "spki" | "pkcs8";
  readonly type: KeyType;
  readonly der: Uint8Array<ArrayBuffer>;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const SEQUENCE = 0x30;
const CONTEXT_0 = 0xa0;

/** Object identifiers as hexadecimal content bytes. */
const RSA_ENCRYPTION = "2a864886f70d010101";
const EC_PUBLIC_KEY = "2a8648ce3d0201";
const CURVES: Readonly<Record<string, KeyType>> = {
  "2a8648ce3d030107": "P-256",
  "2b81040022": "P-384",
  "2b81040023": "P-521",
};
const EDWARDS: Readonly<Record<string, KeyType>> = {
  "2b6570": "Ed25519",
  "2b6571": "Ed448",
};

/** AlgorithmIdentifier of an RSA key: the identifier above and NULL. */
const RSA_ALGORITHM = Uint8Array.from([
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
]);
const ZERO = Uint8Array.from([INTEGER, 1, 0]);

/** One tag with its content; views, not copies. */
export interface Element {
  readonly tag: number;
  /** Header and content. */
  readonly whole: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
}

/**
 * The key of one PEM block, or undefined when the block is not a key or certificate of a known
 * form. Curves and algorithms outside the tables come back with type `unsupported`.
 */
export function encodedKeyOf(block: PemBlock): EncodedKey | undefined {
  switch (block.label) {
    case "PUBLIC KEY":
      return fromSpki(block.der);
    case "RSA PUBLIC KEY":
      return childrenOf(block.der) === undefined
        ? undefined
        : fromSpki(wrap(SEQUENCE, RSA_ALGORITHM, bitString(block.der)));
    case "CERTIFICATE":
      return fromCertificate(block.der);
    case "PRIVATE KEY":
      return fromPkcs8(block.der);
    case "RSA PRIVATE KEY":
      return fromPkcs8(wrap(SEQUENCE, ZERO, RSA_ALGORITHM, wrap(OCTET_STRING, block.der)));
    case "EC PRIVATE KEY":
      return fromSec1(block.der);
    default:
      return undefined;
  }
}

function fromSpki(der: Uint8Array<ArrayBuffer>): EncodedKey | undefined {
  const fields = childrenOf(der);
  const algorithm = fields?.[0];
  if (fields?.length !== 2 || algorithm === undefined || fields[1]?.tag !== BIT_STRING) {
    return undefined;
  }
  const type = typeOf(algorithm);
  return type && { format: "spki", type, der };
}

function fromPkcs8(der: Uint8Array<ArrayBuffer>): EncodedKey | undefined {
  const fields = childrenOf(der);
  if (fields === undefined || fields.length < 3 || fields[0]?.tag !== INTEGER) return undefined;
  const type = typeOf(fields[1]!);
  return type && fields[2]?.tag === OCTET_STRING ? { format: "pkcs8", type, der } : undefined;
}

/** Certificate → TBSCertificate → the field after version?, serial, signature, issuer, validity, subject. */
function fromCertificate(der: Uint8Array<ArrayBuffer>): EncodedKey | undefined {
  const signed = childrenOf(der)?.[0];
  const fields = signed && childrenOf(signed.whole);
  if (fields === undefined) return undefined;
  const spki = fields[fields[0]?.tag === CONTEXT_0 ? 6 : 5];
  return spki && fromSpki(spki.whole);
}

/** ECPrivateKey: version, secret, [0] curve, [1] public key. */
function fromSec1(der: Uint8Array<ArrayBuffer>): EncodedKey | undefined {
  const curve = childrenOf(der)?.find((field) => field.tag === CONTEXT_0);
  if (curve === undefined) return undefined;
  const oid = Uint8Array.from(EC_PUBLIC_KEY.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const algorithm = wrap(SEQUENCE, wrap(OBJECT_ID, oid), curve.content);
  return fromPkcs8(wrap(SEQUENCE, ZERO, algorithm, wrap(OCTET_STRING, der)));
}

/** The key type an AlgorithmIdentifier names; undefined when it is not one. */
function typeOf(algorithm: Element): KeyType | undefined {
  const parts = childrenOf(algorithm.whole);
  const id = parts?.[0];
  if (id?.tag !== OBJECT_ID) return undefined;
  const oid = toHex(id.content);
  if (oid === RSA_ENCRYPTION) return "RSA";
  if (oid === EC_PUBLIC_KEY)
    return CURVES[toHex(parts?.[1]?.content ?? new Uint8Array())] ?? "unsupported";
  return EDWARDS[oid] ?? "unsupported";
}

/** The elements of a SEQUENCE that fills `der` exactly; undefined when it does not. */
export function childrenOf(der: Uint8Array<ArrayBuffer>): Element[] | undefined {
  const outer = elementAt(der, 0);
  if (outer?.tag !== SEQUENCE || outer.whole.length !== der.length) return undefined;
  return elementsIn(outer.content);
}

/** The elements that fill `content` exactly; undefined when they do not. */
export function elementsIn(content: Uint8Array<ArrayBuffer>): Element[] | undefined {
  const elements: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const element = elementAt(content, at);
    if (element === undefined) return undefined;
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

function elementAt(der: Uint8Array<ArrayBuffer>, at: number): Element | undefined {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) return undefined;
    length = 0;
    for (let index = 0; index < count; index += 1)
      length = length * 256 + (der[start + index] ?? 0);
    start += count;
  }
  const end = start + length;
  if (end > der.length) return undefined;
  return { tag, whole: der.subarray(at, end), content: der.subarray(start, end) };
}

function wrap(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const size: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest & 0xff);
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | size.length, ...size];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function bitString(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return wrap(BIT_STRING, Uint8Array.of(0), content);
}
