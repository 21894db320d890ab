/**
 * Tokens of acl.conf: the constant terms of Erlang and nothing else. Anything that is no part of
 * a constant term is refused with a message, never evaluated.
 *
 * Source: authorization §2.1.
 */

/**
 * A place where the text stops being a sequence of terms. Thrown and caught inside the reader only;
 * not an Error, because a damaged file makes thousands and stack traces are dear.
 */
export class AclSyntaxError {
  /** Where it shows. */
  readonly at: number;
  readonly message: string;
  readonly hint: string | undefined;
  /** Where reading on makes sense; `at` or later. */
  readonly resumeAt: number;

  constructor(at: number, message: string, hint?: string, resumeAt = at) {
    this.at = at;
    this.message = message;
    this.hint = hint;
    this.resumeAt = resumeAt;
  }
}

export type TokenType = "punctuation" | "atom" | "string" | "integer" | "float" | "dot" | "end";

export interface Token {
  readonly type: TokenType;
  /** Punctuation as written, name of an atom, content of a string; digits are in `value`. */
  readonly text: string;
  readonly value: number;
  readonly at: number;
  readonly end: number;
}

/** Words that mean something to Erlang and so are atoms only in quotes. */
const RESERVED = new Set(
  (
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div end fun if let " +
    "not of or orelse receive rem try when xor"
  ).split(" "),
);
const ATOM_LENGTH_MAX = 255;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DOUBLE_SIGNS = ["<<", ">>", "#{", "=>"];
const ATOM = /[a-zß-öø-ÿ][\wÀ-ÖØ-öø-ÿ@]*/y;
const VARIABLE = /[A-Z_À-ÖØ-Þ][\wÀ-ÖØ-öø-ÿ@]*/y;
const BASED_INTEGER = /(\d{1,2})#([0-9A-Za-z]+(?:_[0-9A-Za-z]+)*)/y;
const FLOAT = /\d+(?:_\d+)*\.\d+(?:_\d+)*(?:[eE][+-]?\d+)?/y;
const INTEGER = /\d+(?:_\d+)*/y;
/** Blank to Erlang, which counts the C1 control characters among them. */
const BLANK = /[\0-\x20\x80-\xa0]/;

/**
 * Reads one token at a time. Throws AclSyntaxError where there is none.
 *
 * There is one Token for the whole file, which every `next` overwrites: a rule has a dozen of them,
 * and a million objects that die at once were nearly half of what reading 100,000 rules allocated.
 */
export class Lexer {
  readonly text: string;
  offset = 0;
  readonly #current = { type: "end" as TokenType, text: "", value: 0, at: 0, end: 0 };

  constructor(text: string) {
    this.text = text;
  }

  /** The next token; valid until `next` is called again. */
  next(): Token {
    this.#skipBlank();
    const at = this.offset;
    const code = this.text.charCodeAt(at);
    switch (code) {
      case QUOTE:
        return this.#quoted('"', at);
      case 0x27: // '
        return this.#quoted("'", at);
      case 0x2e: // .
        return this.#dot(at);
      case 0x24: // $
        return this.#characterCode(at);
      case 0x7b: // {
      case 0x7d: // }
      case 0x5b: // [
      case 0x5d: // ]
      case 0x2c: // ,
      case 0x7c: // |
      case 0x2f: // /
      case 0x2d: // -
      case 0x2b: // +
        return this.#token("punctuation", this.text[at] as string, at + 1);
    }
    if (code >= 0x61 && code <= 0x7a) return this.#atom(at);
    if (code >= 0x30 && code <= 0x39) return this.#number(at);
    const character = this.text[at];
    if (character === undefined) return this.#token("end", "", at);
    for (const sign of DOUBLE_SIGNS) {
      if (this.text.startsWith(sign, at)) return this.#token("punctuation", sign, at + 2);
    }
    return this.#atom(at);
  }

