/** Asking the host for a whole function, with the budget kept. */
import { FN_MAP_TO_RANGE } from "../abi/functions";
import { HOST_FLAGS_SHIFT, HOST_FUNCTION } from "../abi/host";
import { ERR_EXPR_OUTPUT, ERR_EXPR_STEPS, OK, ERR_EXPR_BADARG } from "../abi/status";
import { TAG_BYTES, TAG_INT, TAG_LIST } from "../abi/values";
import { host } from "../host";
import { badArgument, flags, isProducible, step } from "./budget";
import { elementOf, intOf, lenOf, setInt, tagOf } from "./value";

/** Steps of a host call, plus one per this many bytes of its arguments. */
const CALL_STEPS: i32 = 8;
const BYTES_PER_STEP: u32 = 64;

/** The host's answer to function `fn`. */
export function askHost(fn: u32, args: usize, argc: u32, out: usize): i32 {
  let steps = CALL_STEPS;
  for (let i: u32 = 0; i < argc; i++) {
    const arg = elementOf(args, i);
    const tag = tagOf(arg);
    if (tag == TAG_BYTES) steps += <i32>(lenOf(arg) / BYTES_PER_STEP);
    else if (tag == TAG_LIST) steps += <i32>(lenOf(arg) >> 2);
  }
  if (!step(steps)) return ERR_EXPR_STEPS;
  const status = host((HOST_FUNCTION + fn) | (flags << HOST_FLAGS_SHIFT), args, <i32>argc, out);
  if (status < 0) return status;
  return tagOf(out) != TAG_BYTES || isProducible(lenOf(out)) ? OK : ERR_EXPR_OUTPUT;
}

/** Beyond this, the range's arithmetic could overflow. */
const SMALL: i64 = 1 << 53;

/** An integer into [min, max]; the remainder keeps its sign, as in the reference. */
export function mapToRange(args: usize, out: usize): i32 {
  const min = elementOf(args, 1);
  const max = elementOf(args, 2);
  if (tagOf(args) == TAG_INT && tagOf(min) == TAG_INT && tagOf(max) == TAG_INT) {
    const low = intOf(min);
    const high = intOf(max);
    if (low > -SMALL && high < SMALL) {
      if (low > high) {
        badArgument(1);
        return ERR_EXPR_BADARG;
      }
      setInt(out, low + (intOf(args) % (high - low + 1)));
      return OK;
    }
  }
  return askHost(FN_MAP_TO_RANGE, args, 3, out);
}
