/**
 * Circuit breaker: a server that does not answer is left alone for a while, and then tried with one
 * request at a time. It sees failures and answers, never what they mean for a client.
 */
import type { Clock } from "../ports/clock.ts";

/** LIMIT: failures in a row until the circuit opens. */
export const BREAKER_FAILURES_MAX = 5;
/** LIMIT: how long it stays open at first; doubles with each probe that fails. */
export const BREAKER_OPEN_MS_MIN = 1000;
/** LIMIT: how long it stays open at most. */
export const BREAKER_OPEN_MS_MAX = 30_000;

export interface BreakerPorts {
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

/**
 * How a request may go on. `probe`: the only one until its outcome is reported.
 */
export type Admission = "ask" | "probe" | "refused";

/** `up`: the server answered. `down`: it did not. `unclear`: says nothing about the server. */
export type Outcome = "up" | "down" | "unclear";

export class Breaker {
  readonly #ports: BreakerPorts;
  #failures = 0;
  /** Undefined while closed. */
  #openUntilMs: number | undefined;
  #isProbing = false;

  constructor(ports: BreakerPorts) {
    this.#ports = ports;
  }

  /** May a request be sent now? Each that may has to be reported. */
  admit(): Admission {
    if (this.#openUntilMs === undefined) return "ask";
    if (this.#isProbing || this.#remainingMs() > 0) return "refused";
    this.#isProbing = true;
    return "probe";
  }

  report(admission: "ask" | "probe", outcome: Outcome): void {
    if (admission === "probe") this.#isProbing = false;
    if (outcome === "up") {
      this.#failures = 0;
      this.#openUntilMs = undefined;
    } else if (outcome === "down") {
      // Those that were under way when it opened say nothing new.
      if (admission === "ask" && this.#openUntilMs !== undefined) return;
      this.#failures += 1;
      if (this.#failures >= BREAKER_FAILURES_MAX) this.#open();
    }
  }

  /** For explanations; undefined while all is well. */
  describe(): string | undefined {
    if (this.#failures === 0) return undefined;
    const counted = `${this.#failures} failure${this.#failures === 1 ? "" : "s"} in a row`;
    if (this.#openUntilMs === undefined) return counted;
    if (this.#isProbing) return `circuit open after ${counted}, a probe is under way`;
    const remainingMs = this.#remainingMs();
    const next = remainingMs > 0 ? `next probe in ${remainingMs} ms` : "next request is a probe";
    return `circuit open after ${counted}, ${next}`;
  }

  #open(): void {
    const { clock, random } = this.#ports;
    const openMs = BREAKER_OPEN_MS_MIN * 2 ** Math.min(this.#failures - BREAKER_FAILURES_MAX, 20);
    // Spread, so that many brokers do not come back at once.
    const pauseMs = Math.min(openMs, BREAKER_OPEN_MS_MAX) * (0.5 + 0.5 * random());
    this.#openUntilMs = clock.now() + Math.round(pauseMs);
  }

  #remainingMs(): number {
    const remainingMs = (this.#openUntilMs ?? 0) - this.#ports.clock.now();
    // A clock that was set back must not keep the circuit open until it has caught up.
    return remainingMs > BREAKER_OPEN_MS_MAX ? 0 : Math.max(0, remainingMs);
  }
}
