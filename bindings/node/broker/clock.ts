/** Time as the broker needs it; tests pass one that they move by hand. */
export interface Clock {
  /** Wall-clock time in ms since the epoch. */
  now(): number;
  /** Calls `run` once, at least `delayMs` from now. Must not keep the process alive. */
  setTimer(run: () => void, delayMs: number): TimerHandle;
}

export interface TimerHandle {
  clear(): void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { clear: () => clearTimeout(timer) };
  },
};
