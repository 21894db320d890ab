/**
 * Crypto on web standards: jose imports the keys, WebCrypto verifies. For every runtime that has no
 * binding of its own.
 *
 * Where it is narrower than node:crypto: Ed448 works only where WebCrypto has it, a PSS salt must be
 * as long as the hash, as long as it can be, or empty, and a private key that is not extractable in
 * PKCS#8 form is refused.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { exportJWK, importJWK, importPKCS8, importSPKI, type JWK } from "jose";
import { encodeUtf8, latin1 } from "../text.ts";
import { encodeBase64 } from "./base64.ts";
import { decodeBase64url } from "./base64url.ts";
import type {
  Crypto,
  JwsAlgorithm,
  KeyImport,
  KeyType,
  PemBlock,
  PublicJwk,
  VerificationKey,
} from "./crypto.ts";
import { fitsKey, signatureBytes } from "./crypto.ts";
import { encodedKeyOf } from "./der.ts";

type Material =
  | { readonly kty: "oct"; readonly secret: Uint8Array<ArrayBuffer> }
  | { readonly kty: "public"; readonly jwk: PublicJwk };

/** WebCrypto binds a key to one algorithm, so each is imported once per algorithm, on first use. */
interface Handle {
  readonly material: Material;
  readonly byAlgorithm: Map<JwsAlgorithm, Promise<CryptoKey>>;
}

type Parameters = AlgorithmIdentifier | EcdsaParams | RsaPssParams;

const UNUSABLE: Handle = {
  material: { kty: "oct", secret: new Uint8Array() },
  byAlgorithm: new Map(),
};

/** A Crypto on the runtime's WebCrypto. */
export function createJoseCrypto(): Crypto {
  return { importSecret, importPem, importJwk, verify, digest };
}

function importSecret(secret: Uint8Array): KeyImport {
  const handle: Handle = {
    material: { kty: "oct", secret: Uint8Array.from(secret) },
    byAlgorithm: new Map(),
  };
  return { ok: true, key: { type: "oct", bits: secret.length * 8, handle } };
}

async function importPem(block: PemBlock): Promise<KeyImport> {
  const encoded = encodedKeyOf(block);
  if (encoded === undefined) {
    return { ok: false, problem: `the \`${block.label}\` block does not hold a key` };
  }
  if (encoded.type === "unsupported") return unsupported();
  try {
    const label = encoded.format === "spki" ? "PUBLIC KEY" : "PRIVATE KEY";
    const load = encoded.format === "spki" ? importSPKI : importPKCS8;
    const pem = `-----BEGIN ${label}-----\n${encodeBase64(encoded.der)}\n-----END ${label}-----`;
    if (encoded.type === "Ed448") return importJwk(await ed448Jwk(encoded.format, encoded.der));
    const key = await load(pem, anyAlgorithm(encoded.type), { extractable: true });
    return importJwk(toPublic(await exportJWK(key)));
  } catch {
    return { ok: false, problem: `the \`${block.label}\` block cannot be read as a key` };
  }
}

async function importJwk(jwk: PublicJwk): Promise<KeyImport> {
  const type = typeOf(jwk);
  if (type === "unsupported") return unsupported();
  const handle: Handle = { material: { kty: "public", jwk }, byAlgorithm: new Map() };
  const key: VerificationKey = { type, bits: jwk.kty === "RSA" ? modulusBits(jwk.n) : 0, handle };
  try {
    await cryptoKey(handle, anyAlgorithm(type));
  } catch {
    // Parameters that are no key, or a curve this platform does not have.
    return unsupported();
  }
  return { ok: true, key };
}

async function verify(
  algorithm: JwsAlgorithm,
  key: VerificationKey,
  signingInput: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const length = signatureBytes(key);
  if (!fitsKey(algorithm, key.type) || (length !== undefined && signature.length !== length)) {
    return false;
  }
  const imported = await cryptoKey(key.handle as Handle, algorithm);
  const data = signingInput as Uint8Array<ArrayBuffer>;
  for (const parameters of parametersOf(algorithm, key)) {
    const sealed = signature as Uint8Array<ArrayBuffer>;
    if (await crypto.subtle.verify(parameters, imported, sealed, data)) return true;
  }
  return false;
}

