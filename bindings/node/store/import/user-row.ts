/** A row of a file → a user, or why it is none. Source: authentication §3.4, §8 item 45. */
import { ID_BYTES_MAX, NAMESPACE_BYTES_MAX } from "../keys.ts";
import type { ImportProblem } from "./problem.ts";
import type { Cell, Row } from "./rows.ts";

export type ImportType = "plain" | "hash";

export interface UserRow {
  readonly userId: string;
  /** Empty: no tenant's. */
  readonly namespace: string;
  readonly isSuperuser: boolean;
  readonly secret:
    | { readonly type: "plain"; readonly password: string }
    | { readonly type: "hash"; readonly passwordHash: string; readonly salt: string | undefined };
}

export type UserRowReading =
  | { readonly ok: true; readonly user: UserRow }
  | { readonly ok: false; readonly problem: ImportProblem };

export interface UserRowOptions {
  readonly type: ImportType;
  /** `strict_user_imports`: unknown columns are refused, and no salt is the empty one. */
  readonly strict: boolean;
  /** Why a password cannot be stored, if it cannot. */
  readonly refusePassword?: ((password: string) => string | undefined) | undefined;
}

/** LIMIT: MQTT's passwords; a hash or salt is never longer. */
const SECRET_BYTES_MAX = 65_535;

const COLUMNS: Readonly<Record<ImportType, readonly string[]>> = {
  plain: ["user_id", "password", "is_superuser", "namespace"],
  hash: ["user_id", "password_hash", "salt", "is_superuser", "namespace"],
};

/** Messages name columns, never what stands in them. */
export function readUserRow(row: Row, options: UserRowOptions): UserRowReading {
  const { type, strict, refusePassword } = options;
  const fail = (message: string, at: Cell | Row = row): UserRowReading => {
    const { line, column } = at;
    return { ok: false, problem: { line, column, message } };
  };
  const columns = COLUMNS[type];
  const unknown = Object.keys(row.cells).find((name) => !columns.includes(name));
  if (strict && unknown !== undefined) {
    return fail(`a column or member is none of ${list(columns)}`, row.cells[unknown]);
  }
  const secretColumn = type === "plain" ? "password" : "password_hash";
  for (const [name, bytesMax, mayBeEmpty] of [
    ["user_id", ID_BYTES_MAX, false],
    ["namespace", NAMESPACE_BYTES_MAX, true],
    [secretColumn, SECRET_BYTES_MAX, type === "plain"],
    ["salt", SECRET_BYTES_MAX, true],
  ] as const) {
    const cell = row.cells[name];
    const isRequired = name === "user_id" || name === secretColumn;
    if (cell?.value === undefined) {
      if (isRequired) return fail(missing(name, type), cell);
      continue;
    }
    if (typeof cell.value !== "string") return fail(`\`${name}\` is no text`, cell);
    if (cell.value === "" && !mayBeEmpty) return fail(`\`${name}\` is empty`, cell);
    if (Buffer.byteLength(cell.value) > bytesMax) {
      return fail(`\`${name}\` has more than ${bytesMax} bytes`, cell);
    }
  }
  const text = (name: string): string | undefined => row.cells[name]?.value as string | undefined;
  const refusal = type === "plain" && refusePassword?.(text("password")!);
  if (refusal) return fail(refusal, row.cells.password);
  const superuser = row.cells.is_superuser;
  const isSuperuser = superuser?.value === true || superuser?.value === "true";
  const namespace = text("namespace") ?? "";
  if (isSuperuser && namespace !== "") {
    return fail("a user with a `namespace` cannot be a superuser", superuser);
  }
  const secret =
    type === "plain"
      ? ({ type, password: text("password")! } as const)
      : ({ type, passwordHash: text("password_hash")!, salt: saltOf(row, strict) } as const);
  return { ok: true, user: { userId: text("user_id")!, namespace, isSuperuser, secret } };
}

/** A column that is missing is an empty salt; an empty cell is one only in strict mode. */
function saltOf(row: Row, strict: boolean): string | undefined {
  const cell = row.cells.salt;
  const value = cell?.value as string | undefined;
  return value ?? (strict || cell === undefined ? "" : undefined);
}

function missing(name: string, type: ImportType): string {
  const other = type === "plain" ? "hash" : "plain";
  const hint = name === "user_id" ? "" : ` (for a file with other columns: type \`${other}\`)`;
  return `\`${name}\` is missing${hint}`;
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
