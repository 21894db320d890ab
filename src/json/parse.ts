/**
 * JSON that keeps what access control looks at and JSON.parse loses: whether a number was written
 * as an integer, all its digits, and which of two equal member names came first.
 */
import { encodeUtf8 } from "../text.ts";

/** A number written with a fraction or an exponent. */
export class JsonFloat {
  readonly value: number;
  /** As written. */
  readonly source: string;

  constructor(value: number, source: string) {
    this.value = value;
    this.source = source;
  }
}

/** An integer is a number while it is safe to compute with, else a bigint. */
export type JsonNumber = number | bigint | JsonFloat;
export type JsonValue = null | boolean | string | JsonNumber | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
/** Read members with `member`: inherited names such as `constructor` are not members. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: string };

/**
 * The one JSON value in `text`: RFC 8259, nothing before or after but white space. Of equal member
 * names the last counts. Lone surrogates and numbers too large for a double are refused. Nesting is
 * not limited and costs no stack. `isPlain` is what isPlainJson says, where that is known already.
 *
 * Source: expressions §4.7 (the reference's reader); authentication §3.3.3.
 */
export function parseJson(
  text: string,
  isPlain: boolean = isPlainJson(encodeUtf8(text)),
): JsonReading {
  if (!isPlain) return new Reader(text, "last").read();
  try {
    return { ok: true, value: JSON.parse(text) as JsonValue };
  } catch {
    return { ok: false, problem: "not JSON" };
  }
}

/** LIMIT: integers of this many digits are safe to compute with. */
const SAFE_DIGITS = 15;

/**
 * Does JSON.parse lose nothing of this UTF-8 text, if it is JSON at all? True without an escape that
 * could be half a surrogate pair and, outside strings, without a fraction, an exponent, a long
 * integer and a minus zero. Cost: one pass, no allocation.
 */
export function isPlainJson(text: Uint8Array, length: number = text.length): boolean {
  let digits = 0;
  let previous = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = text[at]!;
    if (byte === 0x22) {
      for (at += 1; at < length && text[at] !== 0x22; at += 1) {
        if (text[at] !== 0x5c) continue;
        at += 1;
        if (text[at] === 0x75) return false;
      }
      digits = 0;
    } else if (byte >= 0x30 && byte <= 0x39) {
      digits += 1;
      // `-0`, or more digits than are safe.
      if (digits > SAFE_DIGITS || (byte === 0x30 && previous === 0x2d)) return false;
    } else {
      // `.`, `E` or `e` after a digit.
      if (digits > 0 && (byte === 0x2e || (byte | 0x20) === 0x65)) return false;
      digits = 0;
    }
    previous = byte;
  }
  return true;
}

/** As parseJson, but of equal member names the first counts (a JOSE header in the reference). */
export function parseJsonFirstWins(text: string): JsonReading {
  return new Reader(text, "first").read();
}

/** Is `value` an object (not an array, not null, not a float)? */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonFloat)
  );
}

export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** A member of an object, or undefined. */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

type Container = { items: JsonValue[] } | { members: Record<string, JsonValue>; name: string };

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const PLAIN_STRING = /[^"\\\u0000-\u001f]*/y;
const WHITE_SPACE = /[ \t\n\r]*/y;
const LONE_SURROGATE = /\p{Cs}/u;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class BadJson extends Error {}

/** One pass with an explicit stack: nested input cannot exhaust the call stack. */
class Reader {
  readonly #text: string;
  readonly #duplicates: "first" | "last";
  readonly #stack: Container[] = [];
  #at = 0;

  constructor(text: string, duplicates: "first" | "last") {
    this.#text = text;
    this.#duplicates = duplicates;
  }

  read(): JsonReading {
    try {
      const value = this.#document();
      this.#skip(WHITE_SPACE);
      if (this.#at !== this.#text.length) throw new BadJson("text after the value");
      return { ok: true, value };
    } catch (error) {
      if (error instanceof BadJson) return { ok: false, problem: error.message };
      throw error;
    }
  }

  #document(): JsonValue {
    for (;;) {
      let value = this.#open();
      // Close as many containers as end here; go round again for the next element.
      while (value !== undefined) {
        const parent = this.#stack.at(-1);
        if (parent === undefined) return value;
        this.#add(parent, value);
        value = this.#next(parent);
      }
    }
  }

  /** A scalar or an empty container; undefined after opening one that has elements. */
  #open(): JsonValue | undefined {
    this.#skip(WHITE_SPACE);
    const start = this.#text[this.#at];
    switch (start) {
      case "{": {
        this.#at += 1;
        this.#skip(WHITE_SPACE);
        // A null prototype, so that `__proto__` is a member like any other.
        const members: Record<string, JsonValue> = Object.create(null);
        if (this.#take("}")) return members;
        this.#stack.push({ members, name: this.#name() });
        return undefined;
      }
      case "[": {
        this.#at += 1;
        this.#skip(WHITE_SPACE);
        if (this.#take("]")) return [];
        this.#stack.push({ items: [] });
        return undefined;
      }
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #add(parent: Container, value: JsonValue): void {
    if ("items" in parent) {
      parent.items.push(value);
    } else if (this.#duplicates === "last" || !Object.hasOwn(parent.members, parent.name)) {
      parent.members[parent.name] = value;
    }
  }

  /** After an element: undefined when another follows, the finished container when not. */
  #next(parent: Container): JsonValue | undefined {
    this.#skip(WHITE_SPACE);
    if (this.#take(",")) {
      if ("members" in parent) {
        this.#skip(WHITE_SPACE);
        parent.name = this.#name();
      }
      return undefined;
    }
    if (!this.#take("items" in parent ? "]" : "}")) throw new BadJson("a container is not closed");
    this.#stack.pop();
    return "items" in parent ? parent.items : parent.members;
  }

  #name(): string {
    const name = this.#string();
    this.#skip(WHITE_SPACE);
    if (!this.#take(":")) throw new BadJson("a member has no value");
    return name;
  }

  #string(): string {
    if (!this.#take('"')) throw new BadJson("a string is missing");
    let value = this.#skip(PLAIN_STRING);
    while (!this.#take('"')) {
      if (!this.#take("\\")) throw new BadJson("a string is not closed");
      value += this.#escape() + this.#skip(PLAIN_STRING);
    }
    if (LONE_SURROGATE.test(value)) throw new BadJson("a string holds half a surrogate pair");
    return value;
  }

  #escape(): string {
    const kind = this.#text[this.#at] ?? "";
    this.#at += 1;
    if (kind !== "u") {
      const plain = ESCAPES[kind];
      if (plain === undefined) throw new BadJson("a string has an unknown escape");
      return plain;
    }
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new BadJson("a string has a broken escape");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw new BadJson("a value is missing");
    this.#at += match[0].length;
    const value = Number(match[0]);
    if (match[1] !== undefined || match[2] !== undefined) {
      if (!Number.isFinite(value)) throw new BadJson("a number is too large");
      return new JsonFloat(value, match[0]);
    }
    // `+ 0` turns minus zero, which JSON integers do not have, into zero.
    return Number.isSafeInteger(value) ? value + 0 : BigInt(match[0]);
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new BadJson("a value is missing");
    this.#at += word.length;
    return value;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}
