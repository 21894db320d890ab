/** The keys that a SCRAM account consists of; the password itself is not kept. Source: RFC 5802 §3. */
import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import type { ScramUser } from "../../../src/ports/user-database.ts";

export type ScramAlgorithm = "sha256" | "sha512";

/** What EMQX asks for when nothing is written. Source: authentication §6.2. */
export const DEFAULT_ITERATIONS = 4096;

/**
 * Derives an account's keys. The salt counts as its bytes. No SASLprep: the password is taken as it
 * is, as clients of MQTT send it. Cost: the iterations, on the thread pool.
 */
export async function deriveScramKeys(
  algorithm: ScramAlgorithm,
  password: string | Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<Pick<ScramUser, "storedKey" | "serverKey" | "salt" | "iterations">> {
  const length = algorithm === "sha256" ? 32 : 64;
  const salted = await promisify(pbkdf2)(password, salt, iterations, length, algorithm);
  const hmac = (text: string): Buffer => createHmac(algorithm, salted).update(text).digest();
  return {
    storedKey: createHash(algorithm).update(hmac("Client Key")).digest(),
    serverKey: hmac("Server Key"),
    salt,
    iterations,
  };
}
