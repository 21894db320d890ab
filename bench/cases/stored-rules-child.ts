/**
 * The rest of the world in the stored-rules case, in a process of its own: somebody who changes rules
 * as the command line does, and two clients that pass a message to and fro all the time.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import mqtt, { type Packet } from "mqtt-packet";
import type { RecordPlace } from "../../bindings/node/store/keys.ts";
import { openStore, type Store } from "../../bindings/node/store/store.ts";

/** Parent to child. Each change is a transaction of its own; no rules take the record away. */
export type ChildRequest =
  | { readonly type: "open"; readonly directory: string; readonly port: number }
  | { readonly type: "change"; readonly changes: readonly RuleChange[] }
  /** The longest that a message took since the last time it was asked. */
  | { readonly type: "slowest" };

export interface RuleChange {
  readonly place: RecordPlace;
  readonly rules: readonly object[];
}

/** Child to parent, one for each request. */
export interface ChildAnswer {
  readonly slowestMs: number;
}

let store: Store;
let slowestMs = 0;

process.on("message", async (request: ChildRequest) => {
  if (request.type === "open") {
    store = await openStore(request.directory);
    await startTraffic(request.port);
  } else if (request.type === "change") {
    for (const { place, rules } of request.changes) {
      store.write((writer) => {
        if (rules.length > 0) writer.putRules(place, rules);
        else writer.delete("rules", place);
      });
      // Its own clients have to get on as well.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  process.send!({ slowestMs } satisfies ChildAnswer);
  if (request.type === "slowest") slowestMs = 0;
});

/** One message under way at a time: `from` publishes, `to` hears it, and so on. */
async function startTraffic(port: number): Promise<void> {
  const from = await join(port, "traffic-from");
  const to = await join(port, "traffic-to");
  const subscriptions = [{ topic: "traffic", qos: 0 as const }];
  to.write(mqtt.generate({ cmd: "subscribe", messageId: 1, subscriptions }));
  await once(to, "data");
  let sentAt = 0;
  const send = (): void => {
    sentAt = performance.now();
    from.write(PING);
  };
  to.on("data", () => {
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    setImmediate(send);
  });
  send();
}

const PING = mqtt.generate({ cmd: "publish", topic: "traffic", payload: "x" } as Packet);

async function join(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const packet = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: 0,
  } as const;
  socket.write(mqtt.generate(packet));
  await once(socket, "data");
  return socket;
}
