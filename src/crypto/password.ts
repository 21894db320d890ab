/**
 * Password hashes as the configuration's `password_hash_algorithm` describes them. The primitives are
 * the host's, or those of password-noble.ts. Source: authentication §4.
 */
import type { PasswordAlgorithm, PasswordMac } from "../config/config.ts";
import type { MacName, PasswordPrimitives } from "../ports/password-primitives.ts";
import { encodeUtf8, joinBytes, latin1, toHex } from "../text.ts";
import { bcryptPassword, formatBcryptSetting, isBcryptHash, parseBcrypt } from "./bcrypt.ts";
import { equalConstantTime } from "./equal.ts";
import { noblePrimitives } from "./password-noble.ts";

/**
 * `unsupported`: the algorithm cannot be used here, so nothing is known about the password.
 * `unusable`: this password cannot be hashed with it, or the salt is no bcrypt setting.
 */
export type PasswordAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: "unsupported" | "unusable" };

/** Bytes of a derived key where `dk_length` is not written: the digest's. */
const MAC_BYTES: Readonly<Record<MacName, number>> = {
  sha: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

/** Random bytes of a salt. bcrypt's own have as many. */
const SALT_BYTES = 16;

const UNSUPPORTED = { ok: false, problem: "unsupported" } as const;
const UNUSABLE = { ok: false, problem: "unusable" } as const;

/** Can hashes of this algorithm be made with these primitives? */
export function isSupported(
  algorithm: PasswordAlgorithm,
  primitives: PasswordPrimitives = noblePrimitives,
): boolean {
  switch (algorithm.name) {
    case "bcrypt":
      return primitives.bcrypt !== undefined;
    case "pbkdf2":
      return isUsableMac(algorithm.macFun);
    default:
      return true;
  }
}

/**
 * What is stored for a password: lower-case hexadecimal digits, the salted password itself for
 * `plain`, a modular crypt text for `bcrypt`, whose `salt` is the beginning of such a text.
 *
 * Cost: pbkdf2 and bcrypt take as long as their iterations and cost say, away from this thread where
 * the host can.
 */
export async function hashPassword(
  algorithm: PasswordAlgorithm,
  salt: Uint8Array,
  password: Uint8Array,
  primitives: PasswordPrimitives = noblePrimitives,
): Promise<PasswordAnswer<Uint8Array>> {
  switch (algorithm.name) {
    case "plain":
      return { ok: true, value: applySalt(algorithm.saltPosition, salt, password) };
    case "pbkdf2": {
      const { macFun, iterations } = algorithm;
      if (!isUsableMac(macFun)) return UNSUPPORTED;
      const length = algorithm.dkLength ?? MAC_BYTES[macFun];
      return hexAnswer(await primitives.pbkdf2(macFun, password, salt, iterations, length));
    }
    case "bcrypt": {
      if (!primitives.bcrypt) return UNSUPPORTED;
      const text = latin1(salt);
      const setting = parseBcrypt(text);
      const input = bcryptPassword(password, algorithm.overlong);
      if (!setting || !input) return UNUSABLE;
      const made = await primitives.bcrypt(input, setting.cost, setting.salt);
      // The letter of the version is the one that was asked for; the rest does not depend on it.
      return { ok: true, value: encodeUtf8(text.slice(0, 3) + made.slice(3)) };
    }
    default: {
      const salted = applySalt(algorithm.saltPosition, salt, password);
      return hexAnswer(primitives.digest(algorithm.name, salted));
    }
  }
}

/**
 * Is this the password that `stored` was made from? Hexadecimal digits of either case, `plain` and
 * `bcrypt` byte for byte; in constant time. `stored` may be anything; what is no hash is no match.
 * `salt` plays no part for bcrypt: it stands in the hash.
 */
export async function verifyPassword(
  algorithm: PasswordAlgorithm,
  salt: Uint8Array,
  password: Uint8Array,
  stored: Uint8Array,
  primitives: PasswordPrimitives = noblePrimitives,
): Promise<PasswordAnswer<boolean>> {
  const isBcrypt = algorithm.name === "bcrypt";
  if (isBcrypt && !isBcryptHash(latin1(stored))) {
    return primitives.bcrypt ? { ok: true, value: false } : UNSUPPORTED;
  }
  const setting = isBcrypt ? stored.subarray(0, BCRYPT_SETTING_CHARS) : salt;
  const hash = await hashPassword(algorithm, setting, password, primitives);
  if (!hash.ok) return hash.problem === "unusable" ? { ok: true, value: false } : hash;
  const isHex = algorithm.name !== "plain" && !isBcrypt;
  return { ok: true, value: equalConstantTime(hash.value, isHex ? lowerCase(stored) : stored) };
}

/** `$2b$10$` and the salt. */
const BCRYPT_SETTING_CHARS = 29;

/**
 * A salt for a new hash, as the text that is stored: 32 hexadecimal digits, nothing where the
 * algorithm takes none, and for bcrypt the beginning of the hash.
 */
export function newSalt(
  algorithm: PasswordAlgorithm,
  randomBytes: (count: number) => Uint8Array,
): string {
  if (algorithm.name === "bcrypt") {
    return formatBcryptSetting({ cost: algorithm.saltRounds, salt: randomBytes(SALT_BYTES) });
  }
  const isSalted = algorithm.name === "pbkdf2" || algorithm.saltPosition !== "disable";
  return isSalted ? toHex(randomBytes(SALT_BYTES)) : "";
}

function applySalt(
  position: "disable" | "prefix" | "suffix",
  salt: Uint8Array,
  password: Uint8Array,
): Uint8Array {
  if (position === "disable") return password;
  const [first, second] = position === "prefix" ? [salt, password] : [password, salt];
  return joinBytes([first, second]);
}

function isUsableMac(name: PasswordMac): name is MacName {
  return Object.hasOwn(MAC_BYTES, name);
}

function hexAnswer(digest: Uint8Array): PasswordAnswer<Uint8Array> {
  return { ok: true, value: encodeUtf8(toHex(digest)) };
}

/** ASCII letters in lower case, everything else as it is. */
function lowerCase(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));
}
