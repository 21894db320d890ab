/** Patterns in rules: what makes one a load error. */
import { showText, toBytes } from "../../text.ts";
import type { Text } from "../../types.ts";
import { compileRegex } from "../regex/index.ts";
import { textKey } from "./words.ts";

/** Says what is wrong with a pattern, or undefined when it can be used. */
export function validatePattern(pattern: Text): string | undefined {
  const compiled = compileRegex(pattern);
  if (compiled.ok) return undefined;
  const before = showText(toBytes(pattern).subarray(0, compiled.offset));
  return `${compiled.message}, at character ${[...before].length + 1} of the pattern`;
}

/** validatePattern for many rules: a pattern that several share is compiled once. */
export function patternValidator(): (pattern: Text) => string | undefined {
  const problems = new Map<string, string | undefined>();
  return (pattern) => {
    const key = textKey(pattern);
    if (!problems.has(key)) problems.set(key, validatePattern(pattern));
    return problems.get(key);
  };
}
