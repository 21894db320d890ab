/**
 * Keys from an endpoint: downloaded ahead of need, kept while the endpoint is away, and asked for
 * again, rarely, when a token names a key that is not among them.
 */
import type { Clock } from "../ports/clock.ts";
import type { Timer } from "../ports/ports.ts";
import type { JwsAlgorithm, VerificationKey } from "./crypto.ts";
import { type Download, type DownloadPorts, downloadKeySet } from "./jwks-download.ts";
import type { KeySetStore, StoredKeySet } from "./jwks-store.ts";
import type { JwsHeader } from "./jws.ts";
import { describeHeader } from "./jws.ts";
import type { KeyLookup, KeySource } from "./key-source.ts";
import { createStaticKeySource } from "./key-source.ts";

/** First pause after a failed download; doubles up to the refresh interval. */
const RETRY_MS = 10_000;
/** LIMIT: what a timer can hold. */
const TIMER_MS_MAX = 2_147_483_647;

export interface JwksOptions {
  /** Without credentials. */
  readonly endpoint: string;
  /** See DownloadOptions. */
  readonly discoveryIssuer?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Whom the TLS of `fetch` trusts, as far as it is configured: part of what a kept set is known by. */
  readonly trust?: readonly unknown[] | undefined;
  readonly refreshIntervalSeconds: number;
  readonly maxFailCount: number;
  /** Switch kid_selects_key. */
  readonly selectsByKid: boolean;
  /** See KeySelection. */
  readonly refusesShort?: boolean | undefined;
  /** Switch bad_jwks_keys_skipped. */
  readonly skipBadKeys: boolean;
  /** Switch key_sets_guarded. */
  readonly isGuarded: boolean;
}

export interface JwksPorts extends DownloadPorts {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly store: KeySetStore;
}

/** A set in use. */
interface KeySet extends StoredKeySet {
  readonly source: KeySource;
  readonly kids: ReadonlySet<string>;
}

/**
 * A key source over an endpoint. One download at a time serves everybody.
 *
 * Guarded: downloads start when 80 to 90 % of the interval are over; a failed one is repeated after
 * 10 s, 20 s … up to the interval; keys are used for `maxFailCount` intervals after the download
 * they came with, and not a moment longer; who connects while there are none waits for a download
 * that is under way. Otherwise, as the reference: one download an interval, the keys are dropped
 * with the `maxFailCount`th failure in a row, nobody waits.
 *
 * Source: authentication §3.3.6, §8 items 12 and 13.
 */
export class JwksSource implements KeySource {
  readonly family = "public_key";
  readonly #options: JwksOptions;
  readonly #ports: JwksPorts;
  readonly #id: string;
  readonly #name: string;
  readonly #closing = new AbortController();
  #set: KeySet | undefined;
  #failures = 0;
  #problem = "no download has ended yet";
  #warnings: readonly string[] = [];
  #download: Promise<void> | undefined;
  #timer: Timer | undefined;
  #nextAtMs = 0;

