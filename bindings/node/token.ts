/** Mints JSON Web Tokens for trying things out. Not a token service. */
import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { decodeUtf8 } from "../../src/text.ts";

export const MINT_ALGORITHMS = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
] as const;

export type MintAlgorithm = (typeof MINT_ALGORITHMS)[number];

export interface MintOptions {
  readonly algorithm: MintAlgorithm;
  /** HMAC secret bytes, or a private key in PEM. */
  readonly key: Uint8Array | string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly keyId?: string | undefined;
}

/** A signed compact JWT. Throws TypeError, without the key in it, when the key does not fit. */
export function mintToken(options: MintOptions): string {
  const header: Record<string, unknown> = { alg: options.algorithm, typ: "JWT" };
  if (options.keyId) header.kid = options.keyId;
  const input = `${encode(header)}.${encode(options.claims)}`;
  return `${input}.${signature(options, input).toString("base64url")}`;
}

/** Curve of each ECDSA algorithm, as node:crypto calls it. Source: RFC 7518 §3.4. */
const CURVES: Readonly<Record<string, string>> = {
  ES256: "prime256v1",
  ES384: "secp384r1",
  ES512: "secp521r1",
};

function signature({ algorithm, key }: MintOptions, input: string): Buffer {
  const digest = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("HS")) return createHmac(digest, key).update(input).digest();
  const privateKey = readPrivateKey(key);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
  const wanted = algorithm.startsWith("RS") ? "rsa" : "ec";
  if (type !== wanted) {
    throw new TypeError(
      `${algorithm} needs a private ${wanted.toUpperCase()} key, this one is ${type?.toUpperCase()}`,
    );
  }
  const curve = CURVES[algorithm];
  if (curve !== undefined && details?.namedCurve !== curve) {
    throw new TypeError(
      `${algorithm} needs a key on the curve ${curve}, this one is on ${details?.namedCurve}`,
    );
  }
  return sign(digest, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
}

function readPrivateKey(key: MintOptions["key"]): KeyObject {
  const pem = typeof key === "string" ? key : Buffer.from(key).toString();
  if (/-----BEGIN (?:RSA |EC )?PUBLIC KEY-----|-----BEGIN CERTIFICATE-----/.test(pem)) {
    throw new TypeError("this is a public key or certificate: signing needs the private key");
  }
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw new TypeError("the private key is encrypted: decrypt it first (`openssl pkey -in FILE`)");
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TypeError("this is not a private key in PEM (`-----BEGIN PRIVATE KEY-----` …)");
  }
}

export interface DecodedToken {
  readonly header: unknown;
  readonly claims: unknown;
}

/** Header and claims of a compact JWT, unverified. Throws TypeError, which names the broken part. */
export function decodeToken(token: string): DecodedToken {
  const parts = token.trim().split(".");
  if (parts.length !== 3) {
    throw new TypeError(`a token has three parts between dots, this text has ${parts.length}`);
  }
  return { header: decodePart(parts[0]!, "header"), claims: decodePart(parts[1]!, "payload") };
}

function decodePart(part: string, name: string): unknown {
  if (!/^[\w-]+$/.test(part)) throw new TypeError(`the ${name} is not base64url`);
  try {
    return JSON.parse(decodeUtf8(Buffer.from(part, "base64url")) ?? "");
  } catch {
    throw new TypeError(`the ${name} is not JSON`);
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
