/**
 * The end of 100,000 sessions: arming, cancelling and running their timers. Every session with a token
 * has one, and a million devices that come back after an outage arm theirs at once. Speed of light: an
 * entry is four fields and two links.
 */
import { strict as assert } from "node:assert";
import type { Clock } from "../../bindings/node/broker/clock.ts";
import { TICK_MS, TimerWheel } from "../../bindings/node/broker/timer-wheel.ts";
import { type BenchCase, measureCase } from "../harness.ts";

const TIMERS = 100_000;
const START_MS = 1_750_000_000_000;
/** Tokens of an hour, all different; 7,919 shares no factor with 100,000. */
const DELAYS = Array.from({ length: TIMERS }, (_, n) => 1_000 + ((n * 7_919) % TIMERS) * 36);
const HOUR_MS = 3_700_000;

/** A clock that is moved by hand and knows one timer, as many as the wheel has. */
class HandClock implements Clock {
  nowMs = START_MS;
  #run: (() => void) | undefined;

  now(): number {
    return this.nowMs;
  }

  setTimer(run: () => void): { clear(): void } {
    this.#run = run;
    return { clear: () => (this.#run = undefined) };
  }

  /** Up to this time, tick by tick. */
  advance(toMs: number): void {
    while (this.#run && this.nowMs < toMs) {
      this.nowMs += TICK_MS;
      const run = this.#run;
      this.#run = undefined;
      run();
    }
  }
}

function wheelAt(clock: Clock): TimerWheel {
  return new TimerWheel(clock, (error) => {
    throw error;
  });
}

function armAndCancel(): number {
  const wheel = wheelAt(new HandClock());
  const entries = DELAYS.map((delay) => wheel.start(START_MS + delay, nothing));
  for (const entry of entries) wheel.cancel(entry);
  return wheel.size;
}

function armAndRun(): number {
  const clock = new HandClock();
  const wheel = wheelAt(clock);
  let runs = 0;
  for (const delay of DELAYS) wheel.start(START_MS + delay, () => runs++);
  clock.advance(START_MS + HOUR_MS);
  return runs;
}

/** What a broker without a wheel does. */
function armAndClearTimeouts(): number {
  const timers = DELAYS.map((delay) => setTimeout(nothing, delay));
  for (const timer of timers) clearTimeout(timer);
  return 0;
}

function nothing(): void {}

export const cases: Readonly<Record<string, BenchCase>> = {
  "timers: 100,000 armed and cancelled": (name) => {
    assert.equal(armAndCancel(), armAndClearTimeouts());
    return measureCase(name, "an entry is made, linked and unlinked", [
      { name: "portcullis", run: armAndCancel, opsPerCall: TIMERS },
      { name: "setTimeout", run: armAndClearTimeouts, opsPerCall: TIMERS },
    ]);
  },
  "timers: 100,000 armed and run within an hour": (name) => {
    assert.equal(armAndRun(), TIMERS);
    return measureCase(name, "an entry is made, moves inwards through the rings and runs", [
      { name: "portcullis", run: armAndRun, opsPerCall: TIMERS },
    ]);
  },
};
