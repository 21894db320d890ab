/**
 * HMAC on node:crypto's one-shot hash. createHmac makes a stream object for every code, which for a
 * token costs more than its hashing does and leaves work for the garbage collector.
 */
import { hash, timingSafeEqual } from "node:crypto";

export type HmacHash = "sha256" | "sha384" | "sha512";

const HASHES: readonly HmacHash[] = ["sha256", "sha384", "sha512"];
/** Source: FIPS 180-4 §1. */
const BLOCK_BYTES: Readonly<Record<HmacHash, number>> = { sha256: 64, sha384: 128, sha512: 128 };
const HASH_BYTES: Readonly<Record<HmacHash, number>> = { sha256: 32, sha384: 48, sha512: 64 };
/** Source: RFC 2104 §2. */
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** LIMIT: longer messages get memory of their own, which is not kept. */
const SCRATCH_BYTES = 4096;

/** A secret, ready to check codes of any of the hashes. */
export class HmacKey {
  readonly #checks: Readonly<Record<HmacHash, CheckCode>>;

  constructor(secret: Uint8Array) {
    const checks = HASHES.map((name) => [name, createCheck(name, secret)]);
    this.#checks = Object.fromEntries(checks) as Record<HmacHash, CheckCode>;
  }

  /** Is `code` the HMAC of `message`? Cost: two one-shot hashes, one copy of the message. */
  verify(name: HmacHash, message: Uint8Array, code: Uint8Array): boolean {
    return this.#checks[name](message, code);
  }
}

type CheckCode = (message: Uint8Array, code: Uint8Array) => boolean;

/**
 * H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ message)), where a key longer than a block counts as its hash. The
 * padded keys stay in front of memory that is used within one call; hashes come out as text of one
 * character a byte, because a Buffer for each costs as much as a hash.
 *
 * Source: RFC 2104 §2; FIPS 198-1 §4.
 */
function createCheck(name: HmacHash, secret: Uint8Array): CheckCode {
  const block = BLOCK_BYTES[name];
  const hashBytes = HASH_BYTES[name];
  const key = secret.length > block ? hash(name, secret, "buffer") : secret;
  const inner = padded(key, INNER_PAD, block, SCRATCH_BYTES);
  const outer = padded(key, OUTER_PAD, block, hashBytes);
  const computed = Buffer.alloc(hashBytes);

  function innerInput(message: Uint8Array): Uint8Array {
    if (message.length > SCRATCH_BYTES) return Buffer.concat([inner.subarray(0, block), message]);
    inner.set(message, block);
    return inner.subarray(0, block + message.length);
  }

  return (message, code) => {
    if (code.length !== hashBytes) return false;
    outer.write(hash(name, innerInput(message), "binary"), block, "latin1");
    computed.write(hash(name, outer, "binary"), "latin1");
    return timingSafeEqual(computed, code);
  };
}

/** One block of the key, padded, and room for `room` bytes behind it. */
function padded(key: Uint8Array, pad: number, block: number, room: number): Buffer {
  const bytes = Buffer.alloc(block + room);
  for (let at = 0; at < block; at += 1) bytes[at] = (key[at] ?? 0) ^ pad;
  return bytes;
}
