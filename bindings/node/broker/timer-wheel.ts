/**
 * One timer for everything that waits: connect deadlines and the end of sessions.
 *
 * A hierarchical wheel: six rings of 64 slots. A slot of ring 0 is one tick, a slot of ring n is
 * 64^n ticks. An entry sits in the finest ring that can still hold it and moves inwards as its
 * time comes near, so starting and cancelling cost the same whatever the number of entries.
 *
 *   ring 0   64 x 0.1 s   =  6.4 s        ring 3   64 x 7.3 h  = 19.4 d
 *   ring 1   64 x 6.4 s   =  6.8 min      ring 4   64 x 19 d   =  3.4 a
 *   ring 2   64 x 6.8 min =  7.3 h        ring 5   64 x 3.4 a  =  218 a
 *
 * An entry further away than that waits at the rim and is placed again when it gets there.
 */
import type { Clock, TimerHandle } from "./clock.ts";

/** An entry is never early, and late by less than a tick plus the delay of the host's timer. */
export const TICK_MS = 100;
const RINGS = 6;
const SLOT_BITS = 6;
const SLOTS = 1 << SLOT_BITS;
const REACH_TICKS = SLOTS ** RINGS - 1;

/** LIMIT: entries that run in one go; sockets are served before the next ones. */
export const RUNS_MAX = 1_000;

/** LIMIT: further behind than this (a suspended machine), placing all again beats stepping. */
const STEPS_MAX = 10_000;

/** A waiting entry. Lists are intrusive, so cancelling finds its neighbours without a search. */
export class WheelEntry {
  run: () => void;
  atTick: number;
  previous: WheelEntry | undefined = undefined;
  next: WheelEntry | undefined = undefined;

  constructor(run: () => void, atTick: number) {
    this.run = run;
    this.atTick = atTick;
  }
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  /** List heads, ring by ring; a head's `next` is the first entry. */
  readonly #heads: WheelEntry[];
  #tick: number;
  #size = 0;
  #timer: TimerHandle | undefined;
  /** Callbacks run, and may start others; the timer is armed when they are done. */
  #isAdvancing = false;

  /** `onError` receives what an entry's callback throws; the others still run. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#tick = Math.floor(clock.now() / TICK_MS);
    this.#heads = Array.from({ length: RINGS * SLOTS }, () => new WheelEntry(noop, 0));
  }

  /** Entries waiting. */
  get size(): number {
    return this.#size;
  }

  /** Calls `run` once when the clock reads `atMs` or later; never before this call returns. */
  start(atMs: number, run: () => void): WheelEntry {
    if (this.#size === 0) this.#tick = Math.floor(this.#clock.now() / TICK_MS);
    const entry = new WheelEntry(run, Math.ceil(atMs / TICK_MS));
    this.#size++;
    this.#place(entry);
    this.#arm();
    return entry;
  }

  /** Forgets an entry; harmless when it has run or was cancelled already. */
  cancel(entry: WheelEntry): void {
    if (entry.previous === undefined) return;
    unlink(entry);
    this.#size--;
  }

  /** Forgets everything. */
  clear(): void {
    for (const head of this.#heads) while (head.next) unlink(head.next);
    this.#size = 0;
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #arm(delayMs = TICK_MS): void {
    if (this.#timer || this.#isAdvancing || this.#size === 0) return;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#isAdvancing = true;
      const isDone = this.#advance();
      this.#isAdvancing = false;
      this.#arm(isDone ? TICK_MS : 0);
    }, delayMs);
  }

  /** Runs what is due; false when that was too much for one go. */
  #advance(): boolean {
    const target = Math.floor(this.#clock.now() / TICK_MS);
    if (target - this.#tick > STEPS_MAX) this.#jump(target);
    // The slot of the current tick comes first: it holds what the last go left over.
    let left = this.#fire(this.#heads[this.#tick % SLOTS]!, RUNS_MAX);
    while (left > 0 && this.#tick < target) {
      this.#tick++;
      this.#cascade();
      left = this.#fire(this.#heads[this.#tick % SLOTS]!, left);
    }
    return left > 0;
  }

  /** Moves the entries of outer slots inwards whenever an inner ring comes full circle. */
  #cascade(): void {
    let slot = this.#tick;
    for (let ring = 1; ring < RINGS && slot % SLOTS === 0; ring++) {
      slot = Math.floor(slot / SLOTS);
      const head = this.#heads[ring * SLOTS + (slot % SLOTS)]!;
      let entry = head.next;
      head.next = undefined;
      while (entry) {
        const next: WheelEntry | undefined = entry.next;
        this.#place(entry, 0);
        entry = next;
      }
    }
  }

  #jump(target: number): void {
    const entries: WheelEntry[] = [];
    for (const head of this.#heads) {
      for (let entry = head.next; entry; entry = entry.next) entries.push(entry);
      head.next = undefined;
    }
    this.#tick = target - 1;
    for (const entry of entries) this.#place(entry);
  }

  /** Puts an entry where it belongs, at least `ahead` ticks from now. */
  #place(entry: WheelEntry, ahead = 1): void {
    const at = Math.max(entry.atTick, this.#tick + ahead);
    const distance = Math.min(at - this.#tick, REACH_TICKS);
    let ring = 0;
    let span = SLOTS;
    while (distance >= span) {
      ring++;
      span *= SLOTS;
    }
    const slot = Math.floor((this.#tick + distance) / (span / SLOTS)) % SLOTS;
    link(this.#heads[ring * SLOTS + slot]!, entry);
  }

  /** Runs entries of a slot, at most `runs`; returns how many more may run. */
  #fire(head: WheelEntry, runs: number): number {
    let left = runs;
    // What a callback starts lands in a later tick, so this list only gets shorter.
    for (let entry = head.next; entry && left > 0; entry = head.next) {
      unlink(entry);
      this.#size--;
      left--;
      try {
        entry.run();
      } catch (error) {
        this.#onError(error);
      }
    }
    return left;
  }
}

function link(head: WheelEntry, entry: WheelEntry): void {
  entry.previous = head;
  entry.next = head.next;
  if (head.next) head.next.previous = entry;
  head.next = entry;
}

function unlink(entry: WheelEntry): void {
  if (entry.previous) entry.previous.next = entry.next;
  if (entry.next) entry.next.previous = entry.previous;
  entry.previous = undefined;
  entry.next = undefined;
}

function noop(): void {}
