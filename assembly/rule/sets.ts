/**
 * The rule sets that a client is asked: the image's, which all share, its token's and its stored ones.
 *
 * A private rule set of a record, in the order of ORIGIN_TOKEN … ORIGIN_SHARED, is set · block · bytes
 * of the block · variables · cache, all 0 when there is none. A set of the client's own lies in its
 * block: | blob | variables | cache |; one that is shared lies in a record of its own, and the block
 * is | variables | cache |. The record's `chain` says which there are and how they are asked: CHAIN_….
 *
 * A shared rule set is | magic | serial | bytes | holders | blob |. It is given back when nobody
 * holds it any more: who opened it, or a client.
 */
import {
  ORIGIN_OWN,
  ORIGIN_SHARED,
  ORIGIN_TOKEN,
  STORED_BEHIND,
  STORED_SKIPS_FAILURES,
} from "../abi/decisions";
import { ENTRY_RULES } from "../abi/image";
import { INPUT_BYTES_MAX, TOKEN_RULES_MAX } from "../abi/limits";
import { SECTION_RULES } from "../abi/rules";
import { ERR_HANDLE, ERR_INPUT, ERR_MEMORY, ERR_RULES_BLOB, OK } from "../abi/status";
import { align8, inputBase, recordAlloc, recordFree } from "../arena";
import { blobBytes, blobOf, entryAt, imageEntries } from "../image";
import {
  chainOf,
  closeRecord,
  openRecord,
  placeOf,
  PRIVATE_BYTES,
  privateOf,
  recordOf,
  setChain,
} from "./record";
import { deselectRules, sectionCount } from "./set";
import { resolve, resolvedBytes, variableBytes } from "./variables";
import { verifyRules } from "./verify";

/** Odd, as the magic of clients. */
const SHARED_MAGIC: u32 = 0x53454c53;
const SHARED_HEADER_BYTES: usize = 16;

/** Shifted by ORIGIN_…: there is such a rule set; the client has values that need its slow path. */
export const CHAIN_HAS: u32 = 1;
export const CHAIN_SLOW: u32 = 16;
/** Two bits: STORED_… */
export const CHAIN_STORED_SHIFT: u32 = 8;

/** The image's rule set, or 0. */
export let imageRules: usize = 0;

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
  setChain(record, others | (how << CHAIN_STORED_SHIFT));
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

/**
 * Gives the client another shared rule set (none when 0) instead of the one it has; its own stay, and
 * how they are asked. After a refusal it has none that is shared.
 */
export function setSharedRules(handle: i32, shared: i32): i32 {
  const record = recordOf(handle);
  if (!record) return ERR_HANDLE;
  const holder = shared ? sharedOf(shared) : 0;
  if (shared && !holder) return ERR_HANDLE;
  if (holder) hold(holder);
  dropRules(record, ORIGIN_SHARED);
  if (!holder) return OK;
  const status = takeShared(record, holder);
  if (status != OK) letGo(holder);
  return status;
}

/** Takes away every rule set but the image's. */
export function dropAllRules(record: usize): void {
  for (let origin: u32 = ORIGIN_TOKEN; origin <= <u32>ORIGIN_SHARED; origin++) {
    dropRules(record, origin);
  }
}

/** Keeps the rule set in the input buffer for clients to share: a handle, or a negative status. */
export function openShared(bytes: u32): i32 {
  const status = verifyInput(bytes);
  if (status != OK) return status;
  const handle = openRecord(SHARED_MAGIC, <u32>SHARED_HEADER_BYTES + bytes);
  if (handle < 0) return handle;
  const holder = sharedOf(handle);
  store<u32>(holder, 1, 12);
  memory.copy(holder + SHARED_HEADER_BYTES, inputBase, bytes);
  return handle;
}

/** Who opened it needs it no more; the clients that have it keep it. */
export function closeShared(handle: i32): i32 {
  const holder = sharedOf(handle);
  if (!holder) return ERR_HANDLE;
  letGo(holder);
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
  closeRecord(holder);
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
  setChain(record, chainOf(record) | ((CHAIN_HAS | slow) << origin));
}

function dropRules(record: usize, origin: u32): void {
  if (!(chainOf(record) & (CHAIN_HAS << origin))) return;
  const at = privateOf(record, origin);
  recordFree(load<u32>(at, 4), load<u32>(at, 8));
  if (origin == ORIGIN_SHARED) letGo(<usize>load<u32>(at) - SHARED_HEADER_BYTES);
  memory.fill(at, 0, PRIVATE_BYTES);
  setChain(record, chainOf(record) & ~((CHAIN_HAS | CHAIN_SLOW) << origin));
  deselectRules();
}
