/**
 * Users in JSON: one array of objects, read an object at a time. Source: authentication §3.4.
 */
import { isJsonObject, member, parseJson } from "../../../../src/json/parse.ts";
import { decodeUtf8 } from "../../../../src/text.ts";
import {
  type Cell,
  charactersOf,
  ROW_BYTES_MAX,
  type RowOrProblem,
  type RowReader,
  withoutByteOrderMark,
} from "./rows.ts";

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LF = 0x0a;

/** What may come next. */
type State = "start" | "first" | "comma" | "next" | "end" | "done";

const EXPECTED: Readonly<Record<Exclude<State, "done">, string>> = {
  start: "expected a list: `[ {…}, … ]`",
  first: "expected an object, or `]`",
  comma: "expected `,` or `]`",
  next: "expected an object",
  end: "something follows the list",
};

export class JsonReader implements RowReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasBegun = false;
  #state: State = "start";
  #line = 1;
  #column = 1;

  *push(chunk: Uint8Array): Generator<RowOrProblem> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#hasBegun && this.#rest.length < 3) return;
    yield* this.#take();
  }

  *end(): Generator<RowOrProblem> {
    yield* this.#take();
    if (this.#state === "done") return;
    if (this.#rest.length > 0) yield this.#fatal("the object is not closed");
    else if (this.#state !== "end")
      yield this.#fatal(`the file ends here: ${EXPECTED[this.#state]}`);
  }

  *#take(): Generator<RowOrProblem> {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#rest = withoutByteOrderMark(this.#rest);
    }
    const bytes = this.#rest;
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      const byte = bytes[at]!;
      if (byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === LF) {
        this.#pass(bytes.subarray(at, at + 1));
        at += 1;
        continue;
      }
      if (byte === OPEN_OBJECT && (this.#state === "first" || this.#state === "next")) {
        const end = objectEnd(bytes, at);
        if ((end < 0 ? bytes.length : end) - at > ROW_BYTES_MAX) {
          yield this.#fatal(`the object has more than ${ROW_BYTES_MAX} bytes`);
          break;
        }
        if (end < 0) break;
        const element = bytes.subarray(at, end);
        yield this.#read(element);
        this.#pass(element);
        this.#state = "comma";
        at = end;
        continue;
      }
      const next = afterMark(this.#state, byte);
      if (!next) {
        yield this.#fatal(EXPECTED[this.#state as keyof typeof EXPECTED]);
        break;
      }
      this.#state = next;
      this.#pass(bytes.subarray(at, at + 1));
      at += 1;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #read(element: Buffer): RowOrProblem {
    const place = { line: this.#line, column: this.#column };
    const text = decodeUtf8(element);
    const read = text === undefined ? undefined : parseJson(text);
    if (!read?.ok || !isJsonObject(read.value)) {
      const message = text === undefined ? "not UTF-8" : "the object is not JSON";
      return { ok: false, problem: { ...place, message }, isFatal: false };
    }
    const cells: Record<string, Cell> = Object.create(null);
    for (const name of Object.keys(read.value)) {
      cells[name] = { value: member(read.value, name) ?? undefined, ...place };
    }
    return { ok: true, row: { ...place, cells } };
  }

  #pass(bytes: Buffer): void {
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) this.#line += 1;
    const last = bytes.lastIndexOf(LF);
    this.#column = charactersOf(bytes.subarray(last + 1)) + (last < 0 ? this.#column : 1);
  }

  #fatal(message: string): RowOrProblem {
    this.#state = "done";
    const problem = { line: this.#line, column: this.#column, message };
    return { ok: false, problem, isFatal: true };
  }
}

/** The state after a mark between objects; undefined when it may not stand there. */
function afterMark(state: State, byte: number): State | undefined {
  switch (state) {
    case "start":
      return byte === OPEN_ARRAY ? "first" : undefined;
    case "first":
      return byte === CLOSE_ARRAY ? "end" : undefined;
    case "comma":
      return byte === COMMA ? "next" : byte === CLOSE_ARRAY ? "end" : undefined;
    default:
      return undefined;
  }
}

/** Where the object that begins at `start` ends, or -1. What is inside is not judged. */
function objectEnd(bytes: Buffer, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}
