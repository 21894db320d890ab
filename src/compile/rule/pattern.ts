/** Patterns in rules: what makes one a load error. */
import type { Text } from "../../types.ts";
import { toBytes } from "../bytes.ts";
import { compileRegex } from "../regex/index.ts";

/** Says what is wrong with a pattern, or undefined when it can be used. */
export function validatePattern(pattern: Text): string | undefined {
  const compiled = compileRegex(pattern);
  if (compiled.ok) return undefined;
  const before = new TextDecoder().decode(toBytes(pattern).subarray(0, compiled.offset));
  return `${compiled.message}, at character ${[...before].length + 1} of the pattern`;
}
