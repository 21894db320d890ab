import { afterEach, describe, expect, it } from "vitest";
import { connectPacket, FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
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

  for (const [preset, code] of [
    ["strict", 0xa0],
    ["emqx", 0x87],
  ] as const) {
    it(`ends for one who only listens, its will with it (${preset})`, async () => {
      await start({ preset });
      const watcher = await test.join({ clientId: "watcher" });
      await watcher.subscribe(["w/#"]);
      for (const protocolVersion of [5, 4] as const) {
        const topic = `w/${protocolVersion}`;
        const will = { topic, payload: Buffer.from("x"), qos: 0, retain: false } as const;
        const listener = await test.join({ clientId: topic, protocolVersion, will });
        await listener.subscribe(["anything/#"]);
      }
      clock.advance(59_800);
      await watcher.settled();
      expect(watcher.received).toEqual([]);
      clock.advance(400);
      const wills = [await watcher.next("publish"), await watcher.next("publish")];
      expect(wills.map(({ topic }) => topic).sort()).toEqual(["w/4", "w/5"]);
      expect(test.lines.filter(({ event }) => event === "session_expired")).toHaveLength(2);
      const last = await test.join({ clientId: "last" });
      clock.advance(60_200);
      expect((await last.next("disconnect")).reasonCode).toBe(code);
    });
  }

  it("keeps the delay of its will", async () => {
    await start();
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["#"]);
    const properties = { willDelayInterval: 1 };
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    const client = await test.join({
      will: { ...will, properties },
      properties: { sessionExpiryInterval: 100 },
    });
    clock.advance(60_200);
    await client.closed;
    await watcher.publish("marker");
    expect((await watcher.next("publish")).topic).toBe("marker");
    expect((await watcher.next("publish")).topic).toBe("w");
  });

  it("ends right after its CONNACK when its time has passed before", async () => {
    for (const protocolVersion of [5, 4] as const) {
      await start({ rules: () => ({ expireAtMs: clock.now() - 1 }) });
      const client = await test.connect();
      client.send(connectPacket({ protocolVersion }));
      const connack = await client.next("connack");
      expect(connack.reasonCode ?? connack.returnCode).toBe(0);
      // The session begins right after its CONNACK has been written.
      while (!client.socket.closed) {
        clock.advance(100);
        await new Promise(setImmediate);
      }
      const told = client.received.map((packet) => [
        packet.cmd,
        "reasonCode" in packet && packet.reasonCode,
      ]);
      expect(told).toEqual(protocolVersion === 5 ? [["disconnect", 0xa0]] : []);
      if (protocolVersion === 5) await test.close();
    }
  });

  it("ends at a time that no timer of the host reaches, and not before", async () => {
    const far = 2 ** 31 + 3_600_000;
    const at = clock.now() + far;
    await start({ rules: () => ({ expireAtMs: at }) });
    const client = await test.join();
    for (const left of [far - 2 ** 31, 1_000, 200]) {
      clock.jump(at - left - clock.now());
      clock.advance(100);
      await client.settled();
    }
    clock.advance(300);
    expect((await client.next("disconnect")).reasonCode).toBe(0xa0);
  });

  it("lives on with an end beyond every calendar", async () => {
    for (const expireAtMs of [Number.MAX_SAFE_INTEGER, 1e300, Number.POSITIVE_INFINITY]) {
      await start({ rules: () => ({ expireAtMs }) });
      const client = await test.join();
      clock.advance(10_000);
      await client.settled();
      await test.close();
    }
    await start();
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
