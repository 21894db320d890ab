/** Evaluating the expressions of a loaded image over the request record. */
import * as abi from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import { showText } from "../text.ts";
import type { EvaluationResult, ExpressionError } from "./core.ts";
import { readValue } from "./values.ts";
import { type CoreMemory, checkStatus } from "./wasm.ts";

const KINDS: Readonly<Record<number, string>> = {
  [abi.ERR_EXPR_UNBOUND]: "var_unbound",
  [abi.ERR_EXPR_FUNCTION]: "unknown_variform_function",
  [abi.ERR_EXPR_MODULE]: "unknown_variform_module",
  [abi.ERR_EXPR_MODULE_NOT_ALLOWED]: "unallowed_variform_module",
  [abi.ERR_EXPR_REFERENCE]: "invalid_function_reference",
  [abi.ERR_EXPR_BADARG]: "badarg",
  [abi.ERR_EXPR_COALESCE]: "coalesce_badarg",
  [abi.ERR_EXPR_INVALID_ARGUMENT]: "invalid_argument",
  [abi.ERR_EXPR_HASH]: "unknown_hash_algorithm",
  [abi.ERR_EXPR_INVALID_JWT_TOKEN]: "invalid_jwt_token",
  [abi.ERR_EXPR_JWT_DECODE]: "jwt_decode_error",
  [abi.ERR_EXPR_ESCAPE]: "unrecognized_escape_sequence",
  [abi.ERR_EXPR_CHARACTER]: "invalid_unicode_character",
  [abi.ERR_EXPR_RETURN]: "bad_return",
  [abi.ERR_EXPR_ARGUMENT]: "bad_argument",
  [abi.ERR_EXPR_STEPS]: "budget_steps",
  [abi.ERR_EXPR_OUTPUT]: "budget_output",
  [abi.ERR_EXPR_LIST_LENGTH]: "budget_list",
  [abi.ERR_EXPR_MEMORY]: "budget_memory",
  [abi.ERR_EXPR_NESTING]: "budget_nesting",
  [abi.ERR_EXPR_PATTERN]: "bad_pattern",
  [abi.ERR_EXPR_HOST]: "host_failed",
  [abi.ERR_EXPR_MISSING]: "no_such_expression",
  [abi.ERR_INPUT]: "no_such_field",
};

/**
 * What only this engine gives up on. Another answer than an error was possible, so nobody may go on
 * as if the expression had simply failed: a check that refuses would be skipped.
 */
const GIVEN_UP: ReadonlySet<number> = new Set([
  abi.ERR_EXPR_STEPS,
  abi.ERR_EXPR_OUTPUT,
  abi.ERR_EXPR_LIST_LENGTH,
  abi.ERR_EXPR_MEMORY,
  abi.ERR_EXPR_NESTING,
  abi.ERR_EXPR_HOST,
  abi.ERR_EXPR_MISSING,
  abi.ERR_INPUT,
]);

/**
 * The slots that these expressions read, as bits: what encodeRequest has to write for them. Throws
 * CoreError ERR_CORE for an expression that the image does not have. Cost: a pass over their code;
 * it stays the same as long as the image.
 */
export function slotsRead(memory: CoreMemory, ids: readonly number[]): number {
  let slots = 0;
  for (const id of ids) slots |= checkStatus(memory.exports.expression_slots(id));
  return slots;
}

/**
 * Evaluates expression `id` over the request record that encodeRequest wrote. `asText` gives the final
 * text (expressions §2.3, first column) as bytes, otherwise the value as it is.
 *
 * Never throws for what a client sent. The value is a copy. Cost: one call, plus decoding the value.
 */
export function evaluateExpression(
  memory: CoreMemory,
  id: number,
  options: { readonly asText: boolean },
): EvaluationResult {
  const status = memory.exports.expression_eval(id, options.asText ? 1 : 0);
  if (status < 0) return { ok: false, error: expressionError(memory, status) };
  return { ok: true, value: readValue(memory, memory.exports.result_ptr()) };
}

/**
 * The final text as bytes, valid until the next call into the core; or the error. The fast path of
 * the connect pipeline. Throws CoreError ERR_LIMIT_EXPRESSION when a limit was exceeded.
 */
export function evaluateToBytes(memory: CoreMemory, id: number): Uint8Array | ExpressionError {
  const status = memory.exports.expression_eval(id, 1);
  if (status < 0) return failure(memory, status);
  const { view } = memory;
  const at = memory.exports.result_ptr();
  const pointer = view.getUint32(at + 8, true);
  return memory.bytes.subarray(pointer, pointer + view.getUint32(at + 4, true));
}

/**
 * Is the final text exactly `true`? An error is not; `onError` hears of it. Throws CoreError
 * ERR_LIMIT_EXPRESSION when a limit was exceeded.
 */
export function evaluatesToTrue(
  memory: CoreMemory,
  id: number,
  onError?: (error: ExpressionError) => void,
): boolean {
  const status = memory.exports.expression_holds(id);
  if (status >= 0) return status === 1;
  const error = failure(memory, status);
  onError?.(error);
  return false;
}

function failure(memory: CoreMemory, status: number): ExpressionError {
  const error = expressionError(memory, status);
  if (!GIVEN_UP.has(status)) return error;
  const place = error.where ? ` in ${error.where}` : "";
  throw new CoreError("ERR_LIMIT_EXPRESSION", `an expression was given up: ${error.kind}${place}`);
}

function expressionError(memory: CoreMemory, status: number): ExpressionError {
  const { exports, view, bytes } = memory;
  const at = exports.result_ptr();
  const pointer = view.getUint32(at + 8, true);
  const name = showText(bytes.subarray(pointer, pointer + view.getUint32(at + 4, true)));
  const argument = exports.expression_error_argument();
  const where = argument > 0 && name !== "" ? `${name}, argument ${argument}` : name;
  return { kind: KINDS[status] ?? `status_${status}`, ...(where && { where }) };
}
