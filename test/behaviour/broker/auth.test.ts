/** AUTH packets on the wire: every row of the state table, and what is in none. */
import fc from "fast-check";
import mqtt, { type IAuthPacket, type IConnectPacket } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXCHANGE_STEPS_MAX } from "../../../src/connect/exchange.ts";
import {
  connectPacket,
  FakeClock,
  type RawClient,
  startBroker,
  type TestBroker,
} from "../../support/broker.ts";
import { damagedPackets } from "../../support/damaged-packets.ts";
import { FakeEngine, type FakeRules } from "../../support/fake-engine.ts";
import { runs } from "../../support/runs.ts";

const METHOD = "SCRAM-SHA-256";
const clock = new FakeClock();
let test: TestBroker;
let engine: FakeEngine;
let rules: FakeRules;

beforeEach(() => {
  rules = { challenges: ["one", "two"] };
});
afterEach(() => test.close());

async function start(preset: "strict" | "emqx" = "strict"): Promise<void> {
  engine = new FakeEngine({ rules: ({ authMethod }) => (authMethod ? rules : {}), preset });
  test = await startBroker(engine, clock);
}

function connect(packet: Partial<IConnectPacket> = {}): IConnectPacket {
  const properties = { authenticationMethod: METHOD, authenticationData: Buffer.from("first") };
  return connectPacket({ properties, ...packet });
}

function auth(reasonCode: number, data = "data", method: string | undefined = METHOD): IAuthPacket {
  const authenticationData = Buffer.from(data);
  const properties = { authenticationData, ...(method && { authenticationMethod: method }) };
  return { cmd: "auth", reasonCode, properties };
}

/** `0x18 METHOD one`. */
function brief({ reasonCode, properties = {} }: Pick<IAuthPacket, "reasonCode" | "properties">) {
  const { authenticationMethod = "", authenticationData = "" } = properties;
  return `0x${reasonCode.toString(16)} ${authenticationMethod} ${authenticationData}`.trim();
}

async function connack(client: RawClient): Promise<string> {
  const packet = await client.next("connack");
  return brief({ reasonCode: packet.reasonCode ?? 0, properties: packet.properties ?? {} });
}

/** A client that has been let in at once. */
async function enter(packet: Partial<IConnectPacket> = {}): Promise<RawClient> {
  const { challenges: _, ...others } = rules;
  rules = others;
  const client = await test.connect();
  client.send(connect(packet));
  expect(await connack(client)).toBe(`0x0 ${METHOD}`);
  await client.settled();
  return client;
}

/** A client that has been asked for more. */
async function knock(packet: Partial<IConnectPacket> = {}): Promise<RawClient> {
  const client = await test.connect();
  client.send(connect(packet));
  expect(brief(await client.next("auth"))).toBe(`0x18 ${METHOD} one`);
  return client;
}

/** Code of the DISCONNECT that ends the connection; mqtt-packet does not read all there are. */
async function ended(client: RawClient): Promise<number | undefined> {
  let last: Buffer = Buffer.alloc(0);
  client.socket.on("data", (bytes: Buffer) => {
    last = bytes;
  });
  await client.closed;
  return last.at(-4) === 0xe0 ? last.at(-2) : undefined;
}

