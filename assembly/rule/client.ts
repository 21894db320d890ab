/**
 * Client records: what decisions need of a client, copied once when it connects.
 *
 *   0       4        8       12     16        20      24           28          32
 *   | magic | serial | bytes | peer | peerLen | attrs | attr count | variables | cache | …
 *   36          40           44              48          52          56
 *   | token set | token bytes | token variables | token cache | has slow values |
 *   56                    116   120
 *   | fields, 5 × 12 bytes |  0  | attributes (16 each) | variables (16 each) | cache | texts | slack |
 *
 * A field is state · text pointer · length; an attribute two texts; a variable, one for each of
 * the rule set's variables, is text pointer · length · VALUE_… bits · hash of the text. The cache
 * has two bits for each of the rule set's cached conditions. A token's own rule set lies in a
 * second block with its variables and cache: | blob | variables | cache |.
 *
 * A handle is (record - inputBase) / 64 in its low 24 bits and the low 7 bits of the serial above:
 * what was closed is refused, and with one exception in 128 even after its block got a new client.
 */
import {
  ATTR_BYTES_MAX,
  ATTRS_MAX,
  CLIENT_SLOTS,
  ENTRY_BYTES,
  ENTRY_RULES,
  ERR_HANDLE,
  ERR_INPUT,
  ERR_MEMORY,
  ERR_RULES_BLOB,
  INPUT_BYTES_MAX,
  OK,
  PIECE_BYTES,
  REQUEST_HEADER_BYTES,
  REQUEST_WRITTEN,
  RULE_ALLOW,
  RULE_BYTES,
  SECTION_ENTRIES,
  SECTION_PIECES,
  SECTION_RULES,
  SECTION_TEMPLATES,
  SECTION_TEXT,
  SECTION_VARIABLES,
  SLOT_CERT_COMMON_NAME,
  SLOT_CLIENT_ATTRS,
  SLOT_CLIENTID,
  SLOT_LISTENER,
  SLOT_PEERHOST,
  SLOT_USERNAME,
  SLOT_ZONE,
  SWITCH_ABSENT_NEVER_MATCHES,
  SWITCH_SAFE_PLACEHOLDERS,
  SWITCH_SEPARATOR_IN_PLACEHOLDER,
  TAG_ATOM,
  TAG_BYTES,
  TAG_MAP,
  TAG_OPAQUE,
  TAG_UNDEFINED,
  TOKEN_RULES_MAX,
  VALUE_BYTES,
  VARIABLE_ATTR,
  VARIABLE_BYTES,
  VARIABLE_LISTENER,
} from "../abi";
import { align8, inputBase, isRecord, recordAlloc, recordFree } from "../arena";
import { bytesEqual } from "../bytes";
import { blobBytes, blobOf, entryAt, imageEntries, switches } from "../image";
import { hashLevel } from "../topic/levels";
import { utf8Valid } from "../encoding/utf8";
import { deselectRules, sectionCount, sectionPtr } from "./set";
import { verifyRules } from "./verify";

/** Odd, so that it can never be a free block's link to the next one. */
const MAGIC: u32 = 0x4e4c4351;
const HEADER_BYTES: u32 = 120;
const FIELDS: usize = 56;
const FIELD_BYTES: usize = 12;
const FIELD_COUNT: u32 = 5;
const ATTRIBUTE_BYTES: u32 = 16;
/** Behind the texts, for hashLevel. */
const SLACK_BYTES: u32 = 8;
const HANDLE_UNITS: u32 = 1 << 24;

const FIELD_UNDEFINED: u32 = 1;
const FIELD_TEXT: u32 = 2;

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

/** The image's rule set, or 0. */
export let imageRules: usize = 0;
let serial: u32 = 0;

/** Forgets the image's rule set, which is about to be overwritten. */
export function closeRules(): void {
  imageRules = 0;
  deselectRules();
}

/** Checks and takes the image's rule set. More than one is refused: sources have one file each. */
export function openRules(): i32 {
  closeRules();
  let found: usize = 0;
  for (let i: u32 = 0, n = imageEntries(); i < n; i++) {
    const entry = entryAt(i);
    if (load<u32>(entry) != ENTRY_RULES) continue;
    if (found) return ERR_RULES_BLOB;
    const status = verifyRules(blobOf(entry), blobBytes(entry));
    if (status != OK) return status;
    found = blobOf(entry);
  }
  imageRules = found;
  return OK;
}

/** Opens a record for the request in the input buffer: a handle, or a negative status. */
export function openClient(): i32 {
  const bytes = recordBytes();
  if (!bytes) return ERR_INPUT;
  const record = recordAlloc(bytes);
  if (!record) return ERR_MEMORY;
  const unit = <u32>((record - inputBase) >> 6);
  if (unit >= HANDLE_UNITS) {
    recordFree(record, bytes);
    return ERR_MEMORY;
  }
  serial++;
  store<u32>(record, MAGIC);
  store<u32>(record, serial, 4);
  store<u32>(record, bytes, 8);
  fill(record);
  return <i32>(unit | ((serial & 127) << 24));
}

