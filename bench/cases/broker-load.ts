/**
 * The client side of the broker case, in a process of its own so that it does not slow the brokers
 * down: one subscriber, one publisher, QoS 0, at most WINDOW messages on their way.
 *
 * Messages have one size, so the subscriber counts bytes instead of parsing packets.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import mqtt from "mqtt-packet";

/** Parent to child: send so many messages through the broker at `port`. */
export interface LoadRequest {
  readonly port: number;
  readonly messages: number;
}

/** Child to parent: what arrived. */
export interface LoadAnswer {
  readonly received: number;
}

const WINDOW = 200;
const BATCH = 20;
const FILTER = "bench/+/value";
const TOPIC = "bench/5/value";

interface Pair {
  readonly publisher: Socket;
  readonly subscriber: Socket;
}

const pairs = new Map<number, Promise<Pair>>();
const message = mqtt.generate({
  cmd: "publish",
  topic: TOPIC,
  payload: Buffer.alloc(64, "x"),
  qos: 0,
  retain: false,
  dup: false,
});
const batch = Buffer.concat(Array.from({ length: BATCH }, () => message));

process.on("message", async ({ port, messages }: LoadRequest) => {
  let pair = pairs.get(port);
  if (!pair) {
    pair = open(port);
    pairs.set(port, pair);
  }
  const answer: LoadAnswer = { received: await pump(await pair, messages) };
  process.send!(answer);
});

async function open(port: number): Promise<Pair> {
  const subscriber = await join(port, "bench-sub");
  subscriber.write(
    mqtt.generate({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: FILTER, qos: 0 }],
    }),
  );
  await once(subscriber, "data");
  return { subscriber, publisher: await join(port, "bench-pub") };
}

async function join(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(
    mqtt.generate({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
    }),
  );
  await once(socket, "data");
  return socket;
}

/** Sends `messages`, a multiple of BATCH, and resolves when all of them have come back. */
function pump({ publisher, subscriber }: Pair, messages: number): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    let bytes = 0;
    const send = (): void => {
      const received = Math.floor(bytes / message.length);
      while (sent < messages && sent + BATCH - received <= WINDOW) {
        publisher.write(batch);
        sent += BATCH;
      }
    };
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes < messages * message.length) {
        send();
      } else {
        subscriber.off("data", count);
        resolve(bytes / message.length);
      }
    };
    subscriber.on("data", count);
    send();
  });
}
