/**
 * What one evaluation may use: steps, produced text, list elements, working memory. Every function
 * asks here before it makes something; a refusal is an error value, never a trap.
 */
import { EXPR_OUTPUT_BYTES_MAX, EXPR_STEPS_MAX, LIST_LENGTH_MAX } from "../abi/limits";
import {
  ERR_EXPR_ARGUMENT,
  ERR_EXPR_LIST_LENGTH,
  ERR_EXPR_MEMORY,
  ERR_EXPR_OUTPUT,
  OK,
} from "../abi/status";
import { VALUE_BYTES } from "../abi/values";
import { scratch } from "../arena";

let stepsLeft: i32 = 0;
let outputLeft: u32 = 0;

/** Why `produce` or `produceList` answered 0. */
export let refusal: i32 = OK;
/** Argument an error is about, from 1; 0 when it is about none. */
export let errorArgument: u32 = 0;
/** Flags of the running expression (EXPR_FLAG_…). */
export let flags: u32 = 0;

export function resetBudget(expressionFlags: u32): void {
  stepsLeft = EXPR_STEPS_MAX;
  outputLeft = EXPR_OUTPUT_BYTES_MAX;
  refusal = OK;
  errorArgument = 0;
  flags = expressionFlags;
}

/** Steps the running or last evaluation has taken. */
export function stepsTaken(): i32 {
  return EXPR_STEPS_MAX - max(stepsLeft, 0);
}

/** Takes `steps`; false when there are none left. */
@inline
export function step(steps: i32): bool {
  stepsLeft -= steps;
  return stepsLeft >= 0;
}

/** Room for a text of `bytes`; 0 with the reason in `refusal`. */
export function produce(bytes: u32): usize {
  if (bytes > outputLeft) {
    refusal = ERR_EXPR_OUTPUT;
    return 0;
  }
  outputLeft -= bytes;
  return room(bytes);
}

/** Counts a text of `bytes` that somebody else made. */
export function isProducible(bytes: u32): bool {
  if (bytes > outputLeft) return false;
  outputLeft -= bytes;
  return true;
}

/** Room for a list of `length` values; 0 with the reason in `refusal`. */
export function produceList(length: u32): usize {
  if (length > <u32>LIST_LENGTH_MAX) {
    refusal = ERR_EXPR_LIST_LENGTH;
    return 0;
  }
  return room(length * VALUE_BYTES);
}

/** Working memory that is no result. */
export function room(bytes: u32): usize {
  const at = scratch(bytes);
  if (!at) refusal = ERR_EXPR_MEMORY;
  return at;
}

/** Sets why something is refused, and answers 0. */
export function refuse(status: i32): usize {
  refusal = status;
  return 0;
}

/** The error of an argument (from 0) the function cannot take. */
export function badArgument(index: u32): i32 {
  errorArgument = index + 1;
  return ERR_EXPR_ARGUMENT;
}
