/** Values as JSON, the way the reference writes it. Source: expressions §2.3. */
import { ERR_EXPR_OUTPUT, EXPR_OUTPUT_BYTES_MAX } from "../../../assembly/abi.ts";
import { showText } from "../../text.ts";
import type { Value } from "../core.ts";
import { floatText, jsonFloat } from "./numbers.ts";
import { sortedEntries } from "./terms.ts";
import { bytesOf, type HostFunction, refuse } from "./types.ts";

/** Text of a list, map, large integer or large float. */
export const toText: HostFunction = ([value], context) => {
  if (value?.type === "integer") return bytesOf(String(value.value));
  if (value?.type === "float") return bytesOf(floatText(value.value, context.printsLargeFloats));
  return jsonEncode([value!], context);
};

export const jsonEncode: HostFunction = ([value]) => {
  const parts: string[] = [];
  let length = 0;
  const put = (part: string): void => {
    length += part.length;
    if (length > EXPR_OUTPUT_BYTES_MAX) refuse(ERR_EXPR_OUTPUT);
    parts.push(part);
  };
  encodeInto(value!, put);
  return bytesOf(parts.join(""));
};

function encodeInto(value: Value, put: (part: string) => void): void {
  switch (value.type) {
    case "list":
      put("[");
      value.items.forEach((item, index) => {
        if (index > 0) put(",");
        encodeInto(item, put);
      });
      put("]");
      break;
    case "map":
      put("{");
      // The reference writes small maps from the last key to the first.
      [...sortedEntries(value)].reverse().forEach(([key, element], index) => {
        if (index > 0) put(",");
        put(quote(keyOf(key)));
        put(":");
        encodeInto(element, put);
      });
      put("}");
      break;
    default:
      put(scalarText(value));
  }
}

function scalarText(value: Value): string {
  switch (value.type) {
    case "bytes":
      return quote(showText(value.value));
    case "integer":
    case "boolean":
      return String(value.value);
    case "float":
      return jsonFloat(value.value);
    case "null":
      return "null";
    case "undefined":
      return '"undefined"';
    case "atom":
      return quote(value.name);
    default:
      return refuse();
  }
}

function keyOf(key: Value): string {
  if (key.type === "bytes") return showText(key.value);
  if (key.type === "atom") return key.name;
  if (key.type === "integer") return String(key.value);
  if (key.type === "boolean") return String(key.value);
  return key.type === "null" || key.type === "undefined" ? key.type : refuse();
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A JSON string; the digits of an escape are upper-case. */
export function quote(text: string): string {
  const escaped = text.replace(
    /["\\\x00-\x1f]/g,
    (character) =>
      SHORT_ESCAPES[character] ??
      `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}
