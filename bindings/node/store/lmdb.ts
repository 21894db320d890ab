/**
 * The file of the store: an LMDB environment with a database per kind of record. A write is a
 * transaction that is on disk when it returns; readers, also in other processes, see all of it or
 * nothing.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Database, RootDatabase } from "lmdb";
import { EngineError } from "../../../src/errors.ts";

/** What this version writes, and the newest that it reads. */
export const SCHEMA_VERSION = 1;

const FILE = "portcullis.mdb";

/** Records that are kept, by name of their database. */
export const TABLES = ["password_users", "scram_users", "rules"] as const;
export type TableName = (typeof TABLES)[number];

/** JSON values under binary keys. */
export type Table = Database<unknown, Buffer>;

export interface LmdbFile {
  readonly root: RootDatabase<unknown, Buffer>;
  readonly tables: Readonly<Record<TableName, Table>>;
  /** Numbers about the store itself, under texts. */
  readonly meta: Table;
  /** Keys of rules that have changed, under the number of the change (8 bytes, big-endian). */
  readonly ruleChanges: Database<Buffer, Buffer>;
  close(): Promise<void>;
}

/** Is there a store in this directory? */
export function hasStore(directory: string): boolean {
  return existsSync(join(directory, FILE));
}

/**
 * Opens the store in a directory; makes both where they are missing, for this user alone. Rejects with
 * EngineError ERR_STORE when it cannot be opened, ERR_STORE_VERSION when a newer version wrote it.
 */
export async function openLmdb(directory: string): Promise<LmdbFile> {
  const { open } = await import("lmdb");
  const path = join(directory, FILE);
  let root: RootDatabase<unknown, Buffer>;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    keepPrivate(path);
    keepPrivate(`${path}-lock`);
    checkFile(path);
    root = open<unknown, Buffer>({
      path,
      noSubdir: true,
      encoding: "json",
      keyEncoding: "binary",
      // A commit is on disk when it returns, not some time after.
      overlappingSync: false,
    });
  } catch (cause) {
    throw unusable(directory, cause);
  }
  try {
    return await openTables(root, directory);
  } catch (cause) {
    await root.close();
    throw cause instanceof EngineError ? cause : unusable(directory, cause);
  }
}

async function openTables(
  root: RootDatabase<unknown, Buffer>,
  directory: string,
): Promise<LmdbFile> {
  // What processes that were killed left in the table of readers would keep old pages for ever.
  root.readerCheck();
  const openTable = (name: string): Table =>
    root.openDB<unknown, Buffer>({ name, encoding: "json", keyEncoding: "binary" });
  const meta = openTable("meta");
  const found = meta.get(SCHEMA_KEY);
  if (typeof found === "number" && found > SCHEMA_VERSION) {
    throw new EngineError(
      "ERR_STORE_VERSION",
      `the built-in database in \`${directory}\` was written by a newer version (schema ${found}, this one knows ${SCHEMA_VERSION}): upgrade portcullis`,
    );
  }
  if (found === undefined) meta.putSync(SCHEMA_KEY, SCHEMA_VERSION);
  const entries = TABLES.map((name) => [name, openTable(name)] as const);
  const tables = Object.fromEntries(entries) as Record<TableName, Table>;
  const ruleChanges = root.openDB<Buffer, Buffer>({
    name: "rule_changes",
    encoding: "binary",
    keyEncoding: "binary",
  });
  return { root, tables, meta, ruleChanges, close: () => root.close() };
}

export const SCHEMA_KEY: Buffer = Buffer.from("schema");
export const RULES_VERSION_KEY: Buffer = Buffer.from("rules_version");

/** Makes the file before LMDB does, which would let others read it. Throws when it cannot be written. */
function keepPrivate(path: string): void {
  if (!existsSync(path)) {
    writeFileSync(path, "", { mode: 0o600, flag: "a" });
    return;
  }
  accessSync(path, constants.R_OK | constants.W_OK);
  try {
    chmodSync(path, 0o600);
  } catch (error) {
    // Somebody else's file that we may use all the same.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  }
}

/** Where LMDB's first page says that it is one. */
const MAGIC_OFFSET = 24;
const MAGIC = 0xbeefc0de;
const PAGES_BYTES_MIN = 8192;

/** Throws for a file that is no LMDB file: opening one would end the process. */
function checkFile(path: string): void {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const head = Buffer.alloc(4);
    if (size === 0) return;
    readSync(file, head, 0, head.length, MAGIC_OFFSET);
    if (size < PAGES_BYTES_MIN || head.readUInt32LE() !== MAGIC) {
      throw new Error(`\`${FILE}\` is damaged, or no database`);
    }
  } finally {
    closeSync(file);
  }
}

function unusable(directory: string, cause: unknown): EngineError {
  const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  const message = `cannot open the built-in database in \`${directory}\`: ${reason}`;
  return new EngineError("ERR_STORE", message, { cause });
}
