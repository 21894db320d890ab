/** Clients that come and go, ten thousand of them, leave memory where it was. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
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

/** Bytes of heap that each visitor leaves behind, after `warmUp` visitors have left theirs. */
async function keptBytes(
  visits: (from: number, to: number) => Promise<void>,
  { warmUp, count }: { warmUp: number; count: number },
): Promise<number> {
  await visits(0, warmUp);
  const before = await heapBytes();
  await visits(warmUp, warmUp + count);
  return ((await heapBytes()) - before) / count;
}

/** Heap in use; what waits for a finalizer or a later turn of the event loop is given its time. */
async function heapBytes(): Promise<number> {
  for (let turn = 0; turn < 4; turn++) {
    gc();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().heapUsed;
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
  const visitors = fork(fileURLToPath(new URL("../../support/visitors.mjs", import.meta.url)));
  const visits = async (from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += 500) {
      const batch = Array.from({ length: Math.min(500, to - first) }, (_, i) => ({
        words: wordsOf(first + i).toString("base64"),
        leavesAtOnce: (first + i) % 2 === 0,
      }));
      visitors.send({ port: address!.port, visits: batch });
      await once(visitors, "message");
    }
    while (broker.connections > 0 || recordsUsed() > 0) await new Promise(setImmediate);
  };
  // A connection that is kept costs tens of KB; what a session leaves in aedes' maps, hundreds.
  expect(await keptBytes(visits, { warmUp: 1_000, count: 2_000 })).toBeLessThan(1_024);
  expect(recordsUsed()).toBe(0);
  visitors.kill();
  await broker.close();
  engine.close();
});
