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
import { inputBase, mark, restore } from "../arena";
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
import {
  allTerminal,
  childSlotMask,
  childSlotsPtr,
  edgesPtr,
  entriesPtr,
  firstSlot,
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
import { valueOf } from "./variables";
import { isWho, spendOne, variableAt, WHO_NO, WHO_RAISED, WHO_UNKNOWN } from "./who";

const DOLLAR: u32 = 0x24;
const HASH: u32 = 0x23;
/** No rule has this number, and neither is it RULE_NONE. */
const NO_RULE: u32 = 0xffffffff;

/** The lowest rule found; RULE_NONE while there is none. */
export let best: u32 = RULE_NONE;
/** The rule whose condition raised; no rule at all while none has. */
let raised: u32 = NO_RULE;

let topicLen: u32 = 0;
let action: u32 = 0;
/** Is a filter asked about that allow rules must contain? */
let isContaining: bool = false;
/** Are only allow rules looked for, those that admit every topic of the filter? */
let isCovering: bool = false;
/**
 * Nodes above this level contain what is asked about as far as it goes. All do, unless a requested `#`
 * ends it: that is contained by `#` alone, which is visited one level higher.
 */
let containedLevels: u32 = 0;

/** Did the condition of the best rule raise? */
@inline
export function isBestRaised(): bool {
  return best == raised;
}

/** The same as searchInline, for where it does not pay to have a copy of that. */
export function search(
  len: u32,
  request: u32,
  containing: bool,
  covering: bool,
  hasSlow: bool,
): void {
  searchInline(len, request, containing, covering, hasSlow);
}

/**
 * Looks for the lowest rule that fits the topic or filter in the input buffer, which splitTopic has
 * split; the answer is in `best` and `isBestRaised`. Rule set and client are selected. `hasSlow`: has
 * the client values that need the slow path in this rule set?
 */
@inline
export function searchInline(
  len: u32,
  request: u32,
  containing: bool,
  covering: bool,
  hasSlow: bool,
): void {
  topicLen = len;
  action = request;
  isContaining = containing;
  isCovering = covering;
  best = RULE_NONE;
  raised = NO_RULE;
  const isHidden = len > 0 && load<u8>(inputBase) == DOLLAR;
  const endsInHash = containing && isHashLevel(levelCount - 1);
  containedLevels = endsInHash ? levelCount : levelCount + 1;
  if (allTerminal) visitAll(allTerminal - 1);
  // Texts with wildcards in that table are `eq` entries: they admit the filter, not its topics.
  if (literalSlotCount > 1 && !(covering && hasWildcard(inputBase, len))) visitLiteral();
  if (nodeCount) {
    // `+/#` and `#` both mean every topic outside `$`.
    if (endsInHash && levelCount == 1) visitPlusHash();
    if (isHidden) walkHidden();
    else walk(0, 0);
  }
  if (scanCount) scan(scansPtr, scanCount, false);
  if (hasSlow) scan(templatesPtr, templateCount, true);
}

@inline
function isHashLevel(level: u32): bool {
  return levelLen(level) == 1 && load<u8>(levelPtr(level)) == HASH;
}

// --- what a rule says -------------------------------------------------------------------------

/** Does the rule fit action and client, and is its permission of interest here? */
function applies(rule: u32, isContained: bool): bool {
  if (!spendOne()) return false;
  const at = rulesPtr + <usize>rule * RULE_BYTES;
  const bits = load<u32>(at);
  if (!(bits & action)) return false;
  const isAllow = (bits & RULE_ALLOW) != 0;
  if (isContaining && (isAllow ? !isContained : isCovering)) return false;
  const who = load<u32>(at, 4);
  if (!who) return true;
  const answer = isWho(who);
  // A raise stops the search wherever it stands; visitAll has noted it.
  if (answer == WHO_NO || answer == WHO_RAISED) return false;
  return answer == WHO_UNKNOWN ? !isAllow : true;
}

/** `reference`: see NODE_HASH_TERMINAL in abi/rules.ts; not 0. */
@inline
function visit(reference: u32, isContained: bool): void {
  if (!(reference & TERMINAL_DIRECT)) {
    visitTerminal(reference - 1, isContained);
    return;
  }
  const rule = reference ^ TERMINAL_DIRECT;
  if (rule < best && applies(rule, isContained)) best = rule;
}

function visitTerminal(terminal: u32, isContained: bool): void {
  const at = terminalsPtr + <usize>terminal * TERMINAL_BYTES;
  visitUses(load<u32>(at), load<u32>(at, 4), isContained);
  const keyVariables = load<u32>(at, 12);
  if (!keyVariables) return;
  let key = keyVariablesPtr + (<usize>load<u32>(at, 8) << 2);
  for (const end = key + (<usize>keyVariables << 2); key < end; key += 4) {
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
      return;
    }
  }
}