  /**
   * Starts the first download and waits for its end, DOWNLOAD_MS_MAX at most, unless there is a set
   * of before to go on with. Never rejects: without keys every lookup says why.
   */
  static async open(options: JwksOptions, ports: JwksPorts): Promise<JwksSource> {
    const source = new JwksSource(options, ports);
    const first = source.#refresh();
    if (!source.#usable()) await first;
    return source;
  }

  constructor(options: JwksOptions, ports: JwksPorts) {
    this.#options = options;
    this.#ports = ports;
    const { endpoint, discoveryIssuer, headers, trust, skipBadKeys } = options;
    this.#id = JSON.stringify([endpoint, headers, trust, skipBadKeys, discoveryIssuer]);
    const { origin, pathname } = new URL(endpoint);
    // What follows may be a credential.
    this.#name = `${origin}${pathname}`;
    const stored = ports.store.recall(this.#id);
    if (stored) this.#set = this.#index(stored);
  }

  /** The keys in use. */
  get keys(): readonly VerificationKey[] {
    return this.#usable()?.keys ?? [];
  }

  /** What an operator should know of the last download. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  find(header: JwsHeader, algorithm: JwsAlgorithm): KeyLookup | Promise<KeyLookup> {
    const set = this.#usable();
    const isDue = this.#options.isGuarded && this.#ports.clock.now() >= this.#nextAtMs;
    // Timers can be late, or not fire at all where the host sleeps between requests.
    if (isDue && !this.#closing.signal.aborted) this.#refresh();
    if (set === undefined) {
      if (!this.#options.isGuarded || !this.#download) return this.#unavailable(header);
      return this.#download.then(() => this.#answer(header, algorithm, "waited for"));
    }
    if (!this.#isUnknown(header, set)) return this.#answer(header, algorithm);
    // One that is under way may have begun before the key was published: it may not be the last.
    if (!this.#download) return this.#askAgain(header, algorithm);
    return this.#download.then(() => {
      const now = this.#usable();
      return now && this.#isUnknown(header, now)
        ? this.#askAgain(header, algorithm)
        : this.#answer(header, algorithm, "waited for");
    });
  }

  /**
   * A key set may give a name it had to a new key. A token with a known `kid` that no key verifies
   * causes a download as one with an unknown `kid` does, under the same allowance, and gets the keys
   * that it was not tried with: none, when the download changed nothing.
   */
  findAgain(
    header: JwsHeader,
    algorithm: JwsAlgorithm,
    tried: readonly VerificationKey[],
  ): KeyLookup | Promise<KeyLookup> | undefined {
    const set = this.#usable();
    const isKnown = header.kid !== undefined && set?.kids.has(header.kid) === true;
    if (!this.#options.selectsByKid || !isKnown) return undefined;
    const untried = (lookup: KeyLookup): KeyLookup => {
      if (!lookup.ok) return lookup;
      const keys = lookup.keys.filter((key) => !tried.includes(key));
      return { ...lookup, keys, detail: `${lookup.detail}, ${keys.length} of them new` };
    };
    const hasUntried = (lookup: KeyLookup): boolean =>
      lookup.ok && lookup.keys.some((key) => !tried.includes(key));
    const now = this.#answer(header, algorithm, "second attempt");
    if (hasUntried(now)) return untried(now);
    const ask = (): KeyLookup | Promise<KeyLookup> => {
      const asked = this.#askAgain(header, algorithm);
      return asked instanceof Promise ? asked.then(untried) : untried(asked);
    };
    if (!this.#download) return ask();
    return this.#download.then(() => {
      const then = this.#answer(header, algorithm, "waited for");
      return hasUntried(then) ? untried(then) : ask();
    });
  }

  /** Stops timers and downloads. The keys at hand still answer. */
  close(): void {
    this.#closing.abort();
    this.#timer?.clear();
    this.#timer = undefined;
  }

  /** Does the token name a key that is not there, in a set that names its keys? */
  #isUnknown({ kid }: JwsHeader, { kids }: KeySet): boolean {
    return this.#options.selectsByKid && kid !== undefined && kids.size > 0 && !kids.has(kid);
  }

  #askAgain(header: JwsHeader, algorithm: JwsAlgorithm): KeyLookup | Promise<KeyLookup> {
    const { clock, store } = this.#ports;
    // Another who waited for the same download may have asked already.
    const isUnderWay = this.#download !== undefined;
    if (
      this.#closing.signal.aborted ||
      (!isUnderWay && !store.admit(this.#options.endpoint, clock.now()))
    ) {
      return this.#answer(header, algorithm, "not fetched again so soon");
    }
    return this.#refresh().then(() => this.#answer(header, algorithm, "fetched again"));
  }

  #answer(header: JwsHeader, algorithm: JwsAlgorithm, note?: string): KeyLookup {
    const set = this.#usable();
    if (set === undefined) return this.#unavailable(header);
    const lookup = set.source.find(header, algorithm) as KeyLookup & { ok: true };
    const ageSeconds = Math.floor((this.#ports.clock.now() - set.fetchedAtMs) / 1000);
    const about = [
      `${set.keys.length} keys`,
      ...(set.skipped > 0 ? [`${set.skipped} skipped`] : []),
      `${ageSeconds} s old`,
      ...(note === undefined ? [] : [note]),
    ].join(", ");
    const detail = `key set ${this.#name} (${about}), ${describeHeader(header)}: ${lookup.keys.length} fit`;
    return { ...lookup, detail };
  }

  #unavailable(header: JwsHeader): KeyLookup {
    const detail = `key set ${this.#name}, ${describeHeader(header)}`;
    return { ok: false, problem: `there are no keys: ${this.#problem}`, detail };
  }

  /** The set, unless it is too old. */
  #usable(): KeySet | undefined {
    const set = this.#set;
    if (set === undefined || !this.#options.isGuarded) return set;
    const nowMs = this.#ports.clock.now();
    const { refreshIntervalSeconds, maxFailCount } = this.#options;
    // A clock that was set back must not make keys live longer: their age counts from then on.
    if (nowMs < set.fetchedAtMs) this.#set = { ...set, fetchedAtMs: nowMs };
    if (nowMs - set.fetchedAtMs <= maxFailCount * refreshIntervalSeconds * 1000) return set;
    this.#drop();
    return undefined;
  }

  #drop(): void {
    this.#set = undefined;
    this.#ports.store.forget(this.#id);
  }

  #refresh(): Promise<void> {
    this.#download ??= this.#run();
    return this.#download;
  }

