/**
 * Opens a policy image: everything is bounds-checked here, once, so that the hot path need not.
 * Foreign bytes give a status, never a trap, a hang or a read outside the image.
 */
import {
  ENTRY_EXPRESSION,
  IMAGE_CHECKSUM_SEED,
  IMAGE_ENTRY_BYTES,
  IMAGE_HEADER_BYTES,
  IMAGE_MAGIC,
  IMAGE_VERSION,
} from "./abi/image";
import {
  ERR_IMAGE_CHECKSUM,
  ERR_IMAGE_LENGTH,
  ERR_IMAGE_MAGIC,
  ERR_IMAGE_SECTION,
  ERR_IMAGE_VERSION,
  OK,
} from "./abi/status";
import { imageBase, imageBytes } from "./arena";
import { verifyExpression } from "./expr/verify";

/** Bits of the header: the compatibility switches the core consults. */
export let switches: u32 = 0;
let entryCount: u32 = 0;
let isOpen: bool = false;

/** Checks the image that the host wrote at imageBase. */
export function openImage(): i32 {
  isOpen = false;
  const base = imageBase;
  if (imageBytes < <u32>IMAGE_HEADER_BYTES) return ERR_IMAGE_LENGTH;
  if (load<u32>(base) != IMAGE_MAGIC) return ERR_IMAGE_MAGIC;
  if (load<u32>(base, 4) != IMAGE_VERSION) return ERR_IMAGE_VERSION;
  if (load<u32>(base, 8) != imageBytes || imageBytes & 7) return ERR_IMAGE_LENGTH;
  if (load<u32>(base, 12) != checksum(base, imageBytes)) return ERR_IMAGE_CHECKSUM;
  const count = load<u32>(base, 20);
  if (count > (imageBytes - <u32>IMAGE_HEADER_BYTES) / <u32>IMAGE_ENTRY_BYTES) return ERR_IMAGE_SECTION;
  const blobs: u32 = <u32>IMAGE_HEADER_BYTES + count * <u32>IMAGE_ENTRY_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const offset = load<u32>(entryAt(i), 4);
    const length = load<u32>(entryAt(i), 8);
    if (offset < blobs || offset & 7 || offset > imageBytes) return ERR_IMAGE_SECTION;
    if (length > imageBytes - offset) return ERR_IMAGE_SECTION;
    if (load<u32>(entryAt(i)) == ENTRY_EXPRESSION) {
      const status = verifyExpression(base + offset, length);
      if (status < 0) return status;
    }
  }
  switches = load<u32>(base, 16);
  entryCount = count;
  isOpen = true;
  return OK;
}

/** Takes back openImage: what a blob's own check refused must not be used. */
export function closeImage(): void {
  isOpen = false;
}

/** Number of entries of the open image; 0 while none is open. */
@inline
export function imageEntries(): u32 {
  return isOpen ? entryCount : 0;
}

@inline
export function entryAt(index: u32): usize {
  return imageBase + IMAGE_HEADER_BYTES + <usize>index * IMAGE_ENTRY_BYTES;
}

/** The entry of this kind and id, or 0. */
export function findEntry(kind: u32, id: u32): usize {
  for (let i: u32 = 0, n = imageEntries(); i < n; i++) {
    const entry = entryAt(i);
    if (load<u32>(entry) == kind && load<u32>(entry, 12) == id) return entry;
  }
  return 0;
}

@inline
export function blobOf(entry: usize): usize {
  return imageBase + load<u32>(entry, 4);
}

@inline
export function blobBytes(entry: usize): u32 {
  return load<u32>(entry, 8);
}

/**
 * Checksum over every word but its own; agrees with src/compile/image.ts. Four lanes, so that no word
 * has to wait for the one before it. `bytes` is a multiple of 8, and the header's at least.
 */
function checksum(base: usize, bytes: u32): u32 {
  let a: u32 = IMAGE_CHECKSUM_SEED;
  let b: u32 = <u32>IMAGE_CHECKSUM_SEED + 1;
  let c: u32 = <u32>IMAGE_CHECKSUM_SEED + 2;
  let d: u32 = <u32>IMAGE_CHECKSUM_SEED + 3;
  let at = base;
  for (const end = base + (bytes & ~15); at < end; at += 16) {
    a = mix(a, load<u32>(at));
    b = mix(b, load<u32>(at, 4));
    c = mix(c, load<u32>(at, 8));
    d = mix(d, at == base ? 0 : load<u32>(at, 12));
  }
  if (bytes & 8) {
    a = mix(a, load<u32>(at));
    b = mix(b, load<u32>(at, 4));
  }
  return mix(mix(mix(a, b), c), d);
}

@inline
function mix(hash: u32, word: u32): u32 {
  return rotl<u32>(hash ^ word, 13) * 5 + 0xe6546b64;
}
