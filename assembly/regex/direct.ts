/**
 * Regular expressions on bytes in the input buffer, for patterns that are not part of an image:
 * program, then text, then (regex_replace) replacement, without gaps.
 */
import { INPUT_BYTES_MAX } from "../abi/limits";
import { ERR_INPUT, ERR_MEMORY, OK } from "../abi/status";
import { inputBase, mark, restore, scratch } from "../arena";
import { capsBytes, regexExec, regexTest, regexVerify } from "./exec";
import { regexReplace } from "./replace";

/** regexTest, or the status of a program that is none. */
export function testInput(programBytes: u32, textBytes: u32): i32 {
  const status = checkInput(programBytes, textBytes, 0);
  if (status != OK) return status;
  return regexTest(inputBase, inputBase + programBytes, textBytes);
}

/** regexExec: the address of the offsets, 0 for no match, or a status. Valid until the next call. */
export function execInput(programBytes: u32, textBytes: u32, start: u32, flags: u32): i32 {
  const status = checkInput(programBytes, textBytes, 0);
  if (status != OK) return status;
  const top = mark();
  const caps = scratch(capsBytes(inputBase));
  if (!caps) return ERR_MEMORY;
  const found = regexExec(inputBase, inputBase + programBytes, textBytes, start, flags, caps);
  restore(top);
  return found > 0 ? <i32>caps : found;
}

/** regexReplace: the address of (address, length) of the result, or a status. Valid likewise. */
export function replaceInput(programBytes: u32, textBytes: u32, replacementBytes: u32): i32 {
  const status = checkInput(programBytes, textBytes, replacementBytes);
  if (status != OK) return status;
  const top = mark();
  const out = scratch(8);
  if (!out) return ERR_MEMORY;
  const text = inputBase + programBytes;
  const made = regexReplace(inputBase, text, textBytes, text + textBytes, replacementBytes, out);
  restore(top);
  return made == OK ? <i32>out : made;
}

function checkInput(programBytes: u32, textBytes: u32, moreBytes: u32): i32 {
  const all = <u64>programBytes + <u64>textBytes + <u64>moreBytes;
  if (!inputBase || all > <u64>INPUT_BYTES_MAX) return ERR_INPUT;
  return regexVerify(inputBase, programBytes);
}
