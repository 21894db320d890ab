/**
 * Users in CSV. The first line names the columns, separated by commas or blanks. Lines end with CR,
 * LF or both; empty ones are skipped. Fields are separated by commas and trimmed; an empty one is no
 * value. With `quoting`, a field that begins with `"` goes on to the next `"` that is not doubled
 * (RFC 4180), may hold commas and line ends, and is a value even when it is empty.
 *
 * Source: authentication §3.4, §8 item 45.
 */
import { decodeUtf8 } from "../../../../src/text.ts";
import {
  type Cell,
  charactersOf,
  ROW_BYTES_MAX,
  type RowOrProblem,
  type RowReader,
  withoutByteOrderMark,
} from "./rows.ts";

export interface CsvOptions {
  readonly quoting: boolean;
}

const LF = 0x0a;
const CR = 0x0d;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** A field of a line: its bytes without quotes, and where it began. */
interface Field {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly isQuoted: boolean;
}

/** A line that was scanned: where its line end stands, and its fields or what is wrong with it. */
interface Scan {
  readonly end: number;
  readonly fields: readonly Field[];
  readonly problem?: { readonly at: number; readonly message: string } | undefined;
}

export class CsvReader implements RowReader {
  readonly #quoting: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #hasBegun = false;
  #isDone = false;
  #columns: readonly string[] | undefined;
  /** The last line ended with a CR: an LF that follows is the same line's. */
  #isAfterCr = false;

  constructor({ quoting }: CsvOptions) {
    this.#quoting = quoting;
  }

