/**
 * Checks a rule-set blob once, so that decisions need not: every record's references lie inside
 * their sections, every chain of references ends. Any bytes give a status; nothing is written.
 *
 * What a hostile blob can still do is be slow in ways a compiler would not be (shared subtrees,
 * crowded hash tables); DECISION_STEPS_MAX and RUN_MAX bound that.
 */
import { RULE_NONE } from "../abi/decisions";
import { CACHED_ROOTS_MAX, CONDITION_HEIGHT_MAX } from "../abi/limits";
import {
  CONDITION_ADDRESS,
  CONDITION_AND,
  CONDITION_BYTES,
  CONDITION_EQUAL,
  CONDITION_OR,
  CONDITION_PATTERN,
  CONDITION_RAISE,
  EDGE_BYTES,
  ENTRY_BYTES,
  ENTRY_TOPIC_ALL,
  ENTRY_TOPIC_TEMPLATE,
  KEY_BYTES,
  LITERALS_MANY,
  LITERAL_BYTES,
  NODE_BYTES,
  NODE_EDGE_COUNT,
  NODE_EDGES,
  NODE_HASH_TERMINAL,
  NODE_LABEL,
  NODE_LITERALS,
  NODE_PARENT,
  NODE_PLUS,
  NODE_TERMINAL,
  PATTERN_BYTES,
  PIECE_BYTES,
  RANGE_BYTES,
  RULE_BYTES,
  RULES_HEADER_BYTES,
  RULES_MAGIC,
  RULES_VERSION,
  SECTION_CHILD_SLOTS,
  SECTION_CONDITIONS,
  SECTION_COUNT,
  SECTION_DENIES,
  SECTION_EDGES,
  SECTION_ENTRIES,
  SECTION_KEY_SLOTS,
  SECTION_KEY_VARIABLES,
  SECTION_KEYS,
  SECTION_LITERAL_SLOTS,
  SECTION_LITERALS,
  SECTION_NODES,
  SECTION_PATTERNS,
  SECTION_PIECES,
  SECTION_RANGES,
  SECTION_REGEX,
  SECTION_RULES,
  SECTION_SCANS,
  SECTION_TEMPLATES,
  SECTION_TERMINALS,
  SECTION_TEXT,
  SECTION_USES,
  SECTION_VALUE_SLOTS,
  SECTION_VALUES,
  SECTION_VARIABLES,
  SLOT_BYTES,
  TERMINAL_BYTES,
  TERMINAL_DIRECT,
  VALUE_TEXT_BYTES,
  VARIABLE_BYTES,
  VARIABLE_NONE,
  WHO_EQUAL,
  WHO_VALUE_MAX,
  WHO_VARIABLE_MAX,
  WHO_VARIABLE_SHIFT,
} from "../abi/rules";
import { ERR_REGEX_BLOB, ERR_RULES_BLOB, OK } from "../abi/status";
import { regexVerify } from "../regex/exec";
import { sectionCount, sectionPtr } from "./set";

/** Longest run of taken slots that a hash table may have; the compiler stays far below. */
const RUN_MAX: u32 = 4096;

let set: usize = 0;

/** OK, or the status of a blob that must not be used. Cost: one pass over the blob. */
export function verifyRules(ptr: usize, len: u32): i32 {
  set = ptr;
  if (ptr & 7 || len < <u32>(RULES_HEADER_BYTES + SECTION_COUNT * 8)) return ERR_RULES_BLOB;
  if (load<u32>(ptr) != RULES_MAGIC || load<u32>(ptr, 4) != RULES_VERSION) return ERR_RULES_BLOB;
  if (load<u32>(ptr, 8) != len) return ERR_RULES_BLOB;
  for (let i: u32 = 0; i < <u32>SECTION_COUNT; i++) {
    if (!isSectionInside(i, len)) return ERR_RULES_BLOB;
  }
  if (!areRulesSound() || !areEntriesSound() || !areTextsSound()) return ERR_RULES_BLOB;
  if (!isTrieSound() || !areTerminalsSound() || !areTablesSound()) return ERR_RULES_BLOB;
  return verifyConditions();
}

function isSectionInside(section: u32, len: u32): bool {
  const offset = <u32>(sectionPtr(set, section) - set);
  const first: u32 = RULES_HEADER_BYTES + SECTION_COUNT * 8;
  if (offset < first || offset > len || offset & 7) return false;
  return sectionCount(set, section) <= (len - offset) / recordBytes(section);
}

