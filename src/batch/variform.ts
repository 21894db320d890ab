/** `portcullis batch variform`: one expression over the bindings of a line. */
import { compileExpression } from "../compile/expr/index.ts";
import type { Value } from "../core/core.ts";
import { evaluateExpression } from "../core/expressions.ts";
import { encodeRequest } from "../core/request.ts";
import type { Text } from "../types.ts";
import { type BatchContext, loadExpressions } from "./context.ts";
import { decodeTerm, encodeTerm, TermError } from "./terms.ts";

export interface VariformAnswer {
  readonly result:
    | { readonly ok: unknown }
    | { readonly error: string; readonly stage: "compile" | "eval"; readonly detail?: string };
}

/** Answers one line: `{expr, bindings, as}`. Throws TermError when the line cannot be read. */
export function answerVariform(line: unknown, context: BatchContext): VariformAnswer {
  const { expr, bindings, as } = line as Record<string, unknown>;
  const compiled = compileExpression(
    { value: textOf(expr) },
    { switches: context.switches, place: "batch" },
  );
  if (compiled.blob === undefined) {
    const [issue] = compiled.issues;
    return {
      result: { error: "compile_error", stage: "compile", ...(issue && { detail: issue.message }) },
    };
  }
  loadExpressions(context, [compiled.blob]);
  encodeRequest(context.memory, { other: decodeBindings(bindings) });
  const answer = evaluateExpression(context.memory, 0, { asText: as !== "value" });
  if (!answer.ok) {
    const { kind, where } = answer.error;
    return { result: { error: kind, stage: "eval", ...(where && { detail: where }) } };
  }
  return { result: { ok: encodeTerm(answer.value) } };
}

/** A text field: a string, or `{"$b64"}`. */
function textOf(term: unknown): Text {
  const value = decodeTerm(term);
  if (value.type !== "bytes") throw new TermError("`expr` is no text");
  return value.value;
}

/** A `null` at this level is the atom `undefined`, further down it is `null`. */
function decodeBindings(bindings: unknown): readonly (readonly [Text, Value])[] {
  if (bindings === undefined) return [];
  if (bindings === null || typeof bindings !== "object") throw new TermError("no bindings");
  return Object.entries(bindings).map(([name, term]) => [
    name,
    term === null ? { type: "undefined" } : decodeTerm(term),
  ]);
}
