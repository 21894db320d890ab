/**
 * Finds the lowest rule of the selected rule set that fits action, client and topic.
 *
 * Topics without wildcard or placeholder are in one hash table over the whole text. The others are
 * in a trie over levels with four kinds of way down: a literal level (hash table over parent and
 * level, confirmed by bytes), `+`, a level with placeholders (compared with the client's values),
 * and `#`, which ends. Every node knows the lowest rule and all actions below it, so what cannot
 * beat the best rule so far is not entered. A node is entered at most once in a search, so a search
 * costs at most the number of nodes whatever the filters look like, and usually a few per level.
 */
import { RULE_NONE } from "../abi/decisions";
import {
  EDGE_BYTES,
  ENTRY_BYTES,
  KEY_BYTES,
  LITERAL_BYTES,
  LITERALS_MANY,
  NODE_ACTIONS,
  NODE_BYTES,
  NODE_EDGE_COUNT,
  NODE_EDGES,
  NODE_HASH_TERMINAL,
  NODE_LABEL,
  NODE_LITERALS,
  NODE_PARENT,
  NODE_PLUS,
  NODE_RULE,
  NODE_TERMINAL,
  NODE_TEXT,
  NODE_TEXT_BYTES,
  RULE_ALL_TOPICS,
  RULE_ALLOW,
  RULE_BYTES,
  RULE_RAISES,
  TERMINAL_BYTES,
  TERMINAL_DIRECT,
} from "../abi/rules";
import { mark, restore } from "../arena";
import { bytesEqual } from "../bytes";
import { filterContains, hasWildcard, topicMatches } from "../topic/filter";
import {
  levelCount,
  levelHash,
  levelLen,
  levelPtr,
  mixHash,
  topicHash,
} from "../topic/levels";
import { VALUE_TEXT } from "./variables";
import {
  allTerminal,
  childSlotMask,
  childSlotsPtr,
  edgesPtr,
  entriesPtr,
  keySlotMask,
  keySlotsPtr,
  keysPtr,
  keyVariablesPtr,
  literalSlotCount,
  literalSlotsPtr,
  literalsPtr,
  nodeCount,
  nodesPtr,
  rulesPtr,
  scanCount,
  scansPtr,
  templateCount,
  templatesPtr,
  terminalsPtr,
  textPtr,
  usesPtr,
} from "./set";
import { isSlowTemplate, levelMatches, render, rendered, renderedLen } from "./template";
import { isWho, spend, variableAt, WHO_NO, WHO_RAISED, WHO_UNKNOWN } from "./who";

/** The lowest rule found; RULE_NONE while there is none. */
export let best: u32 = RULE_NONE;
/** Did the best rule's condition raise? */
export let isBestRaised: bool = false;

let topic: usize = 0;
let topicLen: u32 = 0;
let action: u32 = 0;
/** Must an allow rule contain the requested filter? */
let isContaining: bool = false;
/** Are only allow rules looked for, those that admit every topic of the filter? */
let isCovering: bool = false;
/** Does the topic start with `$`, so that a leading wildcard does not match it? */
let isHidden: bool = false;
/** Is the topic a filter that ends in `#`, and is that of interest? */
let endsInHash: bool = false;

/**
 * Looks for the lowest rule; the answer is in `best` and `isBestRaised`. The topic has been split
 * by splitTopic, and rule set and client are selected. `hasSlow`: has the client values that need
 * the slow path in this rule set?
 */
export function search(
  topicPtr: usize,
  len: u32,
  request: u32,
  containing: bool,
  covering: bool,
  hasSlow: bool,
): void {
  topic = topicPtr;
  topicLen = len;
  action = request;
  isContaining = containing;
  isCovering = covering;
  best = RULE_NONE;
  isBestRaised = false;
  const last = levelCount - 1;
  isHidden = levelLen(0) > 0 && load<u8>(levelPtr(0)) == 0x24;
  endsInHash = containing && levelLen(last) == 1 && load<u8>(levelPtr(last)) == 0x23;
  if (allTerminal) visitAll(allTerminal - 1);
  // Texts with wildcards in that table are `eq` entries: they admit the filter, not its topics.
  if (literalSlotCount > 1 && !(covering && hasWildcard(topicPtr, len))) visitLiteral();
  if (nodeCount) walk(0, 0, true);
  if (scanCount) scan(scansPtr, scanCount, false);
  if (hasSlow) scan(templatesPtr, templateCount, true);
}

// --- what a rule says -------------------------------------------------------------------------

/** Does the rule fit action and client, and is its permission of interest here? */
function applies(rule: u32, isContained: bool): bool {
  if (!spend(1)) return false;
  const at = rulesPtr + <usize>rule * RULE_BYTES;
  const bits = load<u32>(at);
  if (!(bits & action)) return false;
  const isAllow = (bits & RULE_ALLOW) != 0;
  if (isAllow ? isContaining && !isContained : isCovering) return false;
  const who = load<u32>(at, 4);
  if (!who) return true;
  const answer = isWho(who - 1);
  // A raise stops the search wherever it stands; visitAll has noted it.
  if (answer == WHO_NO || answer == WHO_RAISED) return false;
  return answer == WHO_UNKNOWN ? !isAllow : true;
}

