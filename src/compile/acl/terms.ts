/**
 * Tokens → terms. Reads on after an error: from the next closing dot, or from the token that
 * plainly starts another rule, so that one run reports everything that is wrong.
 */
import { encodeUtf8 } from "../../text.ts";
import { AclSyntaxError, Lexer, type Token } from "./lexer.ts";
import { findNextTerm } from "./recovery.ts";
import { quote } from "./report.ts";

/** Offsets of the first character and of the one after the last. */
interface Span {
  readonly at: number;
  readonly end: number;
}

export type Term = Span &
  (
    | { readonly kind: "tuple"; readonly items: readonly Term[] }
    /** `tail` is what follows `|` where that is no list: the list is then no proper one. */
    | { readonly kind: "list"; readonly items: readonly Term[]; readonly tail?: Term | undefined }
    /** A list of code points, as written between double quotes; never empty. */
    | { readonly kind: "string"; readonly value: string }
    | { readonly kind: "atom"; readonly name: string }
    | { readonly kind: "binary"; readonly bytes: Uint8Array; readonly isTruncated: boolean }
    | { readonly kind: "integer"; readonly value: number }
    | { readonly kind: "float" | "map" }
  );

/** How deep tuples and lists may nest. LIMIT: bounds the recursion here and in every consumer. */
export const ACL_NESTING_MAX = 64;

/**
 * Reads every term of a file. `onTerm` gets each complete one, `onError` each syntax error; a term
 * with an error in it is dropped. Goes on as long as `mayGoOn` says. Never throws.
 */
export function readTerms(
  text: string,
  onTerm: (term: Term) => void,
  onError: (error: AclSyntaxError) => void,
  mayGoOn: () => boolean,
): void {
  const parser = new TermParser(text);
  while (mayGoOn() && !parser.isAtEnd()) {
    try {
      onTerm(parser.readClosedTerm(onError));
    } catch (error) {
      if (!(error instanceof AclSyntaxError)) throw error;
      onError(parser.explain(error));
      parser.recover(error);
    }
  }
}

class TermParser {
  readonly #lexer: Lexer;
  /** The lexer's token, as long as it is not taken. */
  #ahead: Token | undefined;
  /** Where the first string of the current term starts that runs over several lines. */
  #multiLineAt: number | undefined;

  constructor(text: string) {
    this.#lexer = new Lexer(text);
  }

  isAtEnd(): boolean {
    try {
      return this.#peek().type === "end";
    } catch (error) {
      // The lexer stays where it failed, so that reading on reports it.
      if (error instanceof AclSyntaxError) return false;
      throw error;
    }
  }

  /** One term and its dot. A missing dot is reported without losing the term before it. */
  readClosedTerm(onError: (error: AclSyntaxError) => void): Term {
    this.#multiLineAt = undefined;
    const term = this.#readTerm(0);
    const start = this.#lexer.offset;
    try {
      const token = this.#peek();
      if (token.type === "dot") {
        this.#take();
        return term;
      }
      const startsRule = token.type === "end" || isSign(token, "{");
      const error = new AclSyntaxError(
        term.end,
        `expected \`.\`${token.type === "end" ? " at the end" : ""}, found ${describe(token)}`,
        startsRule ? "every rule ends with a dot, the last one too" : undefined,
      );
      if (!startsRule) throw error;
      onError(this.explain(error));
      return term;
    } catch (error) {
      if (!(error instanceof AclSyntaxError)) throw error;
      // `{a, b}.{c, d}.`: the dot is meant, only the space after it is missing.
      if (this.#lexer.text[error.at] !== "." || error.at < start) throw error;
      onError(error);
      this.#lexer.offset = error.at + 1;
      this.#ahead = undefined;
      return term;
    }
  }

  /** Adds what is known about where the mistake really is. */
  explain(error: AclSyntaxError): AclSyntaxError {
    const start = this.#multiLineAt;
    if (start === undefined || start >= error.at) return error;
    const line = 1 + countLineBreaks(this.#lexer.text, start);
    return new AclSyntaxError(
      error.at,
      error.message,
      `the text that starts on line ${line} runs over several lines; is its closing quote missing`,
    );
  }

  /** Goes behind the next closing dot, or before a `{` that starts a line. */
  recover(failure: AclSyntaxError): void {
    this.#ahead = undefined;
    this.#lexer.offset = findNextTerm(this.#lexer.text, failure);
  }

  #peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  /** What it returns is the lexer's one token: valid until the next one is looked at. */
  #take(): Token {
    const token = this.#peek();
    this.#ahead = undefined;
    return token;
  }

  #readTerm(depth: number): Term {
    const token = this.#take();
    if (depth > ACL_NESTING_MAX) {
      throw new AclSyntaxError(token.at, `terms nest at most ${ACL_NESTING_MAX} deep`);
    }
    const { at, end } = token;
    switch (token.type) {
      case "atom":
        return { kind: "atom", name: token.text, at, end };
      case "integer":
        return { kind: "integer", value: token.value, at, end };
      case "float":
        return { kind: "float", at, end };
      case "string":
        return this.#readString(token);
      case "punctuation":
        return this.#readCompound(token, depth);
      default:
        throw new AclSyntaxError(at, `expected a term, found ${describe(token)}`);
    }
  }

