/** JSON and JWT values. Source: expressions §4.7. */
import { ERR_EXPR_BADARG, ERR_EXPR_OUTPUT, OK } from "../abi/status";
import { TAG_BYTES, TAG_NULL, TAG_UNDEFINED } from "../abi/values";
import { jsonLookup } from "../json/lookup";
import { isJwt, jwtLookup } from "../jwt";
import { badArgument, isProducible } from "./budget";
import { elementOf, lenOf, ptrOf, setBool, setRange, tagOf } from "./value";

export function jsonValue(args: usize, out: usize): i32 {
  const path = elementOf(args, 1);
  const tag = tagOf(args);
  if (tag == TAG_NULL || tag == TAG_UNDEFINED) {
    badArgument(0);
    return ERR_EXPR_BADARG;
  }
  const status = checkPath(path);
  if (status < 0) return status;
  if (tag != TAG_BYTES || tagOf(path) != TAG_BYTES) {
    setRange(out, TAG_UNDEFINED, 0, 0);
    return OK;
  }
  return jsonLookup(ptrOf(args), lenOf(args), ptrOf(path), lenOf(path), out);
}

export function jwtValue(args: usize, out: usize): i32 {
  if (tagOf(args) != TAG_BYTES) return badArgument(0);
  const path = elementOf(args, 1);
  if (tagOf(path) != TAG_BYTES) return badArgument(1);
  const status = checkPath(path);
  if (status < 0) return status;
  const len = lenOf(args);
  if (!isProducible(len)) return ERR_EXPR_OUTPUT;
  return jwtLookup(ptrOf(args), len, ptrOf(path), lenOf(path), out);
}

/** An empty path is refused. */
function checkPath(path: usize): i32 {
  if (tagOf(path) != TAG_BYTES || lenOf(path) > 0) return OK;
  badArgument(1);
  return ERR_EXPR_BADARG;
}

export function isJwtValue(args: usize, out: usize): i32 {
  if (tagOf(args) != TAG_BYTES) {
    setBool(out, false);
    return OK;
  }
  const len = lenOf(args);
  const answer = isJwt(ptrOf(args), len);
  if (answer < 0) return answer;
  setBool(out, answer == 1);
  return OK;
}
