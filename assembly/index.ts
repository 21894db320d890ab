/**
 * The decision core's whole ABI, on one screen. Pointers are absolute; lengths are bytes; statuses
 * are 0 or one of the negatives in abi/status.ts. The host writes requests into the input buffer.
 */
import { INPUT_BYTES_MAX } from "./abi/limits";
import { ERR_INPUT, OK } from "./abi/status";
import { ABI_VERSION } from "./abi/version";
import { inputBase, layOut, mark, recordsUsed, restore, scratch } from "./arena";
import { errorArgument, stepsTaken } from "./expr/budget";
import { evaluate, forgetExpressions, isTrue, slotsRead } from "./expr/evaluate";
import { closeImage, openImage } from "./image";
import { jsonLookup } from "./json/lookup";
import { isJwt, jwtLookup } from "./jwt";
import { execInput, replaceInput, testInput } from "./regex/direct";
import { regexSteps } from "./regex/exec";
import { closeClient, openClient } from "./rule/client";
import { coversFilter, decideTopic } from "./rule/decide";
import {
  closeRules,
  closeShared,
  openRules,
  openShared,
  setSharedRules,
  setStoredRules,
  setTokenRules,
} from "./rule/sets";
import { topicMatches } from "./topic/filter";

export const abi_version: i32 = ABI_VERSION;

/** Room for an image of `bytes`; forgets the previous image and every client. 0: no memory. */
export function image_alloc(bytes: u32): usize {
  closeRules();
  forgetExpressions();
  return layOut(bytes);
}

/** Checks and opens the image written there. */
export function image_open(): i32 {
  closeRules();
  forgetExpressions();
  const status = openImage();
  if (status != OK) return status;
  const rules = openRules();
  if (rules != OK) closeImage();
  return rules;
}

/** Start of the input buffer (INPUT_BYTES_MAX bytes). Moves only with image_alloc. */
export function input_ptr(): usize {
  return inputBase;
}

/** Scratch for the host's own answers, during a host call. 0: used up. */
export function scratch_alloc(bytes: u32): usize {
  return scratch(bytes);
}

/** Bytes held by client records. */
export function records_used(): u32 {
  return recordsUsed;
}

/** Where calls that answer with a value put it: 16 bytes, see abi/values.ts. */
const result = memory.data(16, 8);

/** Address of that value. What it points at stays as it is until the next call. */
export function result_ptr(): usize {
  return result;
}

/**
 * `json_value`: the value that a path leads to in a JSON text, to result_ptr. The input buffer
 * holds the text, then the path. 0 or an expression error.
 */
export function json_lookup(textBytes: u32, pathBytes: u32): i32 {
  if (!fitsInput(textBytes, pathBytes)) return ERR_INPUT;
  const before = mark();
  const status = jsonLookup(inputBase, textBytes, inputBase + textBytes, pathBytes, result);
  restore(before);
  return status;
}

/** `jwt_value`, with a token in the text's place. */
export function jwt_lookup(tokenBytes: u32, pathBytes: u32): i32 {
  if (!fitsInput(tokenBytes, pathBytes)) return ERR_INPUT;
  const before = mark();
  const status = jwtLookup(inputBase, tokenBytes, inputBase + tokenBytes, pathBytes, result);
  restore(before);
  return status;
}

/** `is_jwt` of the input buffer's first bytes: 1, 0 or an expression error. */
export function is_jwt(tokenBytes: u32): i32 {
  if (!fitsInput(tokenBytes, 0)) return ERR_INPUT;
  return isJwt(inputBase, tokenBytes);
}

@inline
function fitsInput(first: u32, second: u32): bool {
  return first <= <u32>INPUT_BYTES_MAX && second <= <u32>INPUT_BYTES_MAX - first;
}

/** Does the program in the input buffer match the text behind it? 1, 0 or a status. */
export function regex_test(programBytes: u32, textBytes: u32): i32 {
  return testInput(programBytes, textBytes);
}

/** The first match from `start`: address of its u32 offsets, 0 for none, or a status. */
export function regex_exec(programBytes: u32, textBytes: u32, start: u32, flags: u32): i32 {
  return execInput(programBytes, textBytes, start, flags);
}

/** Replaces every match: address of the result's address and length, or a status. */
export function regex_replace(programBytes: u32, textBytes: u32, replacementBytes: u32): i32 {
  return replaceInput(programBytes, textBytes, replacementBytes);
}

/** Steps of all regex searches so far, for tests; counted in the debug build only. */
export function regex_steps(): u64 {
  return regexSteps();
}

/** A record for the client whose request is in the input buffer: a handle, or a negative status. */
export function client_open(): i32 {
  return openClient();
}

/** Makes the rule-set blob in the input buffer the rules of the client's token; none when `bytes` is 0. */
export function client_rules(handle: i32, bytes: u32): i32 {
  return setTokenRules(handle, bytes);
}

/** The client's stored rules: a blob in the input buffer, then a shared rule set; either may be 0. */
export function client_stored(handle: i32, bytes: u32, shared: i32, how: u32): i32 {
  return setStoredRules(handle, bytes, shared, how);
}

/** Another shared rule set for the client, 0 for none; its own stored rules stay. */
export function client_shared(handle: i32, shared: i32): i32 {
  return setSharedRules(handle, shared);
}

/** Keeps the rule-set blob in the input buffer for clients to share: a handle, or a negative status. */
export function rules_open(bytes: u32): i32 {
  return openShared(bytes);
}

/** Gives a shared rule set back; clients that have it keep it. */
export function rules_close(handle: i32): i32 {
  return closeShared(handle);
}

/** Gives the client's record back. */
export function client_close(handle: i32): i32 {
  return closeClient(handle);
}

/**
 * What the rules say of one request bit on the topic in the input buffer: verdict | origin << 2 |
 * rule << 4, or a negative status.
 */
export function decide(handle: i32, topicBytes: u32, request: u32): i32 {
  return decideTopic(handle, topicBytes, request);
}

/** Is every topic of the filter in the input buffer allowed? 1, 0 (also when unsure) or a status. */
export function is_covered(handle: i32, filterBytes: u32, request: u32): i32 {
  return coversFilter(handle, filterBytes, request);
}

/** Does the filter match the topic? The input buffer holds the filter, then the topic. */
export function topic_match(filterBytes: u32, topicBytes: u32): i32 {
  if (!fitsInput(filterBytes, topicBytes)) return ERR_INPUT;
  return topicMatches(inputBase + filterBytes, topicBytes, inputBase, filterBytes) ? 1 : 0;
}

/**
 * Evaluates expression `id` over the request record in the input buffer. 0 with the value (or, when
 * `asText`, its final text) at result_ptr; or an expression error, with the name of the function or
 * variable it arose in there.
 */
export function expression_eval(id: u32, asText: i32): i32 {
  return evaluate(id, asText != 0, result);
}

/** Is its final text exactly `true`? 1, 0 or an expression error, as above. */
export function expression_holds(id: u32): i32 {
  return isTrue(id, result);
}

/** The slots of the request record that expression `id` reads, as bits; or ERR_EXPR_MISSING. */
export function expression_slots(id: u32): i32 {
  return slotsRead(id);
}

/** Argument the last expression error is about, from 1; 0 when it is about none. */
export function expression_error_argument(): u32 {
  return errorArgument;
}

/** Steps the last evaluation took. */
export function expression_steps(): i32 {
  return stepsTaken();
}
