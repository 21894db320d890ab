/**
 * What every part of an expression evaluates to, for `portcullis explain`. The core does not trace:
 * each part is compiled as a program of its own and evaluated over the same request.
 */
import { ENTRY_EXPRESSION } from "../../assembly/abi.ts";
import { type Expr, namePieces } from "../compile/expr/ast.ts";
import {
  type CompileExpressionOptions,
  compileExpression,
  compilePart,
} from "../compile/expr/index.ts";
import { packImage } from "../compile/image.ts";
import type { Located } from "../config/config.ts";
import type { EvaluationResult, Value } from "../core/core.ts";
import { evaluateExpression } from "../core/expressions.ts";
import { floatText } from "../core/host/numbers.ts";
import { encodeRequest, type RequestFields } from "../core/request.ts";
import { type CoreMemory, loadImage } from "../core/wasm.ts";
import type { Issue } from "../errors.ts";
import { showText } from "../text.ts";
import type { Text } from "../types.ts";
import { quoteText } from "./trace.ts";

/** One part of the expression, with its parts. */
export interface ExpressionTraceNode {
  /** The part as written. */
  readonly text: string;
  /** `skipped`: a branch not taken, or an alternative not needed. */
  readonly outcome: "value" | "error" | "skipped";
  /** The value, cut and without secrets; or the error's kind and place. */
  readonly shown: string;
  readonly children: readonly ExpressionTraceNode[];
}

export interface ExpressionTrace {
  readonly issues: readonly Issue[];
  /** Absent when the expression does not compile. */
  readonly root?: ExpressionTraceNode;
  /** The final text, shown like any value; or the error. */
  readonly result?: string;
  /** Steps the whole evaluation took. */
  readonly steps?: number;
}

export interface ExpressionTraceOptions extends CompileExpressionOptions {
  /** A core of the caller's that serves nothing else: its image is replaced. */
  readonly memory: CoreMemory;
  readonly fields: RequestFields;
}

/** Evaluates the expression and all its parts. Passwords and what is made of them are not shown. */
export function traceExpression(
  source: Located<Text>,
  options: ExpressionTraceOptions,
): ExpressionTrace {
  const compiled = compileExpression(source, options);
  if (compiled.ast === undefined || compiled.blob === undefined) return { issues: compiled.issues };
  const parts = partsOf(compiled.ast);
  const blobs = parts.map((part) => compilePart(part, compiled, options));
  const entries = blobs.map((blob, id) => ({ kind: ENTRY_EXPRESSION, id, blob }));
  const { memory } = options;
  loadImage(memory, packImage(entries, 0));
  encodeRequest(memory, options.fields);
  const results = new Map(
    parts.map((part, id) => [part, evaluateExpression(memory, id, { asText: false })] as const),
  );
  const final = evaluateExpression(memory, 0, { asText: true });
  const text = showText(source.value);
  return {
    issues: compiled.issues,
    root: nodeOf(compiled.ast, { text, results }),
    result: showResult(final, isSecret(compiled.ast)),
    steps: memory.exports.expression_steps(),
  };
}

/** The tree as lines, two blanks for each level. */
export function formatExpressionTrace(node: ExpressionTraceNode, indent = ""): readonly string[] {
  return [
    `${indent}${node.text} → ${node.shown}`,
    ...node.children.flatMap((child) => formatExpressionTrace(child, `${indent}  `)),
  ];
}

interface TraceContext {
  readonly text: string;
  readonly results: ReadonlyMap<Expr, EvaluationResult>;
}

/** Every part, the whole first. */
function partsOf(expr: Expr): readonly Expr[] {
  return [expr, ...childrenOf(expr).flatMap(partsOf)];
}

function childrenOf(expr: Expr): readonly Expr[] {
  return expr.type === "call" ? expr.args : expr.type === "array" ? expr.items : [];
}

