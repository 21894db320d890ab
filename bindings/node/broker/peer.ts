/** One connection: what is known of it, and what it is waiting for. */
import type { Socket } from "node:net";
import type { IConnackPacket, Packet } from "mqtt-packet";
import type { Config } from "../../../src/config/config.ts";
import type { ClientInfo, ConnectAnswer, Session } from "../../../src/types.ts";
import type { AedesBroker, AedesClient, Qos, ReceivedPacket } from "./aedes.ts";
import type { PeerAuth } from "./auth.ts";
import type { Clock } from "./clock.ts";
import type { DelayedMessages } from "./delayed.ts";
import type { WriteGatherer } from "./gather.ts";
import type { Qos2Ledger } from "./hardening.ts";
import type { ClientLog, LoggedClient } from "./log.ts";
import { writePacket } from "./packets.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { TimerWheel, WheelEntry } from "./timer-wheel.ts";
import type { ClientCertificate } from "./tls.ts";

/** The engine, as far as the broker needs it. */
export interface BrokerEngine {
  /** Another object after every change of the policy. */
  readonly config: Config;
  connect(client: ClientInfo): Promise<ConnectAnswer>;
  /**
   * Calls back when another policy is in force or stored rules have changed, until the function it
   * returned is called. Whom it concerns is seen by `session.revision`.
   */
  onPolicyChange(listener: () => void): () => void;
}

/** What all connections share. */
export interface Host {
  readonly engine: BrokerEngine;
  readonly aedes: AedesBroker;
  readonly wheel: TimerWheel;
  readonly clock: Clock;
  readonly log: ClientLog;
  readonly qos2: Qos2Ledger;
  readonly gatherer: WriteGatherer;
  readonly delayed: DelayedMessages;
}

/**
 * `new` nothing received · `deciding` the CONNECT is being judged · `exchanging` the client has to say
 * more before it can be · `registering` accepted, CONNACK not sent yet · `accepted` packets are
 * handled · `closed` nothing is read any more.
 */
export type Phase = "new" | "deciding" | "exchanging" | "registering" | "accepted" | "closed";

/** Where a connection came in. */
export interface Origin {
  /** `tcp:default`. */
  readonly listener: string;
  readonly zone: string;
  /** Of TLS connections. */
  readonly serverName?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

/** LIMIT: time for an answered peer to close, before the connection is cut. */
const LINGER_MS = 2_000;

export class Peer {
  readonly host: Host;
  readonly client: AedesClient;
  readonly socket: Socket;
  readonly origin: Origin;
  /** Address and port, for the log; the socket forgets them when it closes. */
  readonly address: string;
  phase: Phase = "new";
  version: 3 | 4 | 5 = 4;
  /** The largest packet that the client takes [MQTT5 3.1.2.11.4]. */
  packetBytesMax: number = Number.POSITIVE_INFINITY;
  /** As sent, then as decided; undefined before CONNECT. */
  clientId: string | undefined;
  /** Present from acceptance until the connection and its will are done. */
  session: Session | undefined;
  /** Of a client that connected with an Authentication Method. */
  auth: PeerAuth | undefined;
  /** Topic prefix of the session. */
  mountpoint = "";
  readonly subscriptions = new Subscriptions();
  /** Inbound topic aliases [MQTT5 3.3.2.3.4]. */
  readonly topicAliases = new Map<number, string>();
  /** Writes the CONNACK in the place of aedes, where it has something to add. */
  writeConnack: ((connack: IConnackPacket) => void) | undefined;
  /** Packets that have to wait for their turn. */
  held: ReceivedPacket[] = [];
  /** A packet is being handled asynchronously. */
  isBusy = false;
  /** Answers wait for the client to read. */
  isBlocked = false;
  /** What the hooks of aedes let through, because it has been judged just now. */
  admitted: object | undefined;
  /** A will is about to be published, now or after its delay. */
  isWillDue = false;
  readonly #isFilterCovered = (filter: string, qos: Qos): boolean =>
    this.session?.isCovered(filter.slice(this.mountpoint.length), qos) ?? false;
  /** The revision of its session under which its subscriptions were judged last. */
  #judgedUnder: object | undefined;
  #isSocketClosed = false;
  #isEnding = false;
  #deadline: WheelEntry | undefined;
  #expiry: WheelEntry | undefined;

  constructor(host: Host, client: AedesClient, origin: Origin) {
    this.host = host;
    this.client = client;
    this.socket = client.conn;
    this.origin = origin;
    const { disconnect } = client;
    client.disconnect = (options, done) => {
      this.endWrites();
      disconnect.call(client, options, done);
    };
    this.address = `${this.socket.remoteAddress ?? "unknown"}:${this.socket.remotePort ?? 0}`;
  }

  /** Who a log line is about. */
  get logged(): LoggedClient {
    return { clientId: this.clientId, peer: this.address, listener: this.origin.listener };
  }

  get isOpen(): boolean {
    return this.phase !== "closed" && !this.client.closed;
  }

  /** Runs `late` after `delayMs` unless the deadline is moved or met. */
  setDeadline(delayMs: number, late: () => void): void {
    this.meetDeadline();
    this.#deadline = this.host.wheel.start(this.host.clock.now() + delayMs, late);
  }