/** `reference`: see NODE_HASH_TERMINAL in abi/rules.ts; not 0. */
function visit(reference: u32, isContained: bool): void {
  if (reference & TERMINAL_DIRECT) {
    const rule = reference ^ TERMINAL_DIRECT;
    if (rule >= best || !applies(rule, isContained)) return;
    best = rule;
    isBestRaised = false;
    return;
  }
  const terminal = reference - 1;
  const at = terminalsPtr + <usize>terminal * TERMINAL_BYTES;
  visitUses(load<u32>(at), load<u32>(at, 4), isContained);
  const keyVariables = load<u32>(at, 12);
  if (!keyVariables) return;
  let key = keyVariablesPtr + (<usize>load<u32>(at, 8) << 2);
  for (let i: u32 = 0; i < keyVariables; i++, key += 4) {
    visitKey(terminal, load<u32>(key), isContained);
  }
}

@inline
function visitUses(first: u32, count: u32, isContained: bool): void {
  let use = usesPtr + (<usize>first << 2);
  for (const end = use + (<usize>count << 2); use < end; use += 4) {
    const rule = load<u32>(use);
    if (rule >= best) return;
    if (applies(rule, isContained)) {
      best = rule;
      isBestRaised = false;
      return;
    }
  }
}

/** The rules of a terminal that ask this variable to equal the client's value. */
function visitKey(terminal: u32, variable: u32, isContained: bool): void {
  const value = variableAt(variable);
  if (!(load<u32>(value, 8) & VALUE_TEXT) || !spend(1)) return;
  const hash = mixHash(mixHash(terminal, variable), load<u32>(value, 12));
  for (let slot = hash & keySlotMask; ; slot = (slot + 1) & keySlotMask) {
    const at = keySlotsPtr + (<usize>slot << 3);
    const key = load<u32>(at, 4);
    if (!key) return;
    if (load<u32>(at) != hash) continue;
    const record = keysPtr + <usize>(key - 1) * KEY_BYTES;
    if (load<u32>(record) != terminal || load<u32>(record, 4) != variable) continue;
    const text = textPtr + load<u32>(record, 8);
    if (!bytesEqual(text, load<u32>(record, 12), load<u32>(value), load<u32>(value, 4))) continue;
    visitUses(load<u32>(record, 16), load<u32>(record, 20), isContained);
    return;
  }
}

/** The rules for every topic, and those whose condition can raise whatever the topic is. */
function visitAll(terminal: u32): void {
  const at = terminalsPtr + <usize>terminal * TERMINAL_BYTES;
  let use = usesPtr + (<usize>load<u32>(at) << 2);
  for (const end = use + (<usize>load<u32>(at, 4) << 2); use < end; use += 4) {
    const rule = load<u32>(use);
    const record = rulesPtr + <usize>rule * RULE_BYTES;
    const bits = load<u32>(record);
    if (bits & RULE_RAISES && bits & action && isRaised(load<u32>(record, 4))) {
      best = rule;
      isBestRaised = true;
      break;
    }
    if (bits & RULE_ALL_TOPICS && applies(rule, true)) {
      best = rule;
      break;
    }
    if (!spend(1)) break;
  }
  let key = keyVariablesPtr + (<usize>load<u32>(at, 8) << 2);
  for (let i: u32 = load<u32>(at, 12); i > 0; i--, key += 4) {
    visitKey(terminal, load<u32>(key), true);
  }
}

function isRaised(who: u32): bool {
  return who != 0 && isWho(who - 1) == WHO_RAISED;
}

// --- where topics lead ------------------------------------------------------------------------

function visitLiteral(): void {
  const mask = literalSlotCount - 1;
  for (let slot = topicHash & mask; ; slot = (slot + 1) & mask) {
    const at = literalSlotsPtr + (<usize>slot << 3);
    const literal = load<u32>(at, 4);
    if (!literal) return;
    if (load<u32>(at) != topicHash) continue;
    const record = literalsPtr + <usize>(literal - 1) * LITERAL_BYTES;
    const text = textPtr + load<u32>(record);
    if (!bytesEqual(text, load<u32>(record, 4), topic, topicLen)) continue;
    visit(load<u32>(record, 8), true);
    return;
  }
}

/**
 * Goes down from a node. Of the ways down that a level has, the last is followed in the loop and the
 * others by recursion, which the topic's levels bound. `isContained`: did every level so far contain?
 */
