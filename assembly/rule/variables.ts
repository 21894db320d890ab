/**
 * A rule set's variables, with the values that a client has for them.
 *
 * Each is text pointer · length · VALUE_… bits · number of the text among the rule set's values, or 0:
 * the text is looked up once, so that a decision compares numbers. Behind them lies a cache with two bits
 * for each of the rule set's cached conditions (see who.ts).
 */
import {
  SWITCH_ABSENT_NEVER_MATCHES,
  SWITCH_SAFE_PLACEHOLDERS,
  SWITCH_SEPARATOR_IN_PLACEHOLDER,
} from "../abi/image";
import {
  ENTRY_BYTES,
  PIECE_BYTES,
  RULE_ALLOW,
  RULE_BYTES,
  SECTION_ENTRIES,
  SECTION_PIECES,
  SECTION_RULES,
  SECTION_TEMPLATES,
  SECTION_TEXT,
  SECTION_VALUE_SLOTS,
  SECTION_VALUES,
  SECTION_VARIABLES,
  VALUE_TEXT_BYTES,
  VARIABLE_ATTR,
  VARIABLE_BYTES,
  VARIABLE_LISTENER,
} from "../abi/rules";
import { bytesEqual } from "../bytes";
import { utf8Valid } from "../encoding/utf8";
import { switches } from "../image";
import { hashLevel } from "../topic/levels";
import { FIELD_TEXT, FIELD_UNDEFINED, fieldOf, findAttribute } from "./record";
import { firstSlot, sectionCount, sectionPtr } from "./set";

export const RESOLVED_BYTES: u32 = 16;
/** The client has the value: conditions may compare it. */
export const VALUE_TEXT: u32 = 1;
/** Templates may insert it, and it stays inside one level. */
export const VALUE_LEVEL: u32 = 2;
/** Templates may insert it, but it can reshape the filter: only a scan answers. */
export const VALUE_SLOW: u32 = 4;
/** Deny rules insert it as it is; allow rules match nothing where it may not be inserted. */
export const VALUE_RAW: u32 = 8;

/** What an absent username or certificate name reads as in `emqx` mode. */
const UNDEFINED_WORD = memory.data<u8>([0x75, 0x6e, 0x64, 0x65, 0x66, 0x69, 0x6e, 0x65, 0x64]);

/** The number of a resolved variable's text, or 0. */
@inline
export function valueOf(variable: usize): u32 {
  return load<u32>(variable, 12);
}

/** Bytes of variables and cache that a client keeps for a rule set. */
export function resolvedBytes(set: usize): u32 {
  return variableBytes(set) + ((load<u32>(set, 20) + 3) >> 2);
}

@inline
export function variableBytes(set: usize): u32 {
  return sectionCount(set, SECTION_VARIABLES) * RESOLVED_BYTES;
}

/** Fills the variables of a rule set; true when one of them needs the slow path. */
export function resolve(record: usize, set: usize, variables: usize): bool {
  const texts = sectionPtr(set, SECTION_TEXT);
  const resolved = variables;
  let variable = sectionPtr(set, SECTION_VARIABLES);
  let bits: u32 = 0;
  for (let i: u32 = 0, n = sectionCount(set, SECTION_VARIABLES); i < n; i++) {
    const kind = load<u32>(variable);
    if (kind <= <u32>VARIABLE_LISTENER) {
      const field = fieldOf(record, kind);
      const state = load<u32>(field);
      if (state == FIELD_TEXT) resolveText(set, variables, load<u32>(field, 4), load<u32>(field, 8));
      else if (state == FIELD_UNDEFINED) resolveUndefined(variables);
    } else if (kind == VARIABLE_ATTR) {
      const name = texts + load<u32>(variable, 4);
      const attribute = findAttribute(record, name, load<u32>(variable, 8));
      if (attribute) resolveText(set, variables, load<u32>(attribute, 8), load<u32>(attribute, 12));
    }
    bits |= load<u32>(variables, 8);
    variable += VARIABLE_BYTES;
    variables += RESOLVED_BYTES;
  }
  if (bits & VALUE_SLOW) return true;
  return (bits & VALUE_RAW) != 0 && deniesRawValue(set, resolved);
}

/**
 * Does a deny rule's template insert one of the raw values? Asked once, so that a client without a
 * username, say, has slow decisions only where a deny rule speaks of usernames.
 */
