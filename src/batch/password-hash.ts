/**
 * `portcullis batch password_hash`: hashes a password, or checks it against a stored hash.
 *
 * Input: `algorithm`, `salt`, `password`, and `hash` for a check. Answer: `hash`, `match` or `error`.
 */
import { PASSWORD_MACS, type PasswordAlgorithm } from "../config/config.ts";
import { hashPassword, verifyPassword } from "../crypto/password.ts";
import type { PasswordPrimitives } from "../ports/password-primitives.ts";
import { decodeTerm, encodeBytes, type Term, TermError } from "./terms.ts";

export interface PasswordLine {
  readonly algorithm: { readonly [key: string]: unknown };
  readonly salt: unknown;
  readonly password?: unknown;
  readonly hash?: unknown;
}

export type PasswordLineAnswer =
  | { readonly hash: Term }
  | { readonly match: boolean }
  | { readonly error: Term };

export interface PasswordBatch {
  readonly primitives?: PasswordPrimitives | undefined;
  /** For bcrypt: what becomes of a password with a NUL or of more than 72 bytes. */
  readonly overlong: "refuse" | "cut";
}

/** Answers one line. Throws TermError when it cannot be read. */
export async function answerPasswordHash(
  line: PasswordLine,
  { primitives, overlong }: PasswordBatch,
): Promise<PasswordLineAnswer> {
  const algorithm = readAlgorithm(line.algorithm, overlong);
  const salt = readBytes(line.salt, "salt");
  if (line.password === undefined || line.password === null) {
    // A client without a password matches nothing, not even a hash of the empty text.
    return line.hash === undefined ? { error: { code: "no_password" } } : { match: false };
  }
  const password = readBytes(line.password, "password");
  if (line.hash === undefined || line.hash === null) {
    const hashed = await hashPassword(algorithm, salt, password, primitives);
    return hashed.ok ? { hash: encodeBytes(hashed.value) } : { error: { code: hashed.problem } };
  }
  const stored = readBytes(line.hash, "hash");
  const verified = await verifyPassword(algorithm, salt, password, stored, primitives);
  return verified.ok ? { match: verified.value } : { error: { code: verified.problem } };
}

function readAlgorithm(
  given: { readonly [key: string]: unknown },
  overlong: "refuse" | "cut",
): PasswordAlgorithm {
  const { name, salt_position: saltPosition = "prefix" } = given;
  switch (name) {
    case "plain":
    case "md5":
    case "sha":
    case "sha256":
    case "sha512":
      if (saltPosition !== "disable" && saltPosition !== "prefix" && saltPosition !== "suffix") {
        throw new TermError("`salt_position` is none of disable, prefix, suffix");
      }
      return { name, saltPosition };
    case "pbkdf2": {
      const { mac_fun: macFun, iterations, dk_length: dkLength } = given;
      if (!isMac(macFun)) throw new TermError("`mac_fun` is unknown");
      if (!isCount(iterations)) throw new TermError("`iterations` is no positive integer");
      if (dkLength !== undefined && !isCount(dkLength)) {
        throw new TermError("`dk_length` is no positive integer");
      }
      return { name, macFun, iterations, dkLength };
    }
    case "bcrypt":
      return { name, saltRounds: 10, overlong };
    default:
      throw new TermError("`algorithm.name` is unknown");
  }
}

function isMac(value: unknown): value is (typeof PASSWORD_MACS)[number] {
  return (PASSWORD_MACS as readonly unknown[]).includes(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function readBytes(term: unknown, name: string): Uint8Array {
  const value = decodeTerm(term);
  if (value.type !== "bytes") throw new TermError(`\`${name}\` is no text`);
  return value.value;
}
