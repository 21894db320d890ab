/** Text → tokens, one at a time. Source: authentication §7.1. */
import { Cursor, isBlank, isLineEnd } from "./cursor.ts";
import { type QuotedOptions, readQuoted, readRaw } from "./strings.ts";
import type { Problem, Token, TokenType } from "./token.ts";

export class Lexer {
  readonly #cursor: Cursor;
  readonly #options: QuotedOptions;
  readonly #ahead: Token[] = [];

  constructor(text: string, file: string, options: QuotedOptions) {
    this.#cursor = new Cursor(text, file);
    this.#options = options;
    // A byte-order mark is no character of the text, so it takes no column.
    if (text.charCodeAt(0) === 0xfeff) this.#cursor.offset = 1;
  }

  get text(): string {
    return this.#cursor.text;
  }

  /** The token `distance` tokens ahead, without taking it. */
  peek(distance = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#read());
    return this.#ahead[distance] as Token;
  }

  next(): Token {
    return this.#ahead.shift() ?? this.#read();
  }

  #read(): Token {
    const cursor = this.#cursor;
    const before = cursor.offset;
    skipSpace(cursor);
    const spaced = cursor.offset > before || before === 0;
    const start = cursor.offset;
    const at = cursor.position();
    const token = (type: TokenType, text: string, rest: Partial<Token> = {}): Token => ({
      type,
      text,
      start,
      end: cursor.offset,
      at,
      endLine: cursor.line,
      spaced,
      ...rest,
    });
    if (start >= cursor.text.length) return token("end", "");

    const char = cursor.text.charAt(start);
    if (PUNCTUATION.has(char)) {
      cursor.moveTo(start + 1);
      return token(char as TokenType, char);
    }
    if (char === '"') {
      const isRaw = cursor.startsWith('"""');
      const quoted = isRaw ? readRaw(cursor) : readQuoted(cursor, this.#options);
      const { contentAt, layout, problem } = quoted;
      if (problem) return token("bad", quoted.text, { contentAt, problem });
      return token(isRaw ? "raw" : "quoted", quoted.text, { contentAt, layout });
    }
    const substitution = matchAt(SUBSTITUTION, cursor);
    if (substitution) {
      cursor.moveTo(start + substitution[0].length);
      return token("substitution", substitution[2] ?? "", { optional: substitution[1] === "?" });
    }
    const word = matchAt(WORD, cursor)?.[0];
    if (word !== undefined) {
      cursor.moveTo(start + word.length);
      return token(KEYWORDS.get(word) ?? "word", word);
    }
    const number = readNumber(cursor);
    if (number) {
      cursor.moveTo(start + number.text.length);
      return token(number.type, number.text);
    }
    const problem = skipBad(cursor);
    return token("bad", cursor.text.slice(start, cursor.offset), { problem });
  }
}

const PUNCTUATION: ReadonlySet<string> = new Set("{}[],=:()");
const KEYWORDS: ReadonlyMap<string, TokenType> = new Map<string, TokenType>([
  ["true", "boolean"],
  ["false", "boolean"],
  ["null", "null"],
]);
const WORD = /[A-Za-z][A-Za-z0-9_.@%|-]*/y;
const SUBSTITUTION = /\$\{(\??)([A-Za-z0-9_@%|-][A-Za-z0-9_.@%|-]*)\}/y;
const UNIT = /[0-9]+(?:kb|KB|mb|MB|gb|GB|ms|MS|[dhmsDHMS%])/y;
const FLOAT = /[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?/y;
const INTEGER = /[+-]?[0-9]+/y;

function matchAt(pattern: RegExp, cursor: Cursor): RegExpExecArray | null {
  pattern.lastIndex = cursor.offset;
  return pattern.exec(cursor.text);
}

/** The longest of unit text, float and integer. */
function readNumber(cursor: Cursor): { type: TokenType; text: string } | undefined {
  const unit = matchAt(UNIT, cursor);
  if (unit) return { type: "unit", text: unit[0] };
  const float = matchAt(FLOAT, cursor);
  if (float) return { type: "float", text: float[0] };
  const integer = matchAt(INTEGER, cursor);
  return integer ? { type: "integer", text: integer[0] } : undefined;
}

/** Blanks, line ends and comments. */
function skipSpace(cursor: Cursor): void {
  const { text } = cursor;
  let at = cursor.offset;
  for (;;) {
    const unit = text.charCodeAt(at);
    if (isBlank(unit) || isLineEnd(unit)) {
      at += 1;
    } else if (unit === HASH || (unit === SLASH && text.charCodeAt(at + 1) === SLASH)) {
      while (at < text.length && !isLineEnd(text.charCodeAt(at))) at += 1;
    } else {
      cursor.moveTo(at);
      return;
    }
  }
}

const HASH = 0x23;
const SLASH = 0x2f;

/** Moves over something that is no token, and says what it may have been meant to be. */
function skipBad(cursor: Cursor): Problem {
  const { text, offset } = cursor;
  if (cursor.startsWith("+=")) {
    cursor.moveTo(offset + 2);
    return {
      message: "`+=` is not part of EMQX's HOCON",
      hint: "append with `key = ${key} [ … ]`, or edit one element with `key.1.name = …`",
    };
  }
  if (cursor.startsWith("${")) {
    const rest = matchAt(BROKEN_SUBSTITUTION, cursor)?.[0] ?? "${";
    cursor.moveTo(offset + rest.length);
    return {
      message: `\`${rest}\` is not a substitution: it needs a path without blanks and a closing \`}\``,
      hint: "write `${path.to.key}`; to have `${…}` as text, put the whole value in quotes",
      quotes: true,
    };
  }
  const single = matchAt(SINGLE_QUOTED, cursor);
  if (single) {
    cursor.moveTo(offset + single[0].length);
    return {
      message: `found ${clip(single[0])}: single quotes do not quote`,
      hint: 'use double quotes: `"…"`',
      quotes: true,
    };
  }
  let end = offset + 1;
  while (end < text.length && !isBadEnd(text.charCodeAt(end))) end += 1;
  cursor.moveTo(end);
  const found = clip(text.slice(offset, end));
  return { message: `found ${found}, which needs quotes`, hint: QUOTE_HINT, quotes: true };
}

const SINGLE_QUOTED = /'[^'\n\r]*'?/y;

const BROKEN_SUBSTITUTION = /\$\{[^\n\r"{}]{0,80}\}?/y;

export const QUOTE_HINT = "unquoted text is a letter followed by letters, digits and `_ . @ % - |`";

function isBadEnd(unit: number): boolean {
  return isBlank(unit) || isLineEnd(unit) || BAD_ENDS.has(unit);
}

const BAD_ENDS: ReadonlySet<number> = new Set([...',{}[]="#'].map((c) => c.charCodeAt(0)));

/** Source text for a message, in backticks and not too long. */
export function clip(text: string): string {
  const characters = [...text.slice(0, 100)];
  return characters.length > 40 ? `\`${characters.slice(0, 40).join("")}…\`` : `\`${text}\``;
}
