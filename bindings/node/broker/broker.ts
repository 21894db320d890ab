/**
 * An MQTT broker that asks the engine before it does anything. The routing is aedes'; this folder
 * stands between it and the clients.
 *
 *   socket ─► parser (parser-guard) ─► gate ─► connect · publish · subscribe ─► aedes
 *   aedes ─► deliver ─► socket                       wills: aedes ─► will ─► aedes
 */
import type { Socket } from "node:net";
import { Aedes } from "aedes";
import type { AedesBroker, AedesClient } from "./aedes.ts";
import { type Clock, systemClock } from "./clock.ts";
import { DelayedMessages } from "./delayed.ts";
import { Gate } from "./gate.ts";
import { WriteGatherer } from "./gather.ts";
import { hardenBroker, hardenClient, hardenRouting, Qos2Ledger } from "./hardening.ts";
import { createHooks } from "./hooks.ts";
import { Listener, type ListenerHandlers } from "./listener.ts";
import { ClientLog, type Logger } from "./log.ts";
import { guardParser } from "./parser-guard.ts";
import { type BrokerEngine, type Host, type Origin, Peer } from "./peer.ts";
import { RECEIVE_MAXIMUM, TOPIC_ALIASES_MAX } from "./publish.ts";
import { REVIEWS_AT_ONCE, Review } from "./review.ts";
import { TimerWheel } from "./timer-wheel.ts";
import { guardWills } from "./will.ts";

export interface BrokerOptions {
  /** Decides. Its configuration says what to listen on. */
  readonly engine: BrokerEngine;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

export interface ListenerAddress {
  /** `tcp:NAME`. */
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

export interface Broker {
  /** Opens the enabled listeners. Rejects when one cannot be opened; the others are closed then. */
  listen(): Promise<readonly ListenerAddress[]>;
  /** Open connections, accepted clients or not. */
  readonly connections: number;
  /** Stops accepting, tells MQTT 5 clients that the server shuts down, and closes everything. */
  close(): Promise<void>;
}

/** LIMIT: time for clients to read their DISCONNECT before their connections are cut. */
const CLOSE_MS_MAX = 2_000;

/** LIMIT: a client that does not read for this long is cut off. */
const DRAIN_MS_MAX = 10_000;

/** LIMIT: sessions kept for absent MQTT 5 clients, and wills kept for their delay. */
const PENDING_SESSIONS_MAX = 100_000;

/** Makes a broker that is not listening yet. The engine stays the caller's. */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const broker = new EnforcingBroker(options);
  await broker.start();
  return broker;
}

class EnforcingBroker implements Broker {
  readonly #host: Host;
  readonly #log: Logger;
  readonly #gates = new WeakMap<AedesClient, Gate>();
  /** Open connections. */
  readonly #peers = new Map<AedesClient, Peer>();
  /** The same, and those whose will is yet to come. */
  readonly #peerOf = new WeakMap<AedesClient, Peer>();
  readonly #forgetDelayedWills: () => void;
  readonly #forgetPolicyChanges: () => void;
  /** The review under way; that of a newer policy takes its place. */
  #review: Review | undefined;
  /** Stored rules have changed since it began. */
  #isReviewDue = false;
  /** The configuration that listeners follow. */
  #config: object;
  #listeners: Listener[] = [];

  constructor({ engine, log, clock = systemClock }: BrokerOptions) {
    const peerOf = (client: AedesClient): Peer => this.#peerOf.get(client)!;
    const { mqtt } = engine.config;
    const aedes = new Aedes({
      ...(createHooks(peerOf) as object),
      // With a bound on messages under way, one client that does not read would hold up all others.
      concurrency: 0,
      connectTimeout: 2 ** 31 - 1,
      drainTimeout: DRAIN_MS_MAX,
      maxClientsIdLength: 65_535,
      pendingSessionsLimit: PENDING_SESSIONS_MAX,
      topicAliasMaximum: TOPIC_ALIASES_MAX,
      maximumPacketSize: mqtt.maxPacketSizeBytes,
      receiveMaximum: RECEIVE_MAXIMUM,
    }) as unknown as AedesBroker;
    const wheel = new TimerWheel(clock, (error) => log.error({ error }, "timer failed"));
    const clientLog = new ClientLog(log, clock);
    this.#log = log;
    this.#config = engine.config;
    this.#host = {
      engine,
      aedes,
      wheel,
      clock,
      log: clientLog,
      qos2: new Qos2Ledger(),
      gatherer: new WriteGatherer(),
      delayed: new DelayedMessages({ engine, aedes, wheel, clock, log: clientLog, logger: log }),
    };
    hardenBroker(aedes);
    this.#forgetDelayedWills = guardWills(aedes, peerOf);
    this.#observe(aedes);
    this.#forgetPolicyChanges = engine.onPolicyChange(() => this.#followPolicy());
  }

  async start(): Promise<void> {
    const { aedes, qos2 } = this.#host;
    await aedes.listen();
    hardenRouting(aedes, qos2);
  }

  get connections(): number {
    return this.#peers.size;
  }