function deniesRawValue(set: usize, resolved: usize): bool {
  const entries = sectionPtr(set, SECTION_ENTRIES);
  const rules = sectionPtr(set, SECTION_RULES);
  const pieces = sectionPtr(set, SECTION_PIECES);
  let template = sectionPtr(set, SECTION_TEMPLATES);
  for (let n = sectionCount(set, SECTION_TEMPLATES); n > 0; n--, template += 4) {
    const entry = entries + <usize>load<u32>(template) * ENTRY_BYTES;
    if (load<u32>(rules + <usize>load<u32>(entry) * RULE_BYTES) & RULE_ALLOW) continue;
    let piece = pieces + <usize>load<u32>(entry, 8) * PIECE_BYTES;
    for (let i = load<u32>(entry, 12); i > 0; i--, piece += PIECE_BYTES) {
      const number = load<u32>(piece);
      if (!number) continue;
      if (load<u32>(resolved + <usize>(number - 1) * RESOLVED_BYTES, 8) & VALUE_RAW) return true;
    }
  }
  return false;
}

function resolveText(set: usize, at: usize, text: usize, len: u32): void {
  store<u32>(at, <u32>text);
  store<u32>(at, len, 4);
  store<u32>(at, VALUE_TEXT | insertionOf(text, len), 8);
  store<u32>(at, findValue(set, text, len), 12);
}

/** The number of the text among the values of the rule set, or 0. Bytes confirm. */
function findValue(set: usize, text: usize, len: u32): u32 {
  const values = sectionPtr(set, SECTION_VALUES);
  const texts = sectionPtr(set, SECTION_TEXT);
  const slots = sectionPtr(set, SECTION_VALUE_SLOTS);
  const mask = sectionCount(set, SECTION_VALUE_SLOTS) - 1;
  const hash = hashLevel(text, len);
  let slot = firstSlot(hash, mask);
  while (true) {
    const at = slots + (<usize>slot << 3);
    slot = (slot + 1) & mask;
    const value = load<u32>(at, 4);
    if (!value) return 0;
    if (load<u32>(at) != hash) continue;
    const span = values + <usize>(value - 1) * VALUE_TEXT_BYTES;
    if (bytesEqual(texts + load<u32>(span), load<u32>(span, 4), text, len)) return value;
  }
}

function resolveUndefined(at: usize): void {
  store<u32>(at, <u32>UNDEFINED_WORD);
  store<u32>(at, 9, 4);
  store<u32>(at, switches & SWITCH_ABSENT_NEVER_MATCHES ? VALUE_RAW : VALUE_LEVEL, 8);
}

/**
 * May templates insert this value, and how? What allow rules may not insert, deny rules insert as it
 * is: a refusal that a client could escape by its choice of name would be none.
 *
 * Source: authorization §3.4, §3.5, §9 items 5 and 6.
 */
function insertionOf(text: usize, len: u32): u32 {
  if (!len) return switches & SWITCH_ABSENT_NEVER_MATCHES ? VALUE_RAW : VALUE_LEVEL;
  const isValid = utf8Valid(text, len);
  let hasSeparator = false;
  let hasWildcard = false;
  let hasControl = false;
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(text + i);
    if (byte == 0x2f) hasSeparator = true;
    else if (byte == 0x2b || byte == 0x23) hasWildcard = true;
    else if (byte < 0x20 || byte == 0x7f) hasControl = true;
    // U+0080 to U+009F, in valid UTF-8.
    else if (byte == 0xc2 && i + 1 < len && load<u8>(text + i + 1) < 0xa0) hasControl = true;
  }
  if (!(switches & SWITCH_SAFE_PLACEHOLDERS)) {
    return hasSeparator || hasWildcard || !isValid ? VALUE_SLOW : VALUE_LEVEL;
  }
  if (hasWildcard || hasControl || !isValid) return VALUE_RAW;
  // At the start of a topic only deny rules may insert a `$`.
  const raw: u32 = load<u8>(text) == 0x24 ? VALUE_RAW : 0;
  if (!hasSeparator) return VALUE_LEVEL | raw;
  return switches & SWITCH_SEPARATOR_IN_PLACEHOLDER ? VALUE_SLOW | raw : VALUE_RAW;
}