function recordBytes(section: u32): u32 {
  switch (section) {
    case SECTION_RULES:
      return RULE_BYTES;
    case SECTION_ENTRIES:
      return ENTRY_BYTES;
    case SECTION_CONDITIONS:
      return CONDITION_BYTES;
    case SECTION_RANGES:
      return RANGE_BYTES;
    case SECTION_VARIABLES:
      return VARIABLE_BYTES;
    case SECTION_PIECES:
      return PIECE_BYTES;
    case SECTION_NODES:
      return NODE_BYTES;
    case SECTION_EDGES:
      return EDGE_BYTES;
    case SECTION_LITERALS:
      return LITERAL_BYTES;
    case SECTION_PATTERNS:
    case SECTION_CHILD_SLOTS:
    case SECTION_LITERAL_SLOTS:
    case SECTION_KEY_SLOTS:
    case SECTION_VALUE_SLOTS:
      return SLOT_BYTES;
    case SECTION_VALUES:
      return VALUE_TEXT_BYTES;
    case SECTION_TERMINALS:
      return TERMINAL_BYTES;
    case SECTION_KEYS:
      return KEY_BYTES;
    case SECTION_TEXT:
    case SECTION_REGEX:
      return 1;
    default:
      return 4; // SECTION_DENIES, SECTION_TEMPLATES, SECTION_SCANS, SECTION_USES, SECTION_KEY_VARIABLES
  }
}

/** Does [first, first + count) lie inside the section? */
@inline
function isRange(section: u32, first: u32, count: u32): bool {
  const have = sectionCount(set, section);
  return first <= have && count <= have - first;
}

@inline
function isIndex(section: u32, index: u32): bool {
  return index < sectionCount(set, section);
}

/** A reference stored as index + 1, 0 for none. */
@inline
function isOptional(section: u32, plusOne: u32): bool {
  return plusOne <= sectionCount(set, section);
}

/** 0, a terminal + 1, or TERMINAL_DIRECT | rule. */
function isTerminalReference(reference: u32): bool {
  if (!(reference & TERMINAL_DIRECT)) return isOptional(SECTION_TERMINALS, reference);
  return isIndex(SECTION_RULES, reference ^ TERMINAL_DIRECT);
}

function areRulesSound(): bool {
  const roots = load<u32>(set, 16);
  const cached = load<u32>(set, 20);
  const count = sectionCount(set, SECTION_RULES);
  if (roots > sectionCount(set, SECTION_CONDITIONS)) return false;
  if (cached > roots || cached > <u32>CACHED_ROOTS_MAX) return false;
  if (!isOptional(SECTION_TERMINALS, load<u32>(set, 24))) return false;
  if (count >= <u32>RULE_NONE) return false;
  const rules = sectionPtr(set, SECTION_RULES);
  for (let i: u32 = 0; i < count; i++) {
    if (!isWhoSound(load<u32>(rules + <usize>i * RULE_BYTES, 4), roots)) return false;
  }
  return true;
}

/** See SECTION_RULES. */
function isWhoSound(who: u32, roots: u32): bool {
  if (!(who & WHO_EQUAL)) return who <= roots;
  return isEquality((who >> WHO_VARIABLE_SHIFT) & WHO_VARIABLE_MAX, who & WHO_VALUE_MAX);
}

@inline
function isEquality(variable: u32, value: u32): bool {
  return isIndex(SECTION_VARIABLES, variable) && value != 0 && isOptional(SECTION_VALUES, value);
}

function areEntriesSound(): bool {
  const entries = sectionPtr(set, SECTION_ENTRIES);
  let previous: u32 = 0;
  for (let i: u32 = 0, n = sectionCount(set, SECTION_ENTRIES); i < n; i++) {
    const at = entries + <usize>i * ENTRY_BYTES;
    const rule = load<u32>(at);
    const kind = load<u32>(at, 4);
    if (!isIndex(SECTION_RULES, rule) || rule < previous) return false;
    previous = rule;
    if (kind == ENTRY_TOPIC_ALL) continue;
    if (kind > <u32>ENTRY_TOPIC_TEMPLATE) return false;
    const section = kind == ENTRY_TOPIC_TEMPLATE ? SECTION_PIECES : SECTION_TEXT;
    if (!isRange(section, load<u32>(at, 8), load<u32>(at, 12))) return false;
  }
  return (
    isAscending(SECTION_DENIES, ENTRY_TOPIC_ALL) &&
    isAscending(SECTION_TEMPLATES, ENTRY_TOPIC_TEMPLATE) &&
    isAscending(SECTION_SCANS, ENTRY_TOPIC_TEMPLATE)
  );
}

/** Does the section hold ascending entry indexes, of entries of at least this kind? */
function isAscending(section: u32, kind: u32): bool {
  const list = sectionPtr(set, section);
  const entries = sectionPtr(set, SECTION_ENTRIES);
  let next: u32 = 0;
  for (let i: u32 = 0, n = sectionCount(set, section); i < n; i++) {
    const index = load<u32>(list + (<usize>i << 2));
    if (index < next || !isIndex(SECTION_ENTRIES, index)) return false;
    if (load<u32>(entries + <usize>index * ENTRY_BYTES, 4) < kind) return false;
    next = index + 1;
  }
  return true;
}

