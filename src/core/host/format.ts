/**
 * `sprintf_s`: Erlang's format directives over bytes. Source: expressions §4.4. Every width is
 * checked against the output limit before anything is repeated.
 */
import { ERR_EXPR_OUTPUT, EXPR_OUTPUT_BYTES_MAX } from "../../../assembly/abi.ts";
import { decodeUtf8, encodeUtf8, joinBytes } from "../../text.ts";
import type { Value } from "../core.ts";
import { printTerm, writeTerm } from "./print.ts";
import {
  type HostFunction,
  integerArgument,
  latin1Bytes,
  listArgument,
  piecesOf,
  refuse,
} from "./types.ts";

/** One directive, `~[F][.[P][.[C]]][mod]X`. */
interface Directive {
  readonly width: number | undefined;
  readonly isLeft: boolean;
  readonly precision: number | undefined;
  readonly padding: number;
  readonly isUnicode: boolean;
  /** `l`: no list or text is shown in quotes. */
  readonly isPlain: boolean;
  readonly control: string;
}

export const sprintf: HostFunction = ([format, values], { keepsUtf8 }) => {
  if (format?.type !== "bytes") return refuse();
  const reader = new FormatReader(format.value, listArgument(values));
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = reader.literal() ?? render(reader.directive(), reader, keepsUtf8);
    if (part === undefined) break;
    length += part.length;
    if (length > EXPR_OUTPUT_BYTES_MAX) return ERR_EXPR_OUTPUT;
    parts.push(part);
  }
  reader.finish();
  return { type: "bytes", value: joinBytes(parts) };
};

const TILDE = 0x7e;
const STAR = 0x2a;
const DOT = 0x2e;
const MINUS = 0x2d;

class FormatReader {
  readonly #format: Uint8Array;
  readonly #values: readonly Value[];
  #at = 0;
  #used = 0;

  constructor(format: Uint8Array, values: readonly Value[]) {
    this.#format = format;
    this.#values = values;
  }