function nodeOf(expr: Expr, context: TraceContext, isSkipped = false): ExpressionTraceNode {
  const result = context.results.get(expr)!;
  const skipped = isSkipped ? new Set(childrenOf(expr)) : skippedParts(expr, context);
  return {
    text: context.text.slice(expr.span.start, expr.span.end),
    outcome: isSkipped ? "skipped" : result.ok ? "value" : "error",
    shown: isSkipped ? "(not evaluated)" : showResult(result, isSecret(expr)),
    children: childrenOf(expr)
      .filter(
        (child) => child.type === "variable" || child.type === "call" || child.type === "array",
      )
      .map((child) => nodeOf(child, context, skipped.has(child))),
  };
}

/** Arguments of `iif` and `coalesce` that do not take part (expressions §3.1). */
function skippedParts(expr: Expr, { results }: TraceContext): ReadonlySet<Expr> {
  if (expr.type !== "call") return new Set();
  const name = namePieces(expr.name).at(-1);
  if (name === "iif" && expr.args.length === 3) {
    const [condition, yes, no] = expr.args as [Expr, Expr, Expr];
    return new Set([isTruth(results.get(condition)!) ? no : yes]);
  }
  if (name !== "coalesce") return new Set();
  const [only] = expr.args;
  const alternatives = expr.args.length === 1 && only?.type === "array" ? only.items : expr.args;
  if (alternatives.length < 2) return new Set();
  const used = alternatives.findIndex((alternative) => {
    const result = results.get(alternative)!;
    return result.ok ? !isEmpty(result.value) : result.error.kind !== "var_unbound";
  });
  return new Set(used < 0 ? [] : alternatives.slice(used + 1));
}

function isTruth(result: EvaluationResult): boolean {
  if (!result.ok) return false;
  return result.value.type === "boolean" ? result.value.value : !isEmpty(result.value);
}

function isEmpty(value: Value): boolean {
  switch (value.type) {
    case "bytes":
      return value.value.length === 0;
    case "list":
      return value.items.length === 0;
    default:
      return value.type === "null" || value.type === "undefined";
  }
}

const SECRET_VARIABLES = ["password", "auth_data"];

/** Functions whose answer about a secret is none: verdicts, sizes, claims of a token. */
const DISCLOSING = new Set([
  "jwt_value",
  "is_jwt",
  "is_empty",
  "is_empty_val",
  "strlen",
  "regex_match",
  "str_eq",
  "str_neq",
  "num_eq",
  "num_neq",
]);

/** Could the value give a password away? */
function isSecret(expr: Expr): boolean {
  switch (expr.type) {
    case "variable":
      return SECRET_VARIABLES.includes(namePieces(expr.name)[0]!);
    case "array":
      return expr.items.some(isSecret);
    case "call": {
      const name = namePieces(expr.name).at(-1)!;
      if (DISCLOSING.has(name)) return false;
      // The condition of iif only chooses.
      const sources = name === "iif" ? expr.args.slice(1) : expr.args;
      return sources.some(isSecret);
    }
    default:
      return false;
  }
}

function showResult(result: EvaluationResult, isHidden: boolean): string {
  if (!result.ok) {
    const { kind, where } = result.error;
    return where === undefined ? `error ${kind}` : `error ${kind} (${where})`;
  }
  return isHidden ? "(hidden)" : showValue(result.value);
}

/** Elements of a list or map that are shown. */
const SHOWN_MAX = 8;

function showValue(value: Value): string {
  switch (value.type) {
    case "bytes":
      return quoteText(value.value);
    case "integer":
    case "boolean":
      return String(value.value);
    case "float":
      return floatText(value.value, true);
    case "atom":
      return value.name;
    case "list":
      return `[${some(value.items, showValue)}]`;
    case "map":
      return `{${some(value.entries, ([key, element]) => `${showValue(key)}: ${showValue(element)}`)}}`;
    case "tuple":
      return "(address or tuple)";
    default:
      return value.type;
  }
}

function some<T>(items: readonly T[], show: (item: T) => string): string {
  const shown = items.slice(0, SHOWN_MAX).map(show);
  return [...shown, ...(items.length > SHOWN_MAX ? ["…"] : [])].join(", ");
}
