/** Tokens → members. Source: authentication §7.1, §7.2. */
import type { SourcePosition } from "../../types.ts";
import type { IssueList } from "../issues.ts";
import { adviseValue, describe } from "./advice.ts";
import { type Expr, isOpen, type Member } from "./ast.ts";
import { Fault, LimitReached } from "./fault.ts";
import { Lexer } from "./lexer.ts";
import { INCLUDES_MAX, NESTING_MAX, VALUES_MAX } from "./limits.ts";
import { joinKinds, type PartKind, partKind, toScalar } from "./operand.ts";
import { isSecretKey } from "./secret-key.ts";
import type { Token } from "./token.ts";

const SYNTAX = "ERR_CONFIG_SYNTAX";

/** What the files of one document share. */
export interface ParseContext {
  readonly unicodeEscapes: boolean;
  readonly issues: IssueList;
  /** Values and includes seen so far, in all files. */
  readonly used: { values: number; includes: number };
  /** The members of an included file. `depth`: how deep the including object is. */
  readonly include: (request: IncludeRequest, depth: number) => readonly Member[];
}

export interface IncludeRequest {
  readonly path: string;
  readonly isRequired: boolean;
  readonly at: SourcePosition;
  readonly fromFile: string;
}

/**
 * The members of one file. Mistakes go to `context.issues`, and reading goes on after each; throws
 * LimitReached. Linear in the text.
 */
export function parseMembers(
  text: string,
  file: string,
  context: ParseContext,
  depth = 0,
): readonly Member[] {
  return new Parser(text, file, context, depth).document();
}

class Parser {
  readonly #lexer: Lexer;
  readonly #file: string;
  readonly #context: ParseContext;
  #depth: number;
  /** Line of the last token taken. */
  #line = 1;
  #lastOperand: Token | undefined;
  /** The keys around the current place. */
  readonly #keys: string[] = [];
  /** An unclosed bracket was reported; those around it are its consequence. */
  #isCutShort = false;

