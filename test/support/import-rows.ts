/** Reads rows of CSV or JSON as a test writes them, in chunks of any length. */
import { CsvReader } from "../../bindings/node/store/import/csv.ts";
import { JsonReader } from "../../bindings/node/store/import/json.ts";
import type { RowOrProblem, RowReader } from "../../bindings/node/store/import/rows.ts";

export type RowFormat = "csv" | "csv without quotes" | "json";

/** Everything that a reader answers; it is given `chunkBytes` at a time. */
export function readRows(
  format: RowFormat,
  content: string | Uint8Array,
  chunkBytes: number = Number.MAX_SAFE_INTEGER,
): RowOrProblem[] {
  const reader = readerOf(format);
  const bytes = Buffer.from(content as string);
  const out: RowOrProblem[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    for (const read of reader.push(bytes.subarray(start, start + chunkBytes))) {
      out.push(read);
      if (!read.ok && read.isFatal) return out;
    }
  }
  out.push(...reader.end());
  return out;
}

function readerOf(format: RowFormat): RowReader {
  return format === "json" ? new JsonReader() : new CsvReader({ quoting: format === "csv" });
}

/** The values of each row, or `LINE:COLUMN MESSAGE`. */
export function brief(read: readonly RowOrProblem[]): unknown[] {
  return read.map((one) => {
    if (!one.ok) return `${one.problem.line}:${one.problem.column} ${one.problem.message}`;
    const { cells } = one.row;
    return Object.fromEntries(Object.keys(cells).map((name) => [name, cells[name]!.value]));
  });
}
