/** The front door of the expression compiler: text in, blob and issues out. */
import { EXPR_STACK_MAX, EXPR_TEXT_BYTES_MAX } from "../../../assembly/abi.ts";
import type { Switches } from "../../config/compatibility.ts";
import type { Located } from "../../config/config.ts";
import type { Issue } from "../../errors.ts";
import { toBytes, toText } from "../../text.ts";
import type { SourcePosition, Text } from "../../types.ts";
import type { Expr } from "./ast.ts";
import { check, type Finding } from "./check.ts";
import { emit } from "./emit.ts";
import { ExpressionSyntaxError, tokenize } from "./lexer.ts";
import { parse } from "./parser.ts";
import { compilePattern } from "./pattern.ts";
import type { ExpressionPlace } from "./variables.ts";

export type { Expr } from "./ast.ts";
export type { ExpressionPlace } from "./variables.ts";

export interface CompileExpressionOptions {
  readonly switches: Switches;
  readonly place: ExpressionPlace;
  /** Configuration path for the issues, e.g. `mqtt.clientid_override`. */
  readonly path?: string | undefined;
}

export interface CompiledExpression {
  /** Absent when there is an issue of severity `error`. */
  readonly blob?: Uint8Array<ArrayBuffer>;
  readonly ast?: Expr;
  /** Regular expressions of its literals, for compilePart. */
  readonly programs?: ReadonlyMap<Expr, Uint8Array>;
  /** In the order of the text. */
  readonly issues: readonly Issue[];
}

/**
 * Compiles one expression. Syntax errors are always errors; what can never work is an error under
 * the switch `expression_errors_at_load` and otherwise a warning (it then fails when it runs);
 * lints are warnings. Issue positions are those of the offending part, counted from `source.at`.
 *
 * Source: expressions §1, §8.
 */
export function compileExpression(
  source: Located<Text>,
  options: CompileExpressionOptions,
): CompiledExpression {
  const text = toText(source.value);
  const report = (finding: Omit<Finding, "kind">, severity: Issue["severity"]): Issue => ({
    severity,
    code: severity === "warning" ? finding.code.replace(/^ERR_/, "WARN_") : finding.code,
    path: options.path ?? "",
    message: `${finding.message}, at character ${columnsBefore(text ?? "", finding.span.start) + 1} of the expression`,
    hint: finding.hint,
    at: positionOf(source, text ?? "", finding.span.start),
  });
  const refuse = (start: number, message: string, hint?: string): CompiledExpression => {
    const span = { start, end: start };
    return { issues: [report({ code: "ERR_CONFIG_EXPRESSION", span, message, hint }, "error")] };
  };
  if (text === undefined) return refuse(0, "the expression is not valid UTF-8");
  if (toBytes(source.value).length > EXPR_TEXT_BYTES_MAX) {
    return refuse(0, `the expression is longer than ${EXPR_TEXT_BYTES_MAX} bytes`);
  }
  let ast: Expr;
  try {
    ast = parse(tokenize(text, { quotesAreExact: options.switches.quotes_are_exact }));
  } catch (error) {
    if (!(error instanceof ExpressionSyntaxError)) throw error;
    return refuse(error.offset, error.message, error.hint);
  }
  const programs = new Map<Expr, Uint8Array>();
  const findings = check(ast, {
    ...options,
    pattern: (literal) => compilePattern(literal, options.switches, programs),
  });
  const mistakes = options.switches.expression_errors_at_load ? "error" : "warning";
  const issues = findings.map((finding) =>
    report(finding, finding.kind === "mistake" ? mistakes : "warning"),
  );
  if (issues.some(({ severity }) => severity === "error")) return { ast, issues };
  const blob = emit(ast, { ...options, programs });
  if (new DataView(blob.buffer).getUint32(16, true) > EXPR_STACK_MAX) {
    return refuse(0, `the expression needs more than ${EXPR_STACK_MAX} values at once`);
  }
  return { blob, ast, programs, issues };
}

/**
 * A part of a compiled expression as an expression of its own: what `explain` evaluates to show the
 * value of every part. Arrays are allowed here.
 */
export function compilePart(
  part: Expr,
  whole: CompiledExpression,
  options: CompileExpressionOptions,
): Uint8Array<ArrayBuffer> {
  return emit(part, { ...options, programs: whole.programs ?? new Map() });
}

/** Where `offset` (UTF-16 units of the text) stands in the file; its start where that is not known. */
function positionOf(
  { at, layout }: Located<Text>,
  text: string,
  offset: number,
): SourcePosition | undefined {
  if (at === undefined || layout?.kind === "joined") return at;
  const before = columnsBefore(text, offset);
  if (layout?.kind === "escaped") {
    const extra = layout.escapes.reduce(
      (sum, [from, more]) => sum + (from <= offset ? more : 0),
      0,
    );
    return { ...at, column: at.column + before + extra };
  }
  const lines = text.slice(0, offset).split("\n");
  if (lines.length === 1) return { ...at, column: at.column + before };
  const indent = layout?.indent ?? 0;
  return {
    file: at.file,
    line: at.line + lines.length - 1,
    column: indent + [...lines.at(-1)!].length + 1,
  };
}

function columnsBefore(text: string, offset: number): number {
  return [...text.slice(0, offset)].length;
}
