/** `portcullis batch cinfo`: the checks of a line over its client. */
import { type CompiledCheck, evaluateChecks } from "../authn/cinfo.ts";
import { compileExpression } from "../compile/expr/index.ts";
import { encodeRequest } from "../core/request.ts";
import { decodeClient } from "./client.ts";
import { type BatchContext, loadExpressions } from "./context.ts";

export type CinfoBatchAnswer =
  | { readonly result: "ok" | "ignore" | "error:bad_username_or_password" }
  | { readonly config_error: true };

/** Answers one line: `{checks, client}`. Throws TermError when the client cannot be read. */
export function answerCinfo(line: unknown, context: BatchContext): CinfoBatchAnswer {
  const { checks, client } = line as { readonly checks?: unknown; readonly client?: unknown };
  const blobs: Uint8Array[] = [];
  const compiled = compileChecks(checks, context, blobs);
  if (compiled === undefined) return { config_error: true };
  const fields = decodeClient(client);
  if (fields.authMethod !== undefined) return { result: "ignore" };
  loadExpressions(context, blobs);
  encodeRequest(context.memory, fields);
  switch (evaluateChecks(context.memory, compiled).result) {
    case "allow":
      return { result: "ok" };
    case "deny":
      return { result: "error:bad_username_or_password" };
    default:
      return { result: "ignore" };
  }
}

/** The checks with the numbers of their expressions; undefined when one of them is malformed. */
function compileChecks(
  checks: unknown,
  { switches }: BatchContext,
  blobs: Uint8Array[],
): readonly CompiledCheck[] | undefined {
  if (!Array.isArray(checks) || checks.length === 0) return undefined;
  const compiled: CompiledCheck[] = [];
  for (const { is_match: isMatch, result } of checks) {
    const texts: unknown[] = Array.isArray(isMatch) ? isMatch : [isMatch];
    if (texts.length === 0) return undefined;
    if (result !== "allow" && result !== "deny" && result !== "ignore") return undefined;
    const ids: number[] = [];
    for (const text of texts) {
      if (typeof text !== "string") return undefined;
      const { blob } = compileExpression({ value: text }, { switches, place: "cinfo" });
      if (blob === undefined) return undefined;
      ids.push(blobs.push(blob) - 1);
    }
    compiled.push({ ids, result });
  }
  return compiled;
}
