/**
 * Linear memory, low to high:
 *
 *   | static data | image | input | scratch | client records …            |
 *   0             base    +image  +INPUT    +SCRATCH                 memory end
 *
 * - image: written once, then read-only.
 * - input: the host writes the request here; it survives the call that reads it.
 * - scratch: bump memory of one call. A call takes a mark and restores it, also on error.
 * - client records: blocks in power-of-two sizes from free lists; this part alone grows.
 *
 * INVARIANT: SLACK_BYTES behind everything that is handed out can be read, so that texts are looked at
 * sixteen bytes at a time up to their very end; what is read there never matters.
 * INVARIANT: nothing here moves after image_alloc, so absolute pointers stay valid until the
 * next image_alloc, which forgets every client.
 */
import { IMAGE_BYTES_MAX, INPUT_BYTES_MAX, SCRATCH_BYTES } from "./abi/limits";

const PAGE: usize = 65536;
const SLACK_BYTES: usize = 16;
/** Smallest record block, 2^6 bytes. */
const CLASS_MIN: u32 = 6;
const CLASS_COUNT: u32 = 22; // up to 2^27 bytes
/** Heads of the free lists, one per size class. */
const freeLists = memory.data(22 * 4, 8);

export let imageBase: usize = 0;
export let imageBytes: u32 = 0;
export let inputBase: usize = 0;
let scratchBase: usize = 0;
let scratchEnd: usize = 0;
let scratchTop: usize = 0;
let recordsTop: usize = 0;
/** Bytes in client records that are in use; the leak tests watch it. */
export let recordsUsed: u32 = 0;

/** Lays out memory for an image of `bytes` and forgets everything else. 0 when memory is short. */
export function layOut(bytes: u32): usize {
  if (bytes > <u32>IMAGE_BYTES_MAX) return 0;
  // On a cache line, so that what the compiler aligned to lines in the image is aligned here.
  imageBase = (__heap_base + 63) & ~63;
  imageBytes = bytes;
  inputBase = align8(imageBase + bytes);
  scratchBase = inputBase + INPUT_BYTES_MAX;
  scratchEnd = scratchBase + SCRATCH_BYTES;
  scratchTop = scratchBase;
  recordsTop = scratchEnd;
  recordsUsed = 0;
  memory.fill(freeLists, 0, CLASS_COUNT * 4);
  return ensure(recordsTop) ? imageBase : 0;
}

@inline
export function align8(at: usize): usize {
  return (at + 7) & ~7;
}

/** The current end of scratch; hand it back to `restore`. */
@inline
export function mark(): usize {
  return scratchTop;
}

@inline
export function restore(at: usize): void {
  scratchTop = at;
}

/** `bytes` of scratch, 8-aligned; 0 when scratch is used up. */
export function scratch(bytes: u32): usize {
  const at = scratchTop;
  if (bytes > <u32>(scratchEnd - at)) return 0;
  scratchTop = align8(at + bytes);
  return at;
}

/** Bytes of scratch that are left. */
@inline
export function scratchLeft(): u32 {
  return <u32>(scratchEnd - scratchTop);
}

/** A zeroed client-record block of at least `bytes`; 0 when memory is short. */
export function recordAlloc(bytes: u32): usize {
  if (bytes > 1 << (CLASS_MIN + CLASS_COUNT - 1)) return 0;
  const sizeClass = classOf(bytes);
  const size: u32 = 1 << (sizeClass + CLASS_MIN);
  const head = freeLists + (<usize>sizeClass << 2);
  let block: usize = load<u32>(head);
  if (block) {
    store<u32>(head, load<u32>(block));
  } else {
    block = recordsTop;
    // SAFETY: below 4 GiB, checked before the sum can wrap.
    if (size > 0xffff0000 - <u32>block || !ensure(block + size)) return 0;
    recordsTop = block + size;
  }
  memory.fill(block, 0, size);
  recordsUsed += size;
  return block;
}

/** Gives back a block of `bytes` (the number it was asked for). */
export function recordFree(block: usize, bytes: u32): void {
  const sizeClass = classOf(bytes);
  const head = freeLists + (<usize>sizeClass << 2);
  store<u32>(block, load<u32>(head));
  store<u32>(head, <u32>block);
  recordsUsed -= 1 << (sizeClass + CLASS_MIN);
}

/** Does `at` lie inside the client records handed out so far? */
@inline
export function isRecord(at: usize): bool {
  // In unsigned numbers what lies before them is far behind them.
  return at - scratchEnd < recordsTop - scratchEnd;
}

@inline
function classOf(bytes: u32): u32 {
  return bytes <= 1 << CLASS_MIN ? 0 : 32 - clz<u32>(bytes - 1) - CLASS_MIN;
}

/** Grows memory so that `behind`, and the slack after it, are inside. */
function ensure(behind: usize): bool {
  const end = behind + SLACK_BYTES;
  const have = <usize>memory.size() * PAGE;
  if (end <= have) return true;
  const missing = <i32>((end - have + PAGE - 1) / PAGE);
  // Growing in steps of an eighth keeps the number of moves small without doubling the footprint.
  const step = max(missing, memory.size() >> 3);
  return memory.grow(step) >= 0 || memory.grow(missing) >= 0;
}

