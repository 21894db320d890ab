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
import { changeKey, RULE_CHANGES_KEPT_MAX } from "./rule-changes.ts";

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
    if (isGone && table === "rules") this.#noteChange(place);
    return isGone;
  }

  rules(place: RecordPlace): readonly unknown[] {
    return (this.#file.tables.rules.get(keyOf(place)) as readonly unknown[] | undefined) ?? [];
  }

  /** Rules that have been checked, in order, instead of what was there. */
  putRules(place: RecordPlace, rules: readonly unknown[]): Written {
    const written = this.#put("rules", place, rules);
    if (written !== "same") this.#noteChange(place);
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

  /** Counts it, and keeps whose rules they are for those who follow changes. */
  #noteChange(place: RecordPlace): void {
    const { meta, ruleChanges } = this.#file;
    const version = 1 + ((meta.get(RULES_VERSION_KEY) as number | undefined) ?? 0);
    meta.putSync(RULES_VERSION_KEY, version);
    ruleChanges.putSync(changeKey(version), keyOf(place));
    if (version > RULE_CHANGES_KEPT_MAX) {
      ruleChanges.removeSync(changeKey(version - RULE_CHANGES_KEPT_MAX));
    }
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
