/**
 * Escapes, exactly as strict as PCRE2: a backslash before an ASCII letter or digit must be one it
 * knows, everything else after a backslash stands for itself.
 *
 * Source: expressions §4.5.
 */

import { type ByteSet, ESCAPE_CLASSES, NOT_LINE_FEED } from "./byte-set.ts";
import { REGEX_AT } from "./positions.ts";
import { code, hexValue, isOctal, type PatternReader } from "./reader.ts";
import { refuse, refuseFeature } from "./refusal.ts";

export type Escape =
  | { readonly type: "byte"; readonly byte: number }
  | { readonly type: "set"; readonly set: ByteSet }
  | { readonly type: "assert"; readonly at: number }
  /** \R: CR LF as one, or any vertical blank. */
  | { readonly type: "line break" }
  /** \X: CR LF as one, or any byte; between 0 and 255 nothing else belongs together. */
  | { readonly type: "grapheme" }
  /** \Q or \E: the reader's quoting state has changed, nothing else. */
  | { readonly type: "quote" };

const CONTROL_LETTERS: Readonly<Record<string, number>> = {
  a: 7,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
};
const ASSERTIONS: Readonly<Record<string, number>> = {
  A: REGEX_AT.start,
  z: REGEX_AT.end,
  Z: REGEX_AT.lastLineEnd,
  b: REGEX_AT.boundary,
  B: REGEX_AT.notBoundary,
};

/** Reads an escape; the cursor is on the backslash. */
export function readEscape(reader: PatternReader, inClass: boolean): Escape {
  reader.mendDoubledBackslash(inClass);
  const start = reader.at;
  const byte = reader.peek(1);
  if (byte < 0) refuse("a backslash ends the pattern", start, "write \\\\ for a literal backslash");
  reader.at += 2;
  const char = String.fromCharCode(byte);
  if (char === "Q" || char === "E") {
    reader.isQuoting = char === "Q";
    return { type: "quote" };
  }
  if (byte >= 48 && byte <= 57) return digitEscape(reader, start, byte, inClass);
  if (!/[A-Za-z]/.test(char)) return { type: "byte", byte };
  const set = ESCAPE_CLASSES[char];
  if (set) return { type: "set", set };
  const control = CONTROL_LETTERS[char];
  if (control !== undefined) return { type: "byte", byte: control };
  if (char === "x") return { type: "byte", byte: hexEscape(reader, start) };
  if (char === "o") return { type: "byte", byte: bracedOctal(reader, start) };
  if (char === "c") return { type: "byte", byte: controlEscape(reader, start) };
  return inClass ? letterInClass(start, char) : letterOutside(reader, start, char);
}

function letterOutside(reader: PatternReader, start: number, char: string): Escape {
  const at = ASSERTIONS[char];
  if (at !== undefined) return { type: "assert", at };
  switch (char) {
    case "R":
      return { type: "line break" };
    case "N":
      return notLineFeed(reader, start);
    case "X":
      return { type: "grapheme" };
    case "C":
    case "K":
    case "G":
      return refuseFeature(`\\${char}`, start);
    case "p":
    case "P":
      return refuseFeature("Unicode property", start);
    case "k":
      return refuseFeature("back-reference", start);
    case "g":
      // \g<…> and \g'…' call a group, every other form refers back to one.
      return refuseFeature(
        reader.peek() === code("<") || reader.peek() === code("'") ? "recursion" : "back-reference",
        start,
      );
    default:
      return unknownEscape(start, char);
  }
}

/** Letters that mean something else, or nothing, between brackets. */
function letterInClass(start: number, char: string): Escape {
  if (char === "b") return { type: "byte", byte: 8 };
  if (char === "g" || char === "k") return { type: "byte", byte: code(char) };
  if (char === "p" || char === "P") return refuseFeature("Unicode property", start);
  if ("ABCGKNRXZz".includes(char)) {
    return refuse(`\`\\${char}\` has no meaning in a character class`, start);
  }
  return unknownEscape(start, char);
}

function unknownEscape(start: number, char: string): never {
  return refuse(
    `unknown escape \`\\${char}\``,
    start,
    `write ${char} for the letter, or \\\\${char} for a backslash and the letter`,
  );
}

/** `\N`, which a counter may follow but no other brace. */
function notLineFeed(reader: PatternReader, start: number): Escape {
  if (reader.peek() === code("{")) {
    const here = reader.at;
    if (!reader.counter()) refuse("`\\N{…}` names no byte", start, "write \\x{…}");
    reader.at = here;
  }
  return { type: "set", set: NOT_LINE_FEED };
}

/** `\1` refers back unless it can only be octal; between brackets it is always octal. */
function digitEscape(
  reader: PatternReader,
  start: number,
  first: number,
  inClass: boolean,
): Escape {
  if (!inClass && first !== 48) {
    reader.at = start + 1;
    const number = reader.digits();
    if (number < 10 || first >= 56 || number <= reader.groups) {
      refuseFeature("back-reference", start);
    }
    reader.at = start + 2;
  }
  if (first >= 56) return { type: "byte", byte: first };
  let byte = first - 48;
  for (let i = 0; i < 2 && isOctal(reader.peek()); i++) {
    byte = byte * 8 + reader.peek() - 48;
    reader.at += 1;
  }
  return { type: "byte", byte: checkByte(byte, start) };
}

/** `\xH`, `\xHH` or `\x{H…}`. */
function hexEscape(reader: PatternReader, start: number): number {
  const isBraced = reader.accept("{");
  if (isBraced) reader.skipBlanks();
  let value = 0;
  let count = 0;
  while (hexValue(reader.peek()) >= 0 && (isBraced || count < 2)) {
    value = Math.min(value * 16 + hexValue(reader.peek()), 0x110000);
    reader.at += 1;
    count += 1;
  }
  if (count === 0) refuse("`\\x` needs hexadecimal digits", start, "write \\xHH");
  if (isBraced) closeBrace(reader, start, "\\x{HH}");
  return checkByte(value, start);
}

/** `\o{…}`. */
function bracedOctal(reader: PatternReader, start: number): number {
  if (!reader.accept("{")) refuse("`\\o` needs a brace", start, "write \\o{101}");
  reader.skipBlanks();
  let value = -1;
  while (isOctal(reader.peek())) {
    value = Math.min(Math.max(value, 0) * 8 + reader.peek() - 48, 0x110000);
    reader.at += 1;
  }
  if (value < 0) refuse("`\\o{…}` needs octal digits", start, "write \\o{101}");
  closeBrace(reader, start, "\\o{101}");
  return checkByte(value, start);
}

function closeBrace(reader: PatternReader, start: number, form: string): void {
  reader.skipBlanks();
  if (!reader.accept("}")) refuse("an escape's brace is not closed", start, `write ${form}`);
}

/** `\c` and a printable ASCII character. */
function controlEscape(reader: PatternReader, start: number): number {
  const byte = reader.peek();
  if (byte < 32 || byte > 126) refuse("`\\c` needs a printable ASCII character", start);
  reader.at += 1;
  return (byte >= 97 && byte <= 122 ? byte - 32 : byte) ^ 0x40;
}

function checkByte(value: number, start: number): number {
  if (value > 255) {
    refuse("an escape names no byte: over FF", start, "write the character's UTF-8 bytes");
  }
  return value;
}
