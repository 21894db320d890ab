/**
 * Opening and closing clients: the request in the input buffer, checked and copied into a record.
 */
import { ORIGIN_IMAGE } from "../abi/decisions";
import { ATTR_BYTES_MAX, ATTRS_MAX, INPUT_BYTES_MAX } from "../abi/limits";
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
import { ERR_HANDLE, ERR_INPUT, OK } from "../abi/status";
import {
  TAG_ATOM,
  TAG_BYTES,
  TAG_MAP,
  TAG_OPAQUE,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../abi/values";
import { inputBase } from "../arena";
import {
  ATTRIBUTE_BYTES,
  CLIENT_MAGIC,
  closeRecord,
  FIELD_COUNT,
  FIELD_TEXT,
  FIELD_UNDEFINED,
  fieldOf,
  HEADER_BYTES,
  openRecord,
  recordOf,
  setChain,
} from "./record";
import { CHAIN_SLOW, dropAllRules, imageRules } from "./sets";
import { resolve, resolvedBytes, variableBytes } from "./variables";

/** Behind the texts, for hashLevel. */
const SLACK_BYTES: u32 = 8;

/** Opens a record for the request in the input buffer: a handle, or a negative status. */
export function openClient(): i32 {
  const bytes = recordBytes();
  if (!bytes) return ERR_INPUT;
  const handle = openRecord(CLIENT_MAGIC, bytes);
  if (handle >= 0) fill(recordOf(handle));
  return handle;
}

export function closeClient(handle: i32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  dropAllRules(record);
  closeRecord(record);
  return OK;
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
    const at = fieldOf(record, field);
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
    setChain(record, CHAIN_SLOW << ORIGIN_IMAGE);
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
