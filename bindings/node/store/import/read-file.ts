/** A file of users, row by row, in bounded memory. */
import { createReadStream, statSync } from "node:fs";
import { EngineError } from "../../../../src/errors.ts";
import { CsvReader } from "./csv.ts";
import { JsonReader } from "./json.ts";
import { ImportError, type ImportProblem, PROBLEMS_MAX } from "./problem.ts";
import type { RowReader } from "./rows.ts";
import { readUserRow, type UserRow, type UserRowOptions } from "./user-row.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * The users of a file, in groups as they are read. Rejects with ImportError when any row is wrong, but
 * only at the end, with the first mistakes; with EngineError ERR_IMPORT_FILE when it cannot be read.
 */
export async function* readUsers(file: string, options: UserRowOptions): AsyncGenerator<UserRow[]> {
  const reader = readerOf(file, options);
  const problems: ImportProblem[] = [];
  let isMore = false;
  let hasUsers = false;
  const take = (chunk?: Uint8Array): { users: UserRow[]; isOver: boolean } => {
    const users: UserRow[] = [];
    for (const read of chunk ? reader.push(chunk) : reader.end()) {
      const reading = read.ok ? readUserRow(read.row, options) : read;
      hasUsers = true;
      if (reading.ok) users.push(reading.user);
      else if (problems.length < PROBLEMS_MAX) problems.push(reading.problem);
      else isMore = true;
      if (!read.ok && read.isFatal) return { users, isOver: true };
    }
    return { users, isOver: false };
  };
  let isOver = false;
  for await (const chunk of chunksOf(file)) {
    const taken = take(chunk);
    if (problems.length === 0 && taken.users.length > 0) yield taken.users;
    isOver = taken.isOver || isMore;
    if (isOver) break;
  }
  if (!isOver) {
    const { users } = take();
    if (problems.length === 0 && users.length > 0) yield users;
  }
  if (!hasUsers) problems.push({ line: 1, column: 1, message: "there are no users in it" });
  if (problems.length > 0) throw new ImportError(file, problems, isMore);
}

/** Tells whether a file is still what it was. Rejects as readUsers does. */
export function fingerprintOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    throw unreadable(file, error);
  }
}

function readerOf(file: string, { strict }: UserRowOptions): RowReader {
  if (/\.csv$/i.test(file)) return new CsvReader({ quoting: strict });
  if (/\.json$/i.test(file)) return new JsonReader();
  throw new EngineError(
    "ERR_IMPORT_FILE",
    `\`${file}\` is neither .csv nor .json: the ending tells how a file is to be read`,
  );
}

/** The bytes of a file. Rejects with EngineError ERR_IMPORT_FILE when it cannot be read. */
export async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: CHUNK_BYTES });
  } catch (error) {
    throw error instanceof EngineError ? error : unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): EngineError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const reason = code === "ENOENT" ? "no such file" : code;
  return new EngineError("ERR_IMPORT_FILE", `cannot read \`${file}\`: ${reason}`);
}
