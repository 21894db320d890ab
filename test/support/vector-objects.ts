import { readFileSync } from "node:fs";
import type { JsonObject } from "../../src/json/parse.ts";
import { isJsonObject, parseJson } from "../../src/json/parse.ts";

/** The lines of a vector file, numbers kept as they are written. */
export function readVectorObjects(file: string): JsonObject[] {
  const url = new URL(`../conformance/vectors/${file}`, import.meta.url);
  return readFileSync(url, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const reading = parseJson(line);
      if (!reading.ok || !isJsonObject(reading.value)) throw new Error(`${file}: not an object`);
      return reading.value;
    });
}

/** Only the named members, so that a vector's answer can be compared. */
export function pick(vector: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(vector, name)).map((name) => [name, vector[name]!]),
  );
}
