/** Values as Erlang terms, for `~w` and `~p`. Source: expressions §4.4. */
import { ERR_EXPR_OUTPUT, EXPR_OUTPUT_BYTES_MAX } from "../../../assembly/abi.ts";
import { decodeUtf8, encodeUtf8 } from "../../text.ts";
import type { Value } from "../core.ts";
import { shortestFloat } from "./numbers.ts";
import { sortedEntries } from "./terms.ts";
import { refuse } from "./types.ts";

interface TermStyle {
  /** `t`: texts as code points, which leave as UTF-8 where `keepsUtf8` and as Latin-1 otherwise. */
  readonly isUnicode: boolean;
  readonly keepsUtf8: boolean;
  /** `l`: `~p` shows no list or text in quotes. */
  readonly isPlain: boolean;
  /** Limits what is shown; `...` stands for the rest. */
  readonly depth?: number;
}

/** `~w`: texts as lists of byte values. */
export function writeTerm(value: Value, style: TermStyle): Uint8Array {
  return finish(new TermPrinter(false, style.isUnicode).print(value, style.depth ?? -1), style);
}

/** `~p`: printable texts in quotes. Never breaks lines. */
export function printTerm(value: Value, style: TermStyle): Uint8Array {
  return finish(
    new TermPrinter(!style.isPlain, style.isUnicode).print(value, style.depth ?? -1),
    style,
  );
}

/** One byte a code point, as the reference's device has it. */
function finish(text: string, { isUnicode, keepsUtf8 }: TermStyle): Uint8Array {
  if (isUnicode && keepsUtf8) return encodeUtf8(text);
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code <= 255 ? code : refuse();
  });
}

class TermPrinter {
  readonly #showsText: boolean;
  readonly #isUnicode: boolean;
  #length = 0;

  constructor(showsText: boolean, isUnicode: boolean) {
    this.#showsText = showsText;
    this.#isUnicode = isUnicode;
  }

  print(value: Value, depth: number): string {
    const text = this.#print(value, depth);
    this.#length += text.length;
    return this.#length > EXPR_OUTPUT_BYTES_MAX * 4 ? refuse(ERR_EXPR_OUTPUT) : text;
  }

  #print(value: Value, depth: number): string {
    if (depth === 0) return "...";
    switch (value.type) {
      case "integer":
        return String(value.value);
      case "float":
        return shortestFloat(value.value);
      case "boolean":
        return String(value.value);
      case "null":
      case "undefined":
        return value.type;
      case "atom":
        return atomText(value.name);
      case "bytes":
        return this.#bytes(value.value, depth);
      case "list":
        return this.#list(value.items, depth);
      case "tuple":
        return `{${this.#items(tupleItems(value), depth)}}`;
      case "map": {
        const pairs = sortedEntries(value).map(
          ([key, element]) => `${this.print(key, depth - 1)} => ${this.print(element, depth - 1)}`,
        );
        return `#{${pairs.join(",")}}`;
      }
    }
  }

  #bytes(bytes: Uint8Array, depth: number): string {
    if (bytes.length === 0) return "<<>>";
    if (this.#showsText && this.#isUnicode) {
      const text = printableText(bytes);
      if (text !== undefined)
        return `<<"${text}"${bytes.some((byte) => byte > 127) ? "/utf8" : ""}>>`;
    } else if (this.#showsText && bytes.every(isPrintable)) return `<<"${quoted(bytes)}">>`;
    const isCut = depth > 0 && bytes.length >= depth;
    const shown = isCut ? bytes.subarray(0, depth - 1) : bytes;
    return `<<${[...shown, ...(isCut ? ["..."] : [])].join(",")}>>`;
  }

  #list(items: readonly Value[], depth: number): string {
    const codes = items.map((item) => (item.type === "integer" ? Number(item.value) : -1));
    if (this.#showsText && items.length > 0 && codes.every(isPrintable)) {
      return `"${quoted(codes)}"`;
    }
    return `[${this.#items(items, depth)}]`;
  }

  #items(items: readonly Value[], depth: number): string {
    let left = depth;
    const parts: string[] = [];
    for (const item of items) {
      left -= 1;
      if (left === 0) {
        return parts.length === 0 ? "..." : `${parts.join(",")}|...`;
      }
      parts.push(this.print(item, left));
    }
    return parts.join(",");
  }
}

/** The bytes as quoted text when they are UTF-8 and every code point can be shown. */
function printableText(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  const codes = Array.from(text, (character) => character.codePointAt(0)!);
  return codes.every((code) => code > 255 || isPrintable(code)) ? quoted(codes) : undefined;
}

function tupleItems(value: Extract<Value, { type: "tuple" }>): readonly Value[] {
  return (
    value.items ??
    Array.from(value.bytes ?? [], (byte): Value => ({ type: "integer", value: BigInt(byte) }))
  );
}

/** Printable in Latin-1, with the usual white space. */
function isPrintable(code: number): boolean {
  return (code >= 32 && code <= 126) || code >= 160
    ? code <= 255
    : (code >= 8 && code <= 13) || code === 27;
}

const ESCAPES: Readonly<Record<number, string>> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  27: "\\e",
  34: '\\"',
  92: "\\\\",
};

function quoted(codes: Iterable<number>): string {
  let text = "";
  for (const code of codes) text += ESCAPES[code] ?? String.fromCodePoint(code);
  return text;
}

const RESERVED = new Set(
  "after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or orelse receive rem try when xor".split(
    " ",
  ),
);

function atomText(name: string): string {
  if (/^[a-z][A-Za-z0-9_@]*$/.test(name) && !RESERVED.has(name)) return name;
  return `'${name.replace(/['\\]/g, "\\$&")}'`;
}
