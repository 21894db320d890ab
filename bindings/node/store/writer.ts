/** What can be changed inside one transaction of the store. */
import { EngineError } from "../../../src/errors.ts";
import type { PasswordUser, ScramUser } from "../../../src/ports/user-database.ts";
import { encodeKey, ID_BYTES_MAX, NAMESPACE_BYTES_MAX, type RecordPlace } from "./keys.ts";
import { type LmdbFile, RULES_VERSION_KEY, type TableName } from "./lmdb.ts";
import {
  fromPasswordRecord,
  type PasswordRecord,
  toPasswordRecord,
  toScramRecord,
} from "./records.ts";

/** `same`: what was there already, to the last bit. */
export type Written = "created" | "changed" | "same";

export class StoreWriter {
  readonly #file: LmdbFile;

  constructor(file: LmdbFile) {
    this.#file = file;
  }

  passwordUser(place: RecordPlace): PasswordUser | undefined {
    const record = this.#file.tables.password_users.get(keyOf(place));
    return record === undefined
      ? undefined
      : fromPasswordRecord(record as PasswordRecord, place.namespace);
  }

  putPasswordUser(place: RecordPlace, user: PasswordUser): Written {
    return this.#put("password_users", place, toPasswordRecord(user));
  }

  putScramUser(place: RecordPlace, user: ScramUser): Written {
    return this.#put("scram_users", place, toScramRecord(user));
  }

  has(table: TableName, place: RecordPlace): boolean {
    return this.#file.tables[table].get(keyOf(place)) !== undefined;
  }

  /** False when there was nothing. */
  delete(table: TableName, place: RecordPlace): boolean {
    const isGone = this.#file.tables[table].removeSync(keyOf(place));
    if (isGone && table === "rules") this.#countRules();
    return isGone;
  }

  rules(place: RecordPlace): readonly unknown[] {
    return (this.#file.tables.rules.get(keyOf(place)) as readonly unknown[] | undefined) ?? [];
  }

  /** Rules that have been checked, in order, instead of what was there. */
  putRules(place: RecordPlace, rules: readonly unknown[]): Written {
    const written = this.#put("rules", place, rules);
    if (written !== "same") this.#countRules();
    return written;
  }

  #put(name: TableName, place: RecordPlace, value: unknown): Written {
    const table = this.#file.tables[name];
    const key = keyOf(place);
    const before = table.get(key);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(value)) return "same";
    table.putSync(key, value);
    return before === undefined ? "created" : "changed";
  }

  #countRules(): void {
    const version = (this.#file.meta.get(RULES_VERSION_KEY) as number | undefined) ?? 0;
    this.#file.meta.putSync(RULES_VERSION_KEY, version + 1);
  }
}

function keyOf(place: RecordPlace): Buffer {
  const key = encodeKey(place);
  if (key) return key;
  throw new EngineError(
    "ERR_STORE_KEY",
    `names are stored as UTF-8: at most ${ID_BYTES_MAX} bytes, and ${NAMESPACE_BYTES_MAX} of a namespace`,
  );
}
