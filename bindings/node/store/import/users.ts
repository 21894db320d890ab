/**
 * Importing users: the whole file is checked, then it is read again and stored in transactions of a
 * thousand users. A bad row means that nothing is stored. What is killed in between has stored some
 * of the users, each of them whole, and can be run again.
 */
import type { PasswordAlgorithm } from "../../../../src/config/config.ts";
import { bcryptPassword } from "../../../../src/crypto/bcrypt.ts";
import { hashPassword, newSalt, verifyPassword } from "../../../../src/crypto/password.ts";
import { EngineError } from "../../../../src/errors.ts";
import type { PasswordPrimitives } from "../../../../src/ports/password-primitives.ts";
import type { PasswordUser } from "../../../../src/ports/user-database.ts";
import { WorkQueue } from "../../../../src/work-queue.ts";
import type { RecordPlace } from "../keys.ts";
import type { Store } from "../store.ts";
import { fingerprintOf, readUsers } from "./read-file.ts";
import type { ImportType, UserRow } from "./user-row.ts";

export interface ImportCounts {
  readonly total: number;
  /** New users. */
  readonly success: number;
  /** Users that were there and are changed. */
  readonly override: number;
  /** Users that were there: the same, or left alone. */
  readonly skipped: number;
}

export interface ImportOptions {
  readonly store: Store;
  readonly file: string;
  readonly type: ImportType;
  /** `global`, or a listener such as `tcp:default`. */
  readonly chain: string;
  /** Makes hashes of the passwords of a `plain` file. */
  readonly algorithm: PasswordAlgorithm;
  readonly strict: boolean;
  /** What becomes of users that are there already. */
  readonly existing: "override" | "keep";
  readonly passwords: PasswordPrimitives;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Called every so often. */
  readonly onProgress?: ((step: "checking" | "storing", users: number) => void) | undefined;
}

/** LIMIT: users of one transaction. */
const BATCH_USERS = 1000;

/**
 * Imports a file. Rejects with ImportError when it has mistakes, and with EngineError when it cannot
 * be read, or was changed meanwhile.
 */
export async function importUsers(options: ImportOptions): Promise<ImportCounts> {
  const { file, onProgress } = options;
  const before = fingerprintOf(file);
  let checked = 0;
  const reading = { ...options, refusePassword: refusalsOf(options.algorithm) };
  const storing = { ...options, randomBytes: pooled(options.randomBytes) };
  for await (const users of readUsers(file, reading)) {
    checked += users.length;
    onProgress?.("checking", checked);
  }
  const counts = { total: 0, success: 0, override: 0, skipped: 0 };
  for await (const users of readUsers(file, reading)) {
    for (let start = 0; start < users.length; start += BATCH_USERS) {
      await storeBatch(users.slice(start, start + BATCH_USERS), storing, counts);
      onProgress?.("storing", counts.total);
    }
  }
  if (fingerprintOf(file) !== before) {
    throw new EngineError("ERR_IMPORT_FILE", `\`${file}\` was changed while it was read`);
  }
  return counts;
}

const POOL_BYTES = 16 * 1024;

/** Asks for many bytes at a time: a call a salt takes longer than the salt's hash. */
function pooled(randomBytes: (count: number) => Uint8Array): (count: number) => Uint8Array {
  let pool: Uint8Array = new Uint8Array();
  return (count) => {
    if (pool.length < count) pool = randomBytes(Math.max(count, POOL_BYTES));
    const taken = pool.subarray(0, count);
    pool = pool.subarray(count);
    return taken;
  };
}

/** Why a password cannot be stored: the algorithm would not see all of it. */
export function refusalsOf(algorithm: PasswordAlgorithm): (password: string) => string | undefined {
  if (algorithm.name !== "bcrypt") return () => undefined;
  return (password) =>
    bcryptPassword(Buffer.from(password), algorithm.overlong) ? undefined : OVERLONG;
}

const OVERLONG = "bcrypt takes passwords of at most 72 bytes, without a NUL";

interface Made {
  readonly place: RecordPlace;
  readonly user: PasswordUser;
}

async function storeBatch(
  rows: readonly UserRow[],
  options: ImportOptions,
  counts: { total: number; success: number; override: number; skipped: number },
): Promise<void> {
  const { store, chain, existing, passwords } = options;
  // All at once, they would be in front of every client of a broker that reads bootstrap files.
  const queue = new WorkQueue(passwords.atOnce ?? 1);
  const make = async (row: UserRow): Promise<Made | undefined> => {
    const place = { group: chain, namespace: row.namespace, id: row.userId };
    const known = store.password(place);
    if (known && existing === "keep") return undefined;
    const user = await userOf(row, known, options);
    return user && { place, user };
  };
  const made = await Promise.all(rows.map((row) => queue.run(() => make(row))));
  store.write((writer) => {
    for (const one of made) {
      counts.total += 1;
      // Asked again inside the transaction: another process, or a row before, may have been faster.
      const isKept = one && existing === "keep" && writer.has("password_users", one.place);
      const written = one && !isKept ? writer.putPasswordUser(one.place, one.user) : "same";
      if (written === "created") counts.success += 1;
      else if (written === "changed") counts.override += 1;
      else counts.skipped += 1;
    }
  });
}

/** What is stored for a row; undefined when the account has that password already. */
async function userOf(
  { secret, isSuperuser }: UserRow,
  known: PasswordUser | undefined,
  options: ImportOptions,
): Promise<PasswordUser | undefined> {
  if (secret.type === "hash") return { ...secretOf(secret), isSuperuser };
  const password = Buffer.from(secret.password);
  if (known && known.isSuperuser === isSuperuser && known.salt !== undefined) {
    const { algorithm, passwords } = options;
    const [salt, hash] = [Buffer.from(known.salt), Buffer.from(known.passwordHash)];
    const answer = await verifyPassword(algorithm, salt, password, hash, passwords);
    if (answer.ok && answer.value) return undefined;
  }
  return { ...(await makePassword(password, options)), isSuperuser };
}

function secretOf({ passwordHash, salt }: UserRow["secret"] & { type: "hash" }) {
  return { passwordHash, salt };
}

/**
 * Salt and hash of a new password. Rejects with EngineError ERR_PASSWORD for one that the algorithm
 * cannot take.
 */
export async function makePassword(
  password: Uint8Array,
  {
    algorithm,
    passwords,
    randomBytes,
  }: Pick<ImportOptions, "algorithm" | "passwords" | "randomBytes">,
): Promise<Pick<PasswordUser, "passwordHash" | "salt">> {
  const salt = newSalt(algorithm, randomBytes);
  const hash = await hashPassword(algorithm, Buffer.from(salt), password, passwords);
  if (!hash.ok) {
    const isBcrypt = algorithm.name === "bcrypt" && hash.problem === "unusable";
    const message = isBcrypt ? OVERLONG : `\`${algorithm.name}\` cannot be used here`;
    throw new EngineError("ERR_PASSWORD", message);
  }
  const passwordHash = Buffer.from(hash.value).toString("utf8");
  return { passwordHash, salt: algorithm.name === "bcrypt" ? "" : salt };
}
