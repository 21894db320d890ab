/** Regular-expression literals of an expression. Source: expressions §4.5, §8.3. */
import type { Switches } from "../../config/compatibility.ts";
import { toBytes } from "../bytes.ts";
import { compileRegex } from "../regex/index.ts";
import type { Expr } from "./ast.ts";
import type { Finding } from "./check.ts";
import { clip } from "./lexer.ts";

/** `\\d` and friends: one backslash too many, where HOCON or JSON needed none. */
const DOUBLED_CLASS = /(?<!\\)\\\\(?=[dDwWsSbB])/g;

/** Compiles the literal into `programs` and says what is wrong or surprising about it. */
export function compilePattern(
  literal: Expr & { readonly type: "text" },
  switches: Switches,
  programs: Map<Expr, Uint8Array>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const mended = literal.value.replace(DOUBLED_CLASS, "\\");
  let pattern = literal.value;
  if (mended !== pattern) {
    const isMended = switches.doubled_backslash_is_class;
    findings.push({
      kind: "lint",
      code: "WARN_CONFIG_DOUBLED_BACKSLASH",
      span: literal.span,
      message: isMended
        ? "doubled backslash in a regular expression: read as one"
        : "doubled backslash in a regular expression: it matches a backslash, not the class",
      hint: `write \`${clip(mended)}\`: strings in expressions have no escapes`,
    });
    if (isMended) pattern = mended;
  }
  const result = compileRegex(toBytes(pattern));
  if (result.ok) programs.set(literal, result.program);
  else {
    findings.push({
      kind: "mistake",
      code: "ERR_CONFIG_PATTERN",
      span: literal.span,
      message: `bad regular expression: ${result.message}`,
      hint: result.hint,
    });
  }
  return findings;
}
