/**
 * Runs the code of one expression. Jumps only go forward (checked when the image was opened), so a
 * run ends by construction; the step budget bounds what the functions do. Source: expressions §3.
 */
import {
  EXPR_CODE_BYTES,
  OP_CALL,
  OP_COALESCE,
  OP_CONST,
  OP_FAIL,
  OP_IS_EMPTY,
  OP_JUMP,
  OP_JUMP_FILLED,
  OP_JUMP_UNLESS,
  OP_LIST,
  OP_LOAD,
  OP_LOAD_OR_EMPTY,
  OP_UNBOUND,
  TAG_PROGRAM,
} from "../abi/expressions";
import { ERR_EXPR_COALESCE, ERR_EXPR_STEPS, ERR_EXPR_UNBOUND, OK } from "../abi/status";
import { TAG_BIGINT, TAG_BYTES, TAG_FALSE, TAG_LIST, TAG_TRUE, VALUE_BYTES } from "../abi/values";
import { produceList, refusal, resetBudget, room, step } from "./budget";
import { callBuiltin } from "./builtins";
import { loadVariable, NOT_BOUND } from "./lookup";
import { codeAt, codeCount, constAt, flagsOf, opOf, operandA, operandB, operandC, stackNeed } from "./program";
import { copyValue, elementOf, isEmpty, lenOf, ptrOf, setBool, setBytes, setRange, tagOf } from "./value";

/** Answer of the function that runs; functions must not write over their arguments. */
const answer = memory.data(VALUE_BYTES, 8);

/** Name of the function or variable the last failure arose in. */
export let failedPtr: usize = 0;
export let failedLen: u32 = 0;

/** Evaluates a checked blob into `out`: 0, or why it failed. Steps and memory start afresh. */
export function run(blob: usize, out: usize): i32 {
  resetBudget(flagsOf(blob));
  failedLen = 0;
  const stack = room(stackNeed(blob) * VALUE_BYTES);
  if (!stack) return refusal;
  let top = stack;
  let code = codeAt(blob, 0);
  const end = codeAt(blob, codeCount(blob));
  while (code < end) {
    if (!step(1)) return ERR_EXPR_STEPS;
    const c = operandC(code);
    switch (opOf(code)) {
      case OP_CONST:
        loadConstant(blob, constAt(blob, c), top);
        top += VALUE_BYTES;
        break;
      case OP_LOAD:
      case OP_LOAD_OR_EMPTY: {
        const path = constAt(blob, c);
        const status = loadVariable(blob, operandA(code), path, top);
        if (status == NOT_BOUND) {
          if (opOf(code) == OP_LOAD) {
            const handler = operandB(code);
            if (handler == 0) return unbound(blob, path);
            code = codeAt(blob, handler);
            top = stack + operandB(code) * VALUE_BYTES;
            break;
          }
          setBytes(top, 0, 0);
        } else if (status < 0) {
          unbound(blob, path);
          return status;
        }
        top += VALUE_BYTES;
        break;
      }
      case OP_UNBOUND: {
        const handler = operandB(code);
        if (handler == 0) return unbound(blob, constAt(blob, c));
        code = codeAt(blob, handler);
        top = stack + operandB(code) * VALUE_BYTES;
        break;
      }
      case OP_CALL: {
        const argc = operandB(code);
        const args = top - argc * VALUE_BYTES;
        if (!step(readingSteps(args, argc))) return failed(blob, c, ERR_EXPR_STEPS);
        const status = callBuiltin(operandA(code), args, argc, answer);
        if (status < 0) return failed(blob, c, status);
        copyValue(args, answer);
        top = args + VALUE_BYTES;
        break;
      }
      case OP_LIST: {
        const count = operandB(code);
        const list = produceList(count);
        if (!list) return refusal;
        top -= count * VALUE_BYTES;
        memory.copy(list, top, count * VALUE_BYTES);
        setRange(top, TAG_LIST, list, count);
        top += VALUE_BYTES;
        break;
      }
      case OP_JUMP:
        code = codeAt(blob, c) - EXPR_CODE_BYTES;
        break;
      case OP_JUMP_UNLESS:
        top -= VALUE_BYTES;
        if (!isTruth(top)) code = codeAt(blob, c) - EXPR_CODE_BYTES;
        break;
      case OP_JUMP_FILLED:
        if (isEmpty(top - VALUE_BYTES)) top -= VALUE_BYTES;
        else code = codeAt(blob, c) - EXPR_CODE_BYTES;
        break;
      case OP_IS_EMPTY:
        setBool(top - VALUE_BYTES, isEmpty(top - VALUE_BYTES));
        break;
      case OP_COALESCE:
        if (!firstFilled(top - VALUE_BYTES)) return failed(blob, c, ERR_EXPR_COALESCE);
        break;
      case OP_FAIL:
        return failed(blob, c, -100 - <i32>operandA(code));
      default:
        // UNWIND, reached in order: the stack has its height already.
        top = stack + operandB(code) * VALUE_BYTES;
        break;
    }
    code += EXPR_CODE_BYTES;
  }
  copyValue(out, stack);
  return OK;
}

/** What it costs a function to go over its arguments once, whatever it does with them. */
@inline
function readingSteps(args: usize, argc: u32): i32 {
  let total: u32 = 0;
  for (let i: u32 = 0; i < argc; i++) {
    const arg = elementOf(args, i);
    const tag = tagOf(arg);
    if (tag == TAG_BYTES || tag == TAG_LIST) total += lenOf(arg) >> 8;
  }
  return <i32>total;
}

function loadConstant(blob: usize, constant: usize, to: usize): void {
  copyValue(to, constant);
  const tag = tagOf(constant);
  if (tag == TAG_BYTES || tag == TAG_BIGINT || tag == TAG_PROGRAM) {
    store<u64>(to, <u64>(blob + ptrOf(constant)), 8);
  }
}

/** Condition of `iif`: booleans as they are, anything else unless it is empty. */
@inline
function isTruth(value: usize): bool {
  const tag = tagOf(value);
  if (tag == TAG_TRUE) return true;
  return tag != TAG_FALSE && !isEmpty(value);
}

/** Replaces a list by its first element that is not empty. False: neither a list nor `''`. */
function firstFilled(value: usize): bool {
  if (tagOf(value) == TAG_BYTES && lenOf(value) == 0) return true;
  if (tagOf(value) != TAG_LIST) return false;
  for (let i: u32 = 0, n = lenOf(value); i < n; i++) {
    const item = elementOf(ptrOf(value), i);
    if (isEmpty(item)) continue;
    copyValue(value, item);
    return true;
  }
  setBytes(value, 0, 0);
  return true;
}

function unbound(blob: usize, path: usize): i32 {
  const pair = blob + ptrOf(path);
  failedPtr = blob + load<u32>(pair);
  failedLen = load<u32>(pair, 4);
  return ERR_EXPR_UNBOUND;
}

function failed(blob: usize, name: u32, status: i32): i32 {
  const constant = constAt(blob, name);
  failedPtr = blob + ptrOf(constant);
  failedLen = lenOf(constant);
  return status;
}
