/**
 * Character classes: `[…]`, with PCRE2's rules for brackets, hyphens and POSIX names.
 *
 * Source: expressions §4.5.
 */
import {
  addOtherCase,
  addRange,
  addSet,
  type ByteSet,
  byteSet,
  complement,
  POSIX_CLASSES,
} from "./byte-set.ts";
import { readEscape } from "./escape.ts";
import { BACKSLASH, code, type PatternReader } from "./reader.ts";
import { refuse } from "./refusal.ts";

export interface ClassOptions {
  readonly ignoreCase: boolean;
  /** (?xx): blanks between the brackets are ignored. */
  readonly isExtendedMore: boolean;
}

/** What a hyphen would mean at this point of a class. */
type RangeState =
  /** Itself. */
  | "none"
  /** The start of a range from the byte before. */
  | "may start"
  /** It has been read; the range's end comes next. */
  | "started"
  /** After \d or [:alpha:]: it must be the last character. */
  | "only last"
  /** And has been read. */
  | "must end";

/** Reads a class; the cursor is on the opening bracket. */
export function readClass(reader: PatternReader, options: ClassOptions): ByteSet {
  const start = reader.at;
  if (posixEnd(reader) >= 0) {
    refuse("a POSIX class stands only inside brackets", start, "write [[:alpha:]]");
  }
  reader.at += 1;
  const negated = skipToContents(reader, options);
  const set = new Uint32Array(8);
  let state = "none" as RangeState;
  let low = 0;

  const takeByte = (byte: number, at: number): void => {
    if (state === "must end") refuseHyphen(at);
    if (state === "started") {
      if (byte < low) refuse("a range is out of order", at, "write [low-high]");
      const part = byteSet([low, byte]);
      if (options.ignoreCase) addOtherCase(part);
      addSet(set, part);
      state = "none";
      return;
    }
    addRange(set, byte, byte);
    if (options.ignoreCase) addSet(set, bothCases(byte));
    low = byte;
    state = "may start";
  };
  const takeSet = (part: ByteSet, at: number): void => {
    if (state === "started" || state === "must end") refuseHyphen(at);
    addSet(set, part);
    state = "only last";
  };

  // A bracket first in its class is a literal.
  if (!reader.isQuoting && reader.peek() === code("]")) takeByte(code("]"), reader.at++);
  for (;;) {
    if (reader.isAtEnd) refuse("a character class is not closed", start, "add ] or write \\[");
    const at = reader.at;
    const byte = reader.peek();
    if (reader.isQuoting) {
      if (reader.accept("\\E")) reader.isQuoting = false;
      else takeByte(byte, reader.at++);
    } else if ((byte === 32 || byte === 9) && options.isExtendedMore) {
      reader.at += 1;
    } else if (byte === code("[") && posixEnd(reader) >= 0) {
      takeSet(readPosix(reader, options.ignoreCase), at);
    } else if (byte === code("]")) {
      reader.at += 1;
      if (state === "started") addRange(set, code("-"), code("-"));
      return negated ? complement(set) : set;
    } else if (byte === BACKSLASH) {
      const read = readEscape(reader, true);
      if (read.type === "byte") takeByte(read.byte, at);
      else if (read.type === "set") takeSet(read.set, at);
    } else if (byte === code("-") && state === "may start") {
      reader.at += 1;
      state = "started";
    } else if (byte === code("-") && state === "only last") {
      reader.at += 1;
      addRange(set, byte, byte);
      state = "must end";
    } else {
      takeByte(byte, reader.at++);
    }
  }
}

function refuseHyphen(at: number): never {
  return refuse(
    "a range cannot begin or end with a class such as `\\d`",
    at,
    "put the hyphen last, or write \\-",
  );
}

/** Steps over a caret, and over what PCRE2 ignores around it. Is the class negated? */
function skipToContents(reader: PatternReader, options: ClassOptions): boolean {
  let negated = false;
  for (;;) {
    const isBlank = reader.peek() === 32 || reader.peek() === 9;
    if (reader.accept("\\Q\\E") || reader.accept("\\E")) continue;
    if (isBlank && options.isExtendedMore) reader.at += 1;
    else if (!negated && reader.accept("^")) negated = true;
    else return negated;
  }
}

function bothCases(byte: number): ByteSet {
  const set = byteSet(byte);
  addOtherCase(set);
  return set;
}

/** Offset of the `:]` (or `.]`, `=]`) that ends a POSIX item starting at the cursor; -1 for none. */
function posixEnd(reader: PatternReader): number {
  const { bytes } = reader;
  const kind = reader.peek(1);
  if (kind !== code(":") && kind !== code(".") && kind !== code("=")) return -1;
  for (let at = reader.at + 2; at + 1 < bytes.length; at++) {
    const byte = bytes[at];
    const next = bytes[at + 1];
    if (byte === BACKSLASH && (next === code("]") || next === BACKSLASH)) at += 1;
    else if ((byte === code("[") && next === kind) || byte === code("]")) return -1;
    else if (byte === kind && next === code("]")) return at;
  }
  return -1;
}

function readPosix(reader: PatternReader, ignoreCase: boolean): ByteSet {
  const start = reader.at;
  const end = posixEnd(reader);
  if (reader.peek(1) !== code(":")) {
    refuse("collating elements are not supported", start, "escape the bracket: \\[");
  }
  reader.at += 2;
  const negated = reader.accept("^");
  let name = String.fromCharCode(...reader.bytes.subarray(reader.at, Math.min(end, start + 40)));
  reader.at = end + 2;
  const known = Object.hasOwn(POSIX_CLASSES, name);
  if (!known) {
    refuse(
      `unknown POSIX class \`${name}\``,
      start,
      `known: ${Object.keys(POSIX_CLASSES).join(", ")}`,
    );
  }
  if (ignoreCase && (name === "lower" || name === "upper")) name = "alpha";
  const set = POSIX_CLASSES[name]!;
  return negated ? complement(set) : set;
}