/** The record of a handle, or 0. */
export function recordOf(handle: i32): usize {
  const record = inputBase + (<usize>(handle & (HANDLE_UNITS - 1)) << 6);
  if (handle < 0 || !isRecord(record) || load<u32>(record) != MAGIC) return 0;
  return (load<u32>(record, 4) & 127) == <u32>handle >> 24 ? record : 0;
}

/** Gives the client the rule set in the input buffer as its own; none when `bytes` is 0. */
export function setTokenRules(handle: i32, bytes: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  if (!bytes) {
    dropTokenRules(record);
    return OK;
  }
  if (bytes > <u32>INPUT_BYTES_MAX) return ERR_INPUT;
  // Foreign bytes are checked where they will stay. The block's size depends on the blob's own
  // counts, so they are checked in the input buffer first.
  let status = verifyRules(inputBase, bytes);
  if (status != OK) return status;
  if (sectionCount(inputBase, SECTION_RULES) > <u32>TOKEN_RULES_MAX) return ERR_RULES_BLOB;
  const variables = <u32>align8(bytes);
  const size = variables + resolvedBytes(inputBase);
  const block = recordAlloc(size);
  if (!block) return ERR_MEMORY;
  memory.copy(block, inputBase, bytes);
  dropTokenRules(record);
  store<u32>(record, <u32>block, 36);
  store<u32>(record, size, 40);
  store<u32>(record, <u32>(block + variables), 44);
  store<u32>(record, <u32>(block + variables) + variableBytes(block), 48);
  if (resolve(record, block, block + variables)) store<u32>(record, load<u32>(record, 52) | 2, 52);
  return OK;
}

export function closeClient(handle: i32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  dropTokenRules(record);
  const bytes = load<u32>(record, 8);
  // The free list's link takes the place of the magic.
  recordFree(record, bytes);
  return OK;
}

function dropTokenRules(record: usize): void {
  const block: usize = load<u32>(record, 36);
  if (!block) return;
  recordFree(block, load<u32>(record, 40));
  store<u32>(record, 0, 36);
  store<u32>(record, load<u32>(record, 52) & ~2, 52);
  deselectRules();
}

/** Bytes of variables and cache that a client keeps for a rule set. */
function resolvedBytes(set: usize): u32 {
  return variableBytes(set) + ((load<u32>(set, 20) + 3) >> 2);
}

@inline
function variableBytes(set: usize): u32 {
  return sectionCount(set, SECTION_VARIABLES) * RESOLVED_BYTES;
}

// --- reading the request ----------------------------------------------------------------------

@inline
function slotOf(field: u32): u32 {
  // In the order of VARIABLE_CLIENTID … VARIABLE_LISTENER.
  if (field == 0) return SLOT_CLIENTID;
  if (field == 1) return SLOT_USERNAME;
  if (field == 2) return SLOT_CERT_COMMON_NAME;
  return field == 3 ? SLOT_ZONE : SLOT_LISTENER;
}

@inline
function valueAt(slot: u32): usize {
  return inputBase + <usize>slot * VALUE_BYTES;
}

@inline
function isText(value: usize): bool {
  const tag = load<u32>(value);
  return tag == TAG_BYTES || tag == TAG_ATOM;
}

/** Do `bytes` at `at` lie in the input buffer, behind the slots? */
@inline
function isInput(at: u32, bytes: u64): bool {
  const first = <u64>inputBase + REQUEST_HEADER_BYTES;
  const end = <u64>inputBase + INPUT_BYTES_MAX;
  return <u64>at >= first && <u64>at + bytes <= end;
}

/** Checks the request and sums up what its record takes; 0 when the request is malformed. */
function recordBytes(): u32 {
  if ((load<u32>(inputBase, REQUEST_WRITTEN) & CLIENT_SLOTS) != CLIENT_SLOTS) return 0;
  let texts: u32 = 0;
  for (let field: u32 = 0; field < FIELD_COUNT; field++) {
    const value = valueAt(slotOf(field));
    if (!isText(value)) continue;
    const len = load<u32>(value, 4);
    if (!isInput(load<u32>(value, 8), len)) return 0;
    texts += len;
  }
  const peer = valueAt(SLOT_PEERHOST);
  if (load<u32>(peer) == TAG_OPAQUE) {
    const len = load<u32>(peer, 4);
    if ((len != 4 && len != 16) || !isInput(load<u32>(peer, 8), len)) return 0;
    texts += len;
  }
  let attributes: u32 = 0;
  const map = valueAt(SLOT_CLIENT_ATTRS);
  if (load<u32>(map) == TAG_MAP) {
    attributes = load<u32>(map, 4);
    if (attributes > <u32>ATTRS_MAX) return 0;
    if (!isInput(load<u32>(map, 8), <u64>attributes * (2 * VALUE_BYTES))) return 0;
    let pair: usize = load<u32>(map, 8);
    for (let i: u32 = 0; i < attributes; i++, pair += 2 * VALUE_BYTES) {
      const value = pair + VALUE_BYTES;
      if (!isText(pair) || !isText(value)) continue;
      if (!isInput(load<u32>(pair, 8), load<u32>(pair, 4))) return 0;
      if (!isInput(load<u32>(value, 8), load<u32>(value, 4))) return 0;
      if (load<u32>(value, 4) > <u32>ATTR_BYTES_MAX) return 0;
      texts += load<u32>(pair, 4) + load<u32>(value, 4);
    }
  }
  const resolved = imageRules ? (resolvedBytes(imageRules) + 3) & ~3 : 0;
  return HEADER_BYTES + attributes * ATTRIBUTE_BYTES + resolved + texts + SLACK_BYTES;
}

