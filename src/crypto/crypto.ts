/**
 * What the rest of the engine knows of cryptography: keys come in, signatures are checked. jose.ts
 * implements it on web standards, the Node binding on node:crypto; one test body holds for both.
 */

/** The JWS algorithms there are here. `none`, ES256K and any other spelling do not exist. */
export const JWS_ALGORITHMS = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number];

/** What an authenticator is configured for; an algorithm of the other family is never tried. */
export type AlgorithmFamily = "hmac" | "public_key";

/** What a key is. `unsupported` keys can be held but verify nothing (secp256k1, X25519 …). */
export type KeyType =
  | "oct"
  | "RSA"
  | "P-256"
  | "P-384"
  | "P-521"
  | "Ed25519"
  | "Ed448"
  | "unsupported";

/** A key that can verify. Secrets stay inside `handle`, which only its own Crypto understands. */
export interface VerificationKey {
  readonly type: KeyType;
  /** Length of the secret or of the RSA modulus in bits; 0 where it has no meaning. */
  readonly bits: number;
  /** From a JWK, where given. */
  readonly kid?: string | undefined;
  readonly use?: string | undefined;
  readonly alg?: string | undefined;
  readonly keyOps?: readonly string[] | undefined;
  /** Of a JWK: what it was made from. Equal texts mean the same key. */
  readonly jwk?: string | undefined;
  readonly handle: unknown;
}

export type KeyImport =
  | { readonly ok: true; readonly key: VerificationKey }
  | { readonly ok: false; readonly problem: string };

/** A JWK with its kind already checked by key-set.ts. */
export type PublicJwk =
  | { readonly kty: "RSA"; readonly n: string; readonly e: string }
  | { readonly kty: "EC"; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: "OKP"; readonly crv: string; readonly x: string };

export interface Crypto {
  /** A secret for HMAC; may be empty. */
  importSecret(secret: Uint8Array): KeyImport | Promise<KeyImport>;
  /** The public key of one PEM block (see pem.ts for which). */
  importPem(block: PemBlock): KeyImport | Promise<KeyImport>;
  /** A public JWK. A key the platform cannot use comes back as `unsupported`. */
  importJwk(jwk: PublicJwk): KeyImport | Promise<KeyImport>;
  /**
   * Is `signature` (raw bytes; ECDSA as R ‖ S) the one of `signingInput`?
   *
   * Assumes `fitsKey(algorithm, key.type)`; answers false for everything else, and for signatures
   * of the wrong length. Secret-dependent comparisons take constant time. HMAC answers at once
   * where the platform can. Neither array may change before the answer.
   */
  verify(
    algorithm: JwsAlgorithm,
    key: VerificationKey,
    signingInput: Uint8Array,
    signature: Uint8Array,
  ): boolean | Promise<boolean>;
  /** SHA-256, one character a byte. */
  digest(bytes: Uint8Array): string;
}

/** One `-----BEGIN …-----` block. */
export interface PemBlock {
  /** `PUBLIC KEY`, `CERTIFICATE` … */
  readonly label: string;
  readonly der: Uint8Array<ArrayBuffer>;
}

const KEY_TYPES: Readonly<Record<JwsAlgorithm, readonly KeyType[]>> = {
  HS256: ["oct"],
  HS384: ["oct"],
  HS512: ["oct"],
  RS256: ["RSA"],
  RS384: ["RSA"],
  RS512: ["RSA"],
  PS256: ["RSA"],
  PS384: ["RSA"],
  PS512: ["RSA"],
  ES256: ["P-256"],
  ES384: ["P-384"],
  ES512: ["P-521"],
  EdDSA: ["Ed25519", "Ed448"],
};

/**
 * The algorithm a header names, if it is one of `family`. Exact spelling; anything but a string, or
 * a name of the other family, is undefined.
 *
 * Source: authentication §3.3.2; RFC 8725 §3.1.
 */
export function algorithmOf(family: AlgorithmFamily, alg: unknown): JwsAlgorithm | undefined {
  if (typeof alg !== "string" || !Object.hasOwn(KEY_TYPES, alg)) return undefined;
  const isHmac = alg.startsWith("HS");
  return isHmac === (family === "hmac") ? (alg as JwsAlgorithm) : undefined;
}

/** May this algorithm be used with a key of this type? Pins the curve, and HMAC to secrets. */
export function fitsKey(algorithm: JwsAlgorithm, type: KeyType): boolean {
  return KEY_TYPES[algorithm].includes(type);
}

/** LIMIT: RSA keys should have this many bits. Source: RFC 7518 §3.3. */
export const RSA_BITS_MIN = 2048;

/**
 * Is the key as long as the algorithm asks for: an HMAC secret as long as the hash, an RSA modulus of
 * 2048 bits?
 *
 * Source: RFC 7518 §3.2, §3.3; authentication §8 item 16.
 */
export function isLongEnough(algorithm: JwsAlgorithm, key: VerificationKey): boolean {
  if (key.type === "oct") return key.bits >= Number(algorithm.slice(2));
  return key.type !== "RSA" || key.bits >= RSA_BITS_MIN;
}

/**
 * Bytes of a key's signatures: exactly so many (RFC 8017 §8.1.2, RFC 7518 §3.4), which not every platform
 * insists on. Undefined for an HMAC, whose length the hash decides.
 */
export function signatureBytes({ type, bits }: VerificationKey): number | undefined {
  switch (type) {
    case "RSA":
      return Math.ceil(bits / 8);
    case "P-256":
    case "Ed25519":
      return 64;
    case "P-384":
      return 96;
    case "P-521":
      return 132;
    case "Ed448":
      return 114;
    default:
      return undefined;
  }
}
