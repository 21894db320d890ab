/**
 * Values as JSON, the way the recorded vectors and `portcullis batch` write them:
 *
 *   "text"             bytes that are UTF-8         {"$b64": "…"}    other bytes
 *   1                  integer                      {"$int": "…"}    integer from 2^53 on
 *   {"$float": "1.5"}  float                        {"$atom": "…"}   atom
 *   true, false, null  boolean, null                {"$tuple": […]}  tuple
 *   […]                list                         {…}              map with text keys
 */
import type { Value } from "../core/core.ts";
import { shortestFloat } from "../core/host/numbers.ts";
import { decodeUtf8, encodeUtf8, latin1 } from "../text.ts";

export { shortestFloat } from "../core/host/numbers.ts";

import { JsonFloat } from "../json/parse.ts";
import type { Text } from "../types.ts";

/** The JSON form of a value. */
export type Term =
  | null
  | boolean
  | number
  | string
  | readonly Term[]
  | { readonly [key: string]: Term };

/** Thrown for JSON that stands for no value. The message names what is wrong with it. */
export class TermError extends Error {}

/**
 * The value that a piece of JSON, read by parseJson or JSON.parse, stands for. Throws TermError.
 */
export function decodeTerm(term: unknown): Value {
  switch (typeof term) {
    case "string":
      return { type: "bytes", value: encodeUtf8(term) };
    case "number":
      return Number.isInteger(term)
        ? { type: "integer", value: BigInt(term) }
        : { type: "float", value: term };
    case "bigint":
      return { type: "integer", value: term };
    case "boolean":
      return { type: "boolean", value: term };
    case "object":
      if (term === null) return { type: "null" };
      if (term instanceof JsonFloat) return { type: "float", value: term.value };
      if (Array.isArray(term)) return { type: "list", items: term.map(decodeTerm) };
      return decodeObject(term as Record<string, unknown>);
    default:
      throw new TermError(`a value of type ${typeof term} has no meaning here`);
  }
}

/** The text that a piece of JSON stands for. Throws TermError for anything else. */
export function decodeText(term: unknown): Text {
  if (typeof term === "string") return term;
  const value = decodeTerm(term);
  if (value.type !== "bytes") throw new TermError(`a ${value.type} is no text`);
  return value.value;
}

/** The JSON form of a value; a map's keys in order of their text. */
export function encodeTerm(value: Value): Term {
  switch (value.type) {
    case "bytes":
      return encodeBytes(value.value);
    case "integer": {
      const number = Number(value.value);
      return Number.isSafeInteger(number) ? number : { $int: String(value.value) };
    }
    case "float":
      return { $float: shortestFloat(value.value) };
    case "boolean":
      return value.value;
    case "null":
      return null;
    case "undefined":
      return { $atom: "undefined" };
    case "atom":
      return { $atom: value.name };
    case "list":
      return value.items.map(encodeTerm);
    case "map":
      return encodeMap(value.entries);
    case "tuple":
      return { $tuple: value.items?.map(encodeTerm) ?? [...(value.bytes ?? [])] };
  }
}

/** The JSON form of a text. */
export function encodeText(text: Text): Term {
  return typeof text === "string" ? text : encodeBytes(text);
}

/** Text as JSON: a string, or `{"$b64": …}` for bytes that are not UTF-8. */
export function encodeBytes(bytes: Uint8Array): Term {
  return decodeUtf8(bytes) ?? { $b64: btoa(latin1(bytes)) };
}

function decodeObject(object: Record<string, unknown>): Value {
  const keys = Object.keys(object);
  const tag = keys.length === 1 && keys[0]!.startsWith("$") ? keys[0]! : undefined;
  if (tag === undefined) return decodeMap(object);
  const content = object[tag];
  switch (tag) {
    case "$b64":
      return { type: "bytes", value: decodeBase64(content) };
    case "$int":
      if (typeof content !== "string" || !/^[+-]?\d+$/.test(content)) break;
      return { type: "integer", value: BigInt(content.replace("+", "")) };
    case "$float":
      if (typeof content !== "string" || content === "" || Number.isNaN(Number(content))) break;
      return { type: "float", value: Number(content) };
    case "$atom":
      if (typeof content !== "string") break;
      return decodeAtom(content);
    case "$tuple":
      if (!Array.isArray(content)) break;
      return { type: "tuple", items: content.map(decodeTerm) };
    default:
      return decodeMap(object);
  }
  throw new TermError(`\`${tag}\` is malformed`);
}

function decodeAtom(name: string): Value {
  switch (name) {
    case "undefined":
    case "null":
      return { type: name };
    case "true":
    case "false":
      return { type: "boolean", value: name === "true" };
    default:
      return { type: "atom", name };
  }
}

function decodeMap(object: Record<string, unknown>): Value {
  const entries = Object.entries(object).map(([key, element]): [Value, Value] => [
    { type: "bytes", value: encodeUtf8(key) },
    decodeTerm(element),
  ]);
  return { type: "map", entries };
}

function decodeBase64(content: unknown): Uint8Array {
  if (typeof content === "string") {
    try {
      return Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    } catch {
      // Falls through to the refusal.
    }
  }
  throw new TermError("`$b64` is malformed");
}

function encodeMap(entries: readonly (readonly [Value, Value])[]): Term {
  const named = entries.map(([key, element]) => {
    const name = encodeTerm(key);
    return [typeof name === "string" ? name : JSON.stringify(name), element] as const;
  });
  named.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  // fromEntries makes own properties of all names, `__proto__` too.
  return Object.fromEntries(named.map(([name, element]) => [name, encodeTerm(element)]));
}
