/** Starts a broker for a test, and talks to it in raw packets. */
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import mqtt, { type IConnectPacket, type Packet } from "mqtt-packet";
import type pino from "pino";
import { type Broker, createBroker } from "../../bindings/node/broker/broker.ts";
import type { Clock, TimerHandle } from "../../bindings/node/broker/clock.ts";
import { createLog } from "../../bindings/node/broker/log.ts";
import type { BrokerEngine } from "../../bindings/node/broker/peer.ts";

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(now = 1_750_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return { clear: () => this.#timers.delete(timer) };
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Moves on, running what comes due in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }

  /** Sets the clock without running anything, as a suspended machine would. */
  jump(ms: number): void {
    this.#now += ms;
  }
}

export interface TestBroker {
  readonly broker: Broker;
  readonly port: number;
  /** Log lines so far, parsed. */
  readonly lines: Record<string, unknown>[];
  /** The log as text. */
  readonly text: () => string;
  /** Resolves when a line with this event has been written. */
  logged(event: string): Promise<Record<string, unknown>>;
  connect(): Promise<RawClient>;
  /** Connects, sends CONNECT and waits until the broker is ready for more. */
  join(packet?: Partial<IConnectPacket>): Promise<RawClient>;
  close(): Promise<void>;
}

export async function startBroker(engine: BrokerEngine, clock?: Clock): Promise<TestBroker> {
  const lines: Record<string, unknown>[] = [];
  const waiting: { event: string; resolve: (line: Record<string, unknown>) => void }[] = [];
  let text = "";
  const destination: pino.DestinationStream = {
    write(line) {
      text += line;
      const parsed = JSON.parse(line) as Record<string, unknown>;
      lines.push(parsed);
      for (const { event, resolve } of waiting) if (parsed.event === event) resolve(parsed);
    },
  };
  const log = createLog({ level: "debug", destination });
  const broker = await createBroker({ engine, log, clock });
  const [address] = await broker.listen();
  const { port } = address!;
  const clients: RawClient[] = [];
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  };
  return {
    broker,
    port,
    lines,
    text: () => text,
    logged(event) {
      const line = lines.find((candidate) => candidate.event === event);
      if (line) return Promise.resolve(line);
      return new Promise((resolve) => waiting.push({ event, resolve }));
    },
    connect,
    async join(packet = {}) {
      const client = await connect();
      client.send(connectPacket(packet));
      await client.next("connack");
      await client.settled();
      return client;
    },
    async close() {
      for (const client of clients) client.socket.destroy();
      await broker.close();
    },
  };
}

/** A CONNECT with everything that has to be in one. */
export function connectPacket(packet: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 5,
    clean: true,
    clientId: "c1",
    keepalive: 0,
    ...packet,
  };
}

/** A client that sends what it is told to, and collects what it gets. */
export class RawClient {
  readonly socket: Socket;
  readonly received: Packet[] = [];
  readonly closed: Promise<void>;
  #version: 3 | 4 | 5 = 5;
  #messageId = 1;
  #parser = mqtt.parser({ protocolVersion: 5 });
  readonly #waiting: {
    cmd: string;
    resolve: (packet: Packet) => void;
    reject: (e: Error) => void;
  }[] = [];

  static async open(port: number): Promise<RawClient> {
    const socket = connectSocket({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen();
    socket.on("data", (bytes) => this.#parser.parse(bytes));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        resolve();
        for (const { cmd, reject } of this.#waiting) {
          const seen = this.received.map((packet) => packet.cmd).join(" ");
          reject(new Error(`closed while waiting for ${cmd}; unread: ${seen}`));
        }
      });
    });
  }

  send(...packets: Packet[]): void {
    this.sendRaw(this.encode(...packets));
  }

  encode(...packets: Packet[]): Buffer {
    for (const packet of packets) {
      if (packet.cmd === "connect" && packet.protocolVersion) {
        this.#version = packet.protocolVersion;
        this.#parser = mqtt.parser({ protocolVersion: this.#version });
        this.#listen();
      }
    }
    const options = { protocolVersion: this.#version };
    return Buffer.concat(packets.map((packet) => mqtt.generate(packet, options)));
  }

  sendRaw(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** The next packet of this kind, now or later; rejects when the connection closes first. */
  async next<C extends Packet["cmd"]>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    const index = this.received.findIndex((packet) => packet.cmd === cmd);
    if (index >= 0) return this.received.splice(index, 1)[0] as Extract<Packet, { cmd: C }>;
    const packet = await new Promise<Packet>((resolve, reject) => {
      if (this.socket.closed) reject(new Error(`closed, no ${cmd}`));
      this.#waiting.push({ cmd, resolve, reject });
    });
    return packet as Extract<Packet, { cmd: C }>;
  }

  /** Codes of the SUBACK for these filters. */
  async subscribe(
    filters: readonly (string | { topic: string; qos?: 0 | 1 | 2; nl?: boolean })[],
    qos: 0 | 1 | 2 = 0,
  ): Promise<number[]> {
    this.sendSubscribe(filters, qos);
    return (await this.next("suback")).granted as number[];
  }

  sendSubscribe(
    filters: readonly (string | { topic: string; qos?: 0 | 1 | 2; nl?: boolean })[],
    qos: 0 | 1 | 2 = 0,
  ): void {
    const subscriptions = filters.map((filter) =>
      typeof filter === "string" ? { topic: filter, qos } : { qos, ...filter },
    );
    this.send({ cmd: "subscribe", messageId: this.#messageId++, subscriptions });
  }

  /** Sends a PUBLISH; for QoS 1 and 2 resolves with the reason code of the first answer. */
  async publish(
    topic: string,
    options: { qos?: 0 | 1 | 2; retain?: boolean; payload?: string; messageId?: number } = {},
  ): Promise<number | undefined> {
    const { qos = 0, retain = false, payload = topic, messageId = this.#messageId++ } = options;
    this.send({ cmd: "publish", topic, payload, qos, retain, dup: false, messageId });
    if (qos === 0) return undefined;
    const answer = qos === 1 ? await this.next("puback") : await this.next("pubrec");
    if (qos === 2 && (answer.reasonCode ?? 0) < 0x80) {
      this.send({ cmd: "pubrel", messageId });
      await this.next("pubcomp");
    }
    return answer.reasonCode ?? 0;
  }

  /** Everything sent before has been handled when this resolves. */
  async settled(): Promise<void> {
    this.send({ cmd: "pingreq" });
    await this.next("pingresp");
  }

  #listen(): void {
    this.#parser.on("packet", (packet) => {
      const index = this.#waiting.findIndex(({ cmd }) => cmd === packet.cmd);
      if (index >= 0) this.#waiting.splice(index, 1)[0]!.resolve(packet);
      else this.received.push(packet);
    });
    this.#parser.on("error", () => {});
  }
}
