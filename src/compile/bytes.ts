/** Writers for the little-endian blobs of the policy image. */

/**
 * A blob that is not put together yet: its pieces, and zeros between them. A large one goes into the
 * image piece by piece, so that there are never two whole copies of it.
 */
export interface BlobPieces {
  readonly length: number;
  readonly pieces: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** The blob in one piece. */
export function joinPieces({ length, pieces }: BlobPieces): Uint8Array<ArrayBuffer> {
  const blob = new Uint8Array(length);
  for (const { offset, bytes } of pieces) blob.set(bytes, offset);
  return blob;
}

/** A growing little-endian byte buffer. Offsets count from its first byte. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.length, value);
    this.length += 1;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
    return this;
  }

  i64(value: bigint): this {
    this.#reserve(8);
    this.#view.setBigInt64(this.length, value, true);
    this.length += 8;
    return this;
  }

  f64(value: number): this {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** Zero bytes up to a multiple of `to` (a power of two). */
  align(to: number): this {
    const padding = -this.length & (to - 1);
    this.#reserve(padding);
    this.#bytes.fill(0, this.length, this.length + padding);
    this.length += padding;
    return this;
  }

  /** Overwrites four bytes written before. */
  patchU32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
