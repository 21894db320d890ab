/**
 * Client records: what decisions need of a client, copied once when it connects.
 *
 *   0       4        8       12     16        20      24           28          32
 *   | magic | serial | bytes | peer | peerLen | attrs | attr count | variables | cache | …
 *   36      40                            100                   160
 *   | chain | private rule sets, 3 × 20 bytes | fields, 5 × 12 bytes | attributes (16 each) | …
 *   … | variables (16 each) | cache | texts | slack |
 *
 * A field is state · text pointer · length; an attribute two texts; a variable, one for each of
 * the rule set's variables, is text pointer · length · VALUE_… bits · hash of the text. The cache
 * has two bits for each of the rule set's cached conditions.
 *
 * A private rule set, in the order of ORIGIN_TOKEN … ORIGIN_SHARED, is set · block · bytes of the
 * block · variables · cache, all 0 when there is none. A set of the client's own lies in its block:
 * | blob | variables | cache |; one that is shared lies in a record of its own, and the block is
 * | variables | cache |. `chain` says which of them there are and how they are asked: CHAIN_….
 *
 * A shared rule set is | magic | serial | bytes | holders | blob |. It is given back when nobody
 * holds it any more: who opened it, or a client.
 *
 * A handle is (record - inputBase) / 64 in its low 24 bits and the low 7 bits of the serial above:
 * what was closed is refused, and with one exception in 128 even after its block got a new client.
 */
import {
  ORIGIN_IMAGE,
  ORIGIN_OWN,
  ORIGIN_SHARED,
  ORIGIN_TOKEN,
  STORED_BEHIND,
  STORED_SKIPS_FAILURES,
} from "../abi/decisions";
import {
  ENTRY_RULES,
  SWITCH_ABSENT_NEVER_MATCHES,
  SWITCH_SAFE_PLACEHOLDERS,
  SWITCH_SEPARATOR_IN_PLACEHOLDER,
} from "../abi/image";
import { ATTR_BYTES_MAX, ATTRS_MAX, INPUT_BYTES_MAX, TOKEN_RULES_MAX } from "../abi/limits";
import {
  CLIENT_SLOTS,
  REQUEST_HEADER_BYTES,
  REQUEST_WRITTEN,
  SLOT_CERT_COMMON_NAME,
  SLOT_CLIENT_ATTRS,
  SLOT_CLIENTID,
  SLOT_LISTENER,
  SLOT_PEERHOST,
  SLOT_USERNAME,
  SLOT_ZONE,
} from "../abi/request";
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
  SECTION_VARIABLES,
  VARIABLE_ATTR,
  VARIABLE_BYTES,
  VARIABLE_LISTENER,
} from "../abi/rules";
import { ERR_HANDLE, ERR_INPUT, ERR_MEMORY, ERR_RULES_BLOB, OK } from "../abi/status";
import {
  TAG_ATOM,
  TAG_BYTES,
  TAG_MAP,
  TAG_OPAQUE,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../abi/values";
import { align8, inputBase, isRecord, recordAlloc, recordFree } from "../arena";
import { bytesEqual } from "../bytes";
import { blobBytes, blobOf, entryAt, imageEntries, switches } from "../image";
import { hashLevel } from "../topic/levels";
import { utf8Valid } from "../encoding/utf8";
import { deselectRules, sectionCount, sectionPtr } from "./set";
import { verifyRules } from "./verify";

/** Odd, so that it can never be a free block's link to the next one. */
const MAGIC: u32 = 0x4e4c4351;
const SHARED_MAGIC: u32 = 0x53454c53;
const SHARED_HEADER_BYTES: usize = 16;
const HEADER_BYTES: u32 = 160;
const PRIVATE_BYTES: usize = 20;
const FIELDS: usize = 100;
const FIELD_BYTES: usize = 12;
const FIELD_COUNT: u32 = 5;
const ATTRIBUTE_BYTES: u32 = 16;
/** Behind the texts, for hashLevel. */
const SLACK_BYTES: u32 = 8;
const HANDLE_UNITS: u32 = 1 << 24;

const FIELD_UNDEFINED: u32 = 1;
const FIELD_TEXT: u32 = 2;

/** Shifted by ORIGIN_…: there is such a rule set; the client has values that need its slow path. */
export const CHAIN_HAS: u32 = 1;
export const CHAIN_SLOW: u32 = 16;
/** Two bits: STORED_… */
export const CHAIN_STORED_SHIFT: u32 = 8;

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
  return placeOf(handle, MAGIC);
}

@inline
function placeOf(handle: i32, magic: u32): usize {
  const record = inputBase + (<usize>(handle & (HANDLE_UNITS - 1)) << 6);
  if (handle < 0 || !isRecord(record) || load<u32>(record) != magic) return 0;
  return (load<u32>(record, 4) & 127) == <u32>handle >> 24 ? record : 0;
}

@inline
export function chainOf(record: usize): u32 {
  return load<u32>(record, 36);
}

/** Where a record has what is to be known of a private rule set; not of ORIGIN_IMAGE. */
@inline
export function privateOf(record: usize, origin: u32): usize {
  return record + 40 + <usize>(origin - ORIGIN_TOKEN) * PRIVATE_BYTES;
}

/** Gives the client the rule set in the input buffer as its token's; none when `bytes` is 0. */
export function setTokenRules(handle: i32, bytes: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  if (!bytes) {
    dropRules(record, ORIGIN_TOKEN);
    return OK;
  }
  const status = verifyInput(bytes);
  if (status != OK) return status;
  if (sectionCount(inputBase, SECTION_RULES) > <u32>TOKEN_RULES_MAX) return ERR_RULES_BLOB;
  return takeInput(record, ORIGIN_TOKEN, bytes);
}

