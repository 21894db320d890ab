/**
 * The rule set in use: where its sections start. Which sections there are and how their records
 * look: abi/rules.ts.
 *
 * INVARIANT: only verified blobs are selected, so nothing that reads them checks bounds again.
 */
import {
  RULES_HEADER_BYTES,
  SECTION_CHILD_SLOTS,
  SECTION_CONDITIONS,
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
} from "../abi/rules";

let selected: usize = 0;
export let flags: u32 = 0;
export let cachedRoots: u32 = 0;
/** Terminal (+1) of the rules for every topic. */
export let allTerminal: u32 = 0;
export let rulesPtr: usize = 0;
export let entriesPtr: usize = 0;
export let deniesPtr: usize = 0;
export let denyCount: u32 = 0;
export let templatesPtr: usize = 0;
export let templateCount: u32 = 0;
export let scansPtr: usize = 0;
export let scanCount: u32 = 0;
export let conditionsPtr: usize = 0;
export let rangesPtr: usize = 0;
export let piecesPtr: usize = 0;
export let nodesPtr: usize = 0;
export let nodeCount: u32 = 0;
export let edgesPtr: usize = 0;
export let childSlotsPtr: usize = 0;
export let childSlotMask: u32 = 0;
export let literalsPtr: usize = 0;
export let literalSlotsPtr: usize = 0;
export let literalSlotCount: u32 = 0;
export let terminalsPtr: usize = 0;
export let usesPtr: usize = 0;
export let keyVariablesPtr: usize = 0;
export let keysPtr: usize = 0;
export let keySlotsPtr: usize = 0;
export let keySlotMask: u32 = 0;
export let textPtr: usize = 0;
export let patternsPtr: usize = 0;
export let regexPtr: usize = 0;

/** The slot of a table where a hash is looked for first; `mask`: number of slots - 1, at least 1. */
@inline
export function firstSlot(hash: u32, mask: u32): u32 {
  return hash >> clz<u32>(mask);
}

@inline
export function sectionPtr(set: usize, section: u32): usize {
  return set + load<u32>(set + RULES_HEADER_BYTES + (<usize>section << 3));
}

@inline
export function sectionCount(set: usize, section: u32): u32 {
  return load<u32>(set + RULES_HEADER_BYTES + (<usize>section << 3), 4);
}

/** Makes `set` the rule set that the globals above speak of. */
@inline
export function selectRules(set: usize): void {
  if (set != selected) select(set);
}

function select(set: usize): void {
  selected = set;
  flags = load<u32>(set, 12);
  cachedRoots = load<u32>(set, 20);
  allTerminal = load<u32>(set, 24);
  rulesPtr = sectionPtr(set, SECTION_RULES);
  entriesPtr = sectionPtr(set, SECTION_ENTRIES);
  deniesPtr = sectionPtr(set, SECTION_DENIES);
  denyCount = sectionCount(set, SECTION_DENIES);
  templatesPtr = sectionPtr(set, SECTION_TEMPLATES);
  templateCount = sectionCount(set, SECTION_TEMPLATES);
  scansPtr = sectionPtr(set, SECTION_SCANS);
  scanCount = sectionCount(set, SECTION_SCANS);
  conditionsPtr = sectionPtr(set, SECTION_CONDITIONS);
  rangesPtr = sectionPtr(set, SECTION_RANGES);
  piecesPtr = sectionPtr(set, SECTION_PIECES);
  nodesPtr = sectionPtr(set, SECTION_NODES);
  nodeCount = sectionCount(set, SECTION_NODES);
  edgesPtr = sectionPtr(set, SECTION_EDGES);
  childSlotsPtr = sectionPtr(set, SECTION_CHILD_SLOTS);
  childSlotMask = sectionCount(set, SECTION_CHILD_SLOTS) - 1;
  literalsPtr = sectionPtr(set, SECTION_LITERALS);
  literalSlotsPtr = sectionPtr(set, SECTION_LITERAL_SLOTS);
  literalSlotCount = sectionCount(set, SECTION_LITERAL_SLOTS);
  terminalsPtr = sectionPtr(set, SECTION_TERMINALS);
  usesPtr = sectionPtr(set, SECTION_USES);
  keyVariablesPtr = sectionPtr(set, SECTION_KEY_VARIABLES);
  keysPtr = sectionPtr(set, SECTION_KEYS);
  keySlotsPtr = sectionPtr(set, SECTION_KEY_SLOTS);
  keySlotMask = sectionCount(set, SECTION_KEY_SLOTS) - 1;
  textPtr = sectionPtr(set, SECTION_TEXT);
  patternsPtr = sectionPtr(set, SECTION_PATTERNS);
  regexPtr = sectionPtr(set, SECTION_REGEX);
}

/** Forgets the selection: a blob at the same address may be another one from now on. */
export function deselectRules(): void {
  selected = 0;
}