  async listen(): Promise<readonly ListenerAddress[]> {
    const { listeners, switches } = this.#host.engine.config;
    const handlers: ListenerHandlers = {
      onConnection: (socket, origin) => this.#connect(socket, origin),
      onRefused: (socket, listener, why) => this.#noteRefused(socket, listener, why),
    };
    this.#listeners = listeners
      .filter((listener) => listener.enable)
      .map((config) => new Listener(config, switches, handlers));
    try {
      await Promise.all(this.#listeners.map((listener) => listener.listen()));
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      throw error;
    }
    return this.#listeners.map(({ id, address }) => {
      this.#log.info({ event: "listening", listener: id, ...address }, "listening");
      return { listener: id, ...address };
    });
  }

  async close(): Promise<void> {
    const { aedes, wheel, clock, log, delayed } = this.#host;
    for (const listener of this.#listeners) listener.close();
    delayed.close();
    this.#forgetPolicyChanges();
    this.#review = undefined;
    for (const peer of this.#peers.values()) if (peer.client.id === null) peer.drop();
    const gone = Array.from(
      this.#peers.values(),
      ({ socket }) => new Promise((resolve) => socket.once("close", resolve)),
    );
    const late = clock.setTimer(() => {
      for (const peer of this.#peers.values()) peer.socket.destroy();
    }, CLOSE_MS_MAX);
    await new Promise<void>((resolve) => aedes.close(resolve));
    await Promise.all(gone);
    late.clear();
    this.#forgetDelayedWills();
    wheel.clear();
    log.flush();
  }

  #connect(socket: Socket, origin: Origin): void {
    const client = this.#host.aedes.handle(socket);
    const peer = new Peer(this.#host, client, origin);
    this.#peers.set(client, peer);
    this.#peerOf.set(client, peer);
    hardenClient(client);
    guardParser(client);
    this.#gates.set(client, new Gate(peer));
    socket.once("close", () => {
      this.#peers.delete(client);
      peer.socketClosed();
    });
    peer.setDeadline(this.#host.engine.config.mqtt.idleTimeoutMs, () => {
      this.#host.log.noted("info", "connect_timeout", peer.logged, "no CONNACK in time");
      peer.drop();
    });
  }

  /** Closed before it could send a packet. */
  #noteRefused({ remoteAddress, remotePort }: Socket, listener: string, why: string): void {
    const peer = `${remoteAddress ?? "unknown"}:${remotePort ?? 0}`;
    this.#host.log.noted("info", "connection_refused", { peer, listener }, why);
  }

  /** New connections come in under the listeners of the new policy; where they listen stays. */
  #followListeners(): void {
    const { listeners, switches } = this.#host.engine.config;
    for (const listener of this.#listeners) {
      const config = listeners.find(({ type, name }) => `${type}:${name}` === listener.id);
      if (!config?.enable) continue;
      try {
        listener.follow(config, switches);
      } catch (error) {
        const line = { event: "listener_unchanged", listener: listener.id, error: String(error) };
        this.#log.error(line, "the listener keeps its certificate");
      }
    }
  }

  /** Another policy is in force, or stored rules have changed: judges anew whom it concerns. */
  #followPolicy(): void {
    const { config } = this.#host.engine;
    if (config !== this.#config) {
      this.#config = config;
      this.#followListeners();
    } else if (this.#review) {
      // Rules can change faster than a review ends: begun anew each time, it would never end.
      this.#isReviewDue = true;
      return;
    }
    this.#startReview();
  }

  #startReview(): void {
    const review = new Review();
    this.#review = review;
    this.#isReviewDue = false;
    this.#reviewAll(review)
      .catch((error: unknown) => {
        this.#log.error({ event: "review_failed", error: String(error) }, "review failed");
      })
      .finally(() => {
        if (this.#review !== review) return;
        this.#review = undefined;
        if (this.#isReviewDue) this.#startReview();
      });
  }

  async #reviewAll(review: Review): Promise<void> {
    const startedAt = this.#host.clock.now();
    // Who connects from now on is judged by the new policy anyway.
    // Newest first: the routing looks for what it has to forget from that end.
    const clients = [...this.#peers.keys()].reverse();
    const queue = clients.values();
    const work = async (): Promise<void> => {
      for (const client of queue) {
        const turn = review.takeTurn();
        if (turn) await turn;
        if (this.#review !== review) return;
        if (this.#peers.get(client)?.isReviewDue) await this.#gates.get(client)?.review(review);
      }
    };
    await Promise.all(Array.from({ length: REVIEWS_AT_ONCE }, work));
    if (this.#review !== review) return;
    const { connections, removed, disconnected } = review;
    const counts = { connections, removed, disconnected };
    const durationMs = this.#host.clock.now() - startedAt;
    this.#log.info(
      { event: "policy_followed", ...counts, durationMs },
      "sessions follow the policy",
    );
  }

  #observe(aedes: AedesBroker): void {
    const { log } = this.#host;
    aedes.on("error", (error) => this.#log.error({ error: error.message }, "broker error"));
    const noteError = (client: AedesClient, error: Error): void => {
      const peer = this.#peerOf.get(client);
      if (peer) log.noted("debug", "connection_error", peer.logged, error.message);
    };
    aedes.on("clientError", noteError);
    aedes.on("connectionError", noteError);
    aedes.on("connackSent", (connack, client) => {
      this.#peerOf.get(client)?.writeConnack?.(connack);
      if ((connack.reasonCode ?? connack.returnCode) !== 0) return;
      // aedes notes this, and reads on, only after the event. The gate has to be open by then.
      client.connackSent = true;
      this.#gates.get(client)?.open();
    });
  }
}
