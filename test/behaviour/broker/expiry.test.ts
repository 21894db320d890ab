import { afterEach, describe, expect, it } from "vitest";
import { FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

const clock = new FakeClock();

async function start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const expireAtMs = clock.now() + 60_000;
  const rules: FakeEngineOptions["rules"] = ({ clientId }) =>
    clientId === "watcher" ? {} : { expireAtMs };
  const engine = new FakeEngine({ rules, ...options });
  test = await startBroker(engine, clock);
  return engine;
}

describe("a session whose credentials expire", () => {
  it("ends with maximum connect time and a reason", async () => {
    await start();
    const client = await test.join();
    clock.advance(59_900);
    await client.settled();
    clock.advance(200);
    const { reasonCode, properties } = await client.next("disconnect");
    expect(reasonCode).toBe(0xa0);
    expect(properties?.reasonString).toBe("credentials expired");
    await client.closed;
  });

  it("ends with not authorized in emqx mode", async () => {
    await start({ preset: "emqx" });
    const client = await test.join();
    clock.advance(60_100);
    const { reasonCode, properties } = await client.next("disconnect");
    expect(reasonCode).toBe(0x87);
    expect(properties).toBeUndefined();
  });

  it("is closed without a word before MQTT 5", async () => {
    await start();
    const client = await test.join({ protocolVersion: 4 });
    clock.advance(60_100);
    await client.closed;
    expect(client.received).toEqual([]);
  });

  it("has its will published, authorized at that moment", async () => {
    const engine = await start();
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["w"]);
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    await test.join({ will });
    clock.advance(60_100);
    expect((await watcher.next("publish")).topic).toBe("w");
    expect(engine.asked).toContain("publish w");
  });

  it("is no longer waited for when the client has left before", async () => {
    await start();
    const client = await test.join();
    client.send({ cmd: "disconnect", reasonCode: 0 });
    await client.closed;
    clock.advance(120_000);
    expect(test.lines.filter(({ event }) => event === "session_expired")).toEqual([]);
  });
});

describe("the deadline for a connection", () => {
  it("cuts off a client that sends nothing, or CONNECT byte by byte", async () => {
    const engine = await start();
    const silent = await test.connect();
    const slow = await test.connect();
    slow.sendRaw(Buffer.from([0x10, 20, 0]));
    const good = await test.join({ clientId: "watcher" });
    clock.advance(14_000);
    await good.settled();
    slow.sendRaw(Buffer.from([4]));
    clock.advance(1_200);
    await Promise.all([silent.closed, slow.closed]);
    await good.settled();
    expect(engine.seen.length).toBe(1);
  });

  it("also covers the time the decision takes", async () => {
    const engine = await start();
    let decide: () => void = () => {};
    engine.gate = new Promise((resolve) => {
      decide = resolve;
    });
    const client = await test.connect();
    client.send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clean: true,
      clientId: "slow",
      keepalive: 0,
    });
    while (engine.seen.length === 0) await new Promise(setImmediate);
    clock.advance(15_200);
    await client.closed;
    decide();
    await engine.gate;
    await new Promise(setImmediate);
    expect(engine.sessions.map((session) => session.closed)).toEqual([1]);
    expect(client.received).toEqual([]);
  });
});
