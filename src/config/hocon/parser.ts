/** Tokens → members. Source: authentication §7.1, §7.2. */
import type { SourcePosition } from "../../types.ts";
import type { IssueList } from "../issues.ts";
import { describe } from "./advice.ts";
import { type Expr, isOpen, type Member } from "./ast.ts";
import { Fault, LimitReached } from "./fault.ts";
import {
  badValue,
  keyInsteadOfValue,
  mismatched,
  notAKey,
  notAssigned,
  noValue,
  type Spot,
  stray,
  unclosed,
  unexpectedAfter,
} from "./faults.ts";
import { INCLUDES_MAX, NESTING_MAX, VALUES_MAX } from "./limits.ts";
import { joinKinds, type PartKind, partKind, toScalar } from "./operand.ts";
import { isSecretKey } from "./secret-key.ts";
import type { EscapeKind } from "./strings.ts";
import type { Token } from "./token.ts";
import { TokenStream } from "./token-stream.ts";

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
  readonly #stream: TokenStream;
  readonly #file: string;
  readonly #context: ParseContext;
  #depth: number;
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
    this.#stream = new TokenStream(text, file, {
      unicodeEscapes,
      onEscape: (at, kind) => {
        const { message, hint } = adviseEscape(kind, unicodeEscapes);
        issues.warning("WARN_CONFIG_ESCAPE", at, message, { hint });
      },
    });
  }

  document(): readonly Member[] {
    const first = this.#stream.peek();
    if (first.type === "[") {
      const message = "a configuration is made of `key = value`, this one starts with a list";
      const hint = "put the list behind a key: `authentication = [ … ]`";
      this.#report(new Fault(first.at, message, hint));
      return [];
    }
    if (first.type !== "{") return this.#members(undefined);
    this.#stream.take();
    const members = this.#members(first);
    const rest = this.#stream.peek();
    if (rest.type !== "end" && !this.#isCutShort) {
      const message = `found ${describe(rest)} after the \`}\` that closes the configuration`;
      const hint = "a file has either one pair of braces around everything or none";
      this.#report(new Fault(rest.at, message, hint));
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
    while (!this.#isEndOfMembers(open, comma)) {
      const token = this.#stream.peek();
      if (token.type === ",") {
        this.#stream.take();
        if (isFresh || comma) {
          const message = "found a comma where a `key = value` was expected";
          this.#report(new Fault(token.at, message, "remove the comma"));
        }
        comma = token;
        continue;
      }
      try {
        this.#member(members);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#report(error);
        this.#stream.skipToMember(error.line);
        this.#depth = depth;
      }
      this.#keys.length = keyCount;
      comma = undefined;
      isFresh = false;
    }
    return members;
  }

  /** Takes the `}` of `open`; reports what else ends the members, and brackets nobody opened. */
  #isEndOfMembers(open: Token | undefined, comma: Token | undefined): boolean {
    for (;;) {
      const token = this.#stream.peek();
      if (token.type === "end") {
        if (open) this.#reportUnclosed(open, token);
        else if (comma) this.#report(new Fault(comma.at, END_COMMA, "remove it"));
        return true;
      }
      if (token.type !== "}" && token.type !== "]") return false;
      if (open && token.type === "]") {
        this.#report(mismatched(open, token));
        return true;
      }
      this.#stream.take();
      if (open) return true;
      this.#report(stray(token));
    }
  }

  #member(members: Member[]): void {
    const key = this.#stream.take();
    if (key.type === "word" && key.text === "include") {
      for (const member of this.#include(key)) members.push(member);
      return;
    }
    if (key.type !== "word" && key.type !== "quoted") throw notAKey(key, this.#isSecret());
    const segments = key.type === "word" ? key.text.split(".").filter(Boolean) : [key.text];
    this.#keys.push(...segments.slice(0, NESTING_MAX));
    const next = this.#stream.peek();
    if (next.type === "=" || next.type === ":") this.#stream.take();
    else if (next.type !== "{") throw notAssigned(this.#spot(key));
    const before = this.#depth;
    this.#deepen(segments.length, key.at);
    const value = this.#value(key);
    this.#depth = before;
    members.push({ key: segments, keyAt: key.at, value });
    if (!this.#isMemberEnd()) throw unexpectedAfter(this.#spot(key));
  }

  #isMemberEnd(): boolean {
    const { type } = this.#stream.peek();
    return MEMBER_ENDS.has(type) || this.#startsMember();
  }

  #startsMember(): boolean {
    return this.#stream.isKey() || this.#stream.isInclude();
  }

  /** A value with everything that joins it. `owner`: the key, or the `[` of the list. */
  #value(owner: Token): Expr {
    const first = this.#stream.peek();
    if (VALUE_ENDS.has(first.type)) throw noValue(this.#spot(owner));
    if (this.#startsMember()) throw keyInsteadOfValue(this.#spot(owner));
    const parts = [this.#operand(owner)];
    let kind = partKind(parts[0] as Expr);
    for (;;) {
      const next = this.#stream.peek();
      const isNewLine = next.at.line > this.#stream.line;
      const joined = joinKinds(kind, next, isNewLine);
      if (joined === undefined || this.#startsMember()) break;
      if (isNewLine) this.#warnJoined(next, joined);
      parts.push(this.#operand(owner));
      kind = joined;
    }
    if (parts.length === 1) return parts[0] as Expr;
    return { kind: "join", at: first.at, parts, isOpen: parts.some(isOpen) };
  }

  /** One text, number, object, list or substitution. */
  #operand(owner: Token): Expr {
    const { used } = this.#context;
    const next = this.#stream.peek();
    used.values += 1;
    if (used.values > VALUES_MAX) {
      throw new LimitReached(next.at, `more than ${VALUES_MAX} values in one configuration`);
    }
    if (next.type === "bad") throw badValue(this.#spot(owner));
    const token = this.#stream.take();
    this.#lastOperand = token;
    if (token.type === "{") return this.#object(token);
    if (token.type === "[") return this.#list(token);
    if (token.type !== "substitution") return { kind: "scalar", node: toScalar(token) };
    const path = token.text.split(".").filter(Boolean);
    const isSecret = this.#keys.some(isSecretKey);
    return {
      kind: "substitution",
      at: token.at,
      path,
      isOptional: token.optional === true,
      isSecret,
    };
  }

  #object(open: Token): Expr {
    this.#deepen(1, open.at);
    const members = this.#members(open);
    this.#depth -= 1;
    const hasOpen = members.some((member) => isOpen(member.value));
    return { kind: "object", at: open.at, members, isOpen: hasOpen };
  }

  #list(open: Token): Expr {
    this.#deepen(1, open.at);
    const items: Expr[] = [];
    let needsComma = false;
    while (!this.#isEndOfList(open)) {
      const token = this.#stream.peek();
      if (token.type === ",") {
        this.#stream.take();
        if (!needsComma) {
          const message = "found a comma where an element of the list was expected";
          throw new Fault(token.at, message, "remove the comma");
        }
        needsComma = false;
        continue;
      }
      if (needsComma && !this.#mayFollow(items.at(-1) as Expr, token)) {
        throw unexpectedAfter(this.#spot(open));
      }
      items.push(this.#value(open));
      needsComma = true;
    }
    this.#depth -= 1;
    return { kind: "array", at: open.at, items, isOpen: items.some(isOpen) };
  }

  #isEndOfList(open: Token): boolean {
    const token = this.#stream.peek();
    if (token.type === "]") this.#stream.take();
    else if (token.type === "end") this.#reportUnclosed(open, token);
    else if (token.type === "}") this.#report(mismatched(open, token));
    else return false;
    return true;
  }

  /** May `token` start the next element although no comma stands before it? */
  #mayFollow(last: Expr, token: Token): boolean {
    const kind = partKind(last);
    if (kind === "single") return token.spaced;
    return kind === "object" && token.type === "{" && token.at.line > this.#stream.line;
  }

  #include(keyword: Token): readonly Member[] {
    const next = this.#stream.peek();
    if (next.type === "=" || next.type === ":" || next.type === "{") {
      const hint = 'put it in quotes: `"include" = …`; to read a file write `include "other.conf"`';
      throw new Fault(keyword.at, "`include` cannot be a key", hint);
    }
    const isRequired = next.type === "word" && next.text === "required";
    const path = isRequired ? this.#requiredPath() : this.#stream.take();
    if (path?.type !== "quoted") {
      const hint = 'write `include "other.conf"` or `include required("other.conf")`';
      throw new Fault(keyword.at, "`include` needs a file name in quotes", hint);
    }
    const { used, include } = this.#context;
    used.includes += 1;
    if (used.includes > INCLUDES_MAX) {
      throw new LimitReached(keyword.at, `more than ${INCLUDES_MAX} includes in one configuration`);
    }
    const request = { path: path.text, isRequired, at: path.at, fromFile: this.#file };
    const members = include(request, this.#depth);
    if (!this.#isMemberEnd()) {
      const after = this.#stream.peek();
      throw new Fault(after.at, `found ${describe(after)} after the included file`);
    }
    return members;
  }

  /** The path of `required("path")`. */
  #requiredPath(): Token | undefined {
    this.#stream.take();
    const [open, path, close] = [this.#stream.peek(), this.#stream.peek(1), this.#stream.peek(2)];
    if (open.type !== "(" || close.type !== ")") return undefined;
    for (let taken = 0; taken < 3; taken += 1) this.#stream.take();
    return path;
  }

  #deepen(levels: number, at: SourcePosition): void {
    this.#depth += levels;
    if (this.#depth > NESTING_MAX) {
      throw new LimitReached(at, `more than ${NESTING_MAX} objects and lists inside each other`);
    }
  }

  /**
   * May what stands here be a secret? Below a key that says so, or on a line that speaks of one: a
   * forgotten quote makes `secret = ` part of the text before it.
   */
  #isSecret(): boolean {
    return this.#keys.some(isSecretKey) || isSecretKey(this.#nearbyText());
  }

  /** The source from the start of the line of the last value up to here. */
  #nearbyText(): string {
    const { text } = this.#stream;
    const { start, end } = this.#stream.peek();
    const from = Math.max(0, end - NEARBY_UNITS);
    const near = text.slice(from, end);
    const first = Math.min(start, this.#lastOperand?.start ?? start);
    return near.slice(near.lastIndexOf("\n", first - from) + 1);
  }

  /** Keys below a secret one may be pieces of the secret. */
  #path(): string {
    const secret = this.#keys.findIndex(isSecretKey);
    return (secret < 0 ? this.#keys : this.#keys.slice(0, secret + 1)).join(".");
  }

  #spot(owner: Token): Spot {
    return {
      stream: this.#stream,
      owner,
      last: this.#lastOperand,
      isSecret: this.#isSecret(),
    };
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
        path: this.#path(),
        hint: isList
          ? "put a comma between two elements that are lists"
          : "put a comma between list elements, or write one text in quotes on one line",
      },
    );
  }

  #report(fault: Fault): void {
    const { at, message, hint } = fault;
    const path = this.#path();
    const { issues } = this.#context;
    issues.error("ERR_CONFIG_SYNTAX", at, message, { path, hint });
    if (issues.isFull) throw new LimitReached(at, "too many mistakes: the rest is not read");
  }

  #reportUnclosed(open: Token, end: Token): void {
    if (this.#isCutShort) return;
    this.#isCutShort = true;
    this.#report(unclosed(open, end));
  }
}

function adviseEscape(kind: EscapeKind, isDecoded: boolean): { message: string; hint: string } {
  if (kind === "unknown") {
    return {
      message: "this backslash starts no escape, so it stays in the text",
      hint: 'write `\\\\` for a backslash, or use `"""…"""`, which has no escapes',
    };
  }
  const message = isDecoded
    ? "`\\uXXXX` is decoded here, EMQX 6.2 keeps it as it is"
    : "`\\uXXXX` is not decoded, as in EMQX 6.2";
  return { message, hint: "write the character itself" };
}

const NEARBY_UNITS = 2000;
const END_COMMA = "a file without outer braces cannot end in a comma";
const MEMBER_ENDS: ReadonlySet<string> = new Set([",", "}", "]", "end"]);
const VALUE_ENDS: ReadonlySet<string> = new Set([",", "}", "]", "end", "=", ":", "(", ")"]);
