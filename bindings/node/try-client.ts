/** A client for trying a broker out: connects, subscribes, publishes once, and tells how it went. */
import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import mqtt, { type Packet } from "mqtt-packet";
import { authClientFor } from "./auth-client.ts";

export interface TryOptions {
  readonly host: string;
  readonly port: number;
  /** Use TLS, with these certificates and keys. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "cert" | "key"> | undefined;
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** MQTT 5 Authentication Method; the password goes no other way then. */
  readonly authMethod?: string | undefined;
  readonly filters: readonly string[];
  readonly message?: { readonly topic: string; readonly payload: string } | undefined;
  /** Stay until the broker ends the connection. */
  readonly stays: boolean;
  readonly tell: (event: TryEvent) => void;
}

export interface TryEvent {
  readonly what: "connect" | "subscribe" | "publish" | "message" | "disconnect";
  /** What it was about: a client id, a filter, a topic. */
  readonly about: string;
  /** MQTT 5 reason code; from 0x80 on a refusal. */
  readonly code: number;
  readonly payload?: string;
}

/** LIMIT: time for the broker to answer. */
const ANSWER_MS_MAX = 10_000;

/** LIMIT: time for an accepted message to come back. */
const ECHO_MS_MAX = 2_000;

const REFUSED = 0x80;
const CONTINUE_AUTHENTICATION = 0x18;

/** Speaks MQTT 5. True when everything asked for was granted. Rejects when there is no broker. */
export async function tryClient(options: TryOptions): Promise<boolean> {
  const { clientId, filters, message, tell } = options;
  const wire = await Wire.open(options);
  try {
    const code = await login(wire, options);
    tell({ what: "connect", about: clientId, code });
    if (code >= REFUSED) return false;
    let granted = 0;
    for (const [index, topic] of filters.entries()) {
      wire.send({ cmd: "subscribe", messageId: index + 1, subscriptions: [{ topic, qos: 0 }] });
      const [answer = REFUSED] = (await wire.next("suback")).granted as number[];
      tell({ what: "subscribe", about: topic, code: answer });
      if (answer < REFUSED) granted++;
    }
    const isPublished = message === undefined || (await publish(wire, message, tell));
    if (options.stays) await wire.closed;
    else if (granted > 0 && message && isPublished) await wire.echo;
    return granted === filters.length && isPublished;
  } finally {
    wire.close();
  }
}

/** From the CONNECT to the reason code of its CONNACK. */
async function login(wire: Wire, options: TryOptions): Promise<number> {
  const { clientId, password, authMethod } = options;
  const auth = authMethod && authClientFor(authMethod, options.username, password);
  const plain = auth ? undefined : password;
  // mqtt-packet writes no password without a username; an empty one says as little.
  const username = options.username ?? (plain === undefined ? undefined : "");
  const properties = auth && {
    authenticationMethod: authMethod,
    authenticationData: Buffer.from(auth.first),
  };
  wire.send({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 5,
    clean: true,
    keepalive: 0,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(plain === undefined ? {} : { password: Buffer.from(plain) }),
    ...(properties ? { properties } : {}),
  });
  for (;;) {
    const answer = await wire.next("connack", "auth");
    const data = answer.properties?.authenticationData;
    if (answer.cmd === "connack") {
      const { reasonCode = 0 } = answer;
      if (reasonCode < REFUSED && auth && !auth.trusts(data)) {
        throw new Error("the broker did not show that it knows the password: not trusted");
      }
      return reasonCode;
    }
    const said = auth ? await auth.answer(data ?? Buffer.alloc(0)) : undefined;
    if (!said) throw new Error("the broker asks for something that this client does not know");
    const next = { ...properties, authenticationData: Buffer.from(said) };
    wire.send({ cmd: "auth", reasonCode: CONTINUE_AUTHENTICATION, properties: next });
  }
}

async function publish(
  wire: Wire,
  { topic, payload }: NonNullable<TryOptions["message"]>,
  tell: TryOptions["tell"],
): Promise<boolean> {
  wire.send({ cmd: "publish", topic, payload, qos: 1, retain: false, dup: false, messageId: 1 });
  const { reasonCode: code = 0 } = await wire.next("puback");
  tell({ what: "publish", about: topic, code });
  return code < REFUSED;
}

/** One connection, packet by packet. */
class Wire {
  readonly closed: Promise<void>;
  /** The first message, or the time it may take. */
  readonly echo: Promise<void>;
  readonly #socket: Socket;
  readonly #received: Packet[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  static open({ host, port, tls, tell }: TryOptions): Promise<Wire> {
    return new Promise((resolve, reject) => {
      // A server name has to be a name; an address is checked against the certificate all the same.
      const servername = isIP(host) === 0 ? host : "";
      const socket = tls ? connectTls({ ...tls, host, port, servername }) : connect(port, host);
      socket.once("error", reject);
      socket.once(tls ? "secureConnect" : "connect", () => {
        socket.off("error", reject);
        resolve(new Wire(socket, tell));
      });
    });
  }

  constructor(socket: Socket, tell: TryOptions["tell"]) {
    this.#socket = socket;
    const parser = mqtt.parser({ protocolVersion: 5 });
    this.echo = new Promise((resolve) => {
      const timer = setTimeout(resolve, ECHO_MS_MAX);
      timer.unref();
      parser.on("packet", (packet) => {
        if (packet.cmd === "publish") {
          tell({ what: "message", about: packet.topic, code: 0, payload: String(packet.payload) });
          resolve();
        } else if (packet.cmd === "disconnect") {
          tell({ what: "disconnect", about: "", code: packet.reasonCode ?? 0 });
        } else this.#received.push(packet);
        this.#wake();
      });
    });
    parser.on("error", () => socket.destroy());
    socket.on("data", (bytes) => parser.parse(bytes));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  send(packet: Packet): void {
    this.#socket.write(mqtt.generate(packet, { protocolVersion: 5 }));
  }

  /** The next packet of one of these kinds. Rejects when the broker closes or does not answer. */
  async next<C extends Packet["cmd"]>(...kinds: C[]): Promise<Extract<Packet, { cmd: C }>> {
    const late = setTimeout(() => this.#socket.destroy(), ANSWER_MS_MAX);
    try {
      for (;;) {
        const index = this.#received.findIndex(({ cmd }) => (kinds as string[]).includes(cmd));
        if (index >= 0) return this.#received.splice(index, 1)[0] as Extract<Packet, { cmd: C }>;
        if (this.#isClosed) throw new Error("the broker closed the connection without an answer");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    if (!this.#isClosed)
      this.#socket.end(mqtt.generate({ cmd: "disconnect" }, { protocolVersion: 5 }));
    this.#socket.setTimeout(ANSWER_MS_MAX, () => this.#socket.destroy());
  }
}
