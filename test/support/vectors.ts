/** Reads the recorded vectors of test/conformance/vectors (format: their README). */
import { readFileSync } from "node:fs";
import type { Text } from "../../src/types.ts";

const FOLDER = new URL("../conformance/vectors/", import.meta.url);

/** Every line of `<name>.jsonl`, parsed. */
export function readVectors<T>(name: string): T[] {
  const text = readFileSync(new URL(`${name}.jsonl`, FOLDER), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** A text of a vector: a string, or bytes as `{"$b64": …}`. */
export type VectorText = string | { readonly $b64: string };

export function vectorText(value: VectorText): Text {
  return typeof value === "string" ? value : new Uint8Array(Buffer.from(value.$b64, "base64"));
}
