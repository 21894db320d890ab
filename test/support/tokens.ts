/** Keys and tokens made on the spot, with node:crypto so that they do not depend on what is tested. */
import { constants, createHmac, type KeyObject, sign as signBytes } from "node:crypto";
import { makeKeyPair } from "./key-pair.ts";

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const rsa = makeKeyPair("rsa", { modulusLength: 2048 });
export const otherRsa = makeKeyPair("rsa", { modulusLength: 2048 });
export const p256 = makeKeyPair("ec", { namedCurve: "P-256" });
export const p384 = makeKeyPair("ec", { namedCurve: "P-384" });
export const p521 = makeKeyPair("ec", { namedCurve: "P-521" });
export const secp256k1 = makeKeyPair("ec", { namedCurve: "secp256k1" });
export const ed25519 = makeKeyPair("ed25519");
export const ed448 = makeKeyPair("ed448");

/** The usual key of an algorithm. */
export function keyPairFor(algorithm: string): KeyPair {
  switch (algorithm) {
    case "ES256":
      return p256;
    case "ES384":
      return p384;
    case "ES512":
      return p521;
    case "EdDSA":
      return ed25519;
    default:
      return rsa;
  }
}

export function spkiPem(key: KeyObject): string {
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** Base64url of a text, of bytes, or of a value as JSON. */
export function encodePart(value: unknown): string {
  const bytes =
    typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value);
  return Buffer.from(bytes).toString("base64url");
}

/** The raw signature of `input`, whatever the header says. */
export function signInput(
  algorithm: string,
  key: KeyObject | string,
  input: string | Uint8Array,
): Buffer {
  const data = Buffer.from(input);
  const hash = algorithm === "EdDSA" ? null : `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("HS")) return createHmac(hash!, key).update(data).digest();
  if (typeof key === "string") throw new Error("only HMAC takes a text as key");
  if (!algorithm.startsWith("PS")) return signBytes(hash, data, { key, dsaEncoding: "ieee-p1363" });
  return signBytes(hash, data, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}

/** A signed compact token. Header and payload may be texts, to be wrong in. */
export function makeToken(
  algorithm: string,
  key: KeyObject | string,
  payload: unknown,
  header: unknown = { alg: algorithm },
): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${signInput(algorithm, key, input).toString("base64url")}`;
}
