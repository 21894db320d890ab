/** Clients that come and go, ten thousand of them, leave memory where it was. */
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import mqtt from "mqtt-packet";
import { expect, it } from "vitest";
import { createBroker } from "../../../bindings/node/broker/broker.ts";
import { createLog } from "../../../bindings/node/broker/log.ts";
import { connectPacket } from "../../support/broker.ts";
import { engineFrom, signToken } from "../../support/policy.ts";

const SECRET = "jwtpassfortest1";
const CONF = `
  authentication = [{
    mechanism = jwt, algorithm = "hmac-based", secret = "${SECRET}", from = password
    disconnect_after_expire = true, verify_claims { sub = "\${clientid}" }
  }]
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
const ACL = '{allow, all, all, ["own/${clientid}/#"]}.';

const gc = (): void => {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
};

/** A token with rules of its own and an end; one in eight is somebody else's. */
function tokenOf(n: number): string {
  const acl = [{ permission: "allow", action: "all", topic: `extra/${n}/#` }];
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  return signToken({ sub: n % 8 ? `visitor${n}` : "x", exp, acl }, SECRET);
}

/** CONNECT, SUBSCRIBE, PUBLISH; one client in four has a will, one in two says goodbye. */
function wordsOf(n: number): Buffer {
  const clientId = `visitor${n}`;
  const will = { topic: `own/${clientId}/w`, payload: Buffer.from("x"), qos: 0, retain: false };
  const packets = [
    connectPacket({
      clientId,
      username: "u",
      password: Buffer.from(tokenOf(n)),
      ...(n % 4 === 1 ? { will: will as never } : {}),
    }),
    {
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [`own/${clientId}/#`, "#"].map((topic) => ({ topic, qos: 1 })),
    },
    { cmd: "publish", topic: `own/${clientId}/t`, payload: "x", qos: 1, messageId: 2, dup: false },
    ...(n % 2 ? [{ cmd: "disconnect", reasonCode: 0 }] : []),
  ];
  return Buffer.concat(packets.map((one) => mqtt.generate(one as never, { protocolVersion: 5 })));
}

/** Says everything at once; those who do not say goodbye are gone with the first answer. */
function visit(port: number, n: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.on("data", () => {
      if (n % 2 === 0) socket.destroy();
    });
    socket.write(wordsOf(n));
  });
}

/** Bytes of heap that each visitor leaves behind, after `warmUp` visitors have left theirs. */
async function keptBytes(
  visits: (from: number, to: number) => Promise<void>,
  { warmUp, count }: { warmUp: number; count: number },
): Promise<number> {
  await visits(0, warmUp);
  gc();
  const before = process.memoryUsage().heapUsed;
  await visits(warmUp, warmUp + count);
  gc();
  return (process.memoryUsage().heapUsed - before) / count;
}

it("ten thousand clients leave nothing in the engine", { timeout: 60_000 }, async () => {
  const engine = await engineFrom({ conf: CONF, acl: ACL });
  const { memory, records_used: recordsUsed } = engine.policy.memory.exports;
  const sizes = new Set<number>();
  const visits = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      const clientId = `visitor${n}`;
      const answer = await engine.connect({ clientId, username: "u", password: tokenOf(n) });
      expect(answer.verdict).toBe(n % 8 ? "allow" : "deny");
      if (answer.verdict === "deny") continue;
      const { session } = answer;
      const subscribe = { type: "subscribe", qos: 1 } as const;
      expect(session.authorize(subscribe, `own/${clientId}/#`).verdict).toBe("allow");
      session.close();
    }
    sizes.add(memory.buffer.byteLength);
    expect(recordsUsed()).toBe(0);
  };
  expect(await keptBytes(visits, { warmUp: 1_000, count: 9_000 })).toBeLessThan(256);
  expect(sizes.size).toBe(1);
  engine.close();
});

it("clients at the sockets leave nothing in the broker", { timeout: 120_000 }, async () => {
  const engine = await engineFrom({ conf: CONF, acl: ACL });
  const broker = await createBroker({ engine, log: createLog({ level: "silent" }) });
  const [address] = await broker.listen();
  const { records_used: recordsUsed } = engine.policy.memory.exports;
  const visits = async (from: number, to: number): Promise<void> => {
    let next = from;
    const walk = async (): Promise<void> => {
      while (next < to) await visit(address!.port, next++);
    };
    await Promise.all(Array.from({ length: 20 }, walk));
    while (broker.connections > 0 || recordsUsed() > 0) await new Promise(setImmediate);
  };
  // A connection that is kept costs tens of KB.
  expect(await keptBytes(visits, { warmUp: 200, count: 800 })).toBeLessThan(4_096);
  expect(recordsUsed()).toBe(0);
  await broker.close();
  engine.close();
});