  #readCompound(open: Token, depth: number): Term {
    const { at, text: sign } = open;
    switch (sign) {
      case "{": {
        const items = this.#readItems(sign, "}", depth);
        return { kind: "tuple", items, at, end: this.#take().end };
      }
      case "[":
        return this.#readList(at, depth);
      case "<<":
        return this.#readBinary(at);
      case "#{":
        return this.#readMap(at, depth);
      case "-":
      case "+": {
        const number = this.#take();
        if (number.type !== "integer" && number.type !== "float") {
          throw new AclSyntaxError(number.at, `expected a number, found ${describe(number)}`);
        }
        if (number.type === "float") return { kind: "float", at, end: number.end };
        const value = sign === "-" ? -number.value : number.value;
        return { kind: "integer", value, at, end: number.end };
      }
      default:
        throw new AclSyntaxError(at, `expected a term, found ${describe(open)}`);
    }
  }

  /** Adjacent strings join. */
  #readString(first: Token): Term {
    const { at } = first;
    let { text: value, end } = first;
    this.#noteString(first);
    while (this.#peek().type === "string") {
      const more = this.#take();
      this.#noteString(more);
      value += more.text;
      end = more.end;
    }
    return value === "" ? { kind: "list", items: [], at, end } : { kind: "string", value, at, end };
  }

  #noteString({ text, at }: Token): void {
    if (text.includes("\n")) this.#multiLineAt ??= at;
  }

  /** Comma-separated terms up to, not including, the closing token or a `|`. */
  #readItems(open: "{" | "[", close: "}" | "]", depth: number): Term[] {
    const items: Term[] = [];
    if (isSign(this.#peek(), close)) return items;
    for (;;) {
      items.push(this.#readTerm(depth + 1));
      const token = this.#peek();
      if (isSign(token, close) || (close === "]" && isSign(token, "|"))) return items;
      if (isSign(token, ",")) {
        this.#take();
        this.#refuseTrailingComma(close);
        continue;
      }
      throw new AclSyntaxError(
        token.at,
        `expected \`,\` or \`${close}\`, found ${describe(token)}`,
        hintForItem(token) ?? `the \`${open}\` it belongs to is still open`,
      );
    }
  }

  #refuseTrailingComma(close: string): void {
    const token = this.#peek();
    if (token.type !== "punctuation" || !"}]|".includes(token.text)) return;
    throw new AclSyntaxError(
      token.at,
      `expected a term after \`,\`, found ${describe(token)}`,
      token.text === close ? "leave out the last comma" : undefined,
    );
  }

  #readList(at: number, depth: number): Term {
    const items = this.#readItems("[", "]", depth);
    let tail: Term | undefined;
    const next = this.#peek();
    if (isSign(next, "|")) {
      if (items.length === 0) {
        throw new AclSyntaxError(next.at, "expected a term, found `|`");
      }
      this.#take();
      tail = this.#readTerm(depth + 1);
    }
    const close = this.#take();
    if (!isSign(close, "]")) {
      throw new AclSyntaxError(close.at, `expected \`]\`, found ${describe(close)}`);
    }
    const { end } = close;
    if (tail?.kind === "list") {
      return { kind: "list", items: items.concat(tail.items), tail: tail.tail, at, end };
    }
    if (tail?.kind === "string") {
      return { kind: "list", items: items.concat(codePoints(tail)), tail: undefined, at, end };
    }
    return { kind: "list", items, tail, at, end };
  }

  #readBinary(at: number): Term {
    const bytes: number[] = [];
    let isTruncated = false;
    let token = this.#take();
    const isEmpty = isSign(token, ">>");
    while (!isEmpty) {
      if (token.type === "string") {
        const segment = this.#readString(token);
        const value = segment.kind === "string" ? segment.value : "";
        if (this.#readUtf8Specifier()) {
          for (const byte of encodeUtf8(value)) bytes.push(byte);
        } else {
          // Each character becomes one byte, cut off if need be.
          for (const character of value) bytes.push((character.codePointAt(0) as number) & 255);
          isTruncated ||= /[^\0-\x7f]/.test(value);
        }
      } else if (token.type === "integer" && Number.isSafeInteger(token.value)) {
        bytes.push(token.value % 256);
      } else {
        throw new AclSyntaxError(
          token.at,
          `expected a text or a byte, found ${describe(token)}`,
          'a binary is written <<"…">>',
        );
      }
      token = this.#take();
      if (isSign(token, ">>")) break;
      if (!isSign(token, ",")) {
        throw new AclSyntaxError(token.at, `expected \`>>\`, found ${describe(token)}`);
      }
      token = this.#take();
    }
    return { kind: "binary", bytes: Uint8Array.from(bytes), isTruncated, at, end: token.end };
  }

  #readUtf8Specifier(): boolean {
    const slash = this.#peek();
    if (!isSign(slash, "/")) return false;
    this.#take();
    const name = this.#take();
    if (name.type === "atom" && name.text === "utf8") return true;
    throw new AclSyntaxError(name.at, `expected \`utf8\`, found ${describe(name)}`);
  }

  /** A map is a term, though no rule has one: it is read so that the message can say so. */
  #readMap(at: number, depth: number): Term {
    let token = this.#peek();
    const isEmpty = isSign(token, "}");
    while (!isEmpty) {
      this.#readTerm(depth + 1);
      const arrow = this.#take();
      if (!isSign(arrow, "=>")) {
        throw new AclSyntaxError(arrow.at, `expected \`=>\`, found ${describe(arrow)}`);
      }
      this.#readTerm(depth + 1);
      token = this.#peek();
      if (isSign(token, "}")) break;
      if (!isSign(token, ",")) {
        throw new AclSyntaxError(token.at, `expected \`,\` or \`}\`, found ${describe(token)}`);
      }
      this.#take();
    }
    return { kind: "map", at, end: this.#take().end };
  }
}

/** The code points of a string as the integers they are. */
function codePoints(term: Extract<Term, { kind: "string" }>): Term[] {
  return Array.from(term.value, (character) => ({
    kind: "integer",
    value: character.codePointAt(0) as number,
    at: term.at,
    end: term.end,
  }));
}

function isSign(token: Token, sign: string): boolean {
  return token.type === "punctuation" && token.text === sign;
}

function describe(token: Token): string {
  switch (token.type) {
    case "end":
      return "the end of the file";
    case "string":
      return "a text";
    case "dot":
      return "the `.` that closes a rule";
    default:
      return quote(token.text);
  }
}

function hintForItem(found: Token): string | undefined {
  if (found.type === "punctuation" && (found.text === "/" || found.text === "+")) {
    return 'a topic is written in quotes: "t/#"';
  }
  if (found.type === "string" || found.type === "atom") return "is a comma missing before it";
  return undefined;
}

function countLineBreaks(text: string, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < to; at = text.indexOf("\n", at + 1)) {
    count += 1;
  }
  return count;
}
