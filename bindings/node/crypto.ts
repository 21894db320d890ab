/**
 * Crypto on node:crypto: HMAC at once, checks with a public key on the thread pool so that a burst of
 * connects does not stall the event loop, but for a single RSA check now and then.
 */
import {
  constants,
  createPublicKey,
  hash,
  type KeyObject,
  type VerifyKeyObjectInput,
  verify as verifySignature,
} from "node:crypto";
import type {
  Crypto,
  JwsAlgorithm,
  KeyImport,
  KeyType,
  PemBlock,
  PublicJwk,
  VerificationKey,
} from "../../src/crypto/crypto.ts";
import { fitsKey, signatureBytes } from "../../src/crypto/crypto.ts";
import { type HmacHash, HmacKey } from "./hmac.ts";

const CURVES: Readonly<Record<string, KeyType>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** node:crypto's name of the hash; null where the algorithm brings its own. */
const HASHES: Readonly<Record<JwsAlgorithm, string | null>> = {
  HS256: "sha256",
  HS384: "sha384",
  HS512: "sha512",
  RS256: "sha256",
  RS384: "sha384",
  RS512: "sha512",
  PS256: "sha256",
  PS384: "sha384",
  PS512: "sha512",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
  EdDSA: null,
};

/** A Crypto on node:crypto. */
export function createNodeCrypto(): Crypto {
  return { importSecret, importPem, importJwk, verify: createVerify(), digest };
}

function importSecret(secret: Uint8Array): KeyImport {
  const handle = new HmacKey(secret);
  return { ok: true, key: { type: "oct", bits: secret.length * 8, handle } };
}

function importPem(block: PemBlock): KeyImport {
  const body = Buffer.from(block.der).toString("base64");
  const pem = `-----BEGIN ${block.label}-----\n${body}\n-----END ${block.label}-----\n`;
  try {
    return fromKeyObject(createPublicKey(pem));
  } catch {
    return { ok: false, problem: `the \`${block.label}\` block cannot be read as a key` };
  }
}

function importJwk(jwk: PublicJwk): KeyImport {
  try {
    return fromKeyObject(createPublicKey({ key: { ...jwk }, format: "jwk" }));
  } catch {
    // Parameters that are no key, or a curve this platform does not have.
    return { ok: true, key: { type: "unsupported", bits: 0, handle: undefined } };
  }
}

function fromKeyObject(handle: KeyObject): KeyImport {
  const type = typeOf(handle);
  return {
    ok: true,
    key: { type, bits: handle.asymmetricKeyDetails?.modulusLength ?? 0, handle },
  };
}

function typeOf(key: KeyObject): KeyType {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return "RSA";
    case "ec":
      return CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "unsupported";
    case "ed25519":
      return "Ed25519";
    case "ed448":
      return "Ed448";
    default:
      return "unsupported";
  }
}

/** LIMIT: a longer RSA key takes longer on this thread than the way to the pool and back. */
const QUICK_RSA_BITS_MAX = 3072;

/**
 * Checks signatures: HMAC at once, the rest on the thread pool, so that a burst of connects does not
 * hold up the event loop. The way to the pool and back costs a third of what an RSA check does, so
 * the first one in a turn of the loop is done right here while the pool has nothing to do: a turn is
 * held up by one check and no more, and never by elliptic curves, which take several times as long.
 */
function createVerify(): Crypto["verify"] {
  let isTurnTaken = false;
  let inFlight = 0;
  const endTurn = (): void => {
    isTurnTaken = false;
  };

  function mayStayHere({ type, bits }: VerificationKey): boolean {
    if (isTurnTaken || inFlight > 0) return false;
    return type === "RSA" && bits <= QUICK_RSA_BITS_MAX;
  }

  return (algorithm, key, signingInput, signature) => {
    if (!fitsKey(algorithm, key.type)) return false;
    const hash = HASHES[algorithm];
    if (key.type === "oct") {
      return (key.handle as HmacKey).verify(hash as HmacHash, signingInput, signature);
    }
    const handle = key.handle as KeyObject;
    const length = signatureBytes(key);
    if (length !== undefined && signature.length !== length) return false;
    const input = verifyInput(algorithm, handle);
    if (mayStayHere(key)) {
      isTurnTaken = true;
      setImmediate(endTurn);
      return verifySignature(hash, signingInput, input, signature);
    }
    return new Promise((resolve, reject) => {
      verifySignature(hash, signingInput, input, signature, (error, isValid) => {
        inFlight -= 1;
        if (error) reject(error);
        else resolve(isValid);
      });
      inFlight += 1;
    });
  };
}

function digest(bytes: Uint8Array): string {
  return hash("sha256", bytes, "binary");
}

function verifyInput(algorithm: JwsAlgorithm, key: KeyObject): KeyObject | VerifyKeyObjectInput {
  switch (algorithm.charCodeAt(0)) {
    case 0x50:
      // P: any salt length, as the reference accepts.
      return {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_AUTO,
      };
    case 0x45:
      // E: raw R ‖ S, not DER. EdDSA keys do not mind.
      return { key, dsaEncoding: "ieee-p1363" };
    default:
      return key;
  }
}
