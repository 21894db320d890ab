/**
 * Values as text: the generic conversion of templates and its JSON. Source: expressions §2.3, §2.4.
 */
import type { Value } from "../core/core.ts";
import { quote } from "../core/host/json.ts";
import { floatText, jsonFloat } from "../core/host/numbers.ts";
import { encodeUtf8, showText } from "../text.ts";
import type { Text } from "../types.ts";

/**
 * Text of a value. Bytes stay as they are; atoms, `null` and `undefined` become their names; lists
 * of printable code points the text they spell, other lists and maps JSON. Undefined for a tuple,
 * also inside a list or map.
 */
export function valueToText(value: Value): Text | undefined {
  switch (value.type) {
    case "bytes":
      return value.value;
    case "integer":
      return value.value.toString();
    case "float":
      return floatText(value.value, true);
    case "boolean":
      return String(value.value);
    case "atom":
      return value.name;
    case "null":
    case "undefined":
      return value.type;
    case "list":
      return spelledText(value.items) ?? valueToJson(value);
    case "map":
      return valueToJson(value);
    case "tuple":
      return undefined;
  }
}

/**
 * JSON of a value without blanks, map keys from last to first in the order of their bytes (which is how EMQX
 * writes maps of up to 32 keys). Bytes that are not UTF-8 become U+FFFD. Undefined when a tuple
 * occurs in it.
 */
export function valueToJson(value: Value): string | undefined {
  switch (value.type) {
    case "bytes":
      return quote(showText(value.value));
    case "integer":
      return value.value.toString();
    case "float":
      return jsonFloat(value.value);
    case "boolean":
      return String(value.value);
    case "null":
      return "null";
    case "undefined":
      return quote("undefined");
    case "atom":
      return quote(value.name);
    case "list":
      return joinJson("[", value.items.map(valueToJson), "]");
    case "map":
      return mapToJson(value.entries);
    case "tuple":
      return undefined;
  }
}

/** The text a list of printable code points spells; undefined for other lists. */
function spelledText(items: readonly Value[]): string | undefined {
  let text = "";
  for (const item of items) {
    if (item.type !== "integer" || !isPrintable(item.value)) return undefined;
    text += String.fromCodePoint(Number(item.value));
  }
  return text;
}

function isPrintable(code: bigint): boolean {
  return (
    (code >= 8n && code <= 13n) ||
    code === 27n ||
    (code >= 32n && code <= 126n) ||
    (code >= 160n && code <= 0xd7ffn) ||
    (code >= 0xe000n && code <= 0xfffdn) ||
    (code >= 0x10000n && code <= 0x10ffffn)
  );
}

function mapToJson(entries: readonly (readonly [Value, Value])[]): string | undefined {
  const named = new Map<string, Value>();
  for (const [key, element] of entries) {
    const name = valueToText(key);
    if (name === undefined) return undefined;
    named.set(showText(name), element);
  }
  const names = [...named.keys()].sort((a, b) => compareBytes(encodeUtf8(b), encodeUtf8(a)));
  const members = names.map((name) => {
    const json = valueToJson(named.get(name)!);
    return json === undefined ? undefined : `${quote(name)}:${json}`;
  });
  return joinJson("{", members, "}");
}

function joinJson(
  open: string,
  members: readonly (string | undefined)[],
  close: string,
): string | undefined {
  return members.includes(undefined) ? undefined : open + members.join(",") + close;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
