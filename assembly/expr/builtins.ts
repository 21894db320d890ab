/** Functions by number. Argument counts were checked when the image was opened. */
import * as abi from "../abi/functions";
import { OK } from "../abi/status";
import { bin2hexstr, decodeBase64, encodeBase64, hexstr2bin, int2hexstr, unescape } from "./encode";
import { isJwtValue, jsonValue, jwtValue } from "./claims";
import { compareNumbers, compareTexts, not } from "./compare";
import { toText } from "./convert";
import { askHost, mapToRange } from "./hosted";
import { concat, joinToString, nth, split, tokens } from "./lists";
import { regexExtract, regexMatch, regexReplaceAll } from "./regex";
import {
  ascii,
  find,
  lower,
  pad,
  replace,
  reverse,
  rmPrefix,
  strlen,
  substr,
  trim,
  upper,
} from "./text";
import { isEmpty, setBool } from "./value";

/** Any number of arguments. */
const ANY: u8 = 255;

/** Fewest and most arguments by function number, in the order of abi/functions.ts. */
const arities = memory.data<u8>([
  0, 0, 1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 1, 1, 2, 3, 1, 1, 2, 4, 2, 2, 2, 3, 3, 4, 1, 1, 1, 1, // … any_to_str
  2, 3, 2, 3, 2, 2, 1, 255, 1, 2, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, // split … regex_replace
  1, 1, 1, 1, 1, 1, 1, 3, 1, 3, 2, 2, 2, 2, 1, 1, // bin2hexstr … is_jwt
  2, 2, 3, 3, 3, 3, // hash … map_to_range
  2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, // str_…
  2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, // num_…
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, // not … timestamp_ms
]);

/** May function `fn` be called with `argc` arguments? The rest are the host's, which checks itself. */
export function isCallable(fn: u32, argc: u32): bool {
  if (fn == 0 || fn >= <u32>abi.FN_COUNT) return false;
  if (fn > <u32>abi.FN_TIMESTAMP_MS) return true;
  const most = load<u8>(arities + (fn << 1), 1);
  return argc >= <u32>load<u8>(arities + (fn << 1)) && (most == ANY || argc <= <u32>most);
}

/** Writes the answer of function `fn` to `out`, which is none of the arguments. 0 or an error. */
export function callBuiltin(fn: u32, args: usize, argc: u32, out: usize): i32 {
  switch (fn) {
    case abi.FN_LOWER:
      return lower(args, argc, out);
    case abi.FN_UPPER:
      return upper(args, argc, out);
    case abi.FN_TRIM:
    case abi.FN_LTRIM:
    case abi.FN_RTRIM:
      return trim(fn, args, argc, out);
    case abi.FN_STRLEN:
      return strlen(args, argc, out);
    case abi.FN_SUBSTR:
      return substr(args, argc, out);
    case abi.FN_REVERSE:
      return reverse(args, argc, out);
    case abi.FN_PAD:
      return pad(args, argc, out);
    case abi.FN_RM_PREFIX:
      return rmPrefix(args, out);
    case abi.FN_FIND:
      return find(args, argc, out);
    case abi.FN_REPLACE:
      return replace(args, argc, out);
    case abi.FN_ASCII:
      return ascii(args, out);
    case abi.FN_ANY_TO_STR:
      return toText(args, 0, out);
    case abi.FN_SPLIT:
      return split(args, argc, out);
    case abi.FN_TOKENS:
      return tokens(args, argc, out);
    case abi.FN_NTH:
      return nth(args, out);
    case abi.FN_CONCAT:
      return concat(args, argc, out);
    case abi.FN_JOIN_TO_STRING:
      return joinToString(args, argc, out);
    case abi.FN_UNESCAPE:
      return unescape(args, out);
    case abi.FN_REGEX_MATCH:
      return regexMatch(args, out);
    case abi.FN_REGEX_EXTRACT:
      return regexExtract(args, out);
    case abi.FN_REGEX_REPLACE:
      return regexReplaceAll(args, out);
    case abi.FN_BIN2HEXSTR:
      return bin2hexstr(args, out);
    case abi.FN_HEXSTR2BIN:
      return hexstr2bin(args, out);
    case abi.FN_INT2HEXSTR:
      return int2hexstr(args, out);
    case abi.FN_BASE64_ENCODE:
      return encodeBase64(args, argc, out);
    case abi.FN_BASE64_DECODE:
      return decodeBase64(args, argc, out);
    case abi.FN_JSON_VALUE:
      return jsonValue(args, out);
    case abi.FN_JWT_VALUE:
      return jwtValue(args, out);
    case abi.FN_IS_JWT:
      return isJwtValue(args, out);
    case abi.FN_MAP_TO_RANGE:
      return mapToRange(args, out);
    case abi.FN_STR_COMP:
    case abi.FN_STR_EQ:
    case abi.FN_STR_NEQ:
    case abi.FN_STR_LT:
    case abi.FN_STR_LTE:
    case abi.FN_STR_GT:
    case abi.FN_STR_GTE:
      return compareTexts(fn, args, out);
    case abi.FN_NUM_COMP:
    case abi.FN_NUM_EQ:
    case abi.FN_NUM_NEQ:
    case abi.FN_NUM_LT:
    case abi.FN_NUM_LTE:
    case abi.FN_NUM_GT:
    case abi.FN_NUM_GTE:
      return compareNumbers(fn, args, out);
    case abi.FN_NOT:
      return not(args, out);
    case abi.FN_IS_EMPTY_VAL:
      setBool(out, isEmpty(args));
      return OK;
    default:
      return askHost(fn, args, argc, out);
  }
}
