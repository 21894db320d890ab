/** The primitives of password hashes on @noble/hashes, for hosts that bring none. There is no bcrypt. */
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import type { DigestName, MacName, PasswordPrimitives } from "../ports/password-primitives.ts";

const DIGESTS = { md5, sha: sha1, sha256, sha512 } as const satisfies Record<DigestName, unknown>;
const MACS = { sha: sha1, sha224, sha256, sha384, sha512 } as const satisfies Record<
  MacName,
  unknown
>;

/** pbkdf2 takes as long as its iterations say, and lets other work run in between. */
export const noblePrimitives: PasswordPrimitives = {
  digest: (name, message) => DIGESTS[name](message),
  pbkdf2: (mac, password, salt, iterations, lengthBytes) =>
    pbkdf2Async(MACS[mac], password, salt, { c: iterations, dkLen: lengthBytes }),
};
