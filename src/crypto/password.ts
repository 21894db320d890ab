/**
 * Password hashes as the configuration's `password_hash_algorithm` describes them. The primitives come
 * from @noble/hashes. Source: authentication §4.
 */
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { equalConstantTime } from "./equal.ts";

export type PasswordAlgorithm =
  | {
      readonly name: "plain" | DigestName;
      /** Where the salt goes; it counts as its raw bytes, a hexadecimal salt is not decoded. */
      readonly saltPosition: "disable" | "prefix" | "suffix";
    }
  | {
      readonly name: "pbkdf2";
      readonly macFun: MacFunction;
      /** At least 1. */
      readonly iterations: number;
      /** Bytes of the derived key, at least 1; the digest's length when left out. */
      readonly dkLength?: number | undefined;
    }
  | { readonly name: "bcrypt" };

type DigestName = "md5" | "sha" | "sha256" | "sha512";

/** The configuration allows all of these, but those that cannot be used make every check fail. */
export type MacFunction = UsableMac | "md4" | "md5" | "ripemd160";

type UsableMac = "sha" | "sha224" | "sha256" | "sha384" | "sha512";

/** `unsupported`: the algorithm cannot be used here, so nothing is known about the password. */
export type PasswordAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: "unsupported" };

const DIGESTS = { md5, sha: sha1, sha256, sha512 } as const satisfies Record<DigestName, unknown>;
const MACS = { sha: sha1, sha224, sha256, sha384, sha512 } as const satisfies Record<
  UsableMac,
  unknown
>;

const UNSUPPORTED = { ok: false, problem: "unsupported" } as const;
const encoder = new TextEncoder();

/**
 * What is stored for a password: lower-case hexadecimal digits, or the salted password itself for
 * `plain`. bcrypt, and pbkdf2 with md4, md5 or ripemd160, are `unsupported`.
 *
 * Cost: pbkdf2 takes as long as its iterations say, and lets other work run in between.
 */
export async function hashPassword(
  algorithm: PasswordAlgorithm,
  salt: Uint8Array,
  password: Uint8Array,
): Promise<PasswordAnswer<Uint8Array>> {
  switch (algorithm.name) {
    case "plain":
      return { ok: true, value: applySalt(algorithm.saltPosition, salt, password) };
    case "pbkdf2": {
      const { macFun, iterations } = algorithm;
      if (!isUsableMac(macFun)) return UNSUPPORTED;
      const mac = MACS[macFun];
      const dkLen = algorithm.dkLength ?? mac.outputLen;
      return hexAnswer(await pbkdf2Async(mac, password, salt, { c: iterations, dkLen }));
    }
    case "bcrypt":
      return UNSUPPORTED;
    default:
      return hexAnswer(DIGESTS[algorithm.name](applySalt(algorithm.saltPosition, salt, password)));
  }
}

/**
 * Is this the password that `stored` was made from? Hexadecimal digits of either case, `plain` byte for
 * byte; in constant time. `stored` may be anything; what is no hash is no match.
 */
export async function verifyPassword(
  algorithm: PasswordAlgorithm,
  salt: Uint8Array,
  password: Uint8Array,
  stored: Uint8Array,
): Promise<PasswordAnswer<boolean>> {
  const hash = await hashPassword(algorithm, salt, password);
  if (!hash.ok) return hash;
  const given = algorithm.name === "plain" ? stored : lowerCase(stored);
  return { ok: true, value: equalConstantTime(hash.value, given) };
}

function applySalt(
  position: "disable" | "prefix" | "suffix",
  salt: Uint8Array,
  password: Uint8Array,
): Uint8Array {
  if (position === "disable") return password;
  const [first, second] = position === "prefix" ? [salt, password] : [password, salt];
  const salted = new Uint8Array(first.length + second.length);
  salted.set(first);
  salted.set(second, first.length);
  return salted;
}

function isUsableMac(name: MacFunction): name is UsableMac {
  return Object.hasOwn(MACS, name);
}

function hexAnswer(digest: Uint8Array): PasswordAnswer<Uint8Array> {
  return { ok: true, value: encoder.encode(bytesToHex(digest)) };
}

/** ASCII letters in lower case, everything else as it is. */
function lowerCase(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));
}
