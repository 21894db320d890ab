/**
 * One decision: the token's own rules, then the image's; in each the lowest rule that fits.
 *
 * Source: authorization §3, §9 items 3 and 4.
 */
import {
  ACTION_SUBSCRIBE_ANY,
  ENTRY_BYTES,
  ENTRY_TOPIC_ALL,
  ENTRY_TOPIC_EQUAL,
  ENTRY_TOPIC_TEMPLATE,
  ERR_HANDLE,
  ERR_INPUT,
  INPUT_BYTES_MAX,
  ORIGIN_IMAGE,
  ORIGIN_TOKEN,
  RULE_ALLOW,
  RULE_BYTES,
  RULE_NONE,
  SWITCH_OVERLAP_DENIES,
  SWITCH_SUBSCRIBE_CONTAINMENT,
  VERDICT_ALLOW,
  VERDICT_DENY,
  VERDICT_FAILED,
  VERDICT_NO_MATCH,
} from "../abi";
import { inputBase, mark, restore } from "../arena";
import { switches } from "../image";
import { filtersOverlap, hasWildcard } from "../topic/filter";
import { splitTopic } from "../topic/levels";
import { imageRules, recordOf } from "./client";
import { best, isBestRaised, search } from "./search";
import { denyCount, deniesPtr, entriesPtr, rulesPtr, selectRules, textPtr } from "./set";
import { render, rendered, renderedLen } from "./template";
import { isWho, spend, steps, useClient, WHO_NO } from "./who";

/** verdict | origin << 2 | rule << 3, or a negative status. */
export function decideTopic(handle: i32, topicBytes: u32, request: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  if (topicBytes > <u32>INPUT_BYTES_MAX) return ERR_INPUT;
  const status = splitTopic(inputBase, topicBytes);
  if (status) return status;
  const own: usize = load<u32>(record, 36);
  if (own) {
    const answer = decideIn(record, own, true, topicBytes, request);
    if (answer != VERDICT_NO_MATCH) return answer | (ORIGIN_TOKEN << 2);
  }
  if (!imageRules) return VERDICT_NO_MATCH;
  return decideIn(record, imageRules, false, topicBytes, request) | (ORIGIN_IMAGE << 2);
}

/** verdict | rule << 3 of one rule set. */
function decideIn(record: usize, set: usize, isToken: bool, topicLen: u32, request: u32): i32 {
  useRules(record, set, isToken);
  const isSubscribe = (request & ACTION_SUBSCRIBE_ANY) != 0;
  const isContaining = isSubscribe && (switches & SWITCH_SUBSCRIBE_CONTAINMENT) != 0;
  search(inputBase, topicLen, request, isContaining, false, hasSlow(record, isToken));
  let rule = best;
  let isRaised = isBestRaised;
  if (isSubscribe && switches & SWITCH_OVERLAP_DENIES && hasWildcard(inputBase, topicLen)) {
    const deny = overlappingDeny(topicLen, request, rule, false);
    if (deny < rule) {
      rule = deny;
      isRaised = false;
    }
  }
  if (steps < 0) return VERDICT_DENY | (RULE_NONE << 3);
  if (rule == RULE_NONE) return VERDICT_NO_MATCH;
  if (isRaised) return VERDICT_FAILED | <i32>(rule << 3);
  const isAllow = load<u32>(rulesPtr + <usize>rule * RULE_BYTES) & RULE_ALLOW;
  return (isAllow ? VERDICT_ALLOW : VERDICT_DENY) | <i32>(rule << 3);
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
  const own: usize = load<u32>(record, 36);
  if (own) {
    useRules(record, own, true);
    search(inputBase, filterBytes, request, true, true, hasSlow(record, true));
    const allow = best;
    if (isBestRaised || overlappingDeny(filterBytes, request, allow, true) < allow || steps < 0) return 0;
    if (allow != RULE_NONE) return 1;
  }
  if (!imageRules) return 0;
  useRules(record, imageRules, false);
  search(inputBase, filterBytes, request, true, true, hasSlow(record, false));
  const allow = best;
  if (allow == RULE_NONE || isBestRaised) return 0;
  return overlappingDeny(filterBytes, request, allow, true) < allow || steps < 0 ? 0 : 1;
}

function useRules(record: usize, set: usize, isToken: bool): void {
  selectRules(set);
  const values = isToken ? load<u32>(record, 44) : load<u32>(record, 28);
  const answers = isToken ? load<u32>(record, 48) : load<u32>(record, 32);
  useClient(record, values, answers);
}

@inline
function hasSlow(record: usize, isToken: bool): bool {
  return (load<u32>(record, 52) & (isToken ? 2 : 1)) != 0;
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
    if (who && isWho(who - 1) == WHO_NO) continue;
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
