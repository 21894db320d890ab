/**
 * Who a rule speaks about: conditions on the client in use.
 *
 * The first `cached roots` conditions (those with patterns and addresses) are answered once per
 * client and remembered in two bits; equalities, and whatever is past CACHED_ROOTS_MAX, are
 * evaluated each time, within the decision's steps.
 *
 * Source: authorization §3.3, §9 items 18 and 19.
 */
import { DECISION_STEPS_MAX } from "../abi/limits";
import {
  CONDITION_ADDRESS,
  CONDITION_AND,
  CONDITION_BYTES,
  CONDITION_EQUAL,
  CONDITION_PATTERN,
  CONDITION_RAISE,
  PATTERN_BYTES,
  RANGE_BYTES,
  RULES_FOLD_MAPPED,
  WHO_EQUAL,
  WHO_VALUE_MAX,
  WHO_VARIABLE_MAX,
  WHO_VARIABLE_SHIFT,
} from "../abi/rules";
import { bytesEqual } from "../bytes";
import { regexTest } from "../regex/exec";
import { peerBytesOf, peerOf } from "./record";
import {
  cachedRoots,
  conditionsPtr,
  flags,
  patternsPtr,
  rangesPtr,
  regexPtr,
} from "./set";
import { RESOLVED_BYTES, VALUE_TEXT, valueOf } from "./variables";

export const WHO_NO: u32 = 1;
export const WHO_YES: u32 = 2;
/** Could not be evaluated: a deny rule applies, an allow rule does not. */
export const WHO_UNKNOWN: u32 = 3;
/** Raised: the source's failure result. Never cached. */
export const WHO_RAISED: u32 = 4;

/** The client's values for the selected rule set's variables. */
export let variables: usize = 0;
let cache: usize = 0;
let client: usize = 0;

/** What is left of the decision's steps; negative when they are used up. */
export let steps: i32 = 0;

/** Sets the client that conditions and templates of the selected rule set are about. */
@inline
export function useClient(record: usize, values: usize, answers: usize): void {
  client = record;
  variables = values;
  cache = answers;
  steps = DECISION_STEPS_MAX;
}

/** Takes steps; false when there are none left. */
@inline
export function spend(count: u32): bool {
  if (count > <u32>DECISION_STEPS_MAX) steps = -1;
  else if (steps >= 0) steps -= <i32>count;
  return steps >= 0;
}

/** Takes one step; false when there is none left. */
@inline
export function spendOne(): bool {
  const left = steps - 1;
  steps = max(left, -1);
  return left >= 0;
}

@inline
export function variableAt(index: u32): usize {
  return variables + <usize>index * RESOLVED_BYTES;
}

/** The answer of a rule's condition, as SECTION_RULES has it and not 0: WHO_…. */
@inline
export function isWho(who: u32): u32 {
  if (who & WHO_EQUAL) {
    const variable = (who >> WHO_VARIABLE_SHIFT) & WHO_VARIABLE_MAX;
    return valueOf(variableAt(variable)) == (who & WHO_VALUE_MAX) ? WHO_YES : WHO_NO;
  }
  const root = who - 1;
  if (root >= cachedRoots) return evaluate(conditionsPtr + <usize>root * CONDITION_BYTES);
  const known = (<u32>load<u8>(cache + (root >> 2)) >> ((root & 3) << 1)) & 3;
  return known ? known : evaluateOnce(root);
}

/** Evaluates a cached root that this client has not been asked about yet. */
function evaluateOnce(root: u32): u32 {
  const answer = evaluate(conditionsPtr + <usize>root * CONDITION_BYTES);
  const at = cache + (root >> 2);
  if (answer != WHO_RAISED && steps >= 0) {
    store<u8>(at, load<u8>(at) | (answer << ((root & 3) << 1)));
  }
  return answer;
}

/** Recursion is bounded by CONDITION_HEIGHT_MAX, which verifyRules checked. */
function evaluate(condition: usize): u32 {
  if (!spendOne()) return WHO_UNKNOWN;
  const kind = load<u32>(condition);
  const a = load<u32>(condition, 4);
  const b = load<u32>(condition, 8);
  switch (kind) {
    case CONDITION_EQUAL:
      return valueOf(variableAt(a)) == b ? WHO_YES : WHO_NO;
    case CONDITION_PATTERN:
      return isFound(variableAt(a), patternsPtr + <usize>b * PATTERN_BYTES);
    case CONDITION_ADDRESS:
      return isInRanges(a, b) ? WHO_YES : WHO_NO;
    case CONDITION_RAISE:
      return WHO_RAISED;
    default:
      return combine(kind == CONDITION_AND, a, b);
  }
}

function isFound(value: usize, pattern: usize): u32 {
  if (!(load<u32>(value, 8) & VALUE_TEXT)) return WHO_NO;
  const len = load<u32>(value, 4);
  // SAFETY: the product stays below 2^53, and a cost beyond the steps is cut to them.
  const cost = <u64>len * (1 + (load<u32>(pattern, 4) >> 9));
  if (!spend(<u32>min<u64>(cost, DECISION_STEPS_MAX + 1))) return WHO_UNKNOWN;
  const found = regexTest(regexPtr + load<u32>(pattern), load<u32>(value), len);
  return found < 0 ? WHO_UNKNOWN : found ? WHO_YES : WHO_NO;
}

/** Left to right; the deciding answer ends it, and so does a raise. */
function combine(isAnd: bool, first: u32, count: u32): u32 {
  const deciding = isAnd ? WHO_NO : WHO_YES;
  let answer = isAnd ? WHO_YES : WHO_NO;
  for (let i: u32 = 0; i < count; i++) {
    const one = evaluate(conditionsPtr + <usize>(first + i) * CONDITION_BYTES);
    if (one == deciding || one == WHO_RAISED) return one;
    if (one == WHO_UNKNOWN) answer = WHO_UNKNOWN;
  }
  return answer;
}

function isInRanges(first: u32, count: u32): bool {
  let peer = peerOf(client);
  let peerLen = peerBytesOf(client);
  if (!peerLen || !spend(count)) return false;
  if (flags & RULES_FOLD_MAPPED && peerLen == 16 && isMappedAddress(peer)) {
    peer += 12;
    peerLen = 4;
  }
  for (let i: u32 = 0; i < count; i++) {
    const range = rangesPtr + <usize>(first + i) * RANGE_BYTES;
    if (load<u32>(range) != peerLen) continue;
    if (hasPrefix(peer, range + 8, load<u32>(range, 4))) return true;
  }
  return false;
}

/** ::ffff:0:0/96 */
@inline
function isMappedAddress(at: usize): bool {
  return !load<u64>(at) && load<u32>(at, 8) == 0xffff0000;
}

function hasPrefix(address: usize, network: usize, bits: u32): bool {
  const whole = bits >> 3;
  if (!bytesEqual(address, whole, network, whole)) return false;
  const rest = bits & 7;
  if (!rest) return true;
  const mask: u32 = (0xff << (8 - rest)) & 0xff;
  return (load<u8>(address + whole) & mask) == (load<u8>(network + whole) & mask);
}
