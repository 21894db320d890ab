/** What outlives a single policy: the last good key sets, and how often clients may cause a download. */
import type { VerificationKey } from "./crypto.ts";

/** LIMIT: between two downloads from one endpoint that tokens with unknown keys ask for. */
export const COOL_DOWN_MS = 10_000;
/** LIMIT: the same, of all endpoints together, in COOL_DOWN_MS. */
export const ASKED_DOWNLOADS_MAX = 8;
/** LIMIT: remembered sets and endpoints; the oldest is forgotten. */
export const REMEMBERED_SETS_MAX = 64;

export interface StoredKeySet {
  readonly keys: readonly VerificationKey[];
  /** Unusable keys that were left out. */
  readonly skipped: number;
  /** When the download began, ms since the epoch. */
  readonly fetchedAtMs: number;
}

/** One per engine, so that a reload in an outage neither loses keys nor renews the allowance. */
export class KeySetStore {
  readonly #sets = new Map<string, StoredKeySet>();
  readonly #askedAtMs = new Map<string, number>();
  #recentMs: number[] = [];

  recall(id: string): StoredKeySet | undefined {
    return this.#sets.get(id);
  }

  remember(id: string, set: StoredKeySet): void {
    put(this.#sets, id, set);
  }

  forget(id: string): void {
    this.#sets.delete(id);
  }

  /** May a client cause a download from this endpoint now? Counts it when it may. */
  admit(endpoint: string, nowMs: number): boolean {
    // A clock that was set back must not close the door until it has caught up.
    const isRecent = (atMs: number): boolean => atMs <= nowMs && nowMs - atMs < COOL_DOWN_MS;
    const lastMs = this.#askedAtMs.get(endpoint);
    if (lastMs !== undefined && isRecent(lastMs)) return false;
    this.#recentMs = this.#recentMs.filter(isRecent);
    if (this.#recentMs.length >= ASKED_DOWNLOADS_MAX) return false;
    this.#recentMs.push(nowMs);
    put(this.#askedAtMs, endpoint, nowMs);
    return true;
  }
}

function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED_SETS_MAX) map.delete(map.keys().next().value!);
}