function digest(bytes: Uint8Array): string {
  return latin1(sha256(bytes));
}

/** The verification parameters to try; several only for the PSS salt lengths in use. */
function parametersOf(algorithm: JwsAlgorithm, key: VerificationKey): readonly Parameters[] {
  const bits = Number(algorithm.slice(2));
  switch (algorithm.slice(0, 2)) {
    case "HS":
      return [{ name: "HMAC" }];
    case "RS":
      return [{ name: "RSASSA-PKCS1-v1_5" }];
    case "PS": {
      const hashBytes = bits / 8;
      const longest = Math.ceil((key.bits - 1) / 8) - hashBytes - 2;
      return [hashBytes, longest, 0]
        .filter((saltLength) => saltLength >= 0)
        .map((saltLength) => ({ name: "RSA-PSS", saltLength }));
    }
    case "ES":
      return [{ name: "ECDSA", hash: `SHA-${bits}` }];
    default:
      return [{ name: key.type }];
  }
}

function cryptoKey(handle: Handle, algorithm: JwsAlgorithm): Promise<CryptoKey> {
  let key = handle.byAlgorithm.get(algorithm);
  if (key === undefined) {
    key = importFor(handle.material, algorithm);
    handle.byAlgorithm.set(algorithm, key);
  }
  return key;
}

async function importFor(material: Material, algorithm: JwsAlgorithm): Promise<CryptoKey> {
  if (material.kty === "oct") {
    // WebCrypto refuses an empty secret; HMAC pads with zeros, so one zero byte is the same key.
    const secret = material.secret.length === 0 ? Uint8Array.of(0) : material.secret;
    const parameters = { name: "HMAC", hash: `SHA-${algorithm.slice(2)}` };
    return crypto.subtle.importKey("raw", secret, parameters, false, ["verify"]);
  }
  const jwk: JWK = { ...material.jwk };
  if (jwk.crv === "Ed448") {
    return crypto.subtle.importKey("jwk", jwk, { name: "Ed448" }, false, ["verify"]);
  }
  return (await importJWK(jwk, algorithm)) as CryptoKey;
}

async function ed448Jwk(
  format: "spki" | "pkcs8",
  der: Uint8Array<ArrayBuffer>,
): Promise<PublicJwk> {
  const usages: KeyUsage[] = [format === "spki" ? "verify" : "sign"];
  const key = await crypto.subtle.importKey(format, der, { name: "Ed448" }, true, usages);
  return toPublic((await crypto.subtle.exportKey("jwk", key)) as JWK);
}

/** Only the public members: a private key given as `public_key` is not kept. */
function toPublic(jwk: JWK): PublicJwk {
  const { kty, n, e, crv, x, y } = jwk;
  if (kty === "RSA") return { kty: "RSA", n: n!, e: e! };
  return kty === "EC" ? { kty: "EC", crv: crv!, x: x!, y: y! } : { kty: "OKP", crv: crv!, x: x! };
}

function typeOf(jwk: PublicJwk): KeyType {
  if (jwk.kty === "RSA") return "RSA";
  const known: readonly string[] =
    jwk.kty === "EC" ? ["P-256", "P-384", "P-521"] : ["Ed25519", "Ed448"];
  return known.includes(jwk.crv) ? (jwk.crv as KeyType) : "unsupported";
}

/** An algorithm to import a key of this type for, when any will do. */
function anyAlgorithm(type: KeyType): JwsAlgorithm {
  switch (type) {
    case "RSA":
      return "RS256";
    case "P-256":
      return "ES256";
    case "P-384":
      return "ES384";
    case "P-521":
      return "ES512";
    default:
      return "EdDSA";
  }
}

function modulusBits(n: string): number {
  const bytes = decodeBase64url(encodeUtf8(n)) ?? new Uint8Array();
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first]!) + 24;
}

function unsupported(): KeyImport {
  return { ok: true, key: { type: "unsupported", bits: 0, handle: UNUSABLE } };
}