function areTextsSound(): bool {
  const variables = sectionPtr(set, SECTION_VARIABLES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_VARIABLES); i < n; i++) {
    const at = variables + <usize>i * VARIABLE_BYTES;
    if (load<u32>(at) > <u32>VARIABLE_NONE) return false;
    if (!isRange(SECTION_TEXT, load<u32>(at, 4), load<u32>(at, 8))) return false;
  }
  const pieces = sectionPtr(set, SECTION_PIECES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_PIECES); i < n; i++) {
    const at = pieces + <usize>i * PIECE_BYTES;
    if (!isOptional(SECTION_VARIABLES, load<u32>(at))) return false;
    if (!isRange(SECTION_TEXT, load<u32>(at, 4), load<u32>(at, 8))) return false;
  }
  const values = sectionPtr(set, SECTION_VALUES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_VALUES); i < n; i++) {
    const at = values + <usize>i * VALUE_TEXT_BYTES;
    if (!isRange(SECTION_TEXT, load<u32>(at), load<u32>(at, 4))) return false;
  }
  const literals = sectionPtr(set, SECTION_LITERALS);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_LITERALS); i < n; i++) {
    const at = literals + <usize>i * LITERAL_BYTES;
    if (!isRange(SECTION_TEXT, load<u32>(at), load<u32>(at, 4))) return false;
    if (!load<u32>(at, 8) || !isTerminalReference(load<u32>(at, 8))) return false;
  }
  return true;
}

function isTrieSound(): bool {
  const nodes = sectionPtr(set, SECTION_NODES);
  const edges = sectionPtr(set, SECTION_EDGES);
  const count = sectionCount(set, SECTION_NODES);
  // The nodes' ranges of edges must follow each other, or checking them could take forever.
  let nextEdge: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = nodes + <usize>i * NODE_BYTES;
    const plus = load<u32>(at, NODE_PLUS);
    if (plus && (plus <= i || plus >= count)) return false;
    if (!isTerminalReference(load<u32>(at, NODE_HASH_TERMINAL))) return false;
    if (!isTerminalReference(load<u32>(at, NODE_TERMINAL))) return false;
    const literal = load<u32>(at, NODE_LITERALS);
    if (literal && literal != <u32>LITERALS_MANY && (literal <= i || literal >= count)) return false;
    if (!isRange(SECTION_TEXT, load<u32>(at, NODE_LABEL), load<u32>(at, NODE_LABEL + 4))) return false;
    const first = load<u32>(at, NODE_EDGES);
    const edgeCount = load<u32>(at, NODE_EDGE_COUNT);
    if (!edgeCount) continue;
    if (first < nextEdge || !isRange(SECTION_EDGES, first, edgeCount)) return false;
    nextEdge = first + edgeCount;
    for (let e = first; e < nextEdge; e++) {
      const edge = edges + <usize>e * EDGE_BYTES;
      const child = load<u32>(edge, 8);
      if (child <= i || child >= count) return false;
      if (!isRange(SECTION_PIECES, load<u32>(edge), load<u32>(edge, 4))) return false;
    }
  }
  return true;
}

function areTerminalsSound(): bool {
  const terminals = sectionPtr(set, SECTION_TERMINALS);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_TERMINALS); i < n; i++) {
    const at = terminals + <usize>i * TERMINAL_BYTES;
    if (!isRange(SECTION_USES, load<u32>(at), load<u32>(at, 4))) return false;
    if (!isRange(SECTION_KEY_VARIABLES, load<u32>(at, 8), load<u32>(at, 12))) return false;
  }
  const uses = sectionPtr(set, SECTION_USES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_USES); i < n; i++) {
    if (!isIndex(SECTION_RULES, load<u32>(uses + (<usize>i << 2)))) return false;
  }
  const keyVariables = sectionPtr(set, SECTION_KEY_VARIABLES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_KEY_VARIABLES); i < n; i++) {
    if (!isIndex(SECTION_VARIABLES, load<u32>(keyVariables + (<usize>i << 2)))) return false;
  }
  const keys = sectionPtr(set, SECTION_KEYS);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_KEYS); i < n; i++) {
    const at = keys + <usize>i * KEY_BYTES;
    if (!isRange(SECTION_USES, load<u32>(at, 12), load<u32>(at, 16))) return false;
  }
  return true;
}

