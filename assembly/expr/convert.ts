/** Values as text. Source: expressions §2.3–2.4. */
import { HOST_FLAGS_SHIFT, HOST_TO_TEXT } from "../abi/host";
import { ERR_EXPR_OUTPUT, ERR_EXPR_RETURN, ERR_EXPR_STEPS, OK } from "../abi/status";
import {
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_TRUE,
  TAG_UNDEFINED,
} from "../abi/values";
import { utf8Encode } from "../encoding/utf8";
import { host } from "../host";
import { badArgument, flags, isProducible, produce, refusal, step } from "./budget";
import {
  atomName,
  elementOf,
  floatOf,
  intOf,
  isEmpty,
  lenOf,
  nameLen,
  namePtr,
  ptrOf,
  setBytes,
  tagOf,
} from "./value";

/** 2^53: above, a double has no fraction and more digits than the fast path prints. */
const EXACT_MAX: f64 = 9007199254740992;
const FRACTION: f64 = 1e10;

/** Writes the text of `value` to `out`: what any_to_str gives. `index` is its argument, for errors. */
export function toText(value: usize, index: u32, out: usize): i32 {
  switch (tagOf(value)) {
    case TAG_BYTES:
      setBytes(out, ptrOf(value), lenOf(value));
      return OK;
    case TAG_ATOM:
    case TAG_TRUE:
    case TAG_FALSE:
    case TAG_NULL:
    case TAG_UNDEFINED:
      atomName(value);
      setBytes(out, namePtr, nameLen);
      return OK;
    case TAG_INT:
      return integerToText(intOf(value), out);
    case TAG_BIGINT:
      setBytes(out, ptrOf(value), lenOf(value));
      return OK;
    case TAG_FLOAT: {
      const number = floatOf(value);
      return abs(number) < EXACT_MAX ? floatToText(number, out) : hostToText(value, out);
    }
    case TAG_LIST:
      if (isPrintable(value)) return charactersToText(value, out);
      return hostToText(value, out);
    case TAG_MAP:
      return hostToText(value, out);
    default:
      return badArgument(index);
  }
}

/** Turns the value of a whole expression into its text, in place. Source: §2.3, first column. */
export function finalText(value: usize): i32 {
  if (isEmpty(value)) {
    setBytes(value, 0, 0);
    return OK;
  }
  const tag = tagOf(value);
  if (tag == TAG_BYTES) return OK;
  if (tag >= <u32>TAG_LIST && tag != TAG_BIGINT) return ERR_EXPR_RETURN;
  return toText(value, 0, value);
}

function hostToText(value: usize, out: usize): i32 {
  if (!step(16)) return ERR_EXPR_STEPS;
  const status = host(HOST_TO_TEXT | (flags << HOST_FLAGS_SHIFT), value, 1, out);
  if (status < 0) return status;
  return isProducible(lenOf(out)) ? OK : ERR_EXPR_OUTPUT;
}

/** Is this list a text of code points (the empty list is)? Source: §2.3. */
function isPrintable(list: usize): bool {
  for (let i: u32 = 0, n = lenOf(list); i < n; i++) {
    const item = elementOf(ptrOf(list), i);
    if (tagOf(item) != TAG_INT) return false;
    const code = intOf(item);
    const isControl = (code >= 8 && code <= 13) || code == 27;
    const isAsciiText = code >= 32 && code <= 126;
    const isBeyond =
      (code >= 160 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd) ||
      (code >= 0x10000 && code <= 0x10ffff);
    if (!isControl && !isAsciiText && !isBeyond) return false;
  }
  return true;
}

function charactersToText(list: usize, out: usize): i32 {
  const count = lenOf(list);
  const items = ptrOf(list);
  const at = produce(count * 4);
  if (!at) return refusal;
  let to = at;
  for (let i: u32 = 0; i < count; i++) to += utf8Encode(<u32>intOf(elementOf(items, i)), to);
  setBytes(out, at, <u32>(to - at));
  return OK;
}

function integerToText(number: i64, out: usize): i32 {
  const isNegative = number < 0;
  const magnitude: u64 = isNegative ? 0 - <u64>number : <u64>number;
  const digits = digitsOf(magnitude);
  const length = digits + <u32>isNegative;
  const at = produce(length);
  if (!at) return refusal;
  if (isNegative) store<u8>(at, 0x2d);
  writeDigits(magnitude, at + length, digits);
  setBytes(out, at, length);
  return OK;
}

/** Fixed notation, ten decimals, trailing zeros removed but for one. Source: §2.4. */
function floatToText(number: f64, out: usize): i32 {
  const isNegative = reinterpret<u64>(number) >> 63 != 0;
  const magnitude = abs(number);
  let whole = <u64>trunc(magnitude);
  let fraction = <u64>trunc((magnitude - trunc(magnitude)) * FRACTION + 0.5);
  if (fraction >= <u64>FRACTION) {
    whole++;
    fraction = 0;
  }
  let decimals: u32 = 10;
  while (decimals > 1 && fraction % 10 == 0) {
    fraction /= 10;
    decimals--;
  }
  const digits = digitsOf(whole);
  const length = <u32>isNegative + digits + 1 + decimals;
  const at = produce(length);
  if (!at) return refusal;
  if (isNegative) store<u8>(at, 0x2d);
  const point = at + <usize>isNegative + digits;
  writeDigits(whole, point, digits);
  store<u8>(point, 0x2e);
  writeDigits(fraction, at + length, decimals);
  setBytes(out, at, length);
  return OK;
}

function digitsOf(number: u64): u32 {
  let digits: u32 = 1;
  while (number >= 10) {
    number /= 10;
    digits++;
  }
  return digits;
}

/** Writes exactly `count` decimal digits that end before `end`. */
function writeDigits(number: u64, end: usize, count: u32): void {
  for (; count > 0; count--) {
    store<u8>(--end, <u8>(0x30 + number % 10));
    number /= 10;
  }
}
