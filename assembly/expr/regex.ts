/** Regular expressions over bytes. Source: expressions §4.5. */
import {
  ERR_EXPR_BADARG,
  ERR_EXPR_OUTPUT,
  ERR_EXPR_PATTERN,
  ERR_EXPR_STEPS,
  EXPR_NESTING_MAX,
  HOST_PATTERN,
  LIST_LENGTH_MAX,
  OK,
  TAG_BYTES,
  TAG_INT,
  TAG_LIST,
  TAG_PROGRAM,
  VALUE_BYTES,
} from "../abi";
import { host } from "../host";
import { readBytes, readText, textLen, textPtr } from "./argument";
import { badArgument, produce, refusal, step } from "./budget";
import { elementOf, intOf, lenOf, ptrOf, setBool, setBytes, setRange, tagOf } from "./value";

/** Set by `readSubject`. */
let subjectPtr: usize = 0;
let subjectLen: u32 = 0;

/** Argument 0 as bytes: a text, or a list of texts and bytes put together. */
export function readPieces(args: usize, index: u32): i32 {
  const value = elementOf(args, index);
  if (tagOf(value) != TAG_LIST) return readText(args, index);
  return OK;
}