describe("before the CONNACK", () => {
  it("steps lead to a CONNACK with the method and the last data", async () => {
    await start();
    const client = await knock();
    client.send(auth(0x18, "a"));
    expect(brief(await client.next("auth"))).toBe(`0x18 ${METHOD} two`);
    client.send(auth(0x18, "b"));
    expect(await connack(client)).toBe(`0x0 ${METHOD} last`);
    await client.settled();
    expect(engine.steps).toEqual(["a", "b"]);
    const [seen] = engine.seen;
    expect([seen?.authMethod, String(seen?.authData)]).toEqual([METHOD, "first"]);
  });

  it("one step is enough where the chain says so, and data may be missing", async () => {
    await start();
    await enter();
    const client = await test.connect();
    client.send(connect({ clientId: "c2", properties: { authenticationMethod: METHOD } }));
    expect(await connack(client)).toBe(`0x0 ${METHOD}`);
    expect(engine.seen.at(-1)?.authData).toBeUndefined();
  });

  it("a refusal ends it, after the first step and after the last", async () => {
    await start();
    rules = { refuse: 0x8c };
    const first = await test.connect();
    first.send(connect());
    expect(await connack(first)).toBe("0x8c");
    await first.closed;
    rules = { challenges: ["one"], refuse: 0x87 };
    const last = await knock();
    last.send(auth(0x18));
    expect(await connack(last)).toBe("0x87");
    await last.closed;
  });

  it.each([
    ["re-authentication", auth(0x19), "0x82"],
    ["success", auth(0x00), "0x82"],
    ["no method", auth(0x18, "x", ""), "0x82"],
    ["another method", auth(0x18, "x", "SCRAM-SHA-512"), "0x8c"],
    ["the method in other letters", auth(0x18, "x", "scram-sha-256"), "0x8c"],
    ["no properties", { cmd: "auth", reasonCode: 0x18 } as const, "0x82"],
    ["a ping", { cmd: "pingreq" } as const, "0x82"],
    ["a second CONNECT", connect(), "0x82"],
  ])("AUTH with %s instead of the answer is refused", async (_, packet, code) => {
    await start();
    const client = await knock();
    client.send(packet);
    expect(await connack(client)).toBe(code);
    await client.closed;
    expect(engine.steps).toEqual([]);
    expect(engine.abandoned).toBe(1);
  });

  it("AUTH before the broker has asked is refused, also right behind the CONNECT", async () => {
    await start();
    const client = await test.connect();
    client.send(connect(), auth(0x18));
    expect(await connack(client)).toBe("0x82");
    const twice = await knock();
    twice.send(auth(0x18), auth(0x18));
    expect(await connack(twice)).toBe("0x82");
    expect(engine.sessions).toEqual([]);
  });

  it("packets sent early are refused once it turns out that there is more to say", async () => {
    await start();
    const client = await test.connect();
    client.send(connect(), { cmd: "pingreq" });
    expect(await connack(client)).toBe("0x82");
    expect(engine.abandoned).toBe(0);
  });

  it("a client may leave", async () => {
    await start();
    const client = await knock();
    client.send({ cmd: "disconnect", reasonCode: 0 });
    await client.closed;
    expect(client.received).toEqual([]);
    expect(engine.abandoned).toBe(1);
  });

  it("clients that disappear leave no session, whenever they do", async () => {
    await start();
    const waiting = await knock();
    waiting.socket.destroy();
    const stepping = await knock({ clientId: "c2" });
    let decide = (): void => {};
    engine.gate = new Promise((resolve) => {
      decide = resolve;
    });
    rules = {};
    stepping.send(auth(0x18));
    while (engine.steps.length === 0) await new Promise(setImmediate);
    stepping.socket.destroy();
    while (test.broker.connections > 0) await new Promise(setImmediate);
    decide();
    await new Promise(setImmediate);
    expect(engine.sessions.every(({ closed }) => closed === 1)).toBe(true);
    expect(engine.abandoned).toBe(3);
  });

  it("the whole has to be done before the deadline of the CONNECT", async () => {
    await start();
    const client = await knock();
    clock.advance(14_000);
    client.send(auth(0x18));
    await client.next("auth");
    clock.advance(1_200);
    await client.closed;
    expect(client.received).toEqual([]);
    expect(engine.abandoned).toBe(1);
  });

  it("the will is kept, and lost in emqx mode as the reference loses it", async () => {
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    for (const preset of ["strict", "emqx"] as const) {
      await start(preset);
      const watcher = await test.join({ clientId: "watcher" });
      await watcher.subscribe(["w", "done"]);
      rules = { challenges: ["one"] };
      const client = await knock({ will });
      client.send(auth(0x18));
      await client.next("connack");
      client.socket.destroy();
      while (test.broker.connections > 1) await new Promise(setImmediate);
      await watcher.publish("done");
      const heard = preset === "strict" ? ["w", "done"] : ["done"];
      for (const topic of heard) expect((await watcher.next("publish")).topic).toBe(topic);
      if (preset === "strict") await test.close();
    }
  });
});

