/** One core that evaluates expression texts, for tests. */
import { ENTRY_EXPRESSION } from "../../assembly/abi.ts";
import { compileExpression, type ExpressionPlace } from "../../src/compile/expr/index.ts";
import { packImage } from "../../src/compile/image.ts";
import { type Preset, resolveSwitches } from "../../src/config/compatibility.ts";
import type { EvaluationResult, Value } from "../../src/core/core.ts";
import { evaluateExpression } from "../../src/core/expressions.ts";
import { encodeRequest, type RequestFields } from "../../src/core/request.ts";
import { type CoreMemory, loadImage } from "../../src/core/wasm.ts";
import { createVectorContext } from "./expression-batch.ts";

export interface ExpressionCore {
  readonly memory: CoreMemory;
  /** Compiles, loads and evaluates. Throws when the text does not compile. */
  evaluate(text: string, options?: EvaluateOptions): EvaluationResult;
}

export interface EvaluateOptions {
  readonly place?: ExpressionPlace;
  readonly fields?: RequestFields;
  readonly bindings?: Readonly<Record<string, Value | string | number>>;
  readonly asText?: boolean;
}

export function createExpressionCore(preset: Preset = "emqx"): ExpressionCore {
  const { memory } = createVectorContext(preset);
  return {
    memory,
    evaluate(text, { place = "batch", fields, bindings = {}, asText = false } = {}) {
      loadExpression(memory, text, { preset, place });
      encodeRequest(memory, fields ?? { other: bindings });
      return evaluateExpression(memory, 0, { asText });
    },
  };
}

/** Makes the text expression 0 of the core. */
export function loadExpression(
  memory: CoreMemory,
  text: string,
  { preset = "emqx", place = "batch" }: { preset?: Preset; place?: ExpressionPlace } = {},
): Uint8Array {
  const { blob, issues } = compileExpression(
    { value: text },
    { switches: resolveSwitches(preset), place },
  );
  if (blob === undefined) throw new Error(issues.map(({ message }) => message).join("; "));
  loadImage(memory, packImage([{ kind: ENTRY_EXPRESSION, id: 0, blob }], 0));
  return blob;
}

/** The text of a result; its error kind in angle brackets otherwise. */
export function textOfResult(result: EvaluationResult): string {
  if (!result.ok) return `<${result.error.kind}>`;
  return result.value.type === "bytes"
    ? new TextDecoder().decode(result.value.value)
    : `<${result.value.type}>`;
}