  #skipBlank(): void {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.offset);
      if (code <= 0x20 || (code >= 0x80 && code <= 0xa0)) {
        this.offset += 1;
      } else if (code === 0x25) {
        const lineEnd = text.indexOf("\n", this.offset);
        this.offset = lineEnd === -1 ? text.length : lineEnd;
      } else {
        return;
      }
    }
  }

  #token(type: TokenType, text: string, end: number, value = 0): Token {
    const token = this.#current;
    token.type = type;
    token.text = text;
    token.value = value;
    token.at = this.offset;
    token.end = end;
    this.offset = end;
    return token;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    return pattern.exec(this.text)?.[0];
  }

  #dot(at: number): Token {
    if (isClosingDot(this.text, at)) return this.#token("dot", ".", at + 1);
    throw new AclSyntaxError(
      at,
      "a `.` that closes a rule is followed by a space, a line break or a comment",
      "put each rule on a line of its own",
    );
  }

  #atom(at: number): Token {
    const word = this.#plainAtom(at) ?? this.#match(ATOM);
    if (word === undefined) throw this.#noToken(this.text[at] as string, at);
    if (RESERVED.has(word)) {
      throw new AclSyntaxError(at, `\`${word}\` is a reserved word`, `write '${word}', in quotes`);
    }
    if (word.length > ATOM_LENGTH_MAX) throw atomTooLong(at);
    return this.#token("atom", word, at + word.length);
  }

  /** An atom of ASCII letters, as nearly all are: no pattern, no list of matches. */
  #plainAtom(at: number): string | undefined {
    let end = at;
    let code = this.text.charCodeAt(end);
    if (code < 0x61 || code > 0x7a) return undefined;
    while ((code >= 0x61 && code <= 0x7a) || code === 0x5f) code = this.text.charCodeAt(++end);
    const goesOn = code >= 0x80 || code === 0x40 || (code >= 0x30 && code <= 0x5a && code !== 0x3a);
    return goesOn ? undefined : this.text.slice(at, end);
  }

  #number(at: number): Token {
    BASED_INTEGER.lastIndex = at;
    const based = BASED_INTEGER.exec(this.text);
    if (based) {
      const base = Number(based[1]);
      const digits = based[2]!.replaceAll("_", "").toLowerCase();
      const value = base >= 2 && base <= 36 ? readDigits(digits, base) : undefined;
      if (value === undefined) {
        throw new AclSyntaxError(at, `\`${clip(based[0])}\` is not a number of base ${base}`);
      }
      return this.#token("integer", based[0], at + based[0].length, value);
    }
    const float = this.#match(FLOAT);
    if (float !== undefined) return this.#token("float", float, at + float.length);
    const digits = this.#match(INTEGER) as string;
    return this.#token("integer", digits, at + digits.length, Number(digits.replaceAll("_", "")));
  }

  #characterCode(at: number): Token {
    const code = this.text.codePointAt(at + 1);
    if (code === undefined) throw new AclSyntaxError(at, "a character is missing after `$`");
    if (code !== 0x5c) {
      return this.#token("integer", "$", at + (code > 0xffff ? 3 : 2), code);
    }
    const spelled = readEscape(this.text, at + 1);
    return this.#token("integer", "$", spelled.end, spelled.code);
  }

  #quoted(quote: string, at: number): Token {
    const { text } = this;
    const plainEnd = endOfPlain(text, at);
    if (plainEnd === at + 1 && text.startsWith('"""', at)) {
      throw new AclSyntaxError(at, "triple-quoted strings are not read here", 'write "…"');
    }
    if (plainEnd !== -1) return this.#text(quote, text.slice(at + 1, plainEnd), plainEnd + 1);
    let content = "";
    let from = at + 1;
    for (let end = from; ; end++) {
      const character = text[end];
      if (character === undefined) {
        const lineEnd = text.indexOf("\n", at);
        throw new AclSyntaxError(
          at,
          `this ${quote} is never closed`,
          `close it with ${quote}`,
          lineEnd === -1 ? text.length : lineEnd,
        );
      }
      if (character === quote) return this.#text(quote, content + text.slice(from, end), end + 1);
      if (character === "\\") {
        const spelled = readEscape(text, end, quote);
        content += text.slice(from, end) + String.fromCodePoint(spelled.code);
        from = spelled.end;
        end = spelled.end - 1;
      }
    }
  }

  #text(quote: string, content: string, end: number): Token {
    if (quote === '"') return this.#token("string", content, end);
    if (content.length > ATOM_LENGTH_MAX) throw atomTooLong(this.offset);
    return this.#token("atom", content, end);
  }

  #noToken(character: string, at: number): AclSyntaxError {
    const variable = this.#match(VARIABLE);
    if (variable !== undefined) return variableError(variable, at);
    if (character === "~") {
      return new AclSyntaxError(at, "`~` strings are not read here", 'write <<"…"/utf8>>');
    }
    if (character === "\ufeff") {
      return new AclSyntaxError(
        at,
        "a byte order mark is no part of a rule",
        "save the file as UTF-8 without a byte order mark",
      );
    }
    const isForeignQuote = /[“”„«»‘’`]/.test(character);
    const shown = String.fromCodePoint(this.text.codePointAt(at) as number);
    return new AclSyntaxError(
      at,
      `\`${shown}\` cannot stand here`,
      isForeignQuote ? 'texts are written in straight quotes: "…"' : undefined,
    );
  }
}

