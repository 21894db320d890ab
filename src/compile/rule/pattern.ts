/** Patterns in rules: what makes one a load error. */
import type { Text } from "../../types.ts";
import { compileRegex } from "../regex/index.ts";

/** Says what is wrong with a pattern, or undefined when it can be used. */
export function validatePattern(pattern: Text): string | undefined {
  const compiled = compileRegex(pattern);
  return compiled.ok ? undefined : compiled.message;
}
