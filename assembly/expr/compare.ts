/** Comparison of texts and numbers, and `not`. Source: expressions §2.5, §4.1, §4.9. */
import { FN_NUM_COMP, FN_STR_COMP, FN_STR_EQ, FN_STR_NEQ } from "../abi/functions";
import { HOST_COMPARE } from "../abi/host";
import { OK } from "../abi/status";
import {
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_TRUE,
  VALUE_BYTES,
} from "../abi/values";
import { bytesEqual } from "../bytes";
import { host } from "../host";
import { badArgument } from "./budget";
import { toText } from "./convert";
import {
  elementOf,
  floatOf,
  intOf,
  lenOf,
  ptrOf,
  setBool,
  setBytes,
  setRange,
  tagOf,
} from "./value";

const LESS: i32 = -1;
const EQUAL: i32 = 0;
const GREATER: i32 = 1;

const names = memory.data<u8>([0x6c, 0x74, 0x65, 0x71, 0x67, 0x74]); // lt eq gt
const left = memory.data(VALUE_BYTES, 8);
const right = memory.data(VALUE_BYTES, 8);

/** The str_ functions: both sides as text, then byte by byte, the shorter one first. */
export function compareTexts(fn: u32, args: usize, out: usize): i32 {
  const b = elementOf(args, 1);
  if ((fn == FN_STR_EQ || fn == FN_STR_NEQ) && tagOf(args) == TAG_BYTES && tagOf(b) == TAG_BYTES) {
    const areEqual = bytesEqual(ptrOf(args), lenOf(args), ptrOf(b), lenOf(b));
    setBool(out, areEqual == (fn == FN_STR_EQ));
    return OK;
  }
  let status = toText(args, 0, left);
  if (status < 0) return status;
  status = toText(b, 1, right);
  if (status < 0) return status;
  const len = min(lenOf(left), lenOf(right));
  let order = memory.compare(ptrOf(left), ptrOf(right), len);
  if (order == 0) order = <i32>(lenOf(left) > lenOf(right)) - <i32>(lenOf(left) < lenOf(right));
  answer(fn - FN_STR_COMP, order < 0 ? LESS : order > 0 ? GREATER : EQUAL, out);
  return OK;
}

/** The num_ functions. Equality is strict on the type, and what is neither equal nor less is greater. */
export function compareNumbers(fn: u32, args: usize, out: usize): i32 {
  const b = elementOf(args, 1);
  if (!isNumber(args)) return badArgument(0);
  if (!isNumber(b)) return badArgument(1);
  let order: i32;
  if (tagOf(args) == TAG_BIGINT || tagOf(b) == TAG_BIGINT) {
    const status = host(HOST_COMPARE, args, 2, left);
    if (status < 0) return status;
    order = <i32>intOf(left);
  } else order = orderOf(args, b);
  answer(fn - FN_NUM_COMP, order, out);
  return OK;
}

@inline
function isNumber(value: usize): bool {
  const tag = tagOf(value);
  return tag == TAG_INT || tag == TAG_FLOAT || tag == TAG_BIGINT;
}

function orderOf(a: usize, b: usize): i32 {
  const isIntA = tagOf(a) == TAG_INT;
  const isIntB = tagOf(b) == TAG_INT;
  // The payload's bits tell 0.0 and -0.0 apart, as the reference does.
  if (isIntA == isIntB && load<u64>(a, 8) == load<u64>(b, 8)) return EQUAL;
  if (isIntA && isIntB) return intOf(a) < intOf(b) ? LESS : GREATER;
  if (!isIntA && !isIntB) return floatOf(a) < floatOf(b) ? LESS : GREATER;
  if (isIntA) return isIntegerBelow(intOf(a), floatOf(b)) ? LESS : GREATER;
  return isFloatBelow(floatOf(a), intOf(b)) ? LESS : GREATER;
}

/** 2^63: above, every double is greater than every 64-bit integer. */
const INT_LIMIT: f64 = 9223372036854775808.0;

function isIntegerBelow(integer: i64, float: f64): bool {
  if (float >= INT_LIMIT) return true;
  if (float < -INT_LIMIT) return false;
  const whole = <i64>floor(float);
  return integer < whole || (integer == whole && floor(float) < float);
}

function isFloatBelow(float: f64, integer: i64): bool {
  if (float >= INT_LIMIT) return false;
  if (float < -INT_LIMIT) return true;
  return <i64>floor(float) < integer;
}

/** `which`: position in comp, eq, neq, lt, lte, gt, gte. */
function answer(which: u32, order: i32, out: usize): void {
  switch (which) {
    case 0:
      setRange(out, TAG_ATOM, names + <usize>((order + 1) << 1), 2);
      return;
    case 1:
      return setBool(out, order == EQUAL);
    case 2:
      return setBool(out, order != EQUAL);
    case 3:
      return setBool(out, order == LESS);
    case 4:
      return setBool(out, order != GREATER);
    case 5:
      return setBool(out, order == GREATER);
    default:
      return setBool(out, order != LESS);
  }
}

const words = memory.data<u8>([0x74, 0x72, 0x75, 0x65, 0x66, 0x61, 0x6c, 0x73, 0x65]); // true false

/** Booleans to booleans, the texts `true` and `false` to texts. */
export function not(args: usize, out: usize): i32 {
  const tag = tagOf(args);
  if (tag == TAG_TRUE || tag == TAG_FALSE) {
    setBool(out, tag == TAG_FALSE);
    return OK;
  }
  if (tag != TAG_BYTES) return badArgument(0);
  const at = ptrOf(args);
  if (lenOf(args) == 4 && memory.compare(at, words, 4) == 0) setBytes(out, words + 4, 5);
  else if (lenOf(args) == 5 && memory.compare(at, words + 4, 5) == 0) setBytes(out, words, 4);
  else return badArgument(0);
  return OK;
}
