/** The primitives of password hashes on node:crypto; pbkdf2 and bcrypt run on the thread pool. */
import { createHash, pbkdf2 } from "node:crypto";
import { availableParallelism } from "node:os";
import type {
  DigestName,
  MacName,
  PasswordPrimitives,
} from "../../src/ports/password-primitives.ts";
import { WorkQueue } from "../../src/work-queue.ts";

/** node:crypto's name where it is another. */
const NAMES: Readonly<Record<DigestName | MacName, string>> = {
  md5: "md5",
  sha: "sha1",
  sha224: "sha224",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

/**
 * LIMIT: derivations at a time in this process: one thread of the pool stays free, because signatures
 * are checked there too; more than there are processors would only slow each other down.
 */
export function hashesAtOnce(
  poolSize: string | undefined = process.env.UV_THREADPOOL_SIZE,
  processors: number = availableParallelism(),
): number {
  // As libuv reads it.
  const threads = poolSize === undefined ? 4 : Number.parseInt(poolSize, 10) || 1;
  return Math.max(1, Math.min(threads - 1, processors));
}

const AT_ONCE = hashesAtOnce();
const queue = new WorkQueue(AT_ONCE);

export const nodePasswords: PasswordPrimitives = {
  atOnce: AT_ONCE,
  digest: (name, message) => createHash(NAMES[name]).update(message).digest(),
  pbkdf2: (mac, password, salt, iterations, lengthBytes) =>
    queue.run(
      () =>
        new Promise((resolve, reject) => {
          pbkdf2(password, salt, iterations, lengthBytes, NAMES[mac], (error, key) => {
            if (error) reject(error);
            else resolve(key);
          });
        }),
    ),
  bcrypt: (password, cost, salt) =>
    queue.run(async () => {
      // Loaded when first needed: most commands do without it.
      const { hash } = await import("@node-rs/bcrypt");
      return hash(password, cost, salt);
    }),
};
