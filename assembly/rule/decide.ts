/**
 * One decision: the token's own rules, then the image's and the client's stored ones in the order of
 * their sources; in each the lowest rule that fits.
 *
 * Source: authorization §3, §4.1, §9 items 3 and 4.
 */
import {
  ACTION_SUBSCRIBE_ANY,
  ORIGIN_IMAGE,
  ORIGIN_OWN,
  ORIGIN_SHARED,
  ORIGIN_TOKEN,
  RULE_NONE,
  STORED_BEHIND,
  STORED_SKIPS_FAILURES,
  VERDICT_ALLOW,
  VERDICT_DENY,
  VERDICT_FAILED,
  VERDICT_NO_MATCH,
} from "../abi/decisions";
import { SWITCH_OVERLAP_DENIES, SWITCH_SUBSCRIBE_CONTAINMENT } from "../abi/image";
import { INPUT_BYTES_MAX } from "../abi/limits";
import {
  ENTRY_BYTES,
  ENTRY_TOPIC_ALL,
  ENTRY_TOPIC_EQUAL,
  ENTRY_TOPIC_TEMPLATE,
  RULE_ALLOW,
  RULE_BYTES,
} from "../abi/rules";
import { ERR_HANDLE, ERR_INPUT } from "../abi/status";
import { inputBase, mark, restore } from "../arena";
import { switches } from "../image";
import { filtersOverlap, hasWildcard } from "../topic/filter";
import { splitTopic } from "../topic/levels";
import { chainOf, privateOf, recordOf } from "./record";
import { best, isBestRaised, search, searchInline } from "./search";
import { denyCount, deniesPtr, entriesPtr, rulesPtr, selectRules, textPtr } from "./set";
import { CHAIN_HAS, CHAIN_SLOW, CHAIN_STORED_SHIFT, imageRules } from "./sets";
import { render, rendered, renderedLen } from "./template";
import { isWho, spend, steps, useClient, WHO_NO } from "./who";

const HAS_PRIVATE: u32 =
  CHAIN_HAS * ((1 << ORIGIN_TOKEN) | (1 << ORIGIN_OWN) | (1 << ORIGIN_SHARED));
const BEHIND: u32 = STORED_BEHIND << CHAIN_STORED_SHIFT;
const SKIPS_FAILURES: u32 = STORED_SKIPS_FAILURES << CHAIN_STORED_SHIFT;

// What one rule set says of all topics of a filter.
const UNCOVERED: u32 = 0;
const COVERED: u32 = 1;
const UNDECIDED: u32 = 2;

/** verdict | origin << 2 | rule << 4, or a negative status. */
export function decideTopic(handle: i32, topicBytes: u32, request: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  if (topicBytes > <u32>INPUT_BYTES_MAX) return ERR_INPUT;
  const status = splitTopic(inputBase, topicBytes);
  if (status) return status;
  const chain = chainOf(record);
  if (!(chain & HAS_PRIVATE)) return decideImage(record, topicBytes, request);
  const answer = decideIn(record, ORIGIN_TOKEN, topicBytes, request);
  if (answer != VERDICT_NO_MATCH) return answer;
  if (chain & BEHIND) {
    const first = decideIn(record, ORIGIN_IMAGE, topicBytes, request);
    const isPassed = first == VERDICT_NO_MATCH || isSkipped(first, chain);
    return isPassed ? decideStored(record, chain, topicBytes, request) : first;
  }
  const first = decideStored(record, chain, topicBytes, request);
  return first == VERDICT_NO_MATCH ? decideIn(record, ORIGIN_IMAGE, topicBytes, request) : first;
}

/** The stored rules are one source: what fails in one of its lists keeps the other from being asked. */
function decideStored(record: usize, chain: u32, topicLen: u32, request: u32): i32 {
  let answer = decideIn(record, ORIGIN_OWN, topicLen, request);
  if (answer == VERDICT_NO_MATCH) answer = decideIn(record, ORIGIN_SHARED, topicLen, request);
  return isSkipped(answer, chain) ? VERDICT_NO_MATCH : answer;
}

@inline
function isSkipped(answer: i32, chain: u32): bool {
  return (answer & 3) == VERDICT_FAILED && (chain & SKIPS_FAILURES) != 0;
}

/** What most clients need: the image's rules alone. */
@inline
function decideImage(record: usize, topicLen: u32, request: u32): i32 {
  if (!useRules(record, ORIGIN_IMAGE)) return VERDICT_NO_MATCH;
  const isContaining = isContainmentAsked(request);
  searchInline(topicLen, request, isContaining, false, hasSlow(record, ORIGIN_IMAGE));
  return answerOf(ORIGIN_IMAGE, topicLen, request);
}

/** verdict | origin << 2 | rule << 4 of one rule set; VERDICT_NO_MATCH when there is none. */
function decideIn(record: usize, origin: u32, topicLen: u32, request: u32): i32 {
  if (!useRules(record, origin)) return VERDICT_NO_MATCH;
  search(topicLen, request, isContainmentAsked(request), false, hasSlow(record, origin));
  return answerOf(origin, topicLen, request);
}

@inline
function isContainmentAsked(request: u32): bool {
  return (request & ACTION_SUBSCRIBE_ANY) != 0 && (switches & SWITCH_SUBSCRIBE_CONTAINMENT) != 0;
}