  constructor(text: string, file: string, context: ParseContext, depth: number) {
    this.#file = file;
    this.#context = context;
    this.#depth = depth;
    const { issues, unicodeEscapes } = context;
    this.#lexer = new Lexer(text, file, {
      unicodeEscapes,
      onEscape: (at, source, kind) => {
        // A quote of the escape is at most one character of the text.
        const message =
          kind === "unknown"
            ? `\`${source}\` is no escape; the backslash stays in the text`
            : unicodeEscapes
              ? `\`${source}\` is decoded here, EMQX 6.2 keeps it as it is`
              : `\`${source}\` is not decoded, as in EMQX 6.2`;
        const hint =
          kind === "unknown"
            ? 'write `\\\\` for a backslash, or use `"""…"""`, which has no escapes'
            : "write the character itself";
        issues.warning("WARN_CONFIG_ESCAPE", at, message, { hint });
      },
    });
  }

  document(): readonly Member[] {
    const first = this.#lexer.peek();
    if (first.type === "[") {
      this.#report(
        new Fault(
          SYNTAX,
          first.at,
          "a configuration is made of `key = value`, this one starts with a list",
          "put the list behind a key: `authentication = [ … ]`",
        ),
      );
      return [];
    }
    if (first.type !== "{") return this.#members(undefined);
    this.#take();
    const members = this.#members(first);
    const rest = this.#lexer.peek();
    if (rest.type !== "end" && !this.#isCutShort) {
      this.#report(
        new Fault(
          SYNTAX,
          rest.at,
          `found ${describe(rest)} after the \`}\` that closes the configuration`,
          "a file has either one pair of braces around everything or none",
        ),
      );
    }
    return members;
  }

  /** Members up to the `}` that belongs to `open`, which is taken, or to the end of the file. */
  #members(open: Token | undefined): readonly Member[] {
    const members: Member[] = [];
    const depth = this.#depth;
    const keyCount = this.#keys.length;
    let comma: Token | undefined;
    let isFresh = true;
    for (;;) {
      const token = this.#lexer.peek();
      if (token.type === "end") {
        if (open) this.#reportUnclosed(open, token);
        else if (comma) this.#report(new Fault(SYNTAX, comma.at, END_COMMA, "remove it"));
        return members;
      }
      if (token.type === "}" && open) {
        this.#take();
        return members;
      }
      if (token.type === "]" && open) {
        this.#reportMismatch(open, token);
        return members;
      }
      if (token.type === "}" || token.type === "]") {
        this.#take();
        const opening = token.type === "}" ? "{" : "[";
        this.#report(
          new Fault(
            SYNTAX,
            token.at,
            `found \`${token.type}\` without a \`${opening}\` before it`,
            "remove it, or add the missing opening one",
          ),
        );
        continue;
      }
      if (token.type === ",") {
        this.#take();
        if (isFresh || comma) {
          const message = "found a comma where a `key = value` was expected";
          this.#report(new Fault(SYNTAX, token.at, message, "remove the comma"));
        }
        comma = token;
        continue;
      }
      try {
        this.#member(members);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#report(error);
        this.#recover(error.line);
        this.#depth = depth;
      }
      this.#keys.length = keyCount;
      comma = undefined;
      isFresh = false;
    }
  }

  #member(members: Member[]): void {
    const key = this.#take();
    if (key.type === "word" && key.text === "include") {
      for (const member of this.#include(key)) members.push(member);
      return;
    }
    if (key.type === "bad") throw this.#badToken(key);
    if (key.type !== "word" && key.type !== "quoted") {
      const isValue = !PUNCTUATION.has(key.type);
      throw new Fault(
        SYNTAX,
        key.at,
        `expected a key, found ${this.#isSecret() ? "a value" : describe(key)}`,
        isValue ? "a key is unquoted text that starts with a letter, or text in quotes" : undefined,
      );
    }
    const segments = key.type === "word" ? key.text.split(".").filter(Boolean) : [key.text];
    this.#keys.push(...segments.slice(0, NESTING_MAX));
    this.#expectAssignment(key);
    const before = this.#depth;
    this.#deepen(segments.length, key.at);
    const value = this.#value(key, false);
    this.#depth = before;
    members.push({ key: segments, keyAt: key.at, value });
    this.#expectMemberEnd(key);
  }

  /** Takes `=` or `:`; a `{` may follow the key directly. */
  #expectAssignment(key: Token): void {
    const next = this.#lexer.peek();
    if (next.type === "=" || next.type === ":") {
      this.#take();
      return;
    }
    if (next.type === "{") return;
    if (next.type === "bad" && next.text === "+=") throw this.#badToken(this.#take());
    // What follows may be the rest of a secret that lost its quotes.
    const what = this.#isSecret() || key.type === "quoted" ? "the text before it" : describe(key);
    if (!next.spaced && next.type !== "end") {
      throw new Fault(
        SYNTAX,
        next.at,
        `found ${this.#isSecret() ? "something" : describe(next)} directly after ${what}`,
        'a key is unquoted text that starts with a letter, or wholly in quotes: `a.b` or `"a.b"`',
        Math.max(next.at.line, key.at.line),
      );
    }
    throw new Fault(
      SYNTAX,
      key.at,
      `expected \`=\` or \`{\` after ${what}`,
      "write `key = value`; a text with blanks needs quotes",
      next.type === "end" ? key.at.line : Math.max(key.at.line, this.#line),
    );
  }

  /** What may stand behind a value: a separator, a bracket or the next member. */
  #expectMemberEnd(key: Token): void {
    const next = this.#lexer.peek();
    if (MEMBER_ENDS.has(next.type) || this.#isKey() || this.#isInclude()) return;
    throw this.#unexpectedAfter(next, key);
  }

  /** A value with everything that joins it. `owner`: the key, or the bracket of the list. */
  #value(owner: Token, inList: boolean): Expr {
    const first = this.#lexer.peek();
    if (first.type === "bad") throw this.#badValue(owner, inList);
    if (VALUE_ENDS.has(first.type)) {
      // Not taken: it may close what is open.
      throw new Fault(
        SYNTAX,
        first.type === "end" ? owner.at : first.at,
        `expected a value, found ${describe(first)}`,
        inList ? undefined : "give the key a value, or remove it",
        Math.min(first.at.line, this.#line),
      );
    }
    if (this.#isKey() || this.#isInclude()) throw this.#keyInsteadOfValue(owner, inList);
    const parts: Expr[] = [this.#operand(owner)];
    let kind = partKind(parts[0] as Expr);
    if (kind === "single") return parts[0] as Expr;
    let lastLine = this.#line;
    for (;;) {
      const next = this.#lexer.peek();
      const joined = joinKinds(kind, next, next.at.line > lastLine);
      if (joined === undefined || this.#isKey() || this.#isInclude()) break;
      if (next.at.line > lastLine) this.#warnJoined(next, joined);
      parts.push(this.#operand(owner));
      kind = joined;
      lastLine = this.#line;
    }
    if (parts.length === 1) return parts[0] as Expr;
    const at = first.at;
    return { kind: "join", at, parts, isOpen: parts.some(isOpen) };
  }

  /** One text, number, object, list or substitution. */
  #operand(owner: Token): Expr {
    this.#context.used.values += 1;
    const next = this.#lexer.peek();
    if (this.#context.used.values > VALUES_MAX) {
      throw new LimitReached(next.at, `more than ${VALUES_MAX} values in one configuration`);
    }
    if (next.type === "bad") throw this.#badValue(owner, false);
    const token = this.#take();
    this.#lastOperand = token;
    if (token.type === "{") return this.#object(token);
    if (token.type === "[") return this.#list(token);
    if (token.type === "substitution") {
      return {
        kind: "substitution",
        at: token.at,
        path: token.text.split(".").filter(Boolean),
        isOptional: token.optional === true,
      };
    }
    return { kind: "scalar", node: toScalar(token) };
  }

  #object(open: Token): Expr {
    this.#deepen(1, open.at);
    const members = this.#members(open);
    this.#depth -= 1;
    const isOpenObject = members.some((member) => isOpen(member.value));
    return { kind: "object", at: open.at, members, isOpen: isOpenObject };
  }

  #list(open: Token): Expr {
    this.#deepen(1, open.at);
    const items: Expr[] = [];
    let needsComma = false;
    let last: Expr | undefined;
    for (;;) {
      const token = this.#lexer.peek();
      if (token.type === "]") {
        this.#take();
        break;
      }
      if (token.type === "end") {
        this.#reportUnclosed(open, token);
        break;
      }
      if (token.type === "}") {
        this.#reportMismatch(open, token);
        break;
      }
      if (token.type === ",") {
        if (!needsComma) {
          const message = "found a comma where an element of the list was expected";
          throw new Fault(SYNTAX, this.#take().at, message, "remove the comma");
        }
        this.#take();
        needsComma = false;
        continue;
      }
      if (needsComma && last && !this.#mayFollow(last, token)) {
        throw this.#unexpectedAfter(token, open);
      }
      last = this.#value(open, true);
      items.push(last);
      needsComma = true;
    }
    this.#depth -= 1;
    return { kind: "array", at: open.at, items, isOpen: items.some(isOpen) };
  }

  /** May `token` start the next element although no comma stands before it? */
  #mayFollow(last: Expr, token: Token): boolean {
    if (partKind(last) === "single") return token.spaced;
    const endsInBrace = partKind(last.kind === "join" ? (last.parts.at(-1) as Expr) : last);
    return endsInBrace === "object" && token.type === "{" && token.at.line > this.#line;
  }

  #include(keyword: Token): readonly Member[] {
    const next = this.#lexer.peek();
    if (next.type === "=" || next.type === ":" || next.type === "{") {
      throw new Fault(
        SYNTAX,
        keyword.at,
        "`include` cannot be a key",
        'put it in quotes: `"include" = …`; to read a file write `include "other.conf"`',
      );
    }
    let path: Token | undefined;
    const isRequired = next.type === "word" && next.text === "required";
    if (next.type === "quoted") {
      path = this.#take();
    } else if (isRequired && this.#lexer.peek(1).type === "(") {
      this.#take();
      this.#take();
      const inside = this.#lexer.peek();
      if (inside.type === "quoted" && this.#lexer.peek(1).type === ")") {
        path = this.#take();
        this.#take();
      }
    }
    if (path === undefined) {
      throw new Fault(
        SYNTAX,
        keyword.at,
        "`include` needs a file name in quotes",
        'write `include "other.conf"` or `include required("other.conf")`',
      );
    }
    this.#context.used.includes += 1;
    if (this.#context.used.includes > INCLUDES_MAX) {
      throw new LimitReached(keyword.at, `more than ${INCLUDES_MAX} includes in one configuration`);
    }
    const request = { path: path.text, isRequired, at: path.at, fromFile: this.#file };
    const members = this.#context.include(request, this.#depth);
    const after = this.#lexer.peek();
    if (!MEMBER_ENDS.has(after.type) && !this.#isKey() && !this.#isInclude()) {
      throw new Fault(SYNTAX, after.at, `found ${describe(after)} after the included file`);
    }
    return members;
  }

  /** Does a key start here? */
  #isKey(): boolean {
    const token = this.#lexer.peek();
    if (token.type !== "word" && token.type !== "quoted") return false;
    const next = this.#lexer.peek(1);
    return next.type === "=" || next.type === ":" || next.type === "{" || next.text === "+=";
  }

  #isInclude(): boolean {
    const token = this.#lexer.peek();
    if (token.type !== "word" || token.text !== "include") return false;
    const next = this.#lexer.peek(1);
    return next.type === "quoted" || (next.type === "word" && this.#lexer.peek(2).type === "(");
  }

  #take(): Token {
    const token = this.#lexer.next();
    this.#line = token.endLine;
    return token;
  }

  #deepen(levels: number, at: SourcePosition): void {
    this.#depth += levels;
    if (this.#depth > NESTING_MAX) {
      throw new LimitReached(at, `more than ${NESTING_MAX} objects and lists inside each other`);
    }
  }

  #isSecret(): boolean {
    return this.#keys.some(isSecretKey);
  }

  #badToken(token: Token): Fault {
    const problem = token.problem ?? { message: "found something that is not HOCON" };
    const message =
      problem.quotes && this.#isSecret() ? "the value needs double quotes" : problem.message;
    return new Fault(SYNTAX, token.at, message, problem.hint, token.endLine);
  }

  /** A value that starts with something that is no token: advice with the key in it. */
  #badValue(owner: Token, inList: boolean): Fault {
    const token = this.#take();
    if (!token.problem?.quotes || token.text.startsWith("$") || token.text.startsWith("'")) {
      return this.#badToken(token);
    }
    return this.#advise(token, token.start, inList ? undefined : owner);
  }

  /** `http://host`, `host:1883`: the text before the colon reads as a key. */
  #keyInsteadOfValue(owner: Token, inList: boolean): Fault {
    const token = this.#lexer.peek();
    if (token.at.line === this.#line) {
      if (this.#lexer.peek(1).type === ":") {
        return this.#advise(token, token.start, inList ? undefined : owner);
      }
      return new Fault(
        SYNTAX,
        token.at,
        this.#isSecret()
          ? "found a key, not a value"
          : `expected a value, found ${describe(token)}`,
        "one key cannot follow another: a text with blanks or `=` needs quotes",
      );
    }
    const message = inList
      ? `found the key ${describe(token)} inside the list that starts in line ${owner.at.line}`
      : `${describe(owner)} has no value: the key ${describe(token)} follows`;
    const hint = inList ? "put `key = value` in braces, or close the list" : "give it a value";
    return new Fault(SYNTAX, inList ? token.at : owner.at, message, hint, this.#line);
  }

  #unexpectedAfter(next: Token, owner: Token): Fault {
    const isListed = owner.type === "[";
    const last = this.#lastOperand;
    if (last && last.end === next.start && !BRACKETS.has(next.type)) {
      return this.#advise(next, last.start, isListed ? undefined : owner, last.at);
    }
    if (next.type === "bad" && !next.spaced) return this.#badToken(next);
    const found = this.#isSecret() ? "something" : describe(next);
    if (next.type === "{" || next.type === "[") {
      return new Fault(
        SYNTAX,
        next.at,
        `found ${found} after a finished value`,
        isListed ? "separate the elements with a comma" : "a `,` or a key is missing before it",
        next.at.line,
      );
    }
    return new Fault(
      SYNTAX,
      next.at,
      `found ${found} after a finished value`,
      isListed
        ? "separate the elements with commas, and put a text with blanks in quotes"
        : 'put a text with blanks in quotes: `"…"`; numbers and `true`/`false` cannot be joined',
      next.endLine,
    );
  }

  /** Advice for an unquoted run of text that starts at `start`, built around what was found. */
  #advise(token: Token, start: number, key: Token | undefined, at = token.at): Fault {
    const keyText = key === undefined || key.type === "[" ? undefined : key.text;
    const advice = adviseValue(this.#lexer.text, start, this.#isSecret() ? "" : keyText);
    if (this.#isSecret()) {
      return new Fault(SYNTAX, at, "the value needs double quotes", undefined, token.endLine);
    }
    return new Fault(SYNTAX, at, advice.message, advice.hint, token.endLine);
  }

  #warnJoined(next: Token, kind: PartKind): void {
    const isList = kind === "array";
    this.#context.issues.warning(
      "WARN_CONFIG_JOINED_LINES",
      next.at,
      isList
        ? "this list is appended to the one before it"
        : "this text is joined to the one on the line before it, without a blank",
      {
        path: this.#keys.join("."),
        hint: isList
          ? "put a comma between two elements that are lists"
          : "put a comma between list elements, or write one text in quotes on one line",
      },
    );
  }

  #report(fault: Fault): void {
    const { code, at, message, hint } = fault;
    this.#context.issues.error(code, at, message, { path: this.#keys.join("."), hint });
  }

  #reportUnclosed(open: Token, end: Token): void {
    if (this.#isCutShort) return;
    this.#isCutShort = true;
    const closing = open.type === "{" ? "}" : "]";
    this.#report(
      new Fault(
        SYNTAX,
        open.at,
        `the \`${open.type}\` opened here is never closed`,
        `add \`${closing}\`; the file ends in line ${end.at.line}`,
      ),
    );
  }

  #reportMismatch(open: Token, found: Token): void {
    const closing = open.type === "{" ? "}" : "]";
    this.#report(
      new Fault(
        SYNTAX,
        found.at,
        `found \`${found.type}\` while the \`${open.type}\` opened in line ${open.at.line}, column ${open.at.column} is not closed`,
        `add \`${closing}\` before it`,
      ),
    );
  }

  /** Moves to the next place after `line` where a member may start or the object may end. */
  #recover(line: number): void {
    let nested = 0;
    let seenLine = this.#line;
    for (;;) {
      const token = this.#lexer.peek();
      if (token.type === "end") return;
      const isFirstOfLine = token.at.line > seenLine;
      if (nested === 0) {
        if (token.type === "}") return;
        if (token.at.line > line && isFirstOfLine && (this.#isKey() || this.#isInclude())) return;
        if (token.type === "," && this.#startsMemberAfterComma()) {
          this.#take();
          return;
        }
      }
      if (token.type === "{" || token.type === "[") nested += 1;
      else if ((token.type === "}" || token.type === "]") && nested > 0) nested -= 1;
      this.#take();
      seenLine = Math.max(seenLine, this.#line);
    }
  }

  #startsMemberAfterComma(): boolean {
    const key = this.#lexer.peek(1);
    const sign = this.#lexer.peek(2);
    return (key.type === "word" || key.type === "quoted") && /^[=:{]$/.test(sign.type);
  }
}

const END_COMMA = "a file without outer braces cannot end in a comma";
const PUNCTUATION: ReadonlySet<string> = new Set("{}[],=:()");
const BRACKETS: ReadonlySet<string> = new Set(["{", "[", "(", ")", "="]);
const MEMBER_ENDS: ReadonlySet<string> = new Set([",", "}", "]", "end"]);
const VALUE_ENDS: ReadonlySet<string> = new Set([",", "}", "]", "end", "=", ":", "(", ")"]);
