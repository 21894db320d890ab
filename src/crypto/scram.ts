/**
 * The server's half of SCRAM's arithmetic (RFC 5802 §3): H and HMAC over keys that were made from a
 * password when the account was. The primitives come from @noble/hashes; a login takes three HMACs.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { equalConstantTime } from "./equal.ts";

export type ScramAlgorithm = "sha256" | "sha512";

const HASHES = { sha256, sha512 } as const;

/**
 * Does the client have the key that `storedKey` is the hash of? `proof` is its key XOR the signature
 * of `authMessage`. Compared in constant time; a proof of another length holds nothing.
 *
 *   ClientSignature = HMAC(StoredKey, AuthMessage)
 *   H(ClientProof XOR ClientSignature) = StoredKey
 */
export function clientProofHolds(
  algorithm: ScramAlgorithm,
  storedKey: Uint8Array,
  authMessage: Uint8Array,
  proof: Uint8Array,
): boolean {
  const signature = scramHmac(algorithm, storedKey, authMessage);
  if (proof.length !== signature.length) return false;
  const clientKey = signature.map((byte, index) => byte ^ proof[index]!);
  return equalConstantTime(HASHES[algorithm](clientKey), storedKey);
}

/** What shows the client that the server knows the account: HMAC(ServerKey, AuthMessage). */
export function serverSignature(
  algorithm: ScramAlgorithm,
  serverKey: Uint8Array,
  authMessage: Uint8Array,
): Uint8Array {
  return scramHmac(algorithm, serverKey, authMessage);
}

export function scramHmac(
  algorithm: ScramAlgorithm,
  key: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  return hmac(HASHES[algorithm], key, message);
}