/** What the search in the selected rule set came to. */
@inline
function answerOf(origin: u32, topicLen: u32, request: u32): i32 {
  let rule = best;
  let isRaised = isBestRaised();
  const isSubscribe = (request & ACTION_SUBSCRIBE_ANY) != 0;
  if (isSubscribe && switches & SWITCH_OVERLAP_DENIES && hasWildcard(inputBase, topicLen)) {
    const deny = overlappingDeny(topicLen, request, rule, false);
    if (deny < rule) {
      rule = deny;
      isRaised = false;
    }
  }
  const place = <i32>(origin << 2);
  if (steps < 0) return VERDICT_DENY | place | (RULE_NONE << 4);
  if (rule == RULE_NONE) return VERDICT_NO_MATCH;
  if (isRaised) return VERDICT_FAILED | place | <i32>(rule << 4);
  const isAllow = load<u32>(rulesPtr + <usize>rule * RULE_BYTES) & RULE_ALLOW;
  return (isAllow ? VERDICT_ALLOW : VERDICT_DENY) | place | <i32>(rule << 4);
}

/**
 * Is every topic that the requested filter matches allowed? 1 only when an allow rule contains the
 * filter and no lower deny rule shares a topic with it; 0 when not, or when that is not certain.
 */
export function coversFilter(handle: i32, filterBytes: u32, request: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  if (filterBytes > <u32>INPUT_BYTES_MAX) return ERR_INPUT;
  const status = splitTopic(inputBase, filterBytes);
  if (status) return status;
  const isBehind = (chainOf(record) & BEHIND) != 0;
  // In the order in which they are asked for a decision.
  let answer = coversIn(record, ORIGIN_TOKEN, filterBytes, request);
  if (answer == UNDECIDED && isBehind) {
    answer = coversIn(record, ORIGIN_IMAGE, filterBytes, request);
  }
  if (answer == UNDECIDED) answer = coversIn(record, ORIGIN_OWN, filterBytes, request);
  if (answer == UNDECIDED) answer = coversIn(record, ORIGIN_SHARED, filterBytes, request);
  if (answer == UNDECIDED && !isBehind) {
    answer = coversIn(record, ORIGIN_IMAGE, filterBytes, request);
  }
  return answer == COVERED ? 1 : 0;
}

/**
 * UNDECIDED says that no rule of the set denies a topic of the filter, so that what allows all of
 * them behind it does so. What cannot be evaluated is uncovered, also where a decision passes over it.
 */
function coversIn(record: usize, origin: u32, filterLen: u32, request: u32): u32 {
  if (!useRules(record, origin)) return UNDECIDED;
  search(filterLen, request, true, true, hasSlow(record, origin));
  const allow = best;
  if (isBestRaised() || steps < 0) return UNCOVERED;
  if (overlappingDeny(filterLen, request, allow, true) < allow || steps < 0) return UNCOVERED;
  return allow == RULE_NONE ? UNDECIDED : COVERED;
}

/** Selects a rule set of the client; false when it has none there. */
@inline
function useRules(record: usize, origin: u32): bool {
  if (origin == ORIGIN_IMAGE) {
    if (!imageRules) return false;
    selectRules(imageRules);
    useClient(record, load<u32>(record, 28), load<u32>(record, 32));
    return true;
  }
  if (!(chainOf(record) & (CHAIN_HAS << origin))) return false;
  const at = privateOf(record, origin);
  selectRules(load<u32>(at));
  useClient(record, load<u32>(at, 12), load<u32>(at, 16));
  return true;
}

@inline
function hasSlow(record: usize, origin: u32): bool {
  return (chainOf(record) & (CHAIN_SLOW << origin)) != 0;
}

/**
 * The lowest deny rule below `limit` that fits and shares a topic with the filter, or RULE_NONE.
 * `withEqual`: does an `eq` entry share the topic it spells? A requested filter it only equals.
 */
function overlappingDeny(filterLen: u32, request: u32, limit: u32, withEqual: bool): u32 {
  for (let i: u32 = 0; i < denyCount; i++) {
    const entry = entriesPtr + <usize>load<u32>(deniesPtr + (<usize>i << 2)) * ENTRY_BYTES;
    const rule = load<u32>(entry);
    if (rule >= limit || !spend(1)) return RULE_NONE;
    const at = rulesPtr + <usize>rule * RULE_BYTES;
    if (!(load<u32>(at) & request)) continue;
    const who = load<u32>(at, 4);
    if (who && isWho(who) == WHO_NO) continue;
    if (entryOverlaps(entry, filterLen, withEqual)) return rule;
  }
  return RULE_NONE;
}

function entryOverlaps(entry: usize, filterLen: u32, withEqual: bool): bool {
  const kind = load<u32>(entry, 4);
  if (kind == ENTRY_TOPIC_ALL) return true;
  const first = load<u32>(entry, 8);
  const count = load<u32>(entry, 12);
  if (!spend(count)) return true;
  if (kind != ENTRY_TOPIC_TEMPLATE) {
    const text = textPtr + first;
    // An `eq` text with wildcards is no topic; without, it is the one topic it spells.
    if (kind == ENTRY_TOPIC_EQUAL && (!withEqual || hasWildcard(text, count))) return false;
    return filtersOverlap(text, count, inputBase, filterLen);
  }
  const top = mark();
  const isOverlap =
    render(first, count, true) && filtersOverlap(rendered, renderedLen, inputBase, filterLen);
  restore(top);
  return isOverlap;
}