describe("after the CONNACK", () => {
  it("re-authentication ends with AUTH 0x00, in one step or several", async () => {
    await start();
    rules = { reauthenticate: { challenges: ["more"] } };
    const client = await enter();
    for (const round of ["1", "2"]) {
      client.send(auth(0x19, round));
      expect(brief(await client.next("auth"))).toBe(`0x18 ${METHOD} more`);
      client.send(auth(0x18, "answer"));
      expect(brief(await client.next("auth"))).toBe(`0x0 ${METHOD} again`);
    }
    expect(engine.steps).toEqual(["1", "answer", "2", "answer"]);
    await client.settled();
  });

  it("a refusal ends the session with its code, and the will is published", async () => {
    await start();
    rules = { reauthenticate: { refuse: 0x86 } };
    const watcher = await test.join({ clientId: "watcher" });
    await watcher.subscribe(["w"]);
    const will = { topic: "w", payload: Buffer.from("x"), qos: 0, retain: false } as const;
    const client = await enter({ will });
    client.send(auth(0x19));
    // DISCONNECT has no code for bad credentials.
    expect(await ended(client)).toBe(0x87);
    expect((await watcher.next("publish")).topic).toBe("w");
    expect((await test.logged("auth_refused")).reason).toBe("bad_signature");
  });

  it.each([
    ["an answer nobody asked for", auth(0x18), 0x82],
    ["success", auth(0x00), 0x82],
    ["no method", auth(0x19, "x", ""), 0x82],
    ["another method", auth(0x19, "x", "GS2-KRB5"), 0x8c],
  ])("AUTH with %s ends the session", async (_, packet, code) => {
    await start();
    const client = await enter();
    client.send(packet);
    expect(await ended(client)).toBe(code);
    await client.closed;
    expect(engine.steps).toEqual([]);
  });

  it("AUTH of a client that connected without a method ends the session", async () => {
    await start();
    const client = await test.join();
    client.send(auth(0x19));
    expect(await ended(client)).toBe(0x8c);
  });

  it.each([
    ["a second beginning", auth(0x19), 0x82],
    ["success", auth(0x00), 0x82],
    ["another method", auth(0x18, "x", "OTHER"), 0x8c],
  ])("AUTH with %s in the middle ends the session", async (_, packet, code) => {
    await start();
    rules = { reauthenticate: { challenges: ["more"] } };
    const client = await enter();
    client.send(auth(0x19));
    await client.next("auth");
    client.send(packet);
    expect(await ended(client)).toBe(code);
    expect(engine.abandoned).toBe(1);
  });

  it("AUTH while the broker is still at the last one ends the session", async () => {
    await start();
    rules = { reauthenticate: { wait: new Promise(() => {}) } };
    const client = await enter();
    client.send(auth(0x19), auth(0x18));
    expect((await client.next("disconnect")).reasonCode).toBe(0x82);
  });

  it("publishes in between are judged by the old rights", async () => {
    await start();
    let decide = (): void => {};
    const wait = new Promise<void>((resolve) => {
      decide = resolve;
    });
    rules = {
      publish: ["old"],
      reauthenticate: { challenges: ["more"], wait, rules: { publish: ["new"] } },
    };
    const client = await enter();
    client.send(auth(0x19));
    expect(await client.publish("old", { qos: 1 })).toBe(0);
    expect(await client.publish("new", { qos: 1 })).toBe(0x87);
    decide();
    await client.next("auth");
    expect(await client.publish("old", { qos: 1 })).toBe(0);
    client.send(auth(0x18));
    await client.next("auth");
    expect(await client.publish("old", { qos: 1 })).toBe(0x87);
    expect(await client.publish("new", { qos: 1 })).toBe(0);
  });

  it("lost rights take their subscriptions with them before the client is told", async () => {
    await start();
    rules = { subscribe: ["a/#", "b"], reauthenticate: { rules: { subscribe: ["a/1", "b"] } } };
    const client = await enter();
    expect(await client.subscribe(["a/1", "a/2", "b"])).toEqual([0, 0, 0]);
    client.send(auth(0x19));
    expect(brief(await client.next("auth"))).toBe(`0x0 ${METHOD} again`);
    const other = await test.join({ clientId: "other" });
    for (const topic of ["a/2", "a/1", "b"]) await other.publish(topic, { qos: 1 });
    expect((await client.next("publish")).topic).toBe("a/1");
    expect((await client.next("publish")).topic).toBe("b");
    expect((await test.logged("reauthenticated")).why).toBe("1 subscriptions taken away");
    expect(await client.subscribe(["a/2"])).toEqual([0x87]);
  });

  it("deliveries follow the new rights from the moment they are decided on", async () => {
    await start();
    rules = {
      subscribe: ["a"],
      reauthenticate: { challenges: ["more"], rules: { subscribe: [] } },
    };
    const client = await enter();
    await client.subscribe(["a"]);
    const other = await test.join({ clientId: "other" });
    await other.publish("a", { qos: 1 });
    await client.next("publish");
    expect(engine.asked).not.toContain("deliver a");
    client.send(auth(0x19));
    await client.next("auth");
    // Covered or not, each is asked about until it is clear what the rights are.
    await other.publish("a", { qos: 1 });
    await client.next("publish");
    expect(engine.asked).toContain("deliver a");
    engine.sessions[0]!.rules = {
      subscribe: [],
      reauthenticate: { challenges: ["more"], rules: { subscribe: [] } },
    };
    await other.publish("a", { qos: 1 });
    await client.settled();
    expect(client.received).toEqual([]);
  });

  it("a subscription that is half done is judged by the new rights too", async () => {
    await start();
    let authorize = (): void => {};
    const waits = {
      slow: new Promise<void>((resolve) => {
        authorize = resolve;
      }),
    };
    let decide = (): void => {};
    const wait = new Promise<void>((resolve) => {
      decide = resolve;
    });
    rules = { waits, reauthenticate: { wait, rules: { subscribe: ["other"] } } };
    const client = await enter();
    client.send(auth(0x19));
    client.sendSubscribe(["early", "slow"]);
    while (!engine.asked.includes("subscribe slow")) await new Promise(setImmediate);
    decide();
    await wait;
    authorize();
    expect((await client.next("suback")).granted).toEqual([0, 0]);
    await client.next("auth");
    const other = await test.join({ clientId: "other" });
    for (const topic of ["early", "slow"]) await other.publish(topic, { qos: 1 });
    await client.settled();
    expect(client.received).toEqual([]);
  });

  it("emqx mode leaves subscriptions and the expiry as they were", async () => {
    await start("emqx");
    const expireAtMs = clock.now() + 60_000;
    const renewed = { subscribe: [], expireAtMs: expireAtMs + 60_000 };
    rules = { expireAtMs, reauthenticate: { rules: renewed } };
    const client = await enter();
    await client.subscribe(["a"]);
    client.send(auth(0x19));
    await client.next("auth");
    const other = await test.join({ clientId: "other" });
    await other.publish("a", { qos: 1 });
    expect((await client.next("publish")).topic).toBe("a");
    clock.advance(60_100);
    expect((await client.next("disconnect")).reasonCode).toBe(0x87);
  });

  it("the new expiry counts, and none when there is none", async () => {
    await start();
    const now = clock.now();
    const renewed = { expireAtMs: now + 120_000, reauthenticate: { rules: {} } };
    rules = { expireAtMs: now + 60_000, reauthenticate: { rules: renewed } };
    const client = await enter();
    client.send(auth(0x19));
    await client.next("auth");
    clock.advance(119_000);
    await client.settled();
    client.send(auth(0x19));
    await client.next("auth");
    clock.advance(1e6);
    await client.settled();
    expect(test.lines.some(({ event }) => event === "session_expired")).toBe(false);
  });

  it("one that takes too long ends the session", async () => {
    await start();
    rules = { reauthenticate: { challenges: ["more"] } };
    const client = await enter();
    client.send(auth(0x19));
    await client.next("auth");
    clock.advance(14_000);
    await client.settled();
    clock.advance(1_200);
    expect((await client.next("disconnect")).reasonCode).toBe(0x87);
    expect(engine.abandoned).toBe(1);
  });

  it("one that ends in time does not end the session later", async () => {
    await start();
    rules = { reauthenticate: { challenges: ["more"] } };
    const client = await enter();
    client.send(auth(0x19));
    await client.next("auth");
    client.send(auth(0x18));
    await client.next("auth");
    clock.advance(60_000);
    await client.settled();
  });
});