/** The rules of a terminal that ask this variable to equal the client's value. */
function visitKey(terminal: u32, variable: u32, isContained: bool): void {
  const value = variableAt(variable);
  const number = valueOf(value);
  if (!number || !spendOne()) return;
  const hash = mixHash(childHash(terminal, variable), number);
  for (let slot = firstSlot(hash, keySlotMask); ; slot = (slot + 1) & keySlotMask) {
    const at = keySlotsPtr + (<usize>slot << 3);
    const key = load<u32>(at, 4);
    if (!key) return;
    if (load<u32>(at) != hash) continue;
    const record = keysPtr + <usize>(key - 1) * KEY_BYTES;
    if (load<u32>(record) != terminal || load<u32>(record, 4) != variable) continue;
    if (load<u32>(record, 8) != number) continue;
    visitUses(load<u32>(record, 12), load<u32>(record, 16), isContained);
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
      raised = rule;
      break;
    }
    if (bits & RULE_ALL_TOPICS && applies(rule, true)) {
      best = rule;
      break;
    }
    if (!spendOne()) break;
  }
  let key = keyVariablesPtr + (<usize>load<u32>(at, 8) << 2);
  for (let i: u32 = load<u32>(at, 12); i > 0; i--, key += 4) {
    visitKey(terminal, load<u32>(key), true);
  }
}

function isRaised(who: u32): bool {
  return who != 0 && isWho(who) == WHO_RAISED;
}

// --- where topics lead ------------------------------------------------------------------------

function visitLiteral(): void {
  const mask = literalSlotCount - 1;
  for (let slot = firstSlot(topicHash, mask); ; slot = (slot + 1) & mask) {
    const at = literalSlotsPtr + (<usize>slot << 3);
    const literal = load<u32>(at, 4);
    if (!literal) return;
    if (load<u32>(at) != topicHash) continue;
    const record = literalsPtr + <usize>(literal - 1) * LITERAL_BYTES;
    const text = textPtr + load<u32>(record);
    if (!bytesEqual(text, load<u32>(record, 4), inputBase, topicLen)) continue;
    visit(load<u32>(record, 8), true);
    return;
  }
}

/**
 * Goes down from a node. Of the ways down that a level has, the last is followed in the loop and the
 * others by recursion, which the topic's levels bound.
 */
function walk(index: u32, level: u32): void {
  while (true) {
    const node = nodesPtr + <usize>index * NODE_BYTES;
    if (load<u32>(node, NODE_RULE) >= best || !(load<u32>(node, NODE_ACTIONS) & action)) return;
    if (!spendOne()) return;
    const hashTerminal = load<u32>(node, NODE_HASH_TERMINAL);
    if (hashTerminal) visit(hashTerminal, level < containedLevels);
    if (level == levelCount) {
      const terminal = load<u32>(node, NODE_TERMINAL);
      if (terminal) visit(terminal, level < containedLevels);
      return;
    }
    let next = literalChild(index, node, level);
    const plus = load<u32>(node, NODE_PLUS);
    if (plus) {
      if (next) walk(next, level + 1);
      next = plus;
    }
    const edges = load<u32>(node, NODE_EDGE_COUNT);
    if (edges) next = walkEdges(node, edges, level, next);
    if (!next) return;
    index = next;
    level++;
  }
}

