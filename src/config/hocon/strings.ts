/** The three kinds of quoted text. Source: authentication §7.1. */
import type { SourcePosition } from "../../types.ts";
import { type Cursor, isBlank, isLineEnd } from "./cursor.ts";
import type { TextLayout } from "./node.ts";
import type { Problem } from "./token.ts";

export interface QuotedText {
  readonly text: string;
  /** First character inside the quotes. */
  readonly contentAt: SourcePosition;
  readonly layout?: TextLayout;
  readonly problem?: Problem;
}

export type EscapeKind = "unknown" | "unicode";

export interface QuotedOptions {
  /** Decode `\uXXXX`. */
  readonly unicodeEscapes: boolean;
  /** Told about an escape that deserves a warning. */
  readonly onEscape: (at: SourcePosition, kind: EscapeKind) => void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  '"': '"',
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
};

/** `"…"` on one line; the cursor stands on the opening quote and ends behind the closing one. */
export function readQuoted(cursor: Cursor, options: QuotedOptions): QuotedText {
  cursor.moveTo(cursor.offset + 1);
  const contentAt = cursor.position();
  const { text } = cursor;
  let value = "";
  const escapes: [number, number][] = [];
  let plainFrom = cursor.offset;
  let next = cursor.offset;
  for (;;) {
    const unit = text.charCodeAt(next);
    if (unit === QUOTE) {
      value += text.slice(plainFrom, next);
      cursor.moveTo(next + 1);
      const layout: TextLayout = { kind: "escaped", escapes };
      return { text: value, contentAt, ...(escapes.length > 0 && { layout }) };
    }
    if (Number.isNaN(unit) || isLineEnd(unit)) {
      cursor.moveTo(next);
      return { text: value, contentAt, problem: UNCLOSED_QUOTE };
    }
    if (unit !== BACKSLASH) {
      next += 1;
      continue;
    }
    value += text.slice(plainFrom, next);
    cursor.moveTo(next);
    const read = readEscape(cursor, options);
    value += read.value;
    const extra = read.units - [...read.value].length;
    if (extra > 0) escapes.push([value.length, extra]);
    next += read.units;
    plainFrom = next;
  }
}

const UNCLOSED_QUOTE: Problem = {
  message: 'the text that starts with this `"` is not closed on the same line',
  hint: 'close it with `"`, or write a text of several lines between `"""` and `"""`',
};

/** One escape, at the cursor. A backslash before nothing known stays, and so does what follows. */
function readEscape(cursor: Cursor, options: QuotedOptions): { value: string; units: number } {
  const letter = cursor.text.charAt(cursor.offset + 1);
  const simple = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  if (simple !== undefined) return { value: simple, units: 2 };
  const first = readHex(cursor.text, cursor.offset);
  if (first === undefined) {
    // A line end after the backslash ends the text, with its own error.
    if (letter !== "" && !isLineEnd(letter.charCodeAt(0))) {
      options.onEscape(cursor.position(), "unknown");
    }
    return { value: "\\", units: 1 };
  }
  const source = cursor.text.slice(cursor.offset, cursor.offset + 6);
  options.onEscape(cursor.position(), "unicode");
  if (!options.unicodeEscapes) return { value: source, units: 6 };
  if (first < 0xd800 || first > 0xdfff) return { value: String.fromCharCode(first), units: 6 };
  const second = readHex(cursor.text, cursor.offset + 6) ?? 0;
  if (first > 0xdbff || second < 0xdc00 || second > 0xdfff) {
    // Half a pair is no character: keep the text rather than make ill-formed UTF-16.
    return { value: source, units: 6 };
  }
  return { value: String.fromCharCode(first, second), units: 12 };
}

function readHex(text: string, at: number): number | undefined {
  HEX.lastIndex = at;
  const match = HEX.exec(text);
  return match ? Number.parseInt(match[1] ?? "", 16) : undefined;
}

const HEX = /\\u([0-9A-Fa-f]{4})/y;

const TRIPLE = '"""';

/** `"""…"""` and `"""~…"""`; the cursor stands on the first quote. */
export function readRaw(cursor: Cursor): QuotedText {
  const { text } = cursor;
  cursor.moveTo(cursor.offset + 3);
  const bodyStart = cursor.offset;
  const isIndented = cursor.unit() === TILDE && lineEndUnits(text, bodyStart + 1) > 0;
  const contentAt = cursor.position();
  const close = text.indexOf(TRIPLE, bodyStart);
  if (close < 0) {
    cursor.moveTo(text.length);
    return { text: "", contentAt, problem: UNCLOSED_RAW };
  }
  if (text.charCodeAt(close + 3) === QUOTE) {
    let end = close + 3;
    while (text.charCodeAt(end) === QUOTE) end += 1;
    cursor.moveTo(end);
    return { text: "", contentAt, problem: RAW_ENDS_IN_QUOTE };
  }
  if (!isIndented) {
    cursor.moveTo(close + 3);
    return { text: text.slice(bodyStart, close), contentAt };
  }
  cursor.moveTo(bodyStart + 1 + lineEndUnits(text, bodyStart + 1));
  const body = text.slice(cursor.offset, close);
  const { value, indent } = removeIndent(body);
  const line = cursor.position();
  cursor.moveTo(close + 3);
  const layout: TextLayout = { kind: "indented", indent };
  return { text: value, contentAt: { ...line, column: line.column + indent }, layout };
}

const UNCLOSED_RAW: Problem = {
  message: 'the text that starts with this `"""` is never closed',
  hint: 'end it with `"""`',
};

const RAW_ENDS_IN_QUOTE: Problem = {
  message: 'a text in `"""` cannot end in a quote',
  hint: 'put something between the last quote and the closing `"""`, or write `"…\\""`',
};

const TILDE = 0x7e;

/** Units of the line end at `at`: 0 when there is none. */
function lineEndUnits(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit === 0x0d && text.charCodeAt(at + 1) === 0x0a) return 2;
  return isLineEnd(unit) ? 1 : 0;
}

/**
 * Takes the indentation that all lines share away; the last line holds the closing quotes. A `~`
 * before them is dropped, and then their line's own blanks do not count as text.
 */
function removeIndent(body: string): { value: string; indent: number } {
  const lines = body.split("\n");
  const last = lines.length - 1;
  const closing = lines[last] ?? "";
  const beforeQuotes = closing.endsWith("~") ? closing.slice(0, -1) : closing;
  const closingIsBlank = blanksOf(beforeQuotes) === beforeQuotes.length;
  lines[last] = closingIsBlank ? "" : beforeQuotes;
  let indent = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const blanks = blanksOf(line);
    if (blanks < line.length && line !== "\r") indent = Math.min(indent, blanks);
  }
  if (indent === Number.POSITIVE_INFINITY) indent = 0;
  return { value: lines.map((line) => line.slice(indent)).join("\n"), indent };
}

function blanksOf(line: string): number {
  let count = 0;
  while (isBlank(line.charCodeAt(count))) count += 1;
  return count;
}