/**
 * Gives the client stored rules instead of those it has: the set in the input buffer as its own (none
 * when `bytes` is 0), then a shared one (none when 0). `how`: STORED_…. After a refusal it has none.
 */
export function setStoredRules(handle: i32, bytes: u32, shared: i32, how: u32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  const holder = shared ? sharedOf(shared) : 0;
  if (shared && !holder) return ERR_HANDLE;
  if (how > <u32>(STORED_BEHIND | STORED_SKIPS_FAILURES)) return ERR_INPUT;
  // Held first: dropping what the client has could let the same set go.
  if (holder) hold(holder);
  dropRules(record, ORIGIN_OWN);
  dropRules(record, ORIGIN_SHARED);
  const others = chainOf(record) & ~(3 << CHAIN_STORED_SHIFT);
  store<u32>(record, others | (how << CHAIN_STORED_SHIFT), 36);
  let status: i32 = OK;
  if (bytes) {
    status = verifyInput(bytes);
    if (status == OK) status = takeInput(record, ORIGIN_OWN, bytes);
  }
  if (!holder) return status;
  if (status == OK) status = takeShared(record, holder);
  if (status != OK) {
    letGo(holder);
    dropRules(record, ORIGIN_OWN);
  }
  return status;
}

/** Keeps the rule set in the input buffer for clients to share: a handle, or a negative status. */
export function openShared(bytes: u32): i32 {
  const status = verifyInput(bytes);
  if (status != OK) return status;
  const size = <u32>SHARED_HEADER_BYTES + bytes;
  const holder = recordAlloc(size);
  if (!holder) return ERR_MEMORY;
  const unit = <u32>((holder - inputBase) >> 6);
  if (unit >= HANDLE_UNITS) {
    recordFree(holder, size);
    return ERR_MEMORY;
  }
  serial++;
  store<u32>(holder, SHARED_MAGIC);
  store<u32>(holder, serial, 4);
  store<u32>(holder, size, 8);
  store<u32>(holder, 1, 12);
  memory.copy(holder + SHARED_HEADER_BYTES, inputBase, bytes);
  return <i32>(unit | ((serial & 127) << 24));
}

/** Who opened it needs it no more; the clients that have it keep it. */
export function closeShared(handle: i32): i32 {
  const holder = sharedOf(handle);
  if (!holder) return ERR_HANDLE;
  letGo(holder);
  return OK;
}

export function closeClient(handle: i32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  for (let origin: u32 = ORIGIN_TOKEN; origin <= <u32>ORIGIN_SHARED; origin++) {
    dropRules(record, origin);
  }
  const bytes = load<u32>(record, 8);
  // The free list's link takes the place of the magic.
  recordFree(record, bytes);
  return OK;
}

/** The shared rule set of a handle, or 0. */
function sharedOf(handle: i32): usize {
  return placeOf(handle, SHARED_MAGIC);
}

@inline
function hold(holder: usize): void {
  store<u32>(holder, load<u32>(holder, 12) + 1, 12);
}

function letGo(holder: usize): void {
  const holders = load<u32>(holder, 12) - 1;
  store<u32>(holder, holders, 12);
  if (holders) return;
  recordFree(holder, load<u32>(holder, 8));
  deselectRules();
}

/**
 * Foreign bytes are checked in the input buffer: how much room they take where they will stay depends
 * on their own counts.
 */
function verifyInput(bytes: u32): i32 {
  return bytes > <u32>INPUT_BYTES_MAX ? ERR_INPUT : verifyRules(inputBase, bytes);
}

/** The verified rule set in the input buffer takes the place of what the client has there. */
function takeInput(record: usize, origin: u32, bytes: u32): i32 {
  const variables = <u32>align8(bytes);
  const size = variables + resolvedBytes(inputBase);
  const block = recordAlloc(size);
  if (!block) return ERR_MEMORY;
  memory.copy(block, inputBase, bytes);
  dropRules(record, origin);
  takeRules(record, origin, block, block, size, block + variables);
  return OK;
}

/** The client's hold on the set has been counted already. */
function takeShared(record: usize, holder: usize): i32 {
  const set = holder + SHARED_HEADER_BYTES;
  const size = resolvedBytes(set);
  const block = recordAlloc(size);
  if (!block) return ERR_MEMORY;
  takeRules(record, ORIGIN_SHARED, set, block, size, block);
  return OK;
}

function takeRules(
  record: usize,
  origin: u32,
  set: usize,
  block: usize,
  size: u32,
  variables: usize,
): void {
  const at = privateOf(record, origin);
  store<u32>(at, <u32>set);
  store<u32>(at, <u32>block, 4);
  store<u32>(at, size, 8);
  store<u32>(at, <u32>variables, 12);
  store<u32>(at, <u32>variables + variableBytes(set), 16);
  const slow = resolve(record, set, variables) ? CHAIN_SLOW : 0;
  store<u32>(record, chainOf(record) | ((CHAIN_HAS | slow) << origin), 36);
}

function dropRules(record: usize, origin: u32): void {
  if (!(chainOf(record) & (CHAIN_HAS << origin))) return;
  const at = privateOf(record, origin);
  recordFree(load<u32>(at, 4), load<u32>(at, 8));
  if (origin == ORIGIN_SHARED) letGo(<usize>load<u32>(at) - SHARED_HEADER_BYTES);
  memory.fill(at, 0, PRIVATE_BYTES);
  store<u32>(record, chainOf(record) & ~((CHAIN_HAS | CHAIN_SLOW) << origin), 36);
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
  if (imageRules && resolve(record, imageRules, variables)) {
    store<u32>(record, CHAIN_SLOW << ORIGIN_IMAGE, 36);
  }
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
