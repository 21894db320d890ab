/**
 * The client side of the reload case, in a process of its own: many connections that subscribe to a
 * few filters each, and again when they are told to.
 */
import { connect, type Socket } from "node:net";
import mqtt from "mqtt-packet";

/** Parent to child: connect if need be, and subscribe every connection to what all of them want. */
export interface SubscribeRequest {
  readonly port: number;
  readonly clients: number;
}

/** Child to parent: how many connections have their SUBACK. */
export interface SubscribeAnswer {
  readonly subscribed: number;
}

/** Connections that are being made at a time; the backlog of a listener is not endless. */
const AT_ONCE = 100;

const sockets: Socket[] = [];

process.on("message", async ({ port, clients }: SubscribeRequest) => {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let n = next++; n < clients; n = next++) {
      sockets[n] ??= await join(port, n);
      await ask(sockets[n]!, subscribePacket(n));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const answer: SubscribeAnswer = { subscribed: next - AT_ONCE };
  process.send!(answer);
});

async function join(port: number, n: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", (error) => {
    throw error;
  });
  const packet = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId: `dev-${n}`,
    username: `user-${n}`,
    keepalive: 0,
  } as const;
  await ask(socket, mqtt.generate(packet));
  return socket;
}

function subscribePacket(n: number): Buffer {
  const topics = [`dev/dev-${n}/#`, "news/+", `team/${n % 100}/#`];
  return mqtt.generate({
    cmd: "subscribe",
    messageId: 1,
    subscriptions: topics.map((topic) => ({ topic, qos: 0 as const })),
  });
}

/** Every answer here fits into one read. */
function ask(socket: Socket, packet: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.once("data", () => resolve());
    socket.write(packet);
  });
}