describe("AUTH bytes", () => {
  it.each([
    ["empty", [0xf0, 0], "0x82"],
    ["a reason code alone", [0xf0, 1, 0x18], "0x82"],
    ["no properties", [0xf0, 2, 0x18, 0], "0x82"],
    ["properties that end behind the packet", [0xf0, 2, 0x18, 2, 0x01, 0x01], "0x82"],
    ["a method twice", [0xf0, 10, 0x18, 8, 0x15, 0, 1, 0x4d, 0x15, 0, 1, 0x4d], "0x82"],
    ["a property of another packet", [0xf0, 5, 0x18, 3, 0x21, 0, 9], "0x82"],
    ["a method that is not UTF-8", [0xf0, 6, 0x18, 4, 0x15, 0, 1, 0xff], "0x81"],
  ])("%s are refused", async (_, bytes, code) => {
    await start();
    const client = await knock();
    client.sendRaw(Buffer.from(bytes));
    expect(await connack(client)).toBe(code);
    await client.closed;
  });

  it("are refused when something stands behind the properties", async () => {
    await start();
    const client = await knock();
    const bytes = client.encode(auth(0x18));
    bytes[1]! += 1;
    client.sendRaw(Buffer.concat([bytes, Buffer.of(0)]));
    expect(await connack(client)).toBe("0x82");
  });

  it.each([
    ["an unknown reason code", [0xf0, 2, 0x17, 0]],
    ["flags", [0xf1, 2, 0x18, 0]],
    ["an unknown property", [0xf0, 3, 0x18, 1, 0x7f]],
    ["properties that go on into a ping", [0xf0, 2, 0x18, 9, 0xc0, 0]],
  ])("%s end the connection", async (_, bytes) => {
    await start();
    const client = await knock();
    client.sendRaw(Buffer.from(bytes));
    await client.closed;
    expect(engine.sessions).toEqual([]);
  });

  it("are malformed before MQTT 5", async () => {
    await start();
    const client = await test.join({ protocolVersion: 4 });
    client.sendRaw(Buffer.from([0xf0, 2, 0x19, 0]));
    await client.closed;
    expect(client.received).toEqual([]);
  });
});

it("nothing that is no answer to the challenge gets anybody in, whatever the bytes", async () => {
  await start();
  rules = { challenges: ["one"], refuse: 0x87 };
  const prefix = mqtt.generate(connect(), { protocolVersion: 5 });
  const packets = [auth(0x18), auth(0x19), auth(0x00), { cmd: "auth", reasonCode: 0x18 } as const];
  const images = packets.map((packet) => mqtt.generate(packet, { protocolVersion: 5 }));
  await fc.assert(
    fc.asyncProperty(damagedPackets(images, prefix), async (bytes) => {
      const client = await test.connect();
      if (bytes[0] === 0x10) {
        // In two pieces, so that the broker gets to ask.
        client.send(connect());
        await client.next("auth");
        client.sendRaw(bytes.subarray(prefix.length));
      } else client.sendRaw(bytes);
      client.socket.end();
      await client.closed;
    }),
    runs(150),
  );
  expect(engine.sessions).toEqual([]);
  const other = await test.join({ clientId: "other" });
  await other.settled();
});

it("the engine ends an exchange after ten steps", () => {
  expect(EXCHANGE_STEPS_MAX).toBe(10);
});
