/** Rows of a file, read piece by piece: what the readers of CSV and JSON have in common. */
import type { ImportProblem } from "./problem.ts";

/** A value, and where it stands, for messages. */
export interface Cell {
  /** Undefined: no value. */
  readonly value: unknown;
  readonly line: number;
  readonly column: number;
}

/** One user, by the names that the file gives to its values. */
export interface Row {
  readonly line: number;
  readonly column: number;
  /** No prototype. */
  readonly cells: Readonly<Record<string, Cell>>;
}

export type RowOrProblem =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly problem: ImportProblem; readonly isFatal: boolean };

/** LIMIT: bytes of one row; what is longer ends the reading. */
export const ROW_BYTES_MAX = 1024 * 1024;

/** Reads chunks of a file in their order; holds no more than a chunk and a row. */
export interface RowReader {
  /** The rows that are complete by now. After a fatal problem there is nothing more to read. */
  push(chunk: Uint8Array): Generator<RowOrProblem>;
  /** What was left when the file ended. */
  end(): Generator<RowOrProblem>;
}

/** Characters of UTF-8 bytes, continuation bytes not counted. */
export function charactersOf(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count += 1;
  return count;
}

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/** The rest of a file's first bytes, and how many characters are in front of it. */
export function withoutByteOrderMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}
