/** Importing rules: a JSON list of records, all of them checked before one is stored. */
import { isJsonArray, type JsonValue } from "../../../../src/json/parse.ts";
import { ID_BYTES_MAX, NAMESPACE_BYTES_MAX, type RecordPlace } from "../keys.ts";
import { checkStoredRule, type RuleTerms } from "../rule-check.ts";
import type { RuleKind, Store } from "../store.ts";
import { JsonReader } from "./json.ts";
import { ImportError, type ImportProblem, PROBLEMS_MAX } from "./problem.ts";
import { chunksOf } from "./read-file.ts";
import type { Row, RowOrProblem } from "./rows.ts";

export interface RuleRecord {
  readonly place: RecordPlace;
  readonly rules: readonly object[];
}

export interface RuleImportCounts {
  readonly records: number;
  readonly rules: number;
}

const MEMBERS: readonly string[] = ["clientid", "username", "all", "namespace", "rules"];

/**
 * Stores the records of a file, each instead of what was there, in one transaction. Rejects with
 * ImportError when any of them is wrong, and with EngineError when the file cannot be read.
 */
export async function importRules(
  store: Store,
  file: string,
  terms: RuleTerms,
): Promise<RuleImportCounts> {
  const records: RuleRecord[] = [];
  const problems: ImportProblem[] = [];
  const take = (read: RowOrProblem): void => {
    const one = read.ok ? readRecord(read.row, terms) : read.problem;
    if ("place" in one) records.push(one);
    else problems.push(one);
  };
  const reader = new JsonReader();
  for await (const chunk of chunksOf(file)) for (const read of reader.push(chunk)) take(read);
  for (const read of reader.end()) take(read);
  if (records.length + problems.length === 0) {
    problems.push({ line: 1, column: 1, message: "there are no records in it" });
  }
  if (problems.length > 0) {
    throw new ImportError(file, problems.slice(0, PROBLEMS_MAX), problems.length > PROBLEMS_MAX);
  }
  store.write((writer) => {
    for (const { place, rules } of records) writer.putRules(place, rules);
  });
  return {
    records: records.length,
    rules: records.reduce((sum, one) => sum + one.rules.length, 0),
  };
}

function readRecord(row: Row, terms: RuleTerms): RuleRecord | ImportProblem {
  const { line, column, cells } = row;
  const fail = (message: string): ImportProblem => ({ line, column, message });
  const value = (name: string): JsonValue | undefined =>
    cells[name]?.value as JsonValue | undefined;
  if (Object.keys(cells).some((name) => !MEMBERS.includes(name))) {
    return fail("a member is none of `clientid`, `username`, `all`, `namespace`, `rules`");
  }
  const namespace = value("namespace") ?? "";
  if (typeof namespace !== "string" || Buffer.byteLength(namespace) > NAMESPACE_BYTES_MAX) {
    return fail(`\`namespace\` is no text of at most ${NAMESPACE_BYTES_MAX} bytes`);
  }
  const whose = whoseOf(value);
  if (!whose) {
    return fail("exactly one of `clientid`, `username` and `all = true` says whose rules they are");
  }
  if (whose.kind !== "all" && (whose.id === "" || Buffer.byteLength(whose.id) > ID_BYTES_MAX)) {
    return fail(`\`${whose.kind}\` is no text of 1 to ${ID_BYTES_MAX} bytes`);
  }
  const list = value("rules");
  if (!isJsonArray(list)) return fail("`rules` is no list");
  const checked = checkRules(list, terms);
  if (typeof checked === "string") return fail(checked);
  return { place: { group: whose.kind, namespace, id: whose.id }, rules: checked };
}

function whoseOf(
  value: (name: string) => JsonValue | undefined,
): { kind: RuleKind; id: string } | undefined {
  const named = (["clientid", "username", "all"] as const).filter(
    (name) => value(name) !== undefined,
  );
  const [kind] = named;
  if (kind === undefined || named.length > 1) return undefined;
  if (kind === "all") return value("all") === true ? { kind, id: "" } : undefined;
  const id = value(kind);
  return typeof id === "string" ? { kind, id } : undefined;
}

/** The rules, one for each topic, or what is wrong with them. */
export function checkRules(
  list: readonly unknown[],
  { switches, rulesMax }: RuleTerms,
): readonly object[] | string {
  const rules: object[] = [];
  for (const [index, one] of list.entries()) {
    const check = checkStoredRule(one, switches);
    if (!check.ok) return `rule ${index + 1}: ${check.message}`;
    rules.push(...check.rules);
  }
  return rules.length > rulesMax ? `more than ${rulesMax} rules (one for each topic)` : rules;
}
