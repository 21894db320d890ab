/**
 * The mistakes the grammar knows, each with what was found and what to write instead. Where the
 * text may be part of a secret it is not repeated.
 */
import { adviseValue, describe } from "./advice.ts";
import { Fault } from "./fault.ts";
import type { Token } from "./token.ts";
import type { TokenStream } from "./token-stream.ts";

/** Where the mistake is. */
export interface Spot {
  readonly stream: TokenStream;
  /** The key of the value, or the `[` of the list it stands in. */
  readonly owner: Token;
  /** The last part of a value that was taken. */
  readonly last?: Token | undefined;
  readonly isSecret: boolean;
}

const NEEDS_QUOTES = "the value needs double quotes";
const KEY_HINT = "a key is unquoted text that starts with a letter, or text in quotes";

/** Something that is no token. */
function badToken(token: Token, isSecret: boolean): Fault {
  const problem = token.problem ?? { message: "found something that is not HOCON" };
  const message = problem.quotes && isSecret ? NEEDS_QUOTES : problem.message;
  return new Fault(token.at, message, problem.hint, token.endLine);
}

/** A value that starts with something that is no token: advice with the key in it. Takes it. */
export function badValue(spot: Spot): Fault {
  const token = spot.stream.take();
  const isOrdinary = token.problem?.quotes && !/^[$']/.test(token.text);
  return isOrdinary ? advise(spot, token, token) : badToken(token, spot.isSecret);
}

/** Something that cannot be a key where one was expected. */
export function notAKey(token: Token, isSecret: boolean): Fault {
  if (token.type === "bad") return badToken(token, isSecret);
  const isPunctuation = /^[{}[\],=:()]$/.test(token.type);
  const found = isSecret && !isPunctuation ? "a value" : describe(token);
  const hint = isPunctuation ? undefined : KEY_HINT;
  return new Fault(token.at, `expected a key, found ${found}`, hint);
}

/** A key that neither `=` nor `{` follows. */
export function notAssigned({ stream, owner, isSecret }: Spot): Fault {
  const next = stream.peek();
  if (next.text === "+=" && next.type === "bad") return badToken(stream.take(), isSecret);
  const line = Math.max(next.type === "end" ? 0 : stream.line, owner.at.line);
  // What follows may be the rest of a secret that lost its quotes.
  const key = isSecret || owner.type === "quoted" ? "the text before it" : describe(owner);
  if (!next.spaced && next.type !== "end") {
    const found = isSecret ? "something" : describe(next);
    const hint = 'a key is one unquoted text or one text in quotes: `a.b` or `"a.b"`';
    return new Fault(next.at, `found ${found} directly after ${key}`, hint, line);
  }
  const hint = "write `key = value`; a text with blanks needs quotes";
  return new Fault(owner.at, `expected \`=\` or \`{\` after ${key}`, hint, line);
}

/** Nothing that could be a value. It is not taken, as it may close what is open. */
export function noValue({ stream, owner }: Spot): Fault {
  const next = stream.peek();
  return new Fault(
    next.type === "end" ? owner.at : next.at,
    `expected a value, found ${describe(next)}`,
    owner.type === "[" ? undefined : "give the key a value, or remove it",
    Math.min(next.at.line, stream.line),
  );
}

/** A key where a value was expected; `http://host` and `host:1883` look like one, too. */
export function keyInsteadOfValue(spot: Spot): Fault {
  const { stream, owner, isSecret } = spot;
  const token = stream.peek();
  if (token.at.line === stream.line) {
    if (stream.peek(1).type === ":") return advise(spot, token, token);
    return new Fault(
      token.at,
      isSecret ? "found a key, not a value" : `expected a value, found ${describe(token)}`,
      "one key cannot follow another: a text with blanks or `=` needs quotes",
    );
  }
  if (owner.type === "[") {
    return new Fault(
      token.at,
      `found the key ${describe(token)} inside the list that starts in line ${owner.at.line}`,
      "put `key = value` in braces, or close the list",
      stream.line,
    );
  }
  const message = `${describe(owner)} has no value: the key ${describe(token)} follows`;
  return new Fault(owner.at, message, "give it a value", stream.line);
}

/** Something behind a value that neither ends nor continues it. */
export function unexpectedAfter(spot: Spot): Fault {
  const { stream, owner, last, isSecret } = spot;
  const next = stream.peek();
  const isListed = owner.type === "[";
  if (last && last.end === next.start && !/^[{[()=]$/.test(next.type)) {
    return advise(spot, next, last);
  }
  if (next.type === "bad" && !next.spaced) return badToken(next, isSecret);
  const message = `found ${isSecret ? "something" : describe(next)} after a finished value`;
  if (next.type === "{" || next.type === "[") {
    const hint = isListed
      ? "separate the elements with a comma"
      : "a `,` or a key is missing before it";
    return new Fault(next.at, message, hint);
  }
  const hint = isListed
    ? "separate the elements with commas, and put a text with blanks in quotes"
    : 'put a text with blanks in quotes: `"…"`; numbers and `true`/`false` cannot be joined';
  return new Fault(next.at, message, hint, next.endLine);
}

/** An unquoted value that needs quotes. It starts at `first` and went wrong at `token`. */
function advise(spot: Spot, token: Token, first: Token): Fault {
  if (spot.isSecret) return new Fault(first.at, NEEDS_QUOTES, undefined, token.endLine);
  const key = spot.owner.type === "[" ? undefined : spot.owner.text;
  const { message, hint } = adviseValue(spot.stream.text, first.start, key);
  return new Fault(first.at, message, hint, token.endLine);
}

/** A bracket that the end of the file leaves open. */
export function unclosed(open: Token, end: Token): Fault {
  return new Fault(
    open.at,
    `the \`${open.type}\` opened here is never closed`,
    `add \`${closingOf(open)}\`; the file ends in line ${end.at.line}`,
  );
}

/** The wrong kind of closing bracket. */
export function mismatched(open: Token, found: Token): Fault {
  const { line, column } = open.at;
  return new Fault(
    found.at,
    `found \`${found.type}\` while the \`${open.type}\` opened in line ${line}, column ${column} is not closed`,
    `add \`${closingOf(open)}\` before it`,
  );
}

/** A closing bracket that closes nothing. */
export function stray(token: Token): Fault {
  const opening = token.type === "}" ? "{" : "[";
  return new Fault(
    token.at,
    `found \`${token.type}\` without a \`${opening}\` before it`,
    "remove it, or add the missing opening one",
  );
}

function closingOf(open: Token): string {
  return open.type === "{" ? "}" : "]";
}