function walk(index: u32, level: u32, isContained: bool): void {
  while (true) {
    const node = nodesPtr + <usize>index * NODE_BYTES;
    if (load<u32>(node, NODE_RULE) >= best || !(load<u32>(node, NODE_ACTIONS) & action)) return;
    if (!spend(1)) return;
    const isRootHidden = isHidden && !level;
    const hashTerminal = load<u32>(node, NODE_HASH_TERMINAL);
    if (hashTerminal && !isRootHidden) visit(hashTerminal, isContained);
    if (level == levelCount) {
      const terminal = load<u32>(node, NODE_TERMINAL);
      if (terminal) visit(terminal, isContained);
      return;
    }
    // Only `#` itself contains a requested `#`.
    const isHash = endsInHash && level == levelCount - 1;
    const contained = isContained && !isHash;
    let next: u32 = load<u32>(node, NODE_LITERALS);
    if (next == LITERALS_MANY) next = literalChild(index, level);
    else if (next && !isLabelled(nodesPtr + <usize>next * NODE_BYTES, level)) next = 0;
    const plus = load<u32>(node, NODE_PLUS);
    if (plus && !isRootHidden) {
      // But for the root: `+/#` and `#` both mean every topic outside `$`.
      if (isHash && !level) visitPlusHash(plus);
      if (next) walk(next, level + 1, contained);
      next = plus;
    }
    const edges = load<u32>(node, NODE_EDGE_COUNT);
    if (edges) next = walkEdges(node, edges, level, contained, next);
    if (!next) return;
    index = next;
    level++;
    isContained = contained;
  }
}

/** Follows `next` and the template edges that fit, all but the last: that one is the answer, or 0. */
function walkEdges(node: usize, edges: u32, level: u32, contained: bool, next: u32): u32 {
  let edge = edgesPtr + <usize>load<u32>(node, NODE_EDGES) * EDGE_BYTES;
  const text = levelPtr(level);
  const len = levelLen(level);
  for (const end = edge + <usize>edges * EDGE_BYTES; edge < end; edge += EDGE_BYTES) {
    const child = load<u32>(edge, 8);
    if (load<u32>(nodesPtr + <usize>child * NODE_BYTES, NODE_RULE) >= best || !spend(1)) continue;
    if (!levelMatches(load<u32>(edge), load<u32>(edge, 4), text, len, !level)) continue;
    if (next) walk(next, level + 1, contained);
    next = child;
  }
  return next;
}

function visitPlusHash(plus: u32): void {
  const terminal = load<u32>(nodesPtr + <usize>plus * NODE_BYTES, NODE_HASH_TERMINAL);
  if (terminal) visit(terminal, true);
}

@inline
function literalChild(parent: u32, level: u32): u32 {
  const hash = mixHash(parent, levelHash(level));
  let slot = hash & childSlotMask;
  while (true) {
    const at = childSlotsPtr + (<usize>slot << 3);
    slot = (slot + 1) & childSlotMask;
    const child = load<u32>(at, 4);
    if (!child) return 0;
    if (load<u32>(at) != hash) continue;
    const node = nodesPtr + <usize>child * NODE_BYTES;
    if (load<u32>(node, NODE_PARENT) != parent) continue;
    if (isLabelled(node, level)) return child;
  }
}

/**
 * Is the level the node's label? Bytes decide, those in the node when they are all.
 *
 * SAFETY: reads up to seven bytes past the level's end and ignores them; see splitTopic. The label in
 * the node is followed by zeros up to NODE_TEXT_BYTES, or by no more than what a node holds.
 */
@inline
function isLabelled(node: usize, level: u32): bool {
  const len = levelLen(level);
  if (load<u32>(node, NODE_LABEL + 4) != len) return false;
  const text = levelPtr(level);
  const label = node + NODE_TEXT;
  if (len - 1 < 8) {
    return load<u64>(label) == (load<u64>(text) & ((~(<u64>0)) >> ((8 - len) << 3)));
  }
  if (len <= <u32>NODE_TEXT_BYTES) return bytesEqual(label, len, text, len);
  return bytesEqual(textPtr + load<u32>(node, NODE_LABEL), len, text, len);
}

// --- the slow path ----------------------------------------------------------------------------

/** Renders templates one by one. `onlySlow`: leave out those that the trie has answered. */
function scan(list: usize, count: u32, onlySlow: bool): void {
  for (const end = list + (<usize>count << 2); list < end; list += 4) {
    const entry = entriesPtr + <usize>load<u32>(list) * ENTRY_BYTES;
    const rule = load<u32>(entry);
    if (rule >= best || !spend(1)) return;
    const first = load<u32>(entry, 8);
    const pieces = load<u32>(entry, 12);
    const isDeny = !(load<u32>(rulesPtr + <usize>rule * RULE_BYTES) & RULE_ALLOW);
    if (onlySlow && !isSlowTemplate(first, pieces, isDeny)) continue;
    if (!applies(rule, true)) continue;
    const top = mark();
    const isFit = render(first, pieces, isDeny) && isRenderedFit(rule);
    restore(top);
    if (!isFit) continue;
    best = rule;
    isBestRaised = false;
    return;
  }
}

@inline
function isRenderedFit(rule: u32): bool {
  if (!topicMatches(topic, topicLen, rendered, renderedLen)) return false;
  if (!isContaining || !(load<u32>(rulesPtr + <usize>rule * RULE_BYTES) & RULE_ALLOW)) return true;
  return filterContains(rendered, renderedLen, topic, topicLen);
}
