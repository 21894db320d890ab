import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { QOS2_PENDING_MAX } from "../../../bindings/node/broker/hardening.ts";
import {
  connectPacket,
  type RawClient,
  startBroker,
  type TestBroker,
} from "../../support/broker.ts";
import { FakeEngine } from "../../support/fake-engine.ts";

let test: TestBroker;
let engine: FakeEngine;
beforeEach(async () => {
  engine = new FakeEngine();
  test = await startBroker(engine);
});
afterEach(() => test.close());

const ODD_NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "null"];

const publish = { cmd: "publish", payload: "", retain: false, dup: false } as const;

describe("names that mean something to JavaScript", () => {
  for (const name of ODD_NAMES) {
    it(`may be client ids: ${name}`, async () => {
      const first = await test.join({ clientId: name });
      await first.subscribe(["t"]);
      const second = await test.join({ clientId: name });
      expect((await first.next("disconnect")).reasonCode).toBe(0x8e);
      await second.subscribe(["t"]);
      await second.publish("t");
      expect((await second.next("publish")).topic).toBe("t");
    });

    it(`may be topics and filters: ${name}`, async () => {
      const client = await test.join();
      const filters = [name, `${name}/#`, `${name}/x`, "other"];
      expect(await client.subscribe(filters, 1)).toEqual([1, 1, 1, 1]);
      await client.publish(name, { qos: 2 });
      expect(await client.next("publish")).toMatchObject({ topic: name, qos: 1 });
      const unsubscriptions = [name, "valueOf"];
      client.send({ cmd: "unsubscribe", messageId: 99, unsubscriptions });
      expect((await client.next("unsuback")).granted).toEqual([0, 0x11]);
    });

    it(`may be filters of a session that is resumed: ${name}`, async () => {
      const persistent = { clean: false, properties: { sessionExpiryInterval: 100 } };
      const client = await test.join(persistent);
      await client.subscribe([name, "other", "1"], 1);
      client.socket.destroy();
      await client.closed;
      const resumed = await test.connect();
      const second = await test.join({ clientId: "pub" });
      resumed.send({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 5,
        clientId: "c1",
        keepalive: 0,
        ...persistent,
      });
      expect((await resumed.next("connack")).sessionPresent).toBe(true);
      await resumed.settled();
      for (const topic of [name, "other", "1"]) {
        await second.publish(topic, { qos: 1 });
        expect((await resumed.next("publish")).topic).toBe(topic);
      }
    });
  }
});

describe("QoS 2", () => {
  it("is bounded for messages that wait for their PUBREL", async () => {
    const client = await test.join();
    const send = (messageId: number) => client.send({ ...publish, topic: "t", qos: 2, messageId });
    for (let id = 1; id <= QOS2_PENDING_MAX; id++) send(id);
    for (let id = 1; id <= QOS2_PENDING_MAX; id++) await client.next("pubrec");
    send(QOS2_PENDING_MAX);
    await client.next("pubrec");
    client.send({ cmd: "pubrel", messageId: 1 });
    await client.next("pubcomp");
    send(QOS2_PENDING_MAX + 1);
    await client.next("pubrec");
    send(QOS2_PENDING_MAX + 2);
    expect((await client.next("disconnect")).reasonCode).toBe(0x93);
  });

  it("is bounded for messages that come all at once", async () => {
    const client = await test.join();
    client.send(
      ...Array.from(
        { length: QOS2_PENDING_MAX + 1 },
        (_, id) => ({ ...publish, topic: "t", qos: 2, messageId: id + 1 }) as const,
      ),
    );
    expect((await client.next("disconnect")).reasonCode).toBe(0x93);
  });

  it("delivers a repeated message once", async () => {
    const client = await test.join();
    await client.subscribe(["#"]);
    const packet = { ...publish, topic: "t", qos: 2, messageId: 5 } as const;
    client.send(packet, { ...packet, dup: true });
    await client.next("pubrec");
    await client.next("pubrec");
    await client.publish("marker");
    expect((await client.next("publish")).topic).toBe("t");
    expect((await client.next("publish")).topic).toBe("marker");
  });

  it("remembers nothing of a clean session", async () => {
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["#"]);
    for (const topic of ["first", "second"]) {
      const client = await test.join({ clientId: "c" });
      client.send({ ...publish, topic, qos: 2, messageId: 1 });
      await client.next("pubrec");
      client.socket.destroy();
      await client.closed;
      expect((await watcher.next("publish")).topic).toBe(topic);
    }
  });

  it("remembers a message across connections of one session", async () => {
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["#"]);
    const persistent = { clientId: "c", clean: false, properties: { sessionExpiryInterval: 100 } };
    for (const topic of ["first", "first"]) {
      const client = await test.join(persistent);
      client.send({ ...publish, topic, qos: 2, messageId: 1 });
      await client.next("pubrec");
      client.socket.destroy();
      await client.closed;
    }
    const fresh = await test.join({ ...persistent, clean: true });
    fresh.send({ ...publish, topic: "second", qos: 2, messageId: 1 });
    await fresh.next("pubrec");
    expect((await watcher.next("publish")).topic).toBe("first");
    expect((await watcher.next("publish")).topic).toBe("second");
  });
});

