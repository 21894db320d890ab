/** Regular expressions over bytes. Source: expressions §4.5. */
import { TAG_PROGRAM } from "../abi/expressions";
import { HOST_PATTERN } from "../abi/host";
import { EXPR_STEPS_MAX } from "../abi/limits";
import {
  ERR_EXPR_MEMORY,
  ERR_EXPR_OUTPUT,
  ERR_EXPR_PATTERN,
  ERR_EXPR_STEPS,
  ERR_MEMORY,
  ERR_REGEX_OUTPUT,
  OK,
} from "../abi/status";
import { TAG_LIST, VALUE_BYTES } from "../abi/values";
import { host } from "../host";
import { capsBytes, regexExec, regexGroupCount, regexTest, regexVerify } from "../regex/exec";
import { instructionCount } from "../regex/program";
import { regexReplace } from "../regex/replace";
import { badArgument, isProducible, produceList, refusal, room, step } from "./budget";
import { piecesLen, piecesPtr, readBytePieces, readPieces } from "./pieces";
import { elementOf, lenOf, ptrOf, setBool, setBytes, setRange, tagOf } from "./value";

/** Set by `readPattern`. */
let program: usize = 0;

const hostAnswer = memory.data(VALUE_BYTES, 8);

/**
 * What one step pays for: a search takes at most bytes of subject × instructions. All steps together
 * are some 10 million of those, about a tenth of a second.
 */
const WORK_PER_STEP: u64 = 1024;

/** Is this a program the engines may run? For constants of an image. */
export function verifyProgram(at: usize, len: u32): bool {
  return regexVerify(at, len) == OK;
}

export function regexMatch(args: usize, out: usize): i32 {
  const status = readSearch(args);
  if (status < 0) return status;
  const found = regexTest(program, piecesPtr, piecesLen);
  if (found < 0) return ERR_EXPR_MEMORY;
  setBool(out, found == 1);
  return OK;
}

/** The groups of the first match; unset ones are empty, and dropped behind the last set one. */
export function regexExtract(args: usize, out: usize): i32 {
  const status = readSearch(args);
  if (status < 0) return status;
  const text = piecesPtr;
  const caps = room(capsBytes(program));
  if (!caps) return refusal;
  const found = regexExec(program, text, piecesLen, 0, 0, caps);
  if (found < 0) return ERR_EXPR_MEMORY;
  let count: u32 = found == 1 ? regexGroupCount(program) : 0;
  while (count > 0 && isUnset(caps, count)) count--;
  const list = produceList(count);
  if (!list) return refusal;
  for (let group: u32 = 1; group <= count; group++) {
    const item = elementOf(list, group - 1);
    if (isUnset(caps, group)) {
      setBytes(item, text, 0);
      continue;
    }
    const start = load<u32>(caps + (<usize>group << 3));
    const end = load<u32>(caps + (<usize>group << 3), 4);
    setBytes(item, text + start, end - start);
  }
  setRange(out, TAG_LIST, list, count);
  return OK;
}

@inline
function isUnset(caps: usize, group: u32): bool {
  return load<i32>(caps + (<usize>group << 3)) < 0;
}

const replaced = memory.data(8, 8);

export function regexReplaceAll(args: usize, out: usize): i32 {
  let status = readBytePieces(args, 2);
  if (status < 0) return status;
  const by = piecesPtr;
  const byLen = piecesLen;
  status = readSearch(args);
  if (status < 0) return status;
  status = regexReplace(program, piecesPtr, piecesLen, by, byLen, replaced);
  if (status == ERR_MEMORY) return ERR_EXPR_MEMORY;
  if (status == ERR_REGEX_OUTPUT) return ERR_EXPR_OUTPUT;
  if (status < 0) return badArgument(2);
  const len = load<u32>(replaced, 4);
  if (!isProducible(len)) return ERR_EXPR_OUTPUT;
  setBytes(out, load<u32>(replaced), len);
  return OK;
}

/** Reads subject and pattern, and pays for the search. */
function readSearch(args: usize): i32 {
  let status = readPattern(args);
  if (status < 0) return status;
  status = readPieces(args, 0);
  if (status < 0) return status;
  const work = (<u64>piecesLen * instructionCount(program)) / WORK_PER_STEP;
  return step(<i32>min<u64>(work, EXPR_STEPS_MAX + 1)) ? OK : ERR_EXPR_STEPS;
}

/** Literals were compiled at load; other patterns are compiled by the host, and checked like foreign bytes. */
function readPattern(args: usize): i32 {
  if (tagOf(elementOf(args, 1)) == TAG_PROGRAM) {
    program = ptrOf(elementOf(args, 1));
    return OK;
  }
  let status = readBytePieces(args, 1);
  if (status < 0) return status;
  if (!step(<i32>piecesLen + 8)) return ERR_EXPR_STEPS;
  setBytes(hostAnswer, piecesPtr, piecesLen);
  status = host(HOST_PATTERN, hostAnswer, 1, hostAnswer);
  if (status < 0) {
    badArgument(1);
    return status;
  }
  program = ptrOf(hostAnswer);
  if (tagOf(hostAnswer) != TAG_PROGRAM || !verifyProgram(program, lenOf(hostAnswer))) {
    return ERR_EXPR_PATTERN;
  }
  return OK;
}