/** Where the text that begins with the quote at `at` ends; -1 when a backslash is in it, or no end. */
function endOfPlain(text: string, at: number): number {
  const quote = text.charCodeAt(at);
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === quote) return end;
    if (code === BACKSLASH) return -1;
  }
  return -1;
}

/** Does the `.` at this offset close a term? */
export function isClosingDot(text: string, at: number): boolean {
  const next = text[at + 1];
  return next === undefined || next === "%" || BLANK.test(next);
}

const KNOWN_WORDS = new Set(
  (
    "allow deny all publish subscribe username user clientid client ipaddr ipaddrs client_attr " +
    "zone listener security_profile re eq qos retain true false legacy hardened"
  ).split(" "),
);

function variableError(name: string, at: number): AclSyntaxError {
  const lower = name.toLowerCase();
  if (KNOWN_WORDS.has(lower)) {
    return new AclSyntaxError(at, `\`${name}\` begins with a capital`, `write \`${lower}\``);
  }
  return new AclSyntaxError(
    at,
    `\`${clip(name)}\` is a variable, and there are none here`,
    name === "_" ? "write `all`" : `a text is written in quotes: "${clip(name)}"`,
  );
}

function atomTooLong(at: number): AclSyntaxError {
  return new AclSyntaxError(at, `a word has at most ${ATOM_LENGTH_MAX} characters`, 'write "…"');
}

/** Digits of a base up to 36, or undefined when one does not belong to it. */
function readDigits(digits: string, base: number): number | undefined {
  let value = 0;
  for (const digit of digits) {
    const worth = Number.parseInt(digit, 36);
    if (worth >= base) return undefined;
    value = value * base + worth;
  }
  return value;
}

const NAMED_ESCAPES: Readonly<Record<string, number>> = {
  n: 10,
  r: 13,
  t: 9,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  s: 32,
  d: 127,
};
const OCTAL_ESCAPE = /[0-7]{1,3}/y;
const HEX_ESCAPE = /x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})/y;

/**
 * The character that the backslash at `at` spells. After a mistake reading goes on behind the
 * `quote` that closes the text.
 */
function readEscape(text: string, at: number, quote = ""): { code: number; end: number } {
  const code = text.codePointAt(at + 1);
  const refuse = (message: string, hint?: string): AclSyntaxError =>
    new AclSyntaxError(at, message, hint, endOfText(text, at, quote));
  if (code === undefined) throw refuse("nothing follows this `\\`");
  OCTAL_ESCAPE.lastIndex = at + 1;
  const octal = OCTAL_ESCAPE.exec(text)?.[0];
  if (octal !== undefined) {
    return { code: Number.parseInt(octal, 8), end: at + 1 + octal.length };
  }
  const letter = String.fromCodePoint(code);
  if (letter === "x") {
    const hex = readHexEscape(text, at);
    if (hex) return hex;
    throw refuse(
      "`\\x` is followed by two hexadecimal digits or by the code of a character in braces",
      "write \\x2f or \\x{e9}",
    );
  }
  if (letter === "^") {
    const control = text.charCodeAt(at + 2);
    const isControl = control >= 0x40 && control < 0x80 && control !== 0x60;
    if (!isControl) throw refuse("`\\^` is followed by a letter or one of @[\\]^_");
    return { code: control & 31, end: at + 3 };
  }
  return {
    code: Object.hasOwn(NAMED_ESCAPES, letter) ? (NAMED_ESCAPES[letter] as number) : code,
    end: at + 1 + letter.length,
  };
}

function readHexEscape(text: string, at: number): { code: number; end: number } | undefined {
  HEX_ESCAPE.lastIndex = at + 1;
  const match = HEX_ESCAPE.exec(text);
  const digits = match?.[1] ?? match?.[2];
  if (!match || digits === undefined) return undefined;
  const code = Number.parseInt(digits, 16);
  const isCharacter = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter ? { code, end: at + 1 + match[0].length } : undefined;
}

/** Behind the closing quote of the text that `at` stands in; the next character without one. */
function endOfText(text: string, at: number, quote: string): number {
  for (let end = at; quote !== "" && end < text.length; end++) {
    if (text[end] === "\\") end += 1;
    else if (text[end] === quote) return end + 1;
  }
  return at + 1;
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
