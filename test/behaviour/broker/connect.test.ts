import type { IConnectPacket } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { connectPacket, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

describe("CONNECT", () => {
  it("gives the engine what packet and socket say about the client", async () => {
    const engine = new FakeEngine();
    test = await startBroker(engine);
    const client = await test.connect();
    client.send(
      connectPacket({
        clientId: "dev-1",
        username: "u",
        password: Buffer.from("p"),
        clean: true,
        properties: { userProperties: { a: ["1", "2"], __proto__: "x", b: "3" } },
      }),
    );
    await client.next("connack");
    const [info] = engine.seen;
    expect(info).toMatchObject({
      clientId: "dev-1",
      username: "u",
      peerHost: "127.0.0.1",
      peerPort: client.socket.localPort,
      sockPort: test.port,
      zone: "default",
      listener: "tcp:default",
      protocolVersion: 5,
      cleanStart: true,
      userProperties: { a: "2", b: "3" },
    });
    expect(String(info?.password)).toBe("p");
  });

  for (const [version, field, code] of [
    [5, "reasonCode", 0x86],
    [4, "returnCode", 4],
    [3, "returnCode", 4],
  ] as const) {
    it(`answers a refusal in the words of protocol level ${version}, then closes`, async () => {
      test = await startBroker(new FakeEngine({ rules: () => ({ refuse: 0x86 }) }));
      const client = await test.connect();
      const protocolId = version === 3 ? "MQIsdp" : "MQTT";
      client.send(connectPacket({ protocolVersion: version, protocolId }));
      const connack = await client.next("connack");
      expect(connack[field]).toBe(code);
      expect(connack.sessionPresent).toBe(false);
      await client.closed;
    });
  }

  it("says the code in words on request, where it fits, and never to older clients", async () => {
    const rules = () => ({ refuse: 0x86 }) as const;
    test = await startBroker(new FakeEngine({ rules, refusalReasonString: true }));
    const refusal = async (packet: Partial<IConnectPacket>) => {
      const client = await test.connect();
      client.send(connectPacket(packet));
      return (await client.next("connack")).properties?.reasonString;
    };
    const words = "bad user name or password";
    expect(await refusal({})).toBe(words);
    const bytes = 8 + words.length;
    expect(await refusal({ properties: { maximumPacketSize: bytes } })).toBe(words);
    expect(await refusal({ properties: { maximumPacketSize: bytes - 1 } })).toBeUndefined();
    expect(await refusal({ protocolVersion: 4 })).toBeUndefined();
    await test.close();
    test = await startBroker(new FakeEngine({ rules }));
    expect(await refusal({})).toBeUndefined();
  });

  it("never publishes the will of a refused client", async () => {
    const engine = new FakeEngine({ rules: (c) => (c.clientId === "bad" ? { refuse: 0x87 } : {}) });
    test = await startBroker(engine);
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["#"]);
    const bad = await test.connect();
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    bad.send(connectPacket({ clientId: "bad", will }));
    await bad.closed;
    await watcher.publish("marker");
    expect((await watcher.next("publish")).topic).toBe("marker");
  });

  it("tells an MQTT 5 client the id it was given, and keeps to that id", async () => {
    const engine = new FakeEngine({ rules: () => ({ clientId: "final" }) });
    test = await startBroker(engine);
    const first = await test.connect();
    first.send(connectPacket({ clientId: "mine" }));
    const connack = await first.next("connack");
    expect(connack.properties?.assignedClientIdentifier).toBe("final");
    await test.join({ clientId: "other" });
    expect((await first.next("disconnect")).reasonCode).toBe(0x8e);
  });

  it("tells an MQTT 5 client the limits it will meet", async () => {
    const limits = {
      maxQosAllowed: 1,
      retainAvailable: false,
      wildcardSubscription: false,
    } as const;
    test = await startBroker(
      new FakeEngine({ mqtt: limits, rules: () => ({ clientId: "final" }) }),
    );
    const client = await test.connect();
    client.send(connectPacket());
    expect((await client.next("connack")).properties).toMatchObject({
      maximumQoS: 1,
      retainAvailable: false,
      wildcardSubscriptionAvailable: false,
      sharedSubscriptionAvailable: false,
      maximumPacketSize: 1_048_576,
      topicAliasMaximum: 32,
      receiveMaximum: 100,
      assignedClientIdentifier: "final",
    });
    expect(await client.subscribe(["t"], 2)).toEqual([1]);
    const old = await test.join({ clientId: "old", protocolVersion: 4 });
    await old.settled();
  });

  it("leaves limits out that are none", async () => {
    test = await startBroker(new FakeEngine());
    const client = await test.connect();
    client.send(connectPacket());
    const { properties } = await client.next("connack");
    for (const name of ["maximumQoS", "retainAvailable", "wildcardSubscriptionAvailable"]) {
      expect(properties).not.toHaveProperty(name);
    }
  });

  it("gives a client without an id a generated one", async () => {
    test = await startBroker(new FakeEngine());
    const client = await test.connect();
    client.send(connectPacket({ clientId: "" }));
    const connack = await client.next("connack");
    expect(connack.reasonCode).toBe(0);
    expect(connack.properties?.assignedClientIdentifier).toBe("generated");
  });

  it("lets a newer connection with the same id take over, and closes each session once", async () => {
    const engine = new FakeEngine();
    test = await startBroker(engine);
    const first = await test.join({ clientId: "same" });
    const second = await test.join({ clientId: "same" });
    expect((await first.next("disconnect")).reasonCode).toBe(0x8e);
    await first.closed;
    await second.subscribe(["t"]);
    await second.publish("t");
    await second.next("publish");
    expect(engine.sessions.map((session) => session.closed)).toEqual([1, 0]);
  });
});

