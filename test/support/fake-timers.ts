/** Time that stands still until a test moves it, timers included. */
import type { Ports, SetTimer } from "../../src/ports/ports.ts";

export interface FakeTime {
  readonly now: () => number;
  readonly setTimer: SetTimer;
  /** Timers that are set. */
  readonly pending: () => number;
  /** Delays of all timers ever set, in order. */
  readonly delaysMs: readonly number[];
  /** Moves on, and runs what falls due on the way, in order. */
  advance(ms: number): void;
  /** Moves the wall clock alone. */
  setClock(ms: number): void;
}

export function fakeTime(startMs: number): FakeTime & Pick<Ports, "now" | "setTimer"> {
  let elapsedMs = 0;
  let wallMs = startMs;
  const timers = new Map<object, { atMs: number; run: () => void }>();
  const delaysMs: number[] = [];
  return {
    delaysMs,
    now: () => wallMs,
    pending: () => timers.size,
    setTimer: (run, delayMs) => {
      const id = {};
      timers.set(id, { atMs: elapsedMs + delayMs, run });
      delaysMs.push(delayMs);
      return { clear: () => void timers.delete(id) };
    },
    setClock: (ms) => {
      wallMs = ms;
    },
    advance: (ms) => {
      const endMs = elapsedMs + ms;
      for (;;) {
        const due = [...timers].filter(([, { atMs }]) => atMs <= endMs);
        const next = due.sort(([, a], [, b]) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        const [id, { atMs, run }] = next;
        timers.delete(id);
        wallMs += atMs - elapsedMs;
        elapsedMs = atMs;
        run();
      }
      wallMs += endMs - elapsedMs;
      elapsedMs = endMs;
    },
  };
}