function areTablesSound(): bool {
  const nodeCount = sectionCount(set, SECTION_NODES);
  if (!isTableSound(SECTION_CHILD_SLOTS, nodeCount ? nodeCount - 1 : 0)) return false;
  if (!isTableSound(SECTION_LITERAL_SLOTS, sectionCount(set, SECTION_LITERALS))) return false;
  if (!isTableSound(SECTION_KEY_SLOTS, sectionCount(set, SECTION_KEYS))) return false;
  if (!isTableSound(SECTION_VALUE_SLOTS, sectionCount(set, SECTION_VALUES))) return false;
  const slots = sectionPtr(set, SECTION_CHILD_SLOTS);
  const nodes = sectionPtr(set, SECTION_NODES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_CHILD_SLOTS); i < n; i++) {
    const child = load<u32>(slots + (<usize>i << 3), 4);
    if (child && load<u32>(nodes + <usize>child * NODE_BYTES, NODE_PARENT) >= child) return false;
  }
  return true;
}

/** A power of two of slots from 2 on, values up to `most`, and no long run without an empty slot. */
function isTableSound(section: u32, most: u32): bool {
  const count = sectionCount(set, section);
  if (count < 2 || count & (count - 1)) return false;
  const slots = sectionPtr(set, section);
  let run: u32 = 0;
  let empty: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = load<u32>(slots + (<usize>i << 3), 4);
    if (value > most) return false;
    if (value) {
      if (++run > RUN_MAX) return false;
    } else {
      run = 0;
      empty++;
    }
  }
  // A run may go on over the end: at most twice RUN_MAX then.
  return empty > 0;
}

/** Conditions form a forest: roots first, then each parent's children, in the parents' order. */
function verifyConditions(): i32 {
  const conditions = sectionPtr(set, SECTION_CONDITIONS);
  const count = sectionCount(set, SECTION_CONDITIONS);
  let next = load<u32>(set, 16);
  for (let i: u32 = 0; i < count; i++) {
    const at = conditions + <usize>i * CONDITION_BYTES;
    const a = load<u32>(at, 4);
    const b = load<u32>(at, 8);
    const c = load<u32>(at, 12);
    switch (load<u32>(at)) {
      case CONDITION_EQUAL:
        if (!isEquality(a, b)) return ERR_RULES_BLOB;
        break;
      case CONDITION_PATTERN:
        if (!isIndex(SECTION_VARIABLES, a) || !isIndex(SECTION_PATTERNS, b)) return ERR_RULES_BLOB;
        break;
      case CONDITION_ADDRESS:
        if (!isRange(SECTION_RANGES, a, b)) return ERR_RULES_BLOB;
        break;
      case CONDITION_AND:
      case CONDITION_OR:
        if (a != next || a <= i || b > count - a) return ERR_RULES_BLOB;
        if (!c || c > <u32>CONDITION_HEIGHT_MAX) return ERR_RULES_BLOB;
        for (let child = a; child < a + b; child++) {
          if (heightOf(conditions + <usize>child * CONDITION_BYTES) >= c) return ERR_RULES_BLOB;
        }
        next = a + b;
        break;
      case CONDITION_RAISE:
        break;
      default:
        return ERR_RULES_BLOB;
    }
  }
  if (next != count || !areRangesSound()) return ERR_RULES_BLOB;
  return verifyPatterns();
}

@inline
function heightOf(condition: usize): u32 {
  const kind = load<u32>(condition);
  return kind == CONDITION_AND || kind == CONDITION_OR ? load<u32>(condition, 12) : 0;
}

function areRangesSound(): bool {
  const ranges = sectionPtr(set, SECTION_RANGES);
  for (let i: u32 = 0, n = sectionCount(set, SECTION_RANGES); i < n; i++) {
    const at = ranges + <usize>i * RANGE_BYTES;
    const bytes = load<u32>(at);
    if (bytes != 4 && bytes != 16) return false;
    if (load<u32>(at, 4) > bytes << 3) return false;
  }
  return true;
}

/** Programs must follow each other, or checking them could take forever. */
function verifyPatterns(): i32 {
  const patterns = sectionPtr(set, SECTION_PATTERNS);
  const regex = sectionPtr(set, SECTION_REGEX);
  let next: u32 = 0;
  for (let i: u32 = 0, n = sectionCount(set, SECTION_PATTERNS); i < n; i++) {
    const offset = load<u32>(patterns + <usize>i * PATTERN_BYTES);
    const len = load<u32>(patterns + <usize>i * PATTERN_BYTES, 4);
    if (offset < next || offset & 7 || !isRange(SECTION_REGEX, offset, len)) return ERR_RULES_BLOB;
    if (regexVerify(regex + offset, len) != OK) return ERR_REGEX_BLOB;
    next = offset + len;
  }
  return OK;
}