  *push(chunk: Uint8Array): Generator<RowOrProblem> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#hasBegun) {
      if (this.#rest.length < 3) return;
      this.#begin();
    }
    yield* this.#take(false);
  }

  *end(): Generator<RowOrProblem> {
    if (!this.#hasBegun) this.#begin();
    yield* this.#take(true);
    if (!this.#columns && !this.#isDone) yield this.#fatal("the line with the names is missing");
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#rest = withoutByteOrderMark(this.#rest);
  }

  *#take(isEnd: boolean): Generator<RowOrProblem> {
    const bytes = this.#rest;
    let start = 0;
    while (!this.#isDone) {
      if (this.#isAfterCr && start < bytes.length) {
        this.#isAfterCr = false;
        if (bytes[start] === LF) start += 1;
      }
      if (start >= bytes.length) break;
      const scan = this.#scan(bytes, start, isEnd);
      if ((scan?.end ?? bytes.length) - start > ROW_BYTES_MAX) {
        yield this.#fatal(`the row has more than ${ROW_BYTES_MAX} bytes`);
        break;
      }
      if (!scan) break;
      yield* this.#answer(bytes, start, scan);
      const isEnded = scan.end < bytes.length;
      this.#line += lineEnds(bytes.subarray(start, scan.end)) + (isEnded ? 1 : 0);
      this.#isAfterCr = bytes[scan.end] === CR;
      start = scan.end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
  }

  *#answer(bytes: Buffer, start: number, { fields, end, problem }: Scan): Generator<RowOrProblem> {
    const place = (at: number) => this.#placeOf(bytes, start, at);
    if (problem) {
      yield this.#refuse(problem.message, place(problem.at));
      return;
    }
    const line = bytes.subarray(start, end);
    if (fields.length === 1 && fields[0]!.bytes.length === 0 && !fields[0]!.isQuoted) return;
    if (decodeUtf8(line) === undefined) {
      yield this.#refuse("not UTF-8", place(start));
    } else if (!this.#columns) {
      yield* this.#readNames(fields, line);
    } else if (fields.length !== this.#columns.length) {
      const message = `the row has ${fields.length} field${fields.length === 1 ? "" : "s"}, the first line names ${this.#columns.length}`;
      yield this.#refuse(message, place(start));
    } else {
      const cells: Record<string, Cell> = Object.create(null);
      for (const [index, { bytes: value, start: at, isQuoted }] of fields.entries()) {
        const isValue = isQuoted || value.length > 0;
        cells[this.#columns[index]!] = {
          value: isValue ? decodeUtf8(value) : undefined,
          ...place(at),
        };
      }
      yield { ok: true, row: { ...place(start), cells } };
    }
  }

  *#readNames(fields: readonly Field[], line: Uint8Array): Generator<RowOrProblem> {
    const isQuoted = fields.some((field) => field.isQuoted);
    const names = isQuoted
      ? fields.map(({ bytes }) => decodeUtf8(bytes) ?? "")
      : decodeUtf8(line)!
          .split(/[,\s]+/)
          .filter((name) => name !== "");
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) {
      yield this.#fatal("a column is named twice");
      return;
    }
    this.#columns = names;
  }

  /** Without the names there is no going on. */
  #refuse(message: string, place: { line: number; column: number }): RowOrProblem {
    const isFatal = this.#columns === undefined;
    if (isFatal) this.#isDone = true;
    return { ok: false, problem: { ...place, message }, isFatal };
  }

  #fatal(message: string): RowOrProblem {
    this.#isDone = true;
    return { ok: false, problem: { line: this.#line, column: 1, message }, isFatal: true };
  }

  #placeOf(bytes: Buffer, start: number, at: number): { line: number; column: number } {
    const before = bytes.subarray(start, at);
    const lastEnd = Math.max(before.lastIndexOf(LF), before.lastIndexOf(CR));
    return {
      line: this.#line + lineEnds(before),
      column: charactersOf(before.subarray(lastEnd + 1)) + 1,
    };
  }

  /** The line from `start`; undefined when its end is not there yet. */
  #scan(bytes: Buffer, start: number, isEnd: boolean): Scan | undefined {
    const fields: Field[] = [];
    let problem: Scan["problem"];
    let at = start;
    for (;;) {
      const first = skipBlanks(bytes, at);
      let end: number;
      if (this.#quoting && bytes[first] === QUOTE) {
        const close = closingQuote(bytes, first + 1);
        // A quote at the very end may be half of a doubled one.
        if (!isEnd && (close < 0 || close + 1 >= bytes.length)) return undefined;
        if (close < 0) {
          const message = "the quote is not closed";
          return { end: bytes.length, fields, problem: { at: first, message } };
        }
        end = skipBlanks(bytes, close + 1);
        fields.push({
          bytes: unquote(bytes.subarray(first + 1, close)),
          start: first,
          isQuoted: true,
        });
        if (end < bytes.length && !isFieldEnd(bytes[end]!)) {
          problem ??= { at: end, message: "something follows the closing quote" };
          end = fieldEnd(bytes, end);
        }
      } else {
        end = fieldEnd(bytes, first);
        fields.push({ bytes: trimEnd(bytes.subarray(first, end)), start: first, isQuoted: false });
      }
      if (end >= bytes.length) return isEnd ? { end, fields, problem } : undefined;
      if (bytes[end] !== COMMA) return { end, fields, problem };
      at = end + 1;
    }
  }
}

function isFieldEnd(byte: number): boolean {
  return byte === COMMA || byte === LF || byte === CR;
}

function fieldEnd(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !isFieldEnd(bytes[at]!)) at += 1;
  return at;
}

/** The quote that ends the field, or -1. */
function closingQuote(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0 || bytes[quote + 1] !== QUOTE) return quote;
    at = quote + 2;
  }
}

function unquote(bytes: Buffer): Uint8Array {
  if (!bytes.includes(QUOTE)) return bytes;
  const out: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    out.push(bytes[at]!);
    if (bytes[at] === QUOTE) at += 1;
  }
  return Uint8Array.from(out);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c;
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

function trimEnd(bytes: Buffer): Uint8Array {
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1])) end -= 1;
  return bytes.subarray(0, end);
}

/** Line ends inside of quotes. */
function lineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === CR || (bytes[at] === LF && bytes[at - 1] !== CR)) count += 1;
  }
  return count;
}
