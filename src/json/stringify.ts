/** JSON text of a value that parseJson gave: numbers as they were written, no blanks. */
import type { JsonValue } from "./parse.ts";
import { isJsonArray, isJsonObject, JsonFloat } from "./parse.ts";

/** Recursive: for values from trusted places, whose nesting is shallow. */
export function stringifyJson(value: JsonValue): string {
  if (value instanceof JsonFloat) return value.source;
  if (typeof value === "bigint") return String(value);
  if (isJsonArray(value)) return `[${value.map(stringifyJson).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).map(
    (name) => `${JSON.stringify(name)}:${stringifyJson(value[name]!)}`,
  );
  return `{${members.join(",")}}`;
}