describe("what aedes would get wrong", () => {
  it("does not handle packets of a client before it is accepted", async () => {
    let decide: () => void = () => {};
    engine.gate = new Promise((resolve) => {
      decide = resolve;
    });
    engine.rules = () => ({ refuse: 0x87 });
    const watcher = await joinWatcher();
    const client = await test.connect();
    const connect = {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clean: true,
      clientId: "x",
      keepalive: 0,
    } as const;
    client.send(connect, { ...publish, topic: "early/1", qos: 0 });
    while (engine.seen.length < 2) await new Promise(setImmediate);
    client.send({ ...publish, topic: "early/2", qos: 0 });
    await watcher.settled();
    decide();
    expect((await client.next("connack")).reasonCode).toBe(0x87);
    await client.closed;
    await watcher.publish("marker");
    expect((await watcher.next("publish")).topic).toBe("marker");
  });

  it("handles what an accepted client sent early, in order", async () => {
    const watcher = await joinWatcher();
    const client = await test.connect();
    const topics = Array.from({ length: 20 }, (_, n) => `early/${n}`);
    client.send(
      {
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 5,
        clean: true,
        clientId: "x",
        keepalive: 0,
      },
      ...topics.map((topic) => ({ ...publish, topic, qos: 0 }) as const),
    );
    for (const topic of topics) expect((await watcher.next("publish")).topic).toBe(topic);
  });

  it("takes a thousand packets at once from a client that has just read its CONNACK", async () => {
    for (let round = 0; round < 20; round++) {
      const client = await test.connect();
      client.send(connectPacket({ clientId: `eager-${round}` }));
      await client.next("connack");
      client.sendSubscribe(["mine/#"], 1);
      const topic = "mine/x";
      client.send(...Array.from({ length: 1_000 }, () => ({ ...publish, topic, qos: 0 }) as const));
      await client.settled();
      client.socket.destroy();
    }
  });

  it("keeps persistent subscribers connected when an empty level meets `+`", async () => {
    const persistent = { clean: false, properties: { sessionExpiryInterval: 100 } };
    const client = await test.join({ clientId: "sub", ...persistent });
    await client.subscribe(["a/+"], 1);
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("a/", { qos: 1 });
    expect((await client.next("publish")).topic).toBe("a/");
    await client.settled();
  });

  it("takes no orders from clients about other clients", async () => {
    const victim = await test.join({ clientId: "victim" });
    const attacker = await test.join({ clientId: "attacker" });
    await attacker.publish("$SYS/other/new/clients", { payload: "victim", qos: 1 });
    await victim.settled();
  });

  it("cuts off a client that sends repeated properties", async () => {
    const client = await test.connect();
    const expiry = [0x11, 0, 0, 0, 9];
    const body = [0, 4, ...Buffer.from("MQTT"), 5, 2, 0, 0, 10, ...expiry, ...expiry, 0, 1, 0x61];
    client.sendRaw(Buffer.from([0x10, body.length, ...body]));
    expect((await client.next("connack")).reasonCode).toBe(0x82);
  });
});

/** A watcher that was let in before the engine's answers were held up. */
async function joinWatcher(): Promise<RawClient> {
  const { gate, rules } = engine;
  engine.gate = undefined;
  engine.rules = () => ({});
  const watcher = await test.join({ clientId: "watcher" });
  await watcher.subscribe(["#"]);
  engine.gate = gate;
  engine.rules = rules;
  return watcher;
}
