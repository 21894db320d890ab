import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import mqtt from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectPacket, startBroker, type TestBroker } from "../../support/broker.ts";
import { damagedPackets } from "../../support/damaged-packets.ts";
import { FakeEngine } from "../../support/fake-engine.ts";

let test: TestBroker;
let engine: FakeEngine;
beforeEach(async () => {
  engine = new FakeEngine();
  test = await startBroker(engine);
});
afterEach(async () => {
  // Whatever the test did, an ordinary client is served as ever.
  engine.gate = undefined;
  const client = await test.join({ clientId: "still-here" });
  await client.subscribe(["t"]);
  await client.publish("t", { payload: "alive" });
  expect(String((await client.next("publish")).payload)).toBe("alive");
  await test.close();
});

const publish = { cmd: "publish", payload: "", qos: 0, retain: false, dup: false } as const;

describe("the broker survives", () => {
  it("bytes that are no MQTT", async () => {
    for (const bytes of [
      "GET / HTTP/1.1\r\n\r\n",
      "\0\0\0\0\0\0",
      "\xff\xff\xff\xff\xff",
      "\x10",
    ]) {
      const client = await test.connect();
      client.sendRaw(Buffer.from(bytes, "latin1"));
      client.socket.end();
      await client.closed;
    }
  });

  it("anything after a CONNECT, and anything damaged", async () => {
    const packets = [
      connectPacket({ will: { topic: "w", payload: Buffer.from("x"), qos: 1, retain: true } }),
      connectPacket({ protocolVersion: 4, username: "u", password: Buffer.from("p") }),
      { ...publish, topic: "a/b", properties: { responseTopic: "r", userProperties: { a: "b" } } },
      { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a/#", qos: 1 }] },
      { cmd: "unsubscribe", messageId: 1, unsubscriptions: ["a/#"] },
      { cmd: "pubrel", messageId: 1 },
      { cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 1 } },
    ] as const;
    const images = packets.map((packet) =>
      mqtt.generate(packet as never, { protocolVersion: "protocolVersion" in packet ? 4 : 5 }),
    );
    const prefix = mqtt.generate(connectPacket({ clientId: "fuzz" }));
    await fc.assert(
      fc.asyncProperty(damagedPackets(images, prefix), async (bytes) => {
        const socket = connect(test.port, "127.0.0.1");
        socket.on("error", () => {});
        socket.resume();
        socket.end(bytes);
        await once(socket, "close");
      }),
      { numRuns: 300 },
    );
  });

  it("client ids of 64 KiB", async () => {
    const clientId = "\u0007".repeat(65_535);
    await test.join({ clientId });
    engine.rules = () => ({ refuse: 0x86 });
    const refused = await test.connect();
    refused.send(connectPacket({ clientId }));
    expect((await refused.next("connack")).reasonCode).toBe(0x86);
    const line = await test.logged("connect_refused");
    expect(JSON.stringify(line).length).toBeLessThan(2_000);
    expect(JSON.stringify(line)).not.toContain("\\u0007");
    engine.rules = () => ({});
  });

  it("passwords of 64 KiB, which never reach the log", async () => {
    engine.rules = () => ({ refuse: 0x86 });
    const client = await test.connect();
    const password = Buffer.from(`${".".repeat(10_000)}s3cr3t`.padEnd(65_535, "x"));
    client.send(connectPacket({ username: "tok3n", password }));
    await client.next("connack");
    await test.logged("connect_refused");
    expect(test.text()).not.toMatch(/s3cr3t|tok3n|\.\.\.\./);
    engine.rules = () => ({});
  });

  it("a thousand connections that never say anything", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const socket = connect(test.port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        return socket;
      }),
    );
    await test.join({ clientId: "among-them" });
    expect(test.broker.connections).toBe(1_001);
    for (const socket of sockets) socket.destroy();
  });

  it("packets past the maximum size, before and after CONNECT", async () => {
    const early = await test.connect();
    early.sendRaw(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]));
    await early.closed;
    const late = await test.join();
    late.send({ ...publish, topic: "t", payload: Buffer.alloc(1_048_600) });
    expect((await late.next("disconnect")).reasonCode).toBe(0x95);
  });

  it("a packet just at the maximum size", async () => {
    const client = await test.join();
    await client.subscribe(["t"]);
    const payload = "x".repeat(1_048_576 - 8);
    await client.publish("t", { payload });
    expect((await client.next("publish")).payload.length).toBe(payload.length);
  });

  it("connections that end in the middle of a packet", async () => {
    const whole = mqtt.generate(connectPacket({ clientId: "half" }));
    for (let length = 1; length < whole.length; length++) {
      const client = await test.connect();
      client.sendRaw(whole.subarray(0, length));
      client.socket.destroy();
      await client.closed;
    }
  });

  it("a first packet that is no CONNECT, and a second CONNECT", async () => {
    const first = await test.connect();
    first.send({ ...publish, topic: "t" });
    await first.closed;
    const second = await test.join();
    second.send(connectPacket());
    expect((await second.next("disconnect")).reasonCode).toBe(0x82);
    const old = await test.join({ protocolVersion: 4 });
    old.send(connectPacket({ protocolVersion: 4 }));
    await old.closed;
  });

  it("a second CONNECT while the first is being judged", async () => {
    const client = await test.connect();
    client.send(connectPacket(), connectPacket());
    expect((await client.next("connack")).reasonCode).toBe(0x82);
    await client.closed;
  });

  it("an AUTH packet nobody asked for", async () => {
    const client = await test.join();
    client.send({ cmd: "auth", reasonCode: 0x19 });
    expect((await client.next("disconnect")).reasonCode).toBe(0x82);
  });

  it("more early packets than it will keep", async () => {
    engine.gate = new Promise(() => {});
    const client = await test.connect();
    client.send(
      connectPacket({ clientId: "eager" }),
      ...Array.from({ length: 101 }, () => ({ cmd: "pingreq" }) as const),
    );
    await client.closed;
  });

  it("clients that leave while they are judged", async () => {
    let decide: () => void = () => {};
    engine.gate = new Promise((resolve) => {
      decide = resolve;
    });
    const client = await test.connect();
    client.send(connectPacket({ clientId: "gone" }));
    while (engine.seen.length === 0) await new Promise(setImmediate);
    client.socket.resetAndDestroy();
    await client.closed;
    decide();
    while (engine.sessions[0]?.closed !== 1) await new Promise(setImmediate);
  });

  it("a subscriber that stops reading, while others go on", async () => {
    const stuck = await test.join({ clientId: "stuck" });
    await stuck.subscribe(["flood"]);
    stuck.socket.pause();
    const flooder = await test.join({ clientId: "flooder" });
    const payload = Buffer.alloc(500_000);
    const packet = { ...publish, topic: "flood", payload } as const;
    flooder.send(...Array.from({ length: 120 }, () => packet));
    const others = await test.join({ clientId: "others" });
    await others.subscribe(["calm"]);
    for (let n = 0; n < 200; n++) {
      await others.publish("calm");
      await others.next("publish");
    }
    stuck.socket.destroy();
  });

  it("an engine that throws", async () => {
    const { connect: ask } = engine;
    engine.connect = () => Promise.reject(new Error("broken"));
    const client = await test.connect();
    client.send(connectPacket());
    expect((await client.next("connack")).reasonCode).toBe(0x88);
    engine.connect = ask;
    const accepted = await test.join();
    engine.sessions[0]!.authorize = () => {
      throw new Error("broken");
    };
    await accepted.publish("t");
    await accepted.closed;
  });
});

describe("max_connections", () => {
  it("closes what is too much without a word", async () => {
    const small = await startBroker(new FakeEngine({ listener: { maxConnections: 2 } }));
    const first = await small.join({ clientId: "1" });
    const second = await small.join({ clientId: "2" });
    const third = await small.connect();
    await third.closed;
    await Promise.all([first.settled(), second.settled()]);
    await small.close();
  });
});
