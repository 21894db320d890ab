/**
 * The decision core's whole ABI, on one screen. Pointers are absolute; lengths are bytes; statuses
 * are 0 or one of the negatives in abi.ts. The host writes requests into the input buffer.
 */
import { ABI_VERSION } from "./abi";
import { inputBase, layOut, recordsUsed, scratch } from "./arena";
import { openImage } from "./image";

export const abi_version: i32 = ABI_VERSION;

/** Room for an image of `bytes`; forgets the previous image and every client. 0: no memory. */
export function image_alloc(bytes: u32): usize {
  return layOut(bytes);
}

/** Checks and opens the image written there. */
export function image_open(): i32 {
  return openImage();
}

/** Start of the input buffer (INPUT_BYTES_MAX bytes). Moves only with image_alloc. */
export function input_ptr(): usize {
  return inputBase;
}

/** Scratch for the host's own answers, during a host call. 0: used up. */
export function scratch_alloc(bytes: u32): usize {
  return scratch(bytes);
}

/** Bytes held by client records. */
export function records_used(): u32 {
  return recordsUsed;
}
