/**
 * What a client certificate says of its owner: the subject as text, and the certificate as an
 * identity. Reads DER and decides nothing: whether the certificate can be trusted is known by then.
 */
import { md5 } from "@noble/hashes/legacy.js";
import { decodeUtf8, latin1, toHex, toText } from "../text.ts";
import { encodeBase64 } from "./base64.ts";
import { childrenOf, type Element, elementsIn } from "./der.ts";

export interface Subject {
  /** Common names in the order of the certificate, joined with `,`; undefined when there is none. */
  readonly commonName: string | undefined;
  /** RFC 4514: last RDN first, `,` between them; empty for an empty subject. */
  readonly text: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_ID = 0x06;
const CONTEXT_0 = 0xa0;

/** Object identifiers as hexadecimal content bytes → the names subjects are written with. */
const NAMES: Readonly<Record<string, string>> = {
  "550403": "CN",
  "550404": "SN",
  "550405": "SERIALNUMBER",
  "550406": "C",
  "550407": "L",
  "550408": "ST",
  "550409": "STREET",
  "55040a": "O",
  "55040b": "OU",
  "55040c": "TITLE",
  "55042a": "GIVENNAME",
  "55042b": "INITIALS",
  "55042c": "GENERATIONQUALIFIER",
  "550441": "PSEUDONYM",
  "2a864886f70d010901": "EMAILADDRESS",
  "0992268993f22c640101": "UID",
  "0992268993f22c640119": "DC",
};
const COMMON_NAME = "CN";

/**
 * The subject of a certificate in DER. Undefined when it cannot be read, and when a value in it is
 * badly encoded or has control characters: names like that could pass for others.
 *
 * Source: authentication §1.1 step 6, §6.5; RFC 5280 §4.1, RFC 4514 §2.
 */
export function readSubject(der: Uint8Array): Subject | undefined {
  const bytes = Uint8Array.from(der);
  const signed = childrenOf(bytes)?.[0];
  const fields = signed && childrenOf(signed.whole);
  // TBSCertificate: version?, serial, signature, issuer, validity, subject.
  const subject = fields?.[fields[0]?.tag === CONTEXT_0 ? 5 : 4];
  const rdns = subject && childrenOf(subject.whole);
  if (rdns === undefined) return undefined;
  const commonNames: string[] = [];
  const texts: string[] = [];
  for (const rdn of rdns) {
    const pairs = rdn.tag === SET ? elementsIn(rdn.content) : undefined;
    if (pairs === undefined || pairs.length === 0) return undefined;
    const parts: string[] = [];
    for (const pair of pairs) {
      const attribute = readAttribute(pair);
      if (attribute === undefined) return undefined;
      if (attribute.name === COMMON_NAME) commonNames.push(attribute.value);
      parts.push(`${attribute.name}=${attribute.escaped}`);
    }
    texts.unshift(parts.join("+"));
  }
  const commonName = commonNames.length > 0 ? commonNames.join(",") : undefined;
  return { commonName, text: texts.join(",") };
}

/** Lower-case hexadecimal MD5 of a certificate in DER. A short name for it, not a proof of anything. */
export function certificateMd5(der: Uint8Array): string {
  return toHex(md5(der));
}

/** Base64 of a certificate in DER: one line, without PEM armour. */
export function certificateBase64(der: Uint8Array): string {
  return encodeBase64(der);
}

interface Attribute {
  readonly name: string;
  readonly value: string;
  /** As it stands in the subject's text. */
  readonly escaped: string;
}

function readAttribute(pair: Element): Attribute | undefined {
  const parts = pair.tag === SEQUENCE ? elementsIn(pair.content) : undefined;
  const [type, value] = parts ?? [];
  if (parts?.length !== 2 || type?.tag !== OBJECT_ID || value === undefined) return undefined;
  const oid = toHex(type.content);
  const name = Object.hasOwn(NAMES, oid) ? NAMES[oid] : undefined;
  if (name === undefined) {
    // RFC 4514 §2.4: without a name for the type, the value is its encoding in hexadecimal.
    const encoded = `#${toHex(value.whole)}`;
    const dotted = dottedId(type.content);
    return dotted === undefined ? undefined : { name: dotted, value: encoded, escaped: encoded };
  }
  const text = readString(value);
  if (text === undefined || /[\x00-\x1f\x7f-\x9f]/.test(text)) return undefined;
  return { name, value: text, escaped: escapeValue(text) };
}

/** A DER string of any of the kinds that names come in. */
function readString({ tag, content }: Element): string | undefined {
  switch (tag) {
    case 0x0c: // UTF8String
    case 0x12: // NumericString
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return decodeUtf8(content);
    case 0x14: // TeletexString, in practice Latin-1
      return latin1(content);
    case 0x1e: // BMPString
      return decodeUtf16(content);
    default:
      return undefined;
  }
}

/** High byte first, which not every runtime decodes. */
function decodeUtf16(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined;
  let text = "";
  for (let at = 0; at < content.length; at += 2) {
    text += String.fromCharCode(content[at]! * 256 + content[at + 1]!);
  }
  return toText(text);
}

/** RFC 4514 §2.4. */
function escapeValue(value: string): string {
  return value.replace(/^[ #]|["+,;<>\\]| $/g, "\\$&");
}

/** `1.2.840.…`; undefined when the bytes are no identifier. */
function dottedId(content: Uint8Array): string | undefined {
  const numbers: bigint[] = [];
  let number = 0n;
  for (const [at, byte] of content.entries()) {
    number = number * 128n + BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) {
      if (at === content.length - 1) return undefined;
      continue;
    }
    numbers.push(number);
    number = 0n;
  }
  const [first, ...rest] = numbers;
  if (first === undefined) return undefined;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join(".");
}
