/**
 * Tokens whose signature has been verified: after an outage a fleet comes back with tokens that were
 * good before it.
 */
import type { VerificationKey } from "../../crypto/crypto.ts";

export interface TokenCacheOptions {
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** What is remembered of a token: which key signed it, and when that stops to matter. */
interface Verified {
  readonly key: VerificationKey;
  /** Last ms since the epoch; Infinity for a token without `exp`. */
  readonly untilMs: number;
}

/**
 * LIMIT: what one entry counts for: its digest, the record and its share of the table, rounded up.
 * All entries are equally large, because nothing of the token itself is kept.
 */
export const ENTRY_BYTES = 256;

/**
 * Remembers one fact a token: that its signature holds under a key. Everything else (is the key still
 * in use, the times, the claims, whose client it is) is checked anew each time, so nothing here can
 * say yes to what would otherwise be refused. Entries are under the SHA-256 of the whole token, its
 * signature included: a digest is no credential, so memory holds none that could be used again, and
 * an entry is as small for 64 KiB as for 200 bytes. When it is full, the one that was unused for
 * longest goes. Lives and ends with the authenticator, that is with the policy.
 */
export class TokenCache {
  readonly #entries = new Map<string, Verified>();
  readonly #maxCount: number;

  constructor({ maxCount, maxBytes }: TokenCacheOptions) {
    this.#maxCount = Math.max(1, Math.min(maxCount, Math.floor(maxBytes / ENTRY_BYTES)));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Has one of these keys verified the token? Forgets what no longer matters. */
  holds(digest: string, keys: readonly VerificationKey[], nowMs: number): boolean {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return false;
    this.#entries.delete(digest);
    if (nowMs > entry.untilMs || !keys.includes(entry.key)) return false;
    this.#entries.set(digest, entry);
    return true;
  }

  add(digest: string, key: VerificationKey, untilMs: number): void {
    this.#entries.delete(digest);
    this.#entries.set(digest, { key, untilMs });
    if (this.#entries.size > this.#maxCount) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
  }
}
