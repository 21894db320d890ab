import { afterEach, describe, expect, it } from "vitest";
import { type RawClient, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

let engine: FakeEngine;
let watcher: RawClient;

async function start(options: FakeEngineOptions = {}): Promise<void> {
  engine = new FakeEngine({ rules: () => ({ publish: ["ok/#"] }), ...options });
  test = await startBroker(engine);
  watcher = await test.join({ clientId: "watcher" });
  await watcher.subscribe(["#"], 1);
}

const will = { topic: "ok/w", payload: Buffer.from("gone"), qos: 1, retain: true } as const;

describe("a will", () => {
  it("is authorized and published when the connection is lost", async () => {
    await start();
    const client = await test.join({ will });
    expect(engine.asked).toEqual(["subscribe #"]);
    client.socket.destroy();
    const message = await watcher.next("publish");
    expect([message.topic, String(message.payload), message.qos]).toEqual(["ok/w", "gone", 1]);
    expect(engine.asked).toContain("publish ok/w");
    const late = await test.join({ clientId: "late" });
    await late.subscribe(["ok/w"]);
    expect((await late.next("publish")).retain).toBe(true);
  });

  it("that is denied is dropped, and the log says so", async () => {
    await start();
    const client = await test.join({ clientId: "dev", will: { ...will, topic: "no/w" } });
    client.socket.destroy();
    expect(await test.logged("will_refused")).toMatchObject({
      reason: "no_match",
      topic: "no/w",
      clientId: "dev",
    });
    await watcher.publish("ok/marker");
    expect((await watcher.next("publish")).topic).toBe("ok/marker");
  });

  it("is judged by the rules of the time it is published", async () => {
    await start();
    const client = await test.join({ will });
    engine.sessions[1]!.rules = { publish: [] };
    client.socket.destroy();
    await test.logged("will_refused");
  });

  it("is published after a denied publish that ends the connection", async () => {
    await start({ denyAction: "disconnect" });
    const client = await test.join({ will });
    await client.publish("no/a");
    expect((await watcher.next("publish")).topic).toBe("ok/w");
  });

  it("is not published after a goodbye", async () => {
    await start();
    const client = await test.join({ will });
    client.send({ cmd: "disconnect", reasonCode: 0 });
    await client.closed;
    await watcher.publish("ok/marker");
    expect((await watcher.next("publish")).topic).toBe("ok/marker");
  });

  it("goes under the mountpoint, and its delay does not reach subscribers", async () => {
    await start();
    engine.rules = () => ({ publish: ["w"], mountpoint: "m/" });
    const properties = { willDelayInterval: 0, contentType: "text" };
    const client = await test.join({ clientId: "m", will: { ...will, topic: "w", properties } });
    client.socket.destroy();
    const message = await watcher.next("publish");
    expect(message.topic).toBe("m/w");
    expect(message.properties).toEqual({ contentType: "text" });
  });

  it("that takes time to judge keeps its session until it is done", async () => {
    await start({ rules: () => ({ isAsync: true }) });
    const client = await test.join({ will });
    client.socket.destroy();
    expect((await watcher.next("publish")).topic).toBe("ok/w");
    await engine.sessions[1]?.ended;
  });

  it("with a delay is forgotten, with its session, when the client comes back in time", async () => {
    await start();
    const delayed = { ...will, properties: { willDelayInterval: 100 } };
    const properties = { sessionExpiryInterval: 100 };
    const client = await test.join({ will: delayed, properties });
    client.socket.destroy();
    await client.closed;
    expect(engine.sessions[1]?.closed).toBe(0);
    await test.join({ clean: false, properties });
    expect(engine.sessions[1]?.closed).toBe(1);
    await watcher.publish("ok/marker");
    expect((await watcher.next("publish")).topic).toBe("ok/marker");
  });
});