  /** Bytes up to the next directive; undefined when there are none. */
  literal(): Uint8Array | undefined {
    let end = this.#format.indexOf(TILDE, this.#at);
    if (end < 0) end = this.#format.length;
    if (end === this.#at) return undefined;
    const part = this.#format.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  directive(): Directive | undefined {
    if (this.#at === this.#format.length) return undefined;
    this.#at += 1;
    const isLeft = this.#skip(MINUS);
    let width = this.#number();
    if (isLeft && width === undefined) refuse();
    const precision = this.#skip(DOT) ? this.#number() : undefined;
    if (precision !== undefined && precision < 0) refuse();
    let padding = 0x20;
    if (this.#peek() === DOT) {
      this.#at += 1;
      if (this.#skip(STAR)) padding = Number(integerArgument(this.value()));
      else {
        padding = this.#peek() ?? refuse();
        this.#at += 1;
      }
      if (padding < 0 || padding > 255) refuse();
    }
    let isUnicode = false;
    let isPlain = false;
    for (;;) {
      const modifier = String.fromCharCode(this.#peek() ?? refuse());
      this.#at += 1;
      if (modifier === "t") isUnicode = true;
      else if (modifier === "l") isPlain = true;
      else if (modifier !== "k") {
        const isFlipped = width !== undefined && width < 0;
        if (isFlipped) width = -width!;
        return {
          width,
          isLeft: isLeft !== isFlipped,
          precision,
          padding,
          isUnicode,
          isPlain,
          control: modifier,
        };
      }
    }
  }

  value(): Value {
    const value = this.#values[this.#used];
    this.#used += 1;
    return value ?? refuse();
  }

  /** Every value must have been used. */
  finish(): void {
    if (this.#used !== this.#values.length) refuse();
  }

  #peek(): number | undefined {
    return this.#format[this.#at];
  }

  #skip(byte: number): boolean {
    if (this.#peek() !== byte) return false;
    this.#at += 1;
    return true;
  }

  /** Digits, or `*` for the next value. */
  #number(): number | undefined {
    if (this.#skip(STAR)) {
      return within(integerArgument(this.value()));
    }
    const start = this.#at;
    while (this.#peek() !== undefined && isDigit(this.#peek()!)) this.#at += 1;
    if (start === this.#at) return undefined;
    return within(BigInt(String.fromCharCode(...this.#format.subarray(start, this.#at))));
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A width; refuses what could not be printed anyway. */
function within(value: bigint): number {
  const limit = BigInt(EXPR_OUTPUT_BYTES_MAX);
  return value > limit || value < -limit ? refuse(ERR_EXPR_OUTPUT) : Number(value);
}

function render(
  directive: Directive | undefined,
  reader: FormatReader,
  keepsUtf8: boolean,
): Uint8Array | undefined {
  if (directive === undefined) return undefined;
  switch (directive.control) {
    case "~":
      return run(Uint8Array.of(TILDE), directive);
    case "n":
      if (directive.isLeft) refuse();
      return repeat(10, directive.width ?? 1);
    case "i":
      reader.value();
      return new Uint8Array();
    case "s":
      return asString(stringOf(reader.value(), directive, keepsUtf8), directive);
    case "c":
      return asCharacter(reader.value(), directive, keepsUtf8);
    case "b":
    case "B":
    case "#":
    case "+":
      return asInteger(reader.value(), directive);
    case "x":
    case "X":
      return asPrefixed(reader.value(), reader.value(), directive);
    case "f":
    case "e":
    case "g":
      return asFloat(reader.value(), directive);
    case "w":
      return asTerm(writeTerm(reader.value(), { ...directive, keepsUtf8 }), directive);
    case "p":
      // Width and precision are the line's length and the indentation here.
      return printTerm(reader.value(), { ...directive, keepsUtf8 });
    case "W":
    case "P": {
      const value = reader.value();
      const style = { ...directive, keepsUtf8, depth: within(integerArgument(reader.value())) };
      return directive.control === "W"
        ? asTerm(writeTerm(value, style), directive)
        : printTerm(value, style);
    }
    default:
      return refuse();
  }
}

/**
 * `~s`: bytes as they are. With `t`, code points above 255 cannot leave unless UTF-8 is kept, and
 * what is no UTF-8 is left as it is.
 */
function stringOf(value: Value, { isUnicode }: Directive, keepsUtf8: boolean): Uint8Array {
  const bytes =
    value.type === "null" || value.type === "undefined" ? encodeUtf8(value.type) : piecesOf(value);
  if (!isUnicode || keepsUtf8) return bytes;
  const text = decodeUtf8(bytes);
  return text === undefined ? bytes : latin1Bytes(text);
}

/** A precision cuts or fills first, then the width does. */
function asString(bytes: Uint8Array, directive: Directive): Uint8Array {
  const { width, precision } = directive;
  if (precision === undefined) return width === undefined ? bytes : field(bytes, width, directive);
  if (width === undefined) return field(bytes, precision, { ...directive, isLeft: true });
  if (width < precision) refuse();
  if (width === precision) return field(bytes, width, directive);
  const inner = field(bytes, precision, { ...directive, isLeft: true });
  return field(inner, width, directive);
}

/** Exactly `width` bytes: cut, or padded on the side that `isLeft` leaves. */
function field(bytes: Uint8Array, width: number, { isLeft, padding }: Directive): Uint8Array {
  if (bytes.length >= width) return bytes.subarray(0, Math.max(width, 0));
  const fill = repeat(padding, width - bytes.length);
  return joinBytes(isLeft ? [bytes, fill] : [fill, bytes]);
}

function asCharacter(value: Value, directive: Directive, keepsUtf8: boolean): Uint8Array {
  const code = integerArgument(value);
  let one = Uint8Array.of(Number(BigInt.asUintN(8, code)));
  if (directive.isUnicode) {
    if (code < 0n || code > 0x10ffffn || (code > 255n && !keepsUtf8)) refuse();
    if (keepsUtf8) one = encodeUtf8(String.fromCodePoint(Number(code)));
    else one = Uint8Array.of(Number(code));
  }
  return run(one, directive);
}

/** The character as often as the precision says, or the width where there is none. */
function run(one: Uint8Array, directive: Directive): Uint8Array {
  const { width, precision } = directive;
  const count = precision ?? width ?? 1;
  if (count * one.length > EXPR_OUTPUT_BYTES_MAX) refuse(ERR_EXPR_OUTPUT);
  const characters = joinBytes(Array.from({ length: count }, () => one));
  if (width === undefined || precision === undefined) return characters;
  return width < precision ? refuse() : field(characters, width, directive);
}

function asInteger(value: Value, directive: Directive): Uint8Array {
  const { control, precision } = directive;
  const base = baseOf(precision);
  const isUpper = control === "B" || control === "#";
  const prefix = control === "#" || control === "+" ? `${base}#` : "";
  return integerText(value, base, isUpper, prefix, directive);
}

function asPrefixed(value: Value, prefix: Value, directive: Directive): Uint8Array {
  let text: string;
  if (prefix.type === "atom") text = prefix.name;
  else if (prefix.type === "boolean") text = String(prefix.value);
  else if (prefix.type === "null" || prefix.type === "undefined") text = prefix.type;
  else {
    text = listArgument(prefix)
      .map((item) => String.fromCharCode(Number(integerArgument(item))))
      .join("");
  }
  const isUpper = directive.control === "X";
  return integerText(value, baseOf(directive.precision), isUpper, text, directive);
}

function baseOf(precision: number | undefined): number {
  const base = precision ?? 10;
  return base >= 2 && base <= 36 ? base : refuse();
}

function integerText(
  value: Value,
  base: number,
  isUpper: boolean,
  prefix: string,
  directive: Directive,
): Uint8Array {
  const integer = integerArgument(value);
  const digits = (integer < 0n ? -integer : integer).toString(base);
  const text = `${integer < 0n ? "-" : ""}${prefix}${isUpper ? digits.toUpperCase() : digits}`;
  return asTerm(encodeUtf8(text), { ...directive, precision: undefined });
}

/** Numbers and terms: what does not fit becomes asterisks, all of the width. */
function asTerm(bytes: Uint8Array, directive: Directive): Uint8Array {
  const { precision } = directive;
  const width = directive.width ?? precision;
  if (width === undefined) return bytes;
  const room = Math.min(bytes.length, precision === undefined ? width : Math.min(precision, width));
  if (bytes.length > room) return field(repeat(STAR, room), width, directive);
  return width >= room ? field(bytes, width, directive) : refuse();
}

function asFloat(value: Value, directive: Directive): Uint8Array {
  if (value.type !== "float") return refuse();
  const precision = directive.precision ?? 6;
  // LIMIT: decimals cost memory even where the width would cut them.
  if (precision > EXPR_OUTPUT_BYTES_MAX / 4) refuse(ERR_EXPR_OUTPUT);
  const text =
    directive.control === "f"
      ? fixed(value.value, precision)
      : directive.control === "e"
        ? scientific(value.value, precision)
        : general(value.value, precision);
  return asTerm(encodeUtf8(text), { ...directive, precision: undefined });
}

/** 21 significant digits and the number of them before the point. */
function digitsOf(value: number): { digits: string; point: number } {
  const [mantissa, exponent] = Math.abs(value).toExponential(20).split("e") as [string, string];
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

/** `digits` cut after `count` of them, halves rounded up; one digit longer when a carry ran out. */
function round(digits: string, count: number): string {
  const kept = digits.slice(0, count).padEnd(count, "0");
  if ((digits[count] ?? "0") < "5") return kept;
  return (BigInt(kept || "0") + 1n).toString().padStart(count, "0");
}

function signOf(value: number): string {
  return Object.is(value, -0) || value < 0 ? "-" : "";
}

function fixed(value: number, decimals: number): string {
  if (decimals < 1) refuse();
  const sign = signOf(value);
  let { digits, point } = digitsOf(value);
  if (point <= 0) {
    digits = "0".repeat(1 - point) + digits;
    point = 1;
  }
  const rounded = round(digits, point + decimals);
  const whole = rounded.length - decimals;
  return `${sign}${rounded.slice(0, whole)}.${rounded.slice(whole)}`;
}

function scientific(value: number, precision: number): string {
  if (precision < 2) refuse();
  const sign = signOf(value);
  const { digits, point } = digitsOf(value);
  let rounded = round(digits, precision);
  let exponent = point - 1;
  if (rounded.length > precision) {
    rounded = rounded.slice(0, precision);
    exponent += 1;
  }
  return `${sign}${rounded[0]}.${rounded.slice(1)}e${exponent < 0 ? "" : "+"}${exponent}`;
}

function general(value: number, precision: number): string {
  if (precision < 1) refuse();
  const magnitude = Math.abs(value);
  const power = [0.1, 1, 10, 100, 1e3, 1e4].findIndex((limit) => magnitude < limit) - 2;
  const isFixed =
    power >= -1 && magnitude < 1e4 && (precision - 1 > power || (precision <= 1 && power === -1));
  if (isFixed) return fixed(value, precision - 1 - power);
  return scientific(value, Math.max(precision, 2));
}

function repeat(byte: number, count: number): Uint8Array {
  if (count > EXPR_OUTPUT_BYTES_MAX) refuse(ERR_EXPR_OUTPUT);
  return new Uint8Array(Math.max(count, 0)).fill(byte);
}