  async #run(): Promise<void> {
    this.#timer?.clear();
    const { clock, store } = this.#ports;
    const { isGuarded } = this.#options;
    const request = { ...this.#options, wantsStatus200: isGuarded, known: this.#set?.keys };
    const fetchedAtMs = clock.now();
    const result = await downloadKeySet(request, this.#ports, this.#closing.signal);
    this.#download = undefined;
    if (this.#closing.signal.aborted) return;
    if (result.ok) {
      const { keys, warnings } = result;
      const stored: StoredKeySet = { keys, skipped: warnings.length, fetchedAtMs };
      this.#set = this.#index(stored);
      store.remember(this.#id, stored);
      this.#failures = 0;
      this.#warnings = warnings;
    } else this.#fail(result);
    this.#schedule();
  }

  #fail({ problem }: Download & { ok: false }): void {
    this.#failures += 1;
    this.#problem = problem;
    this.#warnings = [`there is no answer to use: ${problem}`];
    if (!this.#options.isGuarded && this.#failures >= this.#options.maxFailCount) this.#drop();
  }

  #schedule(): void {
    const { clock, random, setTimer } = this.#ports;
    try {
      const delayMs = Math.min(Math.round(this.#pauseMs(random())), TIMER_MS_MAX);
      this.#nextAtMs = clock.now() + delayMs;
      this.#timer = setTimer(() => this.#refresh(), delayMs);
    } catch {
      // Some hosts have timers and random numbers only while they answer: there lookups ask instead.
      this.#nextAtMs = clock.now() + Math.round(this.#pauseMs(0.5));
    }
  }

  /** From the end of one download to the start of the next. Spread, so that servers do not gang up. */
  #pauseMs(random: number): number {
    const intervalMs = this.#options.refreshIntervalSeconds * 1000;
    if (!this.#options.isGuarded) return intervalMs;
    if (this.#failures === 0) return intervalMs * (0.8 + 0.1 * random);
    const retryMs = RETRY_MS * 2 ** Math.min(this.#failures - 1, 20);
    return Math.min(retryMs, intervalMs) * (0.8 + 0.2 * random);
  }

  #index(stored: StoredKeySet): KeySet {
    const { selectsByKid, refusesShort } = this.#options;
    const kids = stored.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]));
    return {
      ...stored,
      kids: new Set(kids),
      source: createStaticKeySource("public_key", stored.keys, { selectsByKid, refusesShort }),
    };
  }
}