describe("a CONNECT that is not fit to be judged", () => {
  const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
  const data = { authenticationData: Buffer.from("x") };
  const cases: [string, Parameters<typeof connectPacket>[0], number][] = [
    ["a name that does not belong to the version", { protocolId: "MQIsdp" }, 0x84],
    ["the same before MQTT 5", { protocolId: "MQIsdp", protocolVersion: 4 }, 1],
    ["an empty id in MQTT 3.1", { protocolId: "MQIsdp", protocolVersion: 3, clientId: "" }, 2],
    ["authentication data without a method", { properties: data }, 0x82],
    ["a Receive Maximum of 0", { properties: { receiveMaximum: 0 } }, 0x82],
    ["a wildcard in the will topic", { will: { ...will, topic: "a/#" } }, 0x90],
    ["the same before MQTT 5", { protocolVersion: 4, will: { ...will, topic: "a/#" } }, 3],
    ["an id past the limit", { clientId: "x".repeat(101) }, 0x85],
    ["the same before MQTT 5", { protocolVersion: 4, clientId: "x".repeat(101) }, 2],
  ];
  for (const [what, packet, code] of cases) {
    it(`is answered with ${code} for ${what}`, async () => {
      const engine = new FakeEngine({ mqtt: { maxClientIdLen: 100 } });
      test = await startBroker(engine);
      const client = await test.connect();
      // mqtt-packet does not write an empty id for MQTT 3.1.
      if (packet?.clientId === "") client.sendRaw(EMPTY_ID_MQTT_3_1);
      else client.send(connectPacket(packet));
      const connack = await client.next("connack");
      expect(connack.reasonCode ?? connack.returnCode).toBe(code);
      await client.closed;
      expect(engine.seen).toEqual([]);
    });
  }

  it("may have an id just at the limit", async () => {
    test = await startBroker(new FakeEngine({ mqtt: { maxClientIdLen: 100 } }));
    await test.join({ clientId: "x".repeat(100) });
  });

  it("with an empty id and an old session is accepted in MQTT 5 only", async () => {
    test = await startBroker(new FakeEngine());
    const client = await test.connect();
    client.sendRaw(emptyIdWithSession(5));
    expect((await client.next("connack")).reasonCode).toBe(0);
    const old = await test.connect();
    old.sendRaw(emptyIdWithSession(4));
    expect((await old.next("connack")).reasonCode).toBe(2);
  });

  it("with an empty id and an old session is refused in every version in emqx mode", async () => {
    test = await startBroker(new FakeEngine({ preset: "emqx" }));
    const client = await test.connect();
    client.sendRaw(emptyIdWithSession(5));
    expect((await client.next("connack")).reasonCode).toBe(0x85);
  });

  it("is refused for a will the broker's limits do not allow", async () => {
    test = await startBroker(
      new FakeEngine({ mqtt: { retainAvailable: false, maxQosAllowed: 1 } }),
    );
    const codes: unknown[] = [];
    for (const [version, changes] of [
      [5, { retain: true }],
      [5, { qos: 2 }],
      [4, { retain: true }],
      [4, { qos: 2 }],
    ] as const) {
      const client = await test.connect();
      client.send(connectPacket({ protocolVersion: version, will: { ...will, ...changes } }));
      const connack = await client.next("connack");
      codes.push(version === 5 ? connack.reasonCode : connack.returnCode);
    }
    expect(codes).toEqual([0x9a, 0x9b, 3, 3]);
  });
});

/** A CONNECT with clean start 0 and no client id, which mqtt-packet does not write. */
function emptyIdWithSession(version: 4 | 5): Buffer {
  const body = [
    0,
    4,
    ...Buffer.from("MQTT"),
    version,
    0,
    0,
    0,
    ...(version === 5 ? [0] : []),
    0,
    0,
  ];
  return Buffer.from([0x10, body.length, ...body]);
}

const EMPTY_ID_MQTT_3_1 = Buffer.from([0x10, 14, 0, 6, ...Buffer.from("MQIsdp"), 3, 2, 0, 0, 0, 0]);
