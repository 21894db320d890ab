/** Regular-expression literals of an expression. Source: expressions §4.5, §8.3. */
import type { Switches } from "../../config/compatibility.ts";
import { showText, toBytes } from "../../text.ts";
import { compileRegex } from "../regex/index.ts";
import type { Expr } from "./ast.ts";
import type { Finding } from "./check.ts";
import { clip } from "./lexer.ts";

/** Compiles the literal into `programs` and says what is wrong or surprising about it. */
export function compilePattern(
  literal: Expr & { readonly type: "text" },
  switches: Switches,
  programs: Map<Expr, Uint8Array>,
): readonly Finding[] {
  const isMended = switches.doubled_backslash_is_class;
  const pattern = toBytes(literal.value);
  const result = compileRegex(pattern, { doubledBackslashIsClass: isMended });
  const at = (offset: number): Finding["span"] => {
    const start = literal.span.start + 1 + charactersIn(pattern, offset);
    return { start, end: start + 1 };
  };
  if (!result.ok) {
    return [
      {
        kind: "mistake",
        code: "ERR_CONFIG_PATTERN",
        span: at(result.offset),
        message: `bad regular expression: ${result.message}`,
        hint: result.hint,
      },
    ];
  }
  programs.set(literal, result.program);
  const doubled = result.doubledBackslash;
  if (doubled === undefined) return [];
  return [
    {
      kind: "lint",
      code: "WARN_CONFIG_DOUBLED_BACKSLASH",
      span: at(doubled.offset),
      message: isMended
        ? "doubled backslash in a regular expression, read as one; EMQX 6.2 matches a backslash here"
        : "doubled backslash in a regular expression: it matches a backslash, not the class",
      hint: `write \`${clip(doubled.mended)}\`: strings in expressions have no escapes`,
    },
  ];
}

/** UTF-16 units in the first `bytes` bytes of a pattern. */
function charactersIn(pattern: Uint8Array, bytes: number): number {
  return showText(pattern.subarray(0, bytes)).length;
}
