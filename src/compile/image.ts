/**
 * The one writer of the image container (layout: assembly/abi/image.ts). Blobs come from their own
 * compilers; this file only packs, aligns and seals them.
 */
import {
  IMAGE_BYTES_MAX,
  IMAGE_CHECKSUM_SEED,
  IMAGE_ENTRY_BYTES,
  IMAGE_HEADER_BYTES,
  IMAGE_MAGIC,
  IMAGE_VERSION,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { BlobPieces } from "./bytes.ts";

export interface ImageEntry {
  /** ENTRY_… of assembly/abi/image.ts. */
  readonly kind: number;
  readonly id: number;
  readonly blob: Uint8Array | BlobPieces;
}

/** Blobs from this size on start on a cache line; their compilers may care. */
const ON_LINES_BYTES_MIN = 4096;

/** Packs blobs into an image. Throws CoreError ERR_LIMIT_IMAGE past IMAGE_BYTES_MAX. */
export function packImage(
  entries: readonly ImageEntry[],
  switchBits: number,
): Uint8Array<ArrayBuffer> {
  let length = IMAGE_HEADER_BYTES + entries.length * IMAGE_ENTRY_BYTES;
  const offsets = entries.map(({ blob }) => {
    const offset = blob.length < ON_LINES_BYTES_MIN ? align8(length) : (length + 63) & ~63;
    length = offset + blob.length;
    return offset;
  });
  length = align8(length);
  if (length > IMAGE_BYTES_MAX) {
    throw new CoreError("ERR_LIMIT_IMAGE", `image of ${length} bytes is over ${IMAGE_BYTES_MAX}`);
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, IMAGE_MAGIC, true);
  view.setUint32(4, IMAGE_VERSION, true);
  view.setUint32(8, length, true);
  view.setUint32(16, switchBits, true);
  view.setUint32(20, entries.length, true);
  entries.forEach(({ kind, id, blob }, index) => {
    const at = IMAGE_HEADER_BYTES + index * IMAGE_ENTRY_BYTES;
    const offset = offsets[index]!;
    view.setUint32(at, kind, true);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, blob.length, true);
    view.setUint32(at + 12, id, true);
    if (blob instanceof Uint8Array) bytes.set(blob, offset);
    else for (const piece of blob.pieces) bytes.set(piece.bytes, offset + piece.offset);
  });
  sealImage(bytes);
  return bytes;
}

/** Writes the checksum of the image. Tests that damage an image on purpose call it again. */
export function sealImage(bytes: Uint8Array<ArrayBuffer>): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, checksum(bytes), true);
}

/** Finds an entry's bytes in an image the core has opened; undefined when there is none. */
export function readEntry(image: Uint8Array, kind: number, id: number): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const count = view.getUint32(20, true);
  for (let index = 0; index < count; index++) {
    const at = IMAGE_HEADER_BYTES + index * IMAGE_ENTRY_BYTES;
    if (view.getUint32(at, true) !== kind || view.getUint32(at + 12, true) !== id) continue;
    const offset = view.getUint32(at + 4, true);
    return image.subarray(offset, offset + view.getUint32(at + 8, true));
  }
  return undefined;
}

function align8(at: number): number {
  return (at + 7) & ~7;
}

/** Agrees with `checksum` in assembly/image.ts. */
function checksum(bytes: Uint8Array): number {
  // Words of a typed array: a DataView takes twice as long over 30 MiB.
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(buffer, byteOffset, bytes.length >> 2);
  let a = IMAGE_CHECKSUM_SEED;
  let b = IMAGE_CHECKSUM_SEED + 1;
  let c = IMAGE_CHECKSUM_SEED + 2;
  let d = IMAGE_CHECKSUM_SEED + 3;
  let at = 0;
  for (const end = (bytes.length >> 4) * 4; at < end; at += 4) {
    a = mix(a, words[at]!);
    b = mix(b, words[at + 1]!);
    c = mix(c, words[at + 2]!);
    d = mix(d, at === 0 ? 0 : words[at + 3]!);
  }
  if (bytes.length & 8) {
    a = mix(a, words[at]!);
    b = mix(b, words[at + 1]!);
  }
  return mix(mix(mix(a, b), c), d) >>> 0;
}

function mix(hash: number, word: number): number {
  const mixed = hash ^ word;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
