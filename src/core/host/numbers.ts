/** Numbers beyond 64 bits and floats beyond 2^53. Source: expressions §2.4–2.5, §4.6, §4.8. */
import { ERR_EXPR_BADARG } from "../../../assembly/abi.ts";
import { encodeUtf8, toHex } from "../../text.ts";
import type { Value } from "../core.ts";
import { bytesOf, type HostFunction, integerArgument, integerOf, refuse } from "./types.ts";

/** What the reference can print before its buffer is full (a float of about 1e244). */
const FLOAT_TEXT_MAX = 255;

/** Fixed notation, ten decimals, trailing zeros removed but for one. */
export function floatText(value: number, isUnlimited: boolean): string {
  const magnitude = Math.abs(value);
  let whole = BigInt(Math.trunc(magnitude));
  let fraction = Math.trunc((magnitude - Math.trunc(magnitude)) * 1e10 + 0.5);
  if (fraction >= 1e10) {
    whole += 1n;
    fraction = 0;
  }
  const sign = Object.is(value, -0) || value < 0 ? "-" : "";
  const text = `${sign}${whole}.${String(fraction).padStart(10, "0")}`;
  if (!isUnlimited && text.length > FLOAT_TEXT_MAX) refuse();
  return text.replace(/0{1,9}$/, "");
}

/**
 * As the reference prints a term: the shortest digits that read back the same, in the shorter of
 * both notations, and always with an exponent from 2^53 on.
 */
export function shortestFloat(value: number): string {
  const sign = Object.is(value, -0) || value < 0 ? "-" : "";
  const magnitude = Math.abs(value);
  if (magnitude === 0) return `${sign}0.0`;
  const [mantissa, exponent] = magnitude.toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const power = Number(exponent);
  const scientific = `${digits[0]}.${digits.slice(1) || "0"}e${power}`;
  const fixed =
    power < 0
      ? `0.${"0".repeat(-power - 1)}${digits}`
      : digits.length <= power + 1
        ? `${digits.padEnd(power + 1, "0")}.0`
        : `${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
  const isFixed = magnitude < 2 ** 53 && fixed.length <= scientific.length;
  return sign + (isFixed ? fixed : scientific);
}

/** As JavaScript prints a number, but always with a point or an exponent. */
export function jsonFloat(value: number): string {
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** -1, 0 or 1: equal only within a type; what is neither equal nor less is greater. */
export const compare: HostFunction = ([a, b]) => {
  if (!isNumber(a) || !isNumber(b)) return refuse();
  if (a.type === b.type && Object.is(a.value, b.value)) return integerOf(0);
  // Comparison of a bigint and a number is exact.
  return integerOf(a.value < b.value ? -1 : 1);
};

function isNumber(
  value: Value | undefined,
): value is Extract<Value, { type: "integer" | "float" }> {
  return value?.type === "integer" || value?.type === "float";
}

export const int2hexstr: HostFunction = ([value]) =>
  bytesOf(integerArgument(value).toString(16).toUpperCase());

/** An integer, or a text as a big-endian integer, into [min, max]; the remainder keeps its sign. */
export const mapToRange: HostFunction = ([value, min, max]) => {
  const [low, range] = rangeOf(min, max);
  if (value?.type === "integer") return integerOf(low + (value.value % range));
  const bytes = nonEmptyText(value);
  return integerOf(low + (bigEndian(bytes) % range));
};

/** `min` and the number of integers in [min, max]. */
export function rangeOf(min: Value | undefined, max: Value | undefined): readonly [bigint, bigint] {
  if (min?.type !== "integer" || max?.type !== "integer" || min.value > max.value) {
    return refuse(ERR_EXPR_BADARG);
  }
  return [min.value, max.value - min.value + 1n];
}

/** A text that has to have at least one byte; atoms by their name. */
export function nonEmptyText(value: Value | undefined): Uint8Array {
  if (value?.type === "bytes" && value.value.length > 0) return value.value;
  if (value?.type === "atom") return encodeUtf8(value.name);
  if (value?.type === "boolean") return encodeUtf8(String(value.value));
  return refuse(ERR_EXPR_BADARG);
}

export function bigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes) || "0"}`);
}
