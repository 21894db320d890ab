/** The primitives of password hashes on node:crypto; pbkdf2 and bcrypt run on the thread pool. */
import { createHash, pbkdf2 } from "node:crypto";
import type {
  DigestName,
  MacName,
  PasswordPrimitives,
} from "../../src/ports/password-primitives.ts";

/** node:crypto's name where it is another. */
const NAMES: Readonly<Record<DigestName | MacName, string>> = {
  md5: "md5",
  sha: "sha1",
  sha224: "sha224",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

export const nodePasswords: PasswordPrimitives = {
  digest: (name, message) => createHash(NAMES[name]).update(message).digest(),
  pbkdf2: (mac, password, salt, iterations, lengthBytes) =>
    new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, lengthBytes, NAMES[mac], (error, key) => {
        if (error) reject(error);
        else resolve(key);
      });
    }),
  bcrypt: async (password, cost, salt) => {
    // Loaded when first needed: most commands do without it.
    const { hash } = await import("@node-rs/bcrypt");
    return hash(password, cost, salt);
  },
};
