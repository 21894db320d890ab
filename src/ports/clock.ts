/** Time as an argument: nothing in src/ reads a global clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The host's wall clock. */
export const systemClock: Clock = { now: () => Date.now() };