/** From the root with a topic that starts with `$`, which a leading wildcard does not match. */
function walkHidden(): void {
  if (load<u32>(nodesPtr, NODE_RULE) >= best || !spendOne()) return;
  let next = literalChild(0, nodesPtr, 0);
  const edges = load<u32>(nodesPtr, NODE_EDGE_COUNT);
  if (edges) next = walkEdges(nodesPtr, edges, 0, next);
  if (next) walk(next, 1);
}

/** Follows `next` and the template edges that fit, all but the last: that one is the answer, or 0. */
function walkEdges(node: usize, edges: u32, level: u32, next: u32): u32 {
  let edge = edgesPtr + <usize>load<u32>(node, NODE_EDGES) * EDGE_BYTES;
  const text = levelPtr(level);
  const len = levelLen(level);
  for (const end = edge + <usize>edges * EDGE_BYTES; edge < end; edge += EDGE_BYTES) {
    const child = load<u32>(edge, 8);
    if (load<u32>(nodesPtr + <usize>child * NODE_BYTES, NODE_RULE) >= best || !spendOne()) continue;
    if (!levelMatches(load<u32>(edge), load<u32>(edge, 4), text, len, !level)) continue;
    if (next) walk(next, level + 1);
    next = child;
  }
  return next;
}

/** The rules of `+/#`. */
function visitPlusHash(): void {
  const plus = load<u32>(nodesPtr, NODE_PLUS);
  if (!plus) return;
  const terminal = load<u32>(nodesPtr + <usize>plus * NODE_BYTES, NODE_HASH_TERMINAL);
  if (terminal) visit(terminal, true);
}

/** Agrees with `childHash` in src/compile/rule/hash.ts. */
@inline
function childHash(parent: u32, levelHash: u32): u32 {
  return (parent * 0x9e3779b1) ^ levelHash;
}

/** The child of a node for a literal level, or 0. */
@inline
function literalChild(parent: u32, node: usize, level: u32): u32 {
  const only = load<u32>(node, NODE_LITERALS);
  if (!only) return 0;
  if (only == LITERALS_MANY) return findChild(parent, level);
  return isLabelled(nodesPtr + <usize>only * NODE_BYTES, level) ? only : 0;
}

@inline
function findChild(parent: u32, level: u32): u32 {
  const hash = childHash(parent, levelHash(level));
  let slot = firstSlot(hash, childSlotMask);
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
  if (len - 9 < 8) {
    // The last eight overlap the first.
    const rest = len - 8;
    return load<u64>(label) == load<u64>(text) && load<u64>(label + rest) == load<u64>(text + rest);
  }
  return isLongLabel(node, text, len);
}

function isLongLabel(node: usize, text: usize, len: u32): bool {
  const isInside = len <= <u32>NODE_TEXT_BYTES;
  const label = isInside ? node + NODE_TEXT : textPtr + load<u32>(node, NODE_LABEL);
  return bytesEqual(label, len, text, len);
}

// --- the slow path ----------------------------------------------------------------------------

/** Renders templates one by one. `onlySlow`: leave out those that the trie has answered. */
function scan(list: usize, count: u32, onlySlow: bool): void {
  for (const end = list + (<usize>count << 2); list < end; list += 4) {
    const entry = entriesPtr + <usize>load<u32>(list) * ENTRY_BYTES;
    const rule = load<u32>(entry);
    if (rule >= best || !spendOne()) return;
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
    return;
  }
}

@inline
function isRenderedFit(rule: u32): bool {
  if (!topicMatches(inputBase, topicLen, rendered, renderedLen)) return false;
  if (!isContaining || !(load<u32>(rulesPtr + <usize>rule * RULE_BYTES) & RULE_ALLOW)) return true;
  return filterContains(rendered, renderedLen, inputBase, topicLen);
}