  meetDeadline(): void {
    if (this.#deadline) this.host.wheel.cancel(this.#deadline);
    this.#deadline = undefined;
  }

  /** Runs `end` when the session has to end. */
  setExpiry(atMs: number, end: () => void): void {
    this.cancelExpiry();
    this.#expiry = this.host.wheel.start(atMs, end);
  }

  cancelExpiry(): void {
    if (this.#expiry) this.host.wheel.cancel(this.#expiry);
    this.#expiry = undefined;
  }

  /** A delivery is about to be written; others may join it. */
  expectWrite(): void {
    if (!this.#isEnding) this.host.gatherer.hold(this.socket);
  }

  /** Nothing may be held back any more: aedes closes right after it has written a DISCONNECT. */
  endWrites(): void {
    this.#isEnding = true;
    this.host.gatherer.release(this.socket);
  }

  /** May subscriptions be there that the session may not have any more? */
  get isReviewDue(): boolean {
    return this.session !== undefined && this.session.revision !== this.#judgedUnder;
  }

  /** Call before the first of its subscriptions is judged. */
  beginJudging(): void {
    this.#judgedUnder = this.session?.revision;
  }

  /**
   * Does every subscription lie within what the policy allows now? After a change that concerns the
   * session all of them are asked about again. While the client is authenticated anew its rights
   * may change at any time, so nothing is taken as covered.
   */
  isCovered(): boolean {
    if (this.auth?.exchange || this.session === undefined) return false;
    this.subscriptions.follow(this.session.revision, this.#isFilterCovered);
    return !this.subscriptions.someUncovered;
  }

  /** Notes a subscription, by the filter as the broker routes it. */
  subscribed(filter: string, qos: Qos): void {
    if (this.session) this.subscriptions.follow(this.session.revision, this.#isFilterCovered);
    this.subscriptions.set(filter, qos, this.#isFilterCovered(filter, qos));
  }

  /** Writes an answer; a client that does not read its answers is not read from either. */
  answer(packet: Packet): void {
    if (writePacket(this.socket, this.version, packet) || this.isBlocked) return;
    this.isBlocked = true;
    this.client.pause();
    this.client.waitForDrain(() => {
      this.isBlocked = false;
      if (!this.isBusy && this.isOpen) this.resume();
    });
  }

  /**
   * Reads on. aedes counts the packets it has in hand, and reads when there are none; it does not
   * count down while paused. Without a fresh start some connections would never be read again.
   */
  resume(): void {
    this.client._parsingBatch = 1;
    this.client.resume();
  }

  /** Ends an accepted connection: DISCONNECT with a reason code (MQTT 5), then close. */
  disconnect(reasonCode: number, reasonString?: string): void {
    if (!this.isOpen) return;
    this.#stopReceiving();
    this.endWrites();
    if (this.version === 5) {
      const properties = reasonString === undefined ? {} : { properties: { reasonString } };
      writePacket(this.socket, 5, { cmd: "disconnect", reasonCode, ...properties });
      this.client.disconnectReasonCode = reasonCode;
      // mqtt-packet corks the socket until the next tick; closing at once would lose the packet.
      setImmediate(() => this.client.close());
    } else {
      this.client.close();
    }
  }

  /** Closes without another word. */
  drop(): void {
    this.#stopReceiving();
    this.socket.destroy();
  }

  /**
   * Closes a connection that was never accepted, after the answer just written. Closing at once
   * would reset the connection when unread bytes wait, and the answer would be lost with it.
   */
  closeAfterAnswer(): void {
    this.#stopReceiving();
    this.client._parser.removeAllListeners("packet");
    this.socket.removeAllListeners("readable");
    this.socket.on("data", discard);
    this.socket.resume();
    this.socket.end();
    this.setDeadline(LINGER_MS, () => this.socket.destroy());
  }

  /** The keep-alive clock of aedes does not see packets that are handled here. [MQTT5 3.1.2.10] */
  refreshKeepalive(): void {
    if (this.client._keepaliveInterval > 0) this.client._keepaliveTimer?.refresh();
  }

  /** The socket is gone; aedes may still have a will to publish. */
  socketClosed(): void {
    this.#isSocketClosed = true;
    this.#stopReceiving();
    this.meetDeadline();
    this.cancelExpiry();
    if (this.client.will !== null && !this.client._disconnected) this.isWillDue = true;
    this.releaseSession();
  }

  /** Nothing that was received, or is yet to be, is handled any more. */
  #stopReceiving(): void {
    this.phase = "closed";
    this.held = [];
    this.auth?.exchange?.abandon();
    this.auth = undefined;
  }

  /** Call when the will is published, dropped or cancelled. */
  willDone(): void {
    this.isWillDue = false;
    this.releaseSession();
  }

  /** Gives the client record back, once nothing but delayed messages can ask it any more. */
  releaseSession(): void {
    if (!this.#isSocketClosed || this.isWillDue) return;
    const { session } = this;
    this.session = undefined;
    if (session) this.host.delayed.leave(session);
  }
}

function discard(): void {}
