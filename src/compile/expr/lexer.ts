/** Expression text → tokens. Source: expressions §1.1–1.2. */
import type { Span } from "./ast.ts";

export type Token =
  | { readonly type: "text"; readonly value: string; readonly span: Span }
  | { readonly type: "boolean"; readonly value: string; readonly span: Span }
  | { readonly type: "integer"; readonly value: bigint; readonly span: Span }
  | { readonly type: "float"; readonly value: number; readonly span: Span }
  | { readonly type: "identifier"; readonly value: string; readonly span: Span }
  | { readonly type: "punctuation"; readonly value: string; readonly span: Span }
  | { readonly type: "end"; readonly span: Span };

/** A text that is no expression. Thrown inside this folder only; compileExpression reports it. */
export class ExpressionSyntaxError extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

const BLANK = /[ \t\n]+/y;
const WORD = /[A-Za-z][A-Za-z0-9_.-]*/y;
const STRING = /'[^']*'|"[^"]*"/y;
const FLOAT = /[+-]?[0-9]+\.[0-9]+(?:e[+-]?[0-9]+)?/y;
const INTEGER = /[+-]?[0-9]+/y;
const PUNCTUATION = /[()[\],]/y;

/**
 * All tokens of `source`, the last one of type `end`. `quotesAreExact` removes exactly one quote
 * from each end of a string; without it an opening quote that fuses with its neighbour into one
 * grapheme cluster stays, as in the reference. Throws ExpressionSyntaxError.
 */
export function tokenize(source: string, options: { quotesAreExact: boolean }): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  while (at < source.length) {
    const blank = match(BLANK);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token = readToken(match, at, options.quotesAreExact);
    if (token === undefined) throw unknownCharacter(source, at);
    tokens.push(token);
    at = token.span.end;
  }
  tokens.push({ type: "end", span: { start: at, end: at } });
  return tokens;
}

function readToken(
  match: (pattern: RegExp) => string | undefined,
  start: number,
  quotesAreExact: boolean,
): Token | undefined {
  let text = match(WORD);
  if (text !== undefined) {
    const type = text === "true" || text === "false" ? "boolean" : "identifier";
    return { type, value: text, span: { start, end: start + text.length } };
  }
  text = match(STRING);
  if (text !== undefined) {
    const value = quotesAreExact ? text.slice(1, -1) : trimQuotes(text);
    return { type: "text", value, span: { start, end: start + text.length } };
  }
  text = match(FLOAT);
  if (text !== undefined) {
    const value = Number(text);
    if (!Number.isFinite(value)) {
      throw new ExpressionSyntaxError(
        start,
        `the number \`${clip(text)}\` is too large for a float`,
      );
    }
    return { type: "float", value, span: { start, end: start + text.length } };
  }
  text = match(INTEGER);
  if (text !== undefined) {
    return { type: "integer", value: BigInt(text), span: { start, end: start + text.length } };
  }
  text = match(PUNCTUATION);
  if (text === undefined) return undefined;
  return { type: "punctuation", value: text, span: { start, end: start + text.length } };
}

/** The opening quote goes only where it is a grapheme cluster of its own; the closing one always is. */
function trimQuotes(text: string): string {
  const [quote, inner] = [text[0]!, text.slice(1, -1)];
  if (/^[\x20-\x7e]*$/.test(inner)) return inner;
  const first = new Intl.Segmenter("en").segment(text).containing(0)!.segment;
  return first === quote ? inner : quote + inner;
}

function unknownCharacter(source: string, at: number): ExpressionSyntaxError {
  const character = String.fromCodePoint(source.codePointAt(at)!);
  switch (character) {
    case "'":
    case '"':
      return new ExpressionSyntaxError(
        at,
        `the string that starts here has no closing \`${character}\``,
        "strings have no escapes: to write a quote, put the string in the other kind of quotes",
      );
    case "\r":
      return new ExpressionSyntaxError(
        at,
        "carriage return between tokens",
        "use LF line ends; only space, tab and LF may stand between tokens",
      );
    case "$":
    case "{":
      return new ExpressionSyntaxError(
        at,
        `unexpected \`${character}\``,
        "an expression names variables without `${…}`: write `clientid`",
      );
    default:
      return new ExpressionSyntaxError(
        at,
        `unexpected ${printable(character)}`,
        "expected a function, a variable, a number or a quoted string",
      );
  }
}

function printable(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return code > 32 && code < 127 ? `\`${character}\`` : hex;
}

/** A token's text, short enough for a message. */
export function clip(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}
