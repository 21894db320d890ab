/** Prints plain data as HOCON, for tests that read it back. */
import type { HoconJson } from "../../src/config/hocon/index.ts";

export function printHocon(value: HoconJson): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return printNumber(value);
  if (typeof value === "string") return printText(value);
  if (Array.isArray(value)) return `[${value.map(printHocon).join(", ")}]`;
  const members = Object.keys(value).map(
    (key) => `${printText(key)} = ${printHocon(value[key] as HoconJson)}`,
  );
  return `{${members.join("\n")}}`;
}

/** An exponent needs a fraction, and a fraction needs digits. */
function printNumber(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return String(value).replace(/^(-?[0-9]+)(e.*)$/, "$1.0$2");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\b": "\\b",
  "\f": "\\f",
};

/** Other line ends have no escape of their own, so they need the raw form or `\uXXXX`. */
function printText(text: string): string {
  const body = text.replace(/[\\"\n\t\r\b\f]/g, (character) => ESCAPES[character] as string);
  return `"${body.replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`)}"`;
}
