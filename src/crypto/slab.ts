/** Memory for many short byte arrays. */

const SLAB_BYTES = 8192;
/** LIMIT: longer arrays get memory of their own. */
const PIECE_BYTES_MAX = 1024;

/**
 * Cuts zeroed arrays from a larger piece of memory: a typed array of its own costs several times what
 * decoding a signature into it does, most of it when native code first looks at it. No byte is
 * handed out twice, so an array may be kept for as long as it is needed; it keeps its slab alive.
 */
export class Slab {
  #memory = new Uint8Array(SLAB_BYTES);
  #used = 0;

  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > PIECE_BYTES_MAX) return new Uint8Array(length);
    if (this.#used + length > SLAB_BYTES) {
      this.#memory = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#memory.subarray(start, this.#used);
  }
}
