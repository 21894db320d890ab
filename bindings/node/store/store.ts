/**
 * The built-in database: users with passwords or SCRAM keys, and rules. Reads answer at once from
 * mapped memory (microseconds); several processes may have it open, and see each other's commits.
 */
import { resolve } from "node:path";
import type { RuleChanges, RuleDatabase, StoredRules } from "../../../src/ports/rule-database.ts";
import type { PasswordUser, ScramUser, UserDatabase } from "../../../src/ports/user-database.ts";
import { afterPrefix, decodeKey, encodeKey, encodePrefix, type RecordPlace } from "./keys.ts";
import {
  hasStore,
  type LmdbFile,
  openLmdb,
  RULES_VERSION_KEY,
  type Table,
  type TableName,
} from "./lmdb.ts";
import {
  fromPasswordRecord,
  fromScramRecord,
  type PasswordRecord,
  type ScramRecord,
} from "./records.ts";
import { changesBetween } from "./rule-changes.ts";
import { SharedLists } from "./shared-lists.ts";
import { StoreWriter } from "./writer.ts";

/** What a rule list belongs to; `all` has one list, under the empty id. */
export type RuleKind = "clientid" | "username" | "all";

export interface PageOptions {
  readonly group?: string | undefined;
  readonly namespace?: string | undefined;
  /** The last place of the page before. */
  readonly after?: RecordPlace | undefined;
  readonly limit: number;
}

export interface StoredRecord<T> {
  readonly place: RecordPlace;
  readonly value: T;
}

/** Stores that are open: LMDB wants a file to be opened once a process. */
const open = new Map<string, { readonly file: Promise<LmdbFile>; users: number }>();
const closing = new Map<string, Promise<void>>();

/**
 * Opens the store in a directory, and makes it where there is none. Rejects with EngineError
 * ERR_STORE or ERR_STORE_VERSION. Every one has to be closed.
 */
export async function openStore(directory: string): Promise<Store> {
  const path = resolve(directory);
  const known = open.get(path) ?? { file: openAfterClosing(path), users: 0 };
  open.set(path, known);
  known.users += 1;
  const release = async (): Promise<void> => {
    known.users -= 1;
    if (known.users > 0) return;
    open.delete(path);
    const closed = known.file.then((file) => file.close());
    closing.set(path, closed);
    await closed;
  };
  try {
    return new Store(await known.file, release);
  } catch (error) {
    open.delete(path);
    throw error;
  }
}

async function openAfterClosing(path: string): Promise<LmdbFile> {
  await closing.get(path);
  closing.delete(path);
  return openLmdb(path);
}

/** The same, or undefined where there is none. */
export async function openStoreIfThere(directory: string): Promise<Store | undefined> {
  return hasStore(directory) ? openStore(directory) : undefined;
}

export class Store implements UserDatabase, RuleDatabase {
  readonly #file: LmdbFile;
  readonly #release: () => Promise<void>;
  readonly #shared = new SharedLists();
  #isClosed = false;

  constructor(file: LmdbFile, release: () => Promise<void>) {
    this.#file = file;
    this.#release = release;
  }

  passwordUser(chain: string, userId: string, namespace = ""): PasswordUser | undefined {
    this.#renew();
    const tenant =
      namespace !== "" && this.#isEmpty("password_users", chain, namespace) ? "" : namespace;
    const record = this.#get("password_users", { group: chain, namespace: tenant, id: userId });
    return record === undefined ? undefined : fromPasswordRecord(record as PasswordRecord, tenant);
  }

  /** The account at exactly this place: a tenant's has no fallback. */
  password(place: RecordPlace): PasswordUser | undefined {
    this.#renew();
    const record = this.#get("password_users", place);
    return record === undefined
      ? undefined
      : fromPasswordRecord(record as PasswordRecord, place.namespace);
  }

  scramUser(algorithm: "sha256" | "sha512", userId: string, namespace = ""): ScramUser | undefined {
    this.#renew();
    const record = this.#get("scram_users", { group: algorithm, namespace, id: userId });
    return record === undefined ? undefined : fromScramRecord(record as ScramRecord, namespace);
  }

  rulesVersion(): number {
    this.#renew();
    return this.#version();
  }

