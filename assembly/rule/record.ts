/**
 * Client records: what decisions need of a client, copied once when it connects.
 *
 *   0       4        8       12     16        20      24           28          32
 *   | magic | serial | bytes | peer | peerLen | attrs | attr count | variables | cache | …
 *   36      40                            100                   160
 *   | chain | private rule sets, 3 × 20 bytes | fields, 5 × 12 bytes | attributes (16 each) | …
 *   … | variables (16 each) | cache | texts | slack |
 *
 * A field is state · text pointer · length; an attribute two texts. Variables and cache are what the
 * client is to the image's rule set (see variables.ts), `chain` and the private rule sets what it is
 * asked besides (see sets.ts).
 *
 * A handle is (record - inputBase) / 64 in its low 24 bits and the low 7 bits of the serial above:
 * what was closed is refused, and with one exception in 128 even after its block got a new client.
 */
import { ORIGIN_TOKEN } from "../abi/decisions";
import { ERR_MEMORY } from "../abi/status";
import { inputBase, isRecord, recordAlloc, recordFree } from "../arena";
import { bytesEqual } from "../bytes";

/** Odd, so that it can never be a free block's link to the next one. */
export const CLIENT_MAGIC: u32 = 0x4e4c4351;
export const HEADER_BYTES: u32 = 160;
export const PRIVATE_BYTES: usize = 20;
export const FIELD_BYTES: usize = 12;
export const FIELD_COUNT: u32 = 5;
export const ATTRIBUTE_BYTES: u32 = 16;
export const FIELD_UNDEFINED: u32 = 1;
export const FIELD_TEXT: u32 = 2;

const FIELDS: usize = 100;
const HANDLE_UNITS: u32 = 1 << 24;

let serial: u32 = 0;

/** A zeroed record of `bytes` but for magic, serial and size: a handle, or ERR_MEMORY. */
export function openRecord(magic: u32, bytes: u32): i32 {
  const record = recordAlloc(bytes);
  if (!record) return ERR_MEMORY;
  const unit = <u32>((record - inputBase) >> 6);
  if (unit >= HANDLE_UNITS) {
    recordFree(record, bytes);
    return ERR_MEMORY;
  }
  serial++;
  store<u32>(record, magic);
  store<u32>(record, serial, 4);
  store<u32>(record, bytes, 8);
  return <i32>(unit | ((serial & 127) << 24));
}

/** The free list's link takes the place of the magic. */
export function closeRecord(record: usize): void {
  recordFree(record, load<u32>(record, 8));
}

/** The record of a handle, or 0. Records begin every 64 bytes, so a handle leads to one or into one. */
@inline
export function placeOf(handle: i32, magic: u32): usize {
  const record = inputBase + (<usize>(handle & (HANDLE_UNITS - 1)) << 6);
  if (!isRecord(record) || load<u32>(record) != magic) return 0;
  // A negative handle has more than seven bits here.
  return (load<u32>(record, 4) & 127) == <u32>handle >> 24 ? record : 0;
}

/** The client's record of a handle, or 0. */
export function recordOf(handle: i32): usize {
  return placeOf(handle, CLIENT_MAGIC);
}

@inline
export function chainOf(record: usize): u32 {
  return load<u32>(record, 36);
}

/** The client's address; of 4 or 16 bytes, or 0 without one. */
@inline
export function peerOf(record: usize): usize {
  return load<u32>(record, 12);
}

@inline
export function peerBytesOf(record: usize): u32 {
  return load<u32>(record, 16);
}

@inline
export function setChain(record: usize, chain: u32): void {
  store<u32>(record, chain, 36);
}

/** Where a record has what is to be known of a private rule set; not of ORIGIN_IMAGE. */
@inline
export function privateOf(record: usize, origin: u32): usize {
  return record + 40 + <usize>(origin - ORIGIN_TOKEN) * PRIVATE_BYTES;
}

/** In the order of VARIABLE_CLIENTID … VARIABLE_LISTENER. */
@inline
export function fieldOf(record: usize, field: u32): usize {
  return record + FIELDS + <usize>field * FIELD_BYTES;
}

/** The attribute of this name, or 0; of equal names the last. */
export function findAttribute(record: usize, name: usize, len: u32): usize {
  for (let i = load<u32>(record, 24); i > 0; i--) {
    const at = <usize>load<u32>(record, 20) + <usize>(i - 1) * ATTRIBUTE_BYTES;
    if (bytesEqual(load<u32>(at), load<u32>(at, 4), name, len)) return at;
  }
  return 0;
}
