/**
 * Messages that wait for their time, published to `$delayed/SECONDS/TOPIC`.
 *
 * They were authorized when they came. When they go, the policy is asked once more if `enforce_delivery` is
 * on, so that a message does not outlive the permission to send it: policy and stored rules may have
 * changed by then, the client may have been authenticated anew, its token's rules may have expired.
 * For that the session of the publisher stays open as long as a message of it waits, connected or
 * not. Messages are kept in memory and are lost when the broker stops. Source: authorization §1.6.
 */
import type { Action, Session } from "../../../src/types.ts";
import type { AedesBroker, AedesClient, PublishedPacket } from "./aedes.ts";
import type { Clock } from "./clock.ts";
import type { Delay } from "./delayed-topic.ts";
import { type ClientLog, type LoggedClient, type Logger, refusalOf } from "./log.ts";
import type { BrokerEngine } from "./peer.ts";
import type { TimerWheel, WheelEntry } from "./timer-wheel.ts";

/** LIMIT: messages that wait, of all clients and of one. */
export const DELAYED_MESSAGES_MAX = 10_000;
export const DELAYED_MESSAGES_PER_CLIENT_MAX = 1_000;
/** LIMIT: bytes of their topics, payloads and properties. */
export const DELAYED_BYTES_MAX = 64 * 1024 * 1024;
/** LIMIT: messages published before everything else gets its turn. */
const PUBLISHED_PER_TURN = 200;

export interface DelayedMessage {
  /** Who sent it. */
  readonly session: Session;
  readonly client: AedesClient;
  readonly logged: LoggedClient;
  /** What was authorized: the action, and the whole topic as the client wrote it. */
  readonly action: Action;
  readonly asked: string;
  readonly atMs: Delay["atMs"];
  /** What is published, under the mountpoint. */
  readonly packet: PublishedPacket;
}

interface Waiting extends DelayedMessage {
  readonly sinceMs: number;
  readonly bytes: number;
}

export interface DelayedMessagesOptions {
  readonly engine: BrokerEngine;
  readonly aedes: AedesBroker;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly log: ClientLog;
  readonly logger: Logger;
}

export class DelayedMessages {
  readonly #options: DelayedMessagesOptions;
  /** The last one is next. */
  #waiting: Waiting[] = [];
  #bytes = 0;
  readonly #countByClient = new Map<string, number>();
  /** Open sessions that messages belong to; `isLeft`: nobody else needs them any more. */
  readonly #sessions = new Map<Session, { count: number; isLeft: boolean }>();
  #alarm: WheelEntry | undefined;
  #isPublishing = false;
  #isClosed = false;

  constructor(options: DelayedMessagesOptions) {
    this.#options = options;
  }

  /** Messages that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Keeps a message until its time, or says why it cannot. */
  hold(message: DelayedMessage): "shutting_down" | "too_many_delayed" | undefined {
    const { session, packet, atMs } = message;
    if (this.#isClosed) return "shutting_down";
    // What the parser hands out is a view of all that was read at once.
    const payload = Buffer.from(packet.payload);
    const bytes = bytesOf(packet, payload);
    const ofClient = this.#countByClient.get(session.clientId) ?? 0;
    const hasRoom =
      this.#waiting.length < DELAYED_MESSAGES_MAX &&
      ofClient < DELAYED_MESSAGES_PER_CLIENT_MAX &&
      this.#bytes + bytes <= DELAYED_BYTES_MAX;
    if (!hasRoom) return "too_many_delayed";
    const sinceMs = this.#options.clock.now();
    const waiting: Waiting = { ...message, packet: { ...packet, payload }, sinceMs, bytes };
    this.#waiting.splice(this.#placeOf(atMs), 0, waiting);
    this.#bytes += bytes;
    this.#countByClient.set(session.clientId, ofClient + 1);
    const use = this.#sessions.get(session);
    if (use) use.count++;
    else this.#sessions.set(session, { count: 1, isLeft: false });
    this.#setAlarm();
    return undefined;
  }

  /** The connection is over: closes the session, or does so after its last message. */
  leave(session: Session): void {
    const use = this.#sessions.get(session);
    if (use) use.isLeft = true;
    else session.close();
  }

  /** Forgets what waits, and says how much it was. */
  close(): void {
    this.#isClosed = true;
    const lost = this.#waiting.length;
    if (lost > 0) {
      this.#options.logger.warn(
        { event: "delayed_lost", count: lost },
        "delayed messages are lost",
      );
    }
    for (const message of this.#waiting.splice(0)) this.#letGo(message);
  }

  /** Where a message for this time belongs: of those with the same time it is the last to go. */
  #placeOf(atMs: number): number {
    let from = 0;
    let to = this.#waiting.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#waiting[middle]!.atMs <= atMs) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #setAlarm(): void {
    const { wheel } = this.#options;
    if (this.#alarm) wheel.cancel(this.#alarm);
    this.#alarm = undefined;
    const next = this.#waiting.at(-1);
    if (!next || this.#isPublishing) return;
    this.#alarm = wheel.start(next.atMs, () => void this.#publishDue());
  }

  async #publishDue(): Promise<void> {
    this.#isPublishing = true;
    for (let count = 1; ; count++) {
      const next = this.#waiting.at(-1);
      if (!next || next.atMs > this.#options.clock.now()) break;
      this.#waiting.pop();
      await this.#publish(next);
      this.#letGo(next);
      if (count % PUBLISHED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isPublishing = false;
    this.#setAlarm();
  }

  async #publish(message: Waiting): Promise<void> {
    const { aedes, clock, log } = this.#options;
    const { packet, client, logged } = message;
    try {
      if (!(await this.#isStillAllowed(message)) || this.#isClosed) return;
      const left = withTimeLeft(packet, clock.now() - message.sinceMs);
      // Not awaited: it is done only when every receiver has taken it.
      if (left) aedes.publish(left, client, () => {});
    } catch (error) {
      log.noted("warn", "delayed_failed", logged, String(error));
    }
  }

  async #isStillAllowed({ session, action, asked, logged }: Waiting): Promise<boolean> {
    if (!this.#options.engine.config.switches.enforce_delivery) return true;
    const decision = await session.authorize(action, asked);
    if (decision.verdict === "allow") return true;
    this.#options.log.refused("delayed", logged, refusalOf(decision, asked, action.qos));
    return false;
  }

  #letGo({ session, bytes }: Waiting): void {
    this.#bytes -= bytes;
    const { clientId } = session;
    const left = (this.#countByClient.get(clientId) ?? 1) - 1;
    if (left > 0) this.#countByClient.set(clientId, left);
    else this.#countByClient.delete(clientId);
    const use = this.#sessions.get(session);
    if (!use || --use.count > 0) return;
    this.#sessions.delete(session);
    if (use.isLeft) session.close();
  }
}

function bytesOf({ topic, properties }: PublishedPacket, payload: Buffer): number {
  const text = properties === undefined ? "" : JSON.stringify(properties);
  return Buffer.byteLength(topic) + payload.length + text.length;
}

/**
 * The packet with what is left of its Message Expiry Interval; undefined when nothing is.
 * [MQTT5 3.3.2-5, 3.3.2-6]
 */
function withTimeLeft(packet: PublishedPacket, waitedMs: number): PublishedPacket | undefined {
  const interval = packet.properties?.messageExpiryInterval;
  if (interval === undefined) return packet;
  const messageExpiryInterval = interval - Math.floor(waitedMs / 1000);
  if (messageExpiryInterval <= 0) return undefined;
  return { ...packet, properties: { ...packet.properties, messageExpiryInterval } };
}
