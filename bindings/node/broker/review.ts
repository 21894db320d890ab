/**
 * What a change of the policy means for clients that are connected: their subscriptions are
 * authorized again, as if they were made now. Source: authorization §9 item 14.
 *
 * Only permissions are looked at. Who a client is was settled at CONNECT and is not asked again;
 * limits such as `mqtt.max_topic_levels` hold for what is subscribed to from now on. Sessions
 * without a connection are judged when their client comes back (restoreSubscription).
 */
import { refusalOf } from "./log.ts";
import type { Peer } from "./peer.ts";
import { NOT_AUTHORIZED } from "./reason-codes.ts";

/** LIMIT: questions asked of the policy, or sessions looked at, before everything else gets its turn. */
export const QUESTIONS_PER_TURN = 200;

/**
 * LIMIT: the same in ms, for questions that take long because rules have to be read anew: 10 ms are
 * what others may have to wait, and the last question begun and what it leads to take their part.
 */
export const TURN_MS_MAX = 4;

/**
 * Connections under review at a time. One by one, each would cost a turn of the event loop, because
 * that is what aedes takes to unsubscribe.
 */
export const REVIEWS_AT_ONCE = 32;

/** One pass over all connections; counts what came of it. */
export class Review {
  /** Connections that it concerned. */
  connections = 0;
  /** Subscriptions taken away. */
  removed = 0;
  /** Connections ended. */
  disconnected = 0;
  #left = QUESTIONS_PER_TURN;
  readonly #elapsedMs: () => number;
  #turnEndMs: number;
  #nextTurn: Promise<void> | undefined;

  /** `elapsedMs` reads a clock that is never set. */
  constructor(elapsedMs: () => number = () => performance.now()) {
    this.#elapsedMs = elapsedMs;
    this.#turnEndMs = elapsedMs() + TURN_MS_MAX;
  }

  /** Call before each question; the answer, where there is one, has to be awaited. */
  takeTurn(): Promise<void> | undefined {
    if (this.#left-- > 0 && this.#elapsedMs() < this.#turnEndMs) return undefined;
    this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#nextTurn = undefined;
        this.#left = QUESTIONS_PER_TURN;
        this.#turnEndMs = this.#elapsedMs() + TURN_MS_MAX;
        resolve();
      });
    });
    return this.#nextTurn;
  }
}

/** Authorizes what one client is subscribed to, and does what the policy says about the rest. */
export async function reviewPeer(peer: Peer, review: Review): Promise<void> {
  const { host, mountpoint, session, subscriptions } = peer;
  const turn = review.takeTurn();
  if (turn) await turn;
  if (session === undefined || !peer.isOpen) return;
  review.connections++;
  // What changes from here on is the next review's.
  peer.beginJudging();
  const { onPolicyChange } = host.engine.config;
  if (onPolicyChange === "keep") return;
  const denied: string[] = [];
  for (const [routed, qos] of subscriptions.list()) {
    // Most questions are answered at once: waiting for nothing would cost more than the answer.
    const turn = review.takeTurn();
    if (turn) await turn;
    // Nothing can be asked of the session once the connection is gone.
    if (!peer.isOpen) return;
    const filter = routed.slice(mountpoint.length);
    const answer = session.authorize({ type: "subscribe", qos }, filter);
    const decision = answer instanceof Promise ? await answer : answer;
    if (decision.verdict === "allow") continue;
    host.log.refused("subscription", peer.logged, refusalOf(decision, filter, qos));
    denied.push(routed);
  }
  if (denied.length === 0 || !peer.isOpen) return;
  if (onPolicyChange === "disconnect") {
    review.disconnected++;
    peer.disconnect(NOT_AUTHORIZED, "the policy has changed");
    return;
  }
  await unsubscribe(peer, denied);
  review.removed += denied.length;
}

/** From the session as it is kept, from the routing, and from what deliveries are measured by. */
async function unsubscribe(peer: Peer, filters: readonly string[]): Promise<void> {
  const { client, host, subscriptions } = peer;
  if (!client.clean) {
    await host.aedes.persistence.removeSubscriptions({ id: client.id! }, filters);
  }
  await new Promise<void>((resolve) => {
    client.unsubscribe({ unsubscriptions: [...filters] }, () => resolve());
  });
  // Last, so that nothing passes as long as something still comes by.
  for (const filter of filters) subscriptions.delete(filter);
}