  rulesChangedSince(version: number): RuleChanges {
    this.#renew();
    return changesBetween(this.#file, version, this.#version());
  }

  rulesFor(
    clientId: string | undefined,
    username: string | undefined,
    namespace = "",
  ): StoredRules {
    this.#renew();
    const own = this.#listsOf(clientId, username, namespace);
    const { ofClientId, ofUsername, ofAll } = own;
    const isEmpty = ofClientId.length + ofUsername.length + ofAll.length === 0;
    return namespace !== "" && isEmpty ? this.#listsOf(clientId, username, "") : own;
  }

  /** The rules of one record, as stored; empty when there is none. */
  rules(kind: RuleKind, id: string, namespace = ""): readonly unknown[] {
    this.#renew();
    return this.#rules(kind, id, namespace);
  }

  /**
   * Records after another, in the order of their keys. A group or namespace that is left out stands
   * for all of them; a namespace needs a group.
   */
  page(table: TableName, options: PageOptions): StoredRecord<unknown>[] {
    this.#renew();
    const { group, namespace, after, limit } = options;
    const prefix = group === undefined ? undefined : encodePrefix(group, namespace);
    const end = prefix && afterPrefix(prefix);
    const start = (after && encodeKey(after)) ?? prefix;
    const range = this.#table(table).getRange({
      ...(start && { start, exclusiveStart: after !== undefined }),
      ...(end && { end }),
      limit,
    });
    return [...range].map(({ key, value }) => ({ place: decodeKey(key), value }));
  }

  /** All of them, page by page, each a snapshot of its own. */
  *records(
    table: TableName,
    options: Omit<PageOptions, "limit"> = {},
  ): Generator<StoredRecord<unknown>[]> {
    let { after } = options;
    for (;;) {
      const page = this.page(table, { ...options, after, limit: PAGE_RECORDS });
      if (page.length > 0) yield page;
      if (page.length < PAGE_RECORDS) return;
      after = page.at(-1)!.place;
    }
  }

  /**
   * One transaction, on disk when it returns; a throw in `change` takes all of it back. Waits for
   * the transactions of other processes.
   */
  write<T>(change: (writer: StoreWriter) => T): T {
    this.#check();
    return this.#file.root.transactionSync(() => change(new StoreWriter(this.#file)));
  }

  /** May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#release();
  }

  /** The next reads see what any process committed before, all of it at one point in time. */
  #renew(): void {
    this.#check();
    this.#file.root.resetReadTxn();
  }

  #check(): void {
    if (this.#isClosed) throw new Error("the built-in database is closed");
  }

  #table(name: TableName): Table {
    return this.#file.tables[name];
  }

  #get(table: TableName, place: RecordPlace): unknown {
    const key = encodeKey(place);
    return key && this.#table(table).get(key);
  }

  #isEmpty(table: TableName, group: string, namespace: string): boolean {
    const start = encodePrefix(group, namespace);
    const end = start && afterPrefix(start);
    if (!start || !end) return true;
    for (const _ of this.#table(table).getKeys({ start, end, limit: 1 })) return false;
    return true;
  }

  #version(): number {
    return (this.#file.meta.get(RULES_VERSION_KEY) as number | undefined) ?? 0;
  }

  #rules(kind: RuleKind, id: string, namespace: string): readonly unknown[] {
    const rules = this.#get("rules", { group: kind, namespace, id });
    return (rules as readonly unknown[] | undefined) ?? NONE;
  }

  #listsOf(
    clientId: string | undefined,
    username: string | undefined,
    namespace: string,
  ): StoredRules {
    const version = this.#version();
    const of = (kind: RuleKind, id: string | undefined) =>
      id === undefined ? NONE : this.#rules(kind, id, namespace);
    return {
      version,
      namespace,
      ofClientId: of("clientid", clientId),
      ofUsername: of("username", username),
      ofAll: this.#shared.get(namespace, version, () => this.#bytesOfAll(namespace)) ?? NONE,
    };
  }

  #bytesOfAll(namespace: string): Buffer | undefined {
    const key = encodeKey({ group: "all" satisfies RuleKind, namespace, id: "" });
    return key && this.#table("rules").getBinary(key);
  }
}

const PAGE_RECORDS = 1000;
const NONE: readonly unknown[] = [];
