/** Mints JSON Web Tokens for trying things out. Not a token service. */
import { createHmac, createPrivateKey, type KeyObject, sign } from "node:crypto";

export type MintAlgorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "ES256"
  | "ES384"
  | "ES512";

export const MINT_ALGORITHMS: readonly MintAlgorithm[] = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
];

export interface MintOptions {
  readonly algorithm: MintAlgorithm;
  /** HMAC secret bytes, or a private key in PEM. */
  readonly key: Uint8Array | string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly keyId?: string | undefined;
}

/** A signed compact JWT. Throws when the key does not fit the algorithm. */
export function mintToken(options: MintOptions): string {
  const header: Record<string, unknown> = { alg: options.algorithm, typ: "JWT" };
  if (options.keyId) header.kid = options.keyId;
  const input = `${encode(header)}.${encode(options.claims)}`;
  return `${input}.${signature(options, input).toString("base64url")}`;
}

function signature({ algorithm, key }: MintOptions, input: string): Buffer {
  const digest = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("HS")) return createHmac(digest, key).update(input).digest();
  const privateKey: KeyObject = createPrivateKey(key as string);
  const wanted = algorithm.startsWith("RS") ? "rsa" : "ec";
  if (privateKey.asymmetricKeyType !== wanted) {
    throw new TypeError(
      `${algorithm} needs a private ${wanted.toUpperCase()} key, this is ${privateKey.asymmetricKeyType}`,
    );
  }
  return sign(digest, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
