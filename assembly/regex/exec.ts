/**
 * Searching with a verified program. Time is linear in the text whatever the pattern: at most
 * instructions × (length + 1) steps.
 */
import { REGEX_ANCHORED, REGEX_FLAG_LITERAL, REGEX_PARALLEL } from "../abi/regex";
import { ERR_MEMORY } from "../abi/status";
import { mark, restore, scratch, scratchLeft } from "../arena";
import {
  backtrackAt,
  backtrackSteps,
  beginBacktrack,
  forgetPosition,
  OVERFLOWN,
  visitedBytes,
} from "./backtrack";
import { beginPike, pikeBytes, pikeScanned, pikeSearch, pikeSteps } from "./pike";
import {
  flagsOf,
  prefixBytes,
  prefixOf,
  regexGroupCount,
  requiredBytes,
  requiredOf,
} from "./program";
import { findPrefix, nextCandidate, NOWHERE } from "./search";

export { regexGroupCount, regexVerify } from "./program";

/** Most of the working memory a search takes; the visited bits get half of it at the most. */
const WORK_BYTES_MAX: u32 = 4194304;
/** What the searches of a run may look at twice, besides the text's length, without visited bits. */
const RESCANNED_BYTES_MAX: u64 = 262144;

/** Steps since the core began, in the debug build; only differences mean anything. */
export function regexSteps(): u64 {
  return backtrackSteps + pikeSteps;
}

/** Bytes `caps` of regexExec must have: two u32 slots for the match and for each group. */
@inline
export function capsBytes(program: usize): u32 {
  return (regexGroupCount(program) + 1) << 3;
}

/**
 * Does the pattern match anywhere in the text? 1, 0, or ERR_MEMORY when scratch is short. The
 * program has been verified. Takes no scratch for longer than the call.
 */
export function regexTest(program: usize, text: usize, len: u32): i32 {
  return regexExec(program, text, len, 0, 0, 0);
}

/**
 * The leftmost match that begins at `start` or later, the preferred one of those that begin there.
 * 1 with u32 offsets in caps (start and end of the match, then of each group; -1 for a group that
 * took no part), 0 for none, or ERR_MEMORY. `^`, `\b` and the like see the text before `start`.
 * flags: REGEX_ANCHORED, REGEX_NOT_EMPTY_AT_START, REGEX_PARALLEL. caps: capsBytes, or 0.
 */
export function regexExec(
  program: usize,
  text: usize,
  len: u32,
  start: u32,
  flags: u32,
  caps: usize,
): i32 {
  const top = mark();
  let status: i32 = 0;
  if (beginSearch(program, text, len, start, 0)) {
    status = searchNext(start, flags, caps);
  } else {
    status = ERR_MEMORY;
  }
  restore(top);
  return status;
}

let program: usize = 0;
let text: usize = 0;
let textLen: u32 = 0;
let work: usize = 0;
let workBytes: u32 = 0;
let isBacktracking: bool = false;
/** The working memory has gone to the parallel engine, for the rest of the run. */
let isParallel: bool = false;
/** End of the last match. */
let lastEnd: u32 = 0;
/** Where the bytes that every match contains were last found. */
let requiredAt: u32 = 0;

/**
 * Begins a run of searches in one text, each from where the last one ended. Takes scratch, all but
 * `keepBytes` of it at the most; the caller gives it back. False: scratch is short.
 */
export function beginSearch(
  ofProgram: usize,
  ofText: usize,
  len: u32,
  start: u32,
  keepBytes: u32,
): bool {
  program = ofProgram;
  text = ofText;
  textLen = len;
  lastEnd = NOWHERE;
  requiredAt = 0;
  isParallel = false;
  const left = scratchLeft();
  const needed = (pikeBytes(ofProgram, (regexGroupCount(ofProgram) + 1) << 1) + 7) & ~7;
  if (left < keepBytes || left - keepBytes < needed) return false;
  workBytes = max(needed, min(WORK_BYTES_MAX, left - keepBytes)) & ~7;
  work = scratch(workBytes);
  if (!work) return false;
  const visited = visitedBytes(ofProgram, len, start);
  isBacktracking = visited <= workBytes >> 1;
  if (isBacktracking) beginBacktrack(ofProgram, ofText, len, start, work, workBytes);
  return true;
}

/**
 * The next search of the run, from `start` on; like regexExec. ERR_MEMORY also when there is no room
 * for what would keep the run linear.
 */
export function searchNext(start: u32, flags: u32, caps: usize): i32 {
  if (start > textLen) return 0;
  if (flagsOf(program) & REGEX_FLAG_LITERAL) return searchLiteral(start, flags, caps);
  if (!hasRequired(start)) return 0;
  if (isBacktracking && !(flags & REGEX_PARALLEL)) {
    const status = searchBacktracking(start, flags, caps);
    if (status != OVERFLOWN) return status;
  }
  if (!isParallel) {
    beginPike(program, work);
    isBacktracking = false;
    isParallel = true;
  }
  // This engine does not remember what failed in an earlier search. A run that would look at the
  // text again and again for that reason ends here.
  if (pikeScanned > (<u64>textLen << 2) + RESCANNED_BYTES_MAX) return ERR_MEMORY;
  const slotCount = caps ? (regexGroupCount(program) + 1) << 1 : 0;
  return pikeSearch(program, text, textLen, start, flags, caps, slotCount, work);
}

function searchBacktracking(start: u32, flags: u32, caps: usize): i32 {
  if (start == lastEnd) forgetPosition(start);
  const capsEnd = caps ? caps + capsBytes(program) : 0;
  for (let at = start; at <= textLen; at++) {
    at = nextCandidate(program, text, textLen, at);
    if (at == NOWHERE || (at > start && flags & REGEX_ANCHORED)) return 0;
    unset(caps, capsEnd);
    const status = backtrackAt(at, at == start ? flags : 0, caps);
    if (status) {
      if (caps) lastEnd = load<u32>(caps, 4);
      return status;
    }
  }
  return 0;
}

/** Do the bytes that every match contains stand at `start` or later? */
function hasRequired(start: u32): bool {
  const bytes = requiredBytes(program);
  if (!bytes) return true;
  if (requiredAt < start || start == 0) {
    requiredAt = findPrefix(requiredOf(program), bytes, text, textLen, start);
  }
  return requiredAt != NOWHERE;
}

/** A pattern without any choice. It is never empty. */
function searchLiteral(start: u32, flags: u32, caps: usize): i32 {
  const bytes = prefixBytes(program);
  const at = findPrefix(prefixOf(program), bytes, text, textLen, start);
  if (at == NOWHERE || (at > start && flags & REGEX_ANCHORED)) return 0;
  if (caps) {
    unset(caps, caps + capsBytes(program));
    store<u32>(caps, at);
    store<u32>(caps, at + bytes, 4);
  }
  return 1;
}

@inline
function unset(caps: usize, end: usize): void {
  for (let cell = caps; cell < end; cell += 8) store<u64>(cell, -1);
}