/** Copies the checked request into a zeroed record and resolves the image's variables. */
function fill(record: usize): void {
  const map = valueAt(SLOT_CLIENT_ATTRS);
  const pairs: u32 = load<u32>(map) == TAG_MAP ? load<u32>(map, 4) : 0;
  const attributes = record + HEADER_BYTES;
  const variables = attributes + pairs * ATTRIBUTE_BYTES;
  let text = variables;
  if (imageRules) {
    store<u32>(record, <u32>variables, 28);
    store<u32>(record, <u32>variables + variableBytes(imageRules), 32);
    text += (resolvedBytes(imageRules) + 3) & ~3;
  }
  for (let field: u32 = 0; field < FIELD_COUNT; field++) {
    const value = valueAt(slotOf(field));
    const at = record + FIELDS + <usize>field * FIELD_BYTES;
    if (isText(value)) {
      store<u32>(at, FIELD_TEXT);
      text = copyText(at + 4, value, text);
    } else if (load<u32>(value) == TAG_UNDEFINED) {
      store<u32>(at, FIELD_UNDEFINED);
    }
  }
  const peer = valueAt(SLOT_PEERHOST);
  if (load<u32>(peer) == TAG_OPAQUE) text = copyText(record + 12, peer, text);
  store<u32>(record, <u32>attributes, 20);
  let count: u32 = 0;
  let pair: usize = load<u32>(map, 8);
  for (let i: u32 = 0; i < pairs; i++, pair += 2 * VALUE_BYTES) {
    if (!isText(pair) || !isText(pair + VALUE_BYTES)) continue;
    const at = attributes + <usize>count * ATTRIBUTE_BYTES;
    text = copyText(at, pair, text);
    text = copyText(at + 8, pair + VALUE_BYTES, text);
    count++;
  }
  store<u32>(record, count, 24);
  if (imageRules && resolve(record, imageRules, variables)) store<u32>(record, 1, 52);
}

/** Copies a value's text to `text` and notes it at `at`; returns the end of the copy. */
function copyText(at: usize, value: usize, text: usize): usize {
  const len = load<u32>(value, 4);
  memory.copy(text, load<u32>(value, 8), len);
  store<u32>(at, <u32>text);
  store<u32>(at, len, 4);
  return text + len;
}

// --- resolving a rule set's variables ---------------------------------------------------------

/** Fills the variables of a rule set; true when one of them needs the slow path. */
function resolve(record: usize, set: usize, variables: usize): bool {
  const texts = sectionPtr(set, SECTION_TEXT);
  const resolved = variables;
  let variable = sectionPtr(set, SECTION_VARIABLES);
  let bits: u32 = 0;
  for (let i: u32 = 0, n = sectionCount(set, SECTION_VARIABLES); i < n; i++) {
    const kind = load<u32>(variable);
    if (kind <= <u32>VARIABLE_LISTENER) {
      const field = record + FIELDS + <usize>kind * FIELD_BYTES;
      const state = load<u32>(field);
      if (state == FIELD_TEXT) resolveText(variables, load<u32>(field, 4), load<u32>(field, 8));
      else if (state == FIELD_UNDEFINED) resolveUndefined(variables);
    } else if (kind == VARIABLE_ATTR) {
      const name = texts + load<u32>(variable, 4);
      const attribute = findAttribute(record, name, load<u32>(variable, 8));
      if (attribute) resolveText(variables, load<u32>(attribute, 8), load<u32>(attribute, 12));
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

/** The attribute of this name, or 0; of equal names the last. */
function findAttribute(record: usize, name: usize, len: u32): usize {
  for (let i = load<u32>(record, 24); i > 0; i--) {
    const at = <usize>load<u32>(record, 20) + <usize>(i - 1) * ATTRIBUTE_BYTES;
    if (bytesEqual(load<u32>(at), load<u32>(at, 4), name, len)) return at;
  }
  return 0;
}

function resolveText(at: usize, text: usize, len: u32): void {
  store<u32>(at, <u32>text);
  store<u32>(at, len, 4);
  store<u32>(at, VALUE_TEXT | insertionOf(text, len), 8);
  store<u32>(at, hashLevel(text, len), 12);
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
