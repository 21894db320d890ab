/** `password_hash_algorithm`. Source: authentication §4, §8 items 47 and 48. */
import { PASSWORD_MACS, type PasswordAlgorithm, type PasswordMac } from "../config.ts";
import type { HoconNode, HoconObject } from "../hocon/index.ts";
import { type Keys, key, optional, readKeys, required } from "./keys.ts";
import { integer, joinPath, oneOf, type Place, type Spec, scalarText, wrong } from "./spec.ts";

const DIGESTS = ["plain", "md5", "sha", "sha256", "sha512"] as const;
const NAMES = [...DIGESTS, "bcrypt", "pbkdf2"] as const;

/** LIMIT: what the platforms' derivations take. */
const ITERATIONS_MAX = 2 ** 31 - 1;
const DERIVED_BYTES_MAX = 65_535;

const SALT_ROUNDS_MIN = 5;
const SALT_ROUNDS_MAX = 10;

const NAME = required(oneOf(NAMES), "the algorithm");

const DIGEST_KEYS = {
  name: NAME,
  salt_position: key(
    oneOf(["disable", "prefix", "suffix"]),
    "prefix",
    "where the salt goes, as its text",
  ),
} satisfies Keys;

const PBKDF2_KEYS = {
  name: NAME,
  mac_fun: required(oneOf(PASSWORD_MACS), "the digest"),
  iterations: required(integer(1, ITERATIONS_MAX), "rounds of every hash"),
  dk_length: optional(integer(1, DERIVED_BYTES_MAX), "bytes of a hash, the digest's by default"),
} satisfies Keys;

/** EMQX takes the nearest of 5 to 10 in a file, and so do we. */
const saltRounds: Spec<number> = {
  expects: `a whole number from ${SALT_ROUNDS_MIN} to ${SALT_ROUNDS_MAX}`,
  read(node, place) {
    const written = integer(-ITERATIONS_MAX, ITERATIONS_MAX).read(node, place);
    if (written === undefined) return undefined;
    const rounds = Math.min(SALT_ROUNDS_MAX, Math.max(SALT_ROUNDS_MIN, written));
    if (rounds !== written) {
      const message = `expected ${this.expects}: ${rounds} is used, as by EMQX`;
      place.load.issues.warning("WARN_CONFIG_RANGE", node.at, message, { path: place.path });
    }
    return rounds;
  },
};

const BCRYPT_KEYS = { name: NAME } satisfies Keys;

/** Where hashes are made too, and not only checked. */
const BCRYPT_MAKING_KEYS = {
  ...BCRYPT_KEYS,
  salt_rounds: key(saltRounds, SALT_ROUNDS_MAX, "cost of a new hash: 2 to the power of it"),
} satisfies Keys;

const ALL_KEYS: Keys = { ...DIGEST_KEYS, ...PBKDF2_KEYS, ...BCRYPT_MAKING_KEYS };

/** When it is not written. */
export const DEFAULT_ALGORITHM: PasswordAlgorithm = { name: "sha256", saltPosition: "prefix" };

export interface PasswordHashOptions {
  /** The backend makes hashes too: `salt_rounds` may be written. */
  readonly makesHashes: boolean;
}

/** The object `{ name = …, … }`, with the keys that go with the name. */
export function passwordHash({ makesHashes }: PasswordHashOptions): Spec<PasswordAlgorithm> {
  return {
    expects: "an algorithm: `{ name = sha256, salt_position = prefix }`",
    below: (name) => (Object.hasOwn(ALL_KEYS, name) ? ALL_KEYS[name]?.spec : undefined),
    read(node, place) {
      if (node.kind !== "object") return wrong(node, place, this.expects);
      switch (nameOf(node)) {
        case "bcrypt":
          return readBcrypt(node, place, makesHashes);
        case "pbkdf2":
          return readPbkdf2(node, place);
        default:
          return readDigest(node, place);
      }
    },
  };
}

function nameOf(node: HoconObject): string | undefined {
  const value: HoconNode | undefined = node.members.get("name")?.value;
  return value && scalarText(value);
}

/** Also reports what is wrong with the name. */
function readDigest(node: HoconObject, place: Place): PasswordAlgorithm | undefined {
  const values = readKeys(node, DIGEST_KEYS, place, { elsewhere: ELSEWHERE });
  if (!values) return undefined;
  return { name: values.name as (typeof DIGESTS)[number], saltPosition: values.salt_position };
}

function readBcrypt(
  node: HoconObject,
  place: Place,
  makesHashes: boolean,
): PasswordAlgorithm | undefined {
  const options = { elsewhere: ELSEWHERE };
  const overlong = place.load.switches.overlong_bcrypt_passwords_fail ? "refuse" : "cut";
  if (!makesHashes) {
    const values = readKeys(node, BCRYPT_KEYS, place, options);
    return values && { name: "bcrypt", saltRounds: SALT_ROUNDS_MAX, overlong };
  }
  const values = readKeys(node, BCRYPT_MAKING_KEYS, place, options);
  return values && { name: "bcrypt", saltRounds: values.salt_rounds, overlong };
}

function readPbkdf2(node: HoconObject, place: Place): PasswordAlgorithm | undefined {
  const values = readKeys(node, PBKDF2_KEYS, place, { elsewhere: ELSEWHERE });
  if (!values) return undefined;
  const { mac_fun: macFun, iterations, dk_length: dkLength } = values;
  if (BROKEN_MACS.has(macFun) && !reportBrokenMac(macFun, node, place)) return undefined;
  return { name: "pbkdf2", macFun, iterations, ...(dkLength !== undefined && { dkLength }) };
}

const BROKEN_MACS: ReadonlySet<PasswordMac> = new Set(["md4", "md5", "ripemd160"]);

/** May it stand all the same? */
function reportBrokenMac(macFun: PasswordMac, node: HoconObject, place: Place): boolean {
  const { issues, switches } = place.load;
  const at = node.members.get("mac_fun")?.value.at;
  const path = joinPath(place.path, "mac_fun");
  const message = `pbkdf2 with \`${macFun}\` cannot be used: every check of a password would fail`;
  const details = { path, hint: "use `sha256` or `sha512`, and make the hashes anew" };
  if (switches.broken_macs_refused) issues.error("ERR_CONFIG_UNSUPPORTED", at, message, details);
  else issues.warning("WARN_CONFIG_UNSUPPORTED", at, message, details);
  return !switches.broken_macs_refused;
}

/** Where a key is right that the chosen algorithm does not have. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  salt_position: "it goes with `plain`, `md5`, `sha`, `sha256` and `sha512`",
  mac_fun: "it goes with `pbkdf2`",
  iterations: "it goes with `pbkdf2`",
  dk_length: "it goes with `pbkdf2`",
  salt_rounds: "it goes with `bcrypt`, where hashes are made: in the built-in database",
};
