import { EventEmitter } from "node:events";
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { createLog } from "../../../bindings/node/broker/log.ts";
import { stopOnSignal } from "../../../bindings/node/broker/stop.ts";
import { startBroker } from "../../support/broker.ts";
import { FakeEngine } from "../../support/fake-engine.ts";

describe("stopping", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`on ${signal} tells clients, closes everything and gives all sessions back`, async () => {
      const engine = new FakeEngine();
      const test = await startBroker(engine);
      const signals = new EventEmitter();
      const stopped = stopOnSignal(test.broker, signals, createLog({ level: "silent" }));
      const modern = await test.join({ clientId: "modern" });
      const old = await test.join({ clientId: "old", protocolVersion: 4 });
      const silent = await test.connect();
      signals.emit(signal);
      expect((await modern.next("disconnect")).reasonCode).toBe(0x8b);
      await Promise.all([modern.closed, old.closed, silent.closed, stopped]);
      expect(engine.sessions.map((session) => session.closed)).toEqual([1, 1]);
      expect(test.broker.connections).toBe(0);
      expect(signals.listenerCount(signal)).toBe(0);
      await expect(test.connect()).rejects.toThrow("ECONNREFUSED");
    });
  }

  it("gives back the session of a client whose will waits for its delay", async () => {
    const engine = new FakeEngine();
    const test = await startBroker(engine);
    const client = await test.join({
      properties: { sessionExpiryInterval: 100 },
      will: {
        topic: "w",
        payload: Buffer.from("x"),
        qos: 0,
        retain: false,
        properties: { willDelayInterval: 100 },
      },
    });
    client.socket.destroy();
    while (test.broker.connections > 0) await new Promise(setImmediate);
    const other = await test.join({ clientId: "other" });
    await other.settled();
    expect(engine.sessions[0]?.closed).toBe(0);
    await test.close();
    expect(engine.sessions.map((session) => session.closed)).toEqual([1, 1]);
  });
});

describe("an ordinary client library", () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`is served in version ${protocolVersion}`, async () => {
      const test = await startBroker(new FakeEngine());
      const client = await connectAsync(`mqtt://127.0.0.1:${test.port}`, { protocolVersion });
      await client.subscribeAsync("a/#", { qos: 2 });
      const message = new Promise<string>((resolve) => {
        client.on("message", (topic, payload) => resolve(`${topic} ${String(payload)}`));
      });
      await client.publishAsync("a/b", "hello", { qos: 2 });
      expect(await message).toBe("a/b hello");
      await client.unsubscribeAsync("a/#");
      await client.endAsync();
      await test.close();
    });
  }
});
