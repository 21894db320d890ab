/**
 * Enhanced authentication as a host drives it: one step at a time, each of them taken once.
 * Source: authentication §6.1, §8 items 29 and 31; MQTT5 §4.12.
 */
import { UsageError } from "../errors.ts";
import type {
  ConnectAnswer,
  ConnectDecision,
  ConnectDenied,
  Exchange,
  Fault,
  Session,
} from "../types.ts";

/** LIMIT: AUTH packets of a client before a CONNECT or re-authentication has to be decided. */
export const EXCHANGE_STEPS_MAX = 10;

/** Not decided yet: what to send, and the step to take with what comes back. */
export interface Pending<A> {
  readonly verdict: "continue";
  readonly by: string;
  readonly faults: readonly Fault[];
  readonly data: Uint8Array | undefined;
  readonly step: (data: Uint8Array | undefined) => Promise<A | ConnectDenied | Pending<A>>;
}

/** A step that can be taken once, or given up. */
export class NextStep<A> implements Exchange<A> {
  #take: ((data: Uint8Array | undefined, isAbandoned: () => boolean) => Promise<A>) | undefined;
  #isAbandoned = false;

  /** What `take` finds out is not to have an effect once `isAbandoned`. */
  constructor(take: (data: Uint8Array | undefined, isAbandoned: () => boolean) => Promise<A>) {
    this.#take = take;
  }

  async step(data: Uint8Array | undefined): Promise<A> {
    const take = this.#take;
    if (!take) {
      throw new UsageError("ERR_USAGE_EXCHANGE", "the step was taken, or the exchange given up");
    }
    this.#take = undefined;
    return take(data, () => this.#isAbandoned);
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#take = undefined;
  }
}

/**
 * The decision, for a host that cannot send AUTH packets: an exchange that would go on is given up
 * and refused with 0x8C.
 */
export function withoutExchange<S extends Session>(answer: ConnectAnswer<S>): ConnectDecision<S> {
  if (answer.verdict !== "continue") return answer;
  answer.exchange.abandon();
  const { by, faults } = answer;
  return { verdict: "deny", reason: "exchange_not_possible", by, code: 0x8c, faults };
}
