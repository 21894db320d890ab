import { afterEach, describe, expect, it } from "vitest";
import {
  DELAYED_BYTES_MAX,
  DELAYED_MESSAGES_MAX,
  DELAYED_MESSAGES_PER_CLIENT_MAX,
} from "../../../bindings/node/broker/delayed.ts";
import type { Engine } from "../../../src/engine.ts";
import { connectPacket, FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";
import { type Device, join } from "../../support/mqtt-client.ts";
import { engineFrom, imageFrom, signToken } from "../../support/policy.ts";

let test: TestBroker;
let clock: FakeClock;
const devices: Device[] = [];
afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.leave()));
  await test.close();
});

const CONF = `portcullis.allow_anonymous = true
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;
const RULES = '{allow, all, all, ["ok/#", "marker", "$SYS/#"]}.\n{deny, all}.\n';

/** The real engine. */
async function start(acl = RULES, preset?: "emqx"): Promise<Engine> {
  const engine = await engineFrom({ conf: CONF, acl, preset });
  clock = new FakeClock();
  test = await startBroker(engine, clock);
  return engine;
}

async function startFake(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const engine = new FakeEngine(options);
  clock = new FakeClock();
  test = await startBroker(engine, clock);
  return engine;
}

async function device(clientId: string, more: object = {}): Promise<Device> {
  const one = await join({ port: test.port, version: 5, clientId, ...more });
  devices.push(one);
  return one;
}

async function listener(filters: readonly string[] = ["ok/#", "marker"]): Promise<Device> {
  const one = await device("listener");
  await one.subscribe(filters, 1);
  return one;
}

describe("a message to $delayed/SECONDS/TOPIC", () => {
  for (const version of [4, 5] as const) {
    for (const qos of [0, 1, 2] as const) {
      it(`is published to TOPIC when its time has come (MQTT ${version}, QoS ${qos})`, async () => {
        await start();
        const hears = await listener();
        const sender = await device("sender", { version });
        await sender.client.publishAsync("$delayed/5/ok/a", "later", { qos });
        // Of a QoS 0 message nothing is heard: this comes after it.
        await sender.publish("ok/now");
        expect(await hears.until("ok/now")).toEqual([]);
        clock.advance(4_900);
        await sender.publish("marker");
        expect(await hears.until("marker")).toEqual([]);
        clock.advance(200);
        await hears.until("ok/a");
      });
    }
  }

  it("keeps payload, QoS, retain flag and properties, and the order of arrival", async () => {
    await start();
    const sender = await device("sender");
    const properties = { contentType: "text", userProperties: { a: "b" } };
    await sender.client.publishAsync("$delayed/2/ok/a", "second", { qos: 1 });
    await sender.client.publishAsync("$delayed/1/ok/a", "first", {
      qos: 1,
      retain: true,
      properties,
    });
    await sender.client.publishAsync("$delayed/2/ok/a", "third", { qos: 1 });
    const hears = await test.join({ clientId: "raw" });
    await hears.subscribe(["ok/#"], 1);
    clock.advance(3_000);
    const heard = [];
    for (let count = 0; count < 3; count++) heard.push(await hears.next("publish"));
    expect(heard.map(({ payload }) => String(payload))).toEqual(["first", "second", "third"]);
    expect(heard[0]).toMatchObject({ qos: 1, topic: "ok/a" });
    expect(heard[0]?.properties).toMatchObject({ contentType: "text", userProperties: { a: "b" } });
    const late = await test.join({ clientId: "late" });
    await late.subscribe(["ok/a"]);
    const kept = await late.next("publish");
    expect([kept.retain, String(kept.payload)]).toEqual([true, "first"]);
  });

  it("comes although its sender has left, even after a machine slept through its time", async () => {
    await start();
    const hears = await listener();
    const sender = await device("sender");
    await sender.publish("$delayed/86400/ok/a");
    await sender.publish("$delayed/42949669/ok/b");
    await sender.leave();
    clock.jump(86_400_000);
    clock.advance(200);
    await hears.until("ok/a");
    clock.jump(42_949_669_000);
    clock.advance(200);
    await hears.until("ok/b");
  });

  it("may name the second it is due, and delays in delays add up", async () => {
    await start();
    const hears = await listener();
    const sender = await device("sender");
    await sender.publish(`$delayed/${clock.now() / 1000 + 3}/ok/epoch`);
    await sender.publish("$delayed/2/$delayed/3/ok/sum");
    clock.advance(3_100);
    expect(await hears.until("ok/epoch")).toEqual([]);
    clock.advance(2_000);
    await hears.until("ok/sum");
  });

  it("is never published under its own name", async () => {
    await start("{allow, all}.\n");
    const hears = await listener(["$delayed/#", "marker"]);
    const sender = await device("sender");
    await sender.publish("$delayed/1/ok/a");
    clock.advance(1_100);
    await sender.publish("marker");
    expect(await hears.until("marker")).toEqual([]);
  });

  it("is dropped when it expires while it waits, and otherwise has less time left", async () => {
    await start();
    const sender = await device("sender");
    const send = (topic: string, messageExpiryInterval: number): Promise<unknown> =>
      sender.client.publishAsync(topic, "", { qos: 1, properties: { messageExpiryInterval } });
    await send("$delayed/10/ok/short", 10);
    await send("$delayed/10/ok/long", 15);
    const hears = await test.join({ clientId: "raw" });
    await hears.subscribe(["ok/#"]);
    clock.advance(10_100);
    const { topic, properties } = await hears.next("publish");
    expect([topic, properties?.messageExpiryInterval]).toEqual(["ok/long", 5]);
  });

  it("goes under the mountpoint of its sender", async () => {
    await startFake({ rules: ({ clientId }) => (clientId === "m" ? { mountpoint: "m/" } : {}) });
    const hears = await listener(["m/#"]);
    const sender = await device("m");
    await sender.publish("$delayed/1/a");
    clock.advance(1_100);
    expect(await hears.until("m/a")).toEqual([]);
  });

  it("is published at once and as it is written under a mountpoint in emqx mode", async () => {
    await startFake({
      preset: "emqx",
      rules: ({ clientId }) => (clientId === "m" ? { mountpoint: "m/" } : {}),
    });
    const hears = await listener(["m/#"]);
    const sender = await device("m");
    await sender.publish("$delayed/1/a");
    await hears.until("m/$delayed/1/a");
    await (await device("other")).publish("$delayed/1/m/b");
    clock.advance(1_100);
    await hears.until("m/b");
  });

  it("may be a will", async () => {
    const engine = await startFake();
    const hears = await listener(["a"]);
    const will = { payload: Buffer.from("x"), qos: 1, retain: false } as const;
    const sender = await test.join({ will: { ...will, topic: "$delayed/5/a" } });
    const other = await test.join({ clientId: "other", will: { ...will, topic: "$delayed/x/a" } });
    other.socket.destroy();
    expect(await test.logged("will_refused")).toMatchObject({ reason: "malformed_delay" });
    sender.socket.destroy();
    while (!engine.asked.includes("publish $delayed/5/a")) await new Promise(setImmediate);
    await hears.publish("b");
    clock.advance(5_100);
    expect(await hears.until("a")).toEqual([]);
  });
});

describe("a delayed message that is refused", () => {
  it("is denied by the rules for the topic inside, when it is sent", async () => {
    await start();
    const hears = await listener();
    const sender = await device("sender");
    expect(await sender.publish("$delayed/1/no/a")).toBe(0x87);
    expect(await sender.publish("$delayed/1")).toBe(0x87);
    clock.advance(1_100);
    await sender.publish("marker");
    expect(await hears.until("marker")).toEqual([]);
  });

  it.each(["$delayed/x/ok/a", "$delayed//ok/a", "$delayed/-1/ok/a", "$delayed/99999999999/ok/a"])(
    "%s is answered with 0x90, and the connection goes on",
    async (topic) => {
      await start();
      const raw = await test.join();
      expect(await raw.publish(topic, { qos: 1 })).toBe(0x90);
      expect(await raw.publish(topic, { qos: 2 })).toBe(0x90);
      await raw.publish(topic);
      expect(await raw.publish("ok/a", { qos: 1 })).toBe(0);
      expect(await test.logged("publish_refused")).toMatchObject({
        reason: "malformed_delay",
        code: "0x90",
      });
    },
  );

  it("gets the ordinary acknowledgement before MQTT 5", async () => {
    await start();
    const hears = await listener();
    const sender = await device("sender", { version: 4 });
    await sender.client.publishAsync("$delayed/x/ok/a", "", { qos: 1 });
    await sender.client.publishAsync("$delayed/x/ok/a", "", { qos: 2 });
    await sender.publish("marker");
    expect(await hears.until("marker")).toEqual([]);
  });

  it("leaves room for further QoS 2 messages", async () => {
    await start();
    const raw = await test.join();
    for (let count = 0; count < 101; count++) {
      expect(await raw.publish("$delayed/x/ok/a", { qos: 2 })).toBe(0x90);
      expect(await raw.publish("$delayed/1/$SYS/a", { qos: 2 })).toBe(0x87);
    }
    expect(await raw.publish("ok/a", { qos: 2 })).toBe(0);
  });

  it("is one for the broker's own topics", async () => {
    await start("{allow, all}.\n");
    const raw = await test.join();
    expect(await raw.publish("$delayed/1/$SYS/a/new/clients", { qos: 1 })).toBe(0x87);
    expect(await test.logged("publish_refused")).toMatchObject({ reason: "reserved_topic" });
  });

  it("is one too many of this client, until some of its messages are gone", async () => {
    await startFake();
    const raw = await test.join();
    const send = (qos: 1 | 2): Promise<number | undefined> => raw.publish("$delayed/9/a", { qos });
    for (let n = 1; n < DELAYED_MESSAGES_PER_CLIENT_MAX; n++) await raw.publish("$delayed/1/a");
    expect(await send(2)).toBe(0);
    expect(await send(1)).toBe(0x97);
    expect(await send(2)).toBe(0x97);
    expect(await test.logged("publish_refused")).toMatchObject({
      reason: "too_many_delayed",
      code: "0x97",
    });
    const other = await test.join({ clientId: "other" });
    expect(await other.publish("$delayed/9/a", { qos: 1 })).toBe(0);
    const hears = await test.join({ clientId: "hears" });
    await hears.subscribe(["a"]);
    clock.advance(1_100);
    for (let n = 1; n < DELAYED_MESSAGES_PER_CLIENT_MAX; n++) await hears.next("publish");
    expect(await send(1)).toBe(0);
  });

  it("is one too many of all clients", async () => {
    await startFake();
    const clients = DELAYED_MESSAGES_MAX / DELAYED_MESSAGES_PER_CLIENT_MAX;
    for (let number = 0; number < clients; number++) {
      const raw = await test.join({ clientId: `c${number}` });
      for (let n = 1; n < DELAYED_MESSAGES_PER_CLIENT_MAX; n++) await raw.publish("$delayed/9/a");
      expect(await raw.publish("$delayed/9/a", { qos: 1 })).toBe(0);
    }
    const last = await test.join({ clientId: "last" });
    expect(await last.publish("$delayed/9/a", { qos: 1 })).toBe(0x97);
  });

  it("is too large beside what waits already", async () => {
    await startFake({ mqtt: { maxPacketSizeBytes: DELAYED_BYTES_MAX } });
    const raw = await test.join();
    const payload = "x".repeat(DELAYED_BYTES_MAX / 4);
    for (let n = 0; n < 3; n++) {
      expect(await raw.publish("$delayed/9/a", { qos: 1, payload })).toBe(0);
    }
    expect(await raw.publish("$delayed/9/a", { qos: 1, payload })).toBe(0x97);
    const rest = payload.slice(4);
    expect(await raw.publish("$delayed/9/a", { qos: 1, payload: rest })).toBe(0);
    expect(await raw.publish("$delayed/9/a", { qos: 1, payload: "" })).toBe(0x97);
  });
});

describe("a QoS 2 message that is sent again", () => {
  it("is acknowledged again, and held once", async () => {
    await start();
    const hears = await listener();
    const raw = await test.join();
    const packet = {
      cmd: "publish",
      topic: "$delayed/1/ok/a",
      payload: "",
      qos: 2,
      retain: false,
      messageId: 7,
    } as const;
    raw.send({ ...packet, dup: false });
    expect((await raw.next("pubrec")).reasonCode ?? 0).toBe(0);
    raw.send({ ...packet, dup: true });
    expect((await raw.next("pubrec")).reasonCode ?? 0).toBe(0);
    raw.send({ cmd: "pubrel", messageId: 7 });
    await raw.next("pubcomp");
    clock.advance(1_100);
    await raw.settled();
    await hears.until("ok/a");
    await raw.publish("marker");
    expect(await hears.until("marker")).toEqual([]);
  });
});

describe("a delayed message and rights that change meanwhile", () => {
  const less = '{deny, all, publish, ["ok/#"]}.\n{allow, all}.\n';

  it("is judged again, for a sender that has left too", async () => {
    const engine = await start();
    const hears = await listener();
    const sender = await device("sender");
    const stays = await device("stays");
    await sender.publish("$delayed/5/ok/a");
    await stays.publish("$delayed/5/marker");
    await sender.leave();
    await engine.reload(imageFrom({ conf: CONF, acl: less }));
    clock.advance(5_100);
    expect(await hears.until("marker")).toEqual([]);
    expect(await test.logged("delayed_refused")).toMatchObject({
      clientId: "sender",
      topic: "$delayed/5/ok/a",
      rule: "acl.conf:1",
    });
  });

  const SECRET = "jwtpassfortest1";
  const TOKENS = `authorization.sources = [{ type = file, path = "acl.conf" }]
  authentication = [{
    mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}"
    disconnect_after_expire = false, precondition = "str_eq(username, 'token')"
  }, {
    mechanism = cinfo, checks = [{ is_match = "true", result = allow }]
  }]
  `;

  async function startWithTokens(): Promise<void> {
    clock = new FakeClock();
    const now = (): number => clock.now();
    test = await startBroker(await engineFrom({ conf: TOKENS, acl: RULES, now }), clock);
  }

  const tokenFor = (pub: string, seconds = 60): string =>
    signToken({ acl: { pub: [pub] }, exp: clock.now() / 1000 + seconds }, SECRET);

  it("is judged by what a re-authentication has left of its sender's rights", async () => {
    await startWithTokens();
    const sender = await test.connect();
    const properties = (pub: string): object => ({
      authenticationMethod: "OAUTH2-JWT",
      authenticationData: Buffer.from(tokenFor(pub)),
    });
    sender.send(
      connectPacket({ clientId: "sender", username: "token", properties: properties("#") }),
    );
    await sender.next("connack");
    await sender.settled();
    expect(await sender.publish("$delayed/5/ok/a", { qos: 1 })).toBe(0);
    expect(await sender.publish("$delayed/5/ok/b", { qos: 1 })).toBe(0);
    sender.send({ cmd: "auth", reasonCode: 0x19, properties: properties("ok/b") });
    expect((await sender.next("auth")).reasonCode).toBe(0);
    const hears = await listener();
    clock.advance(5_100);
    expect(await hears.until("ok/b")).toEqual([]);
    expect(await test.logged("delayed_refused")).toMatchObject({ topic: "$delayed/5/ok/a" });
  });

  it("does not outlive the rules of its sender's token", async () => {
    await startWithTokens();
    const sender = await device("sender", { username: "token", password: tokenFor("ok/#", 10) });
    expect(await sender.publish("$delayed/5/ok/soon")).toBe(0);
    expect(await sender.publish("$delayed/20/ok/late")).toBe(0);
    const hears = await listener();
    const stays = await device("stays");
    expect(await stays.publish("$delayed/20/marker")).toBe(0);
    clock.advance(5_100);
    await hears.until("ok/soon");
    clock.advance(15_000);
    expect(await hears.until("marker")).toEqual([]);
    expect(await test.logged("delayed_refused")).toMatchObject({ reason: "token_acl_expired" });
  });

  it("is published in emqx mode, as it was allowed when it came", async () => {
    const engine = await start(RULES, "emqx");
    const hears = await listener();
    const sender = await device("sender");
    await sender.publish("$delayed/5/ok/a");
    await engine.reload(imageFrom({ conf: CONF, acl: less, preset: "emqx" }));
    clock.advance(5_100);
    await hears.until("ok/a");
  });

  it("keeps the session of its sender open until then, and no longer", async () => {
    const engine = await startFake();
    const hears = await listener(["a"]);
    const sender = await device("sender");
    await sender.publish("$delayed/5/a");
    await sender.publish("$delayed/6/a");
    await sender.leave();
    await hears.publish("x");
    const [, session] = engine.sessions;
    expect(session?.closed).toBe(0);
    clock.advance(5_100);
    await hears.until("a");
    expect(session?.closed).toBe(0);
    clock.advance(1_000);
    await session?.ended;
    expect(session?.closed).toBe(1);
  });
});

describe("a broker that stops", () => {
  it("says how many delayed messages are lost, and gives all sessions back", async () => {
    const engine = await startFake();
    const sender = await device("sender");
    const left = await device("left");
    await sender.publish("$delayed/5/a");
    await sender.publish("$delayed/6/a");
    await left.publish("$delayed/6/a");
    await left.leave();
    await test.broker.close();
    expect(await test.logged("delayed_lost")).toMatchObject({ count: 3 });
    expect(engine.sessions.map(({ closed }) => closed)).toEqual([1, 1]);
  });

  it("says nothing about them when there are none", async () => {
    await startFake();
    await test.broker.close();
    expect(test.lines.some(({ event }) => event === "delayed_lost")).toBe(false);
  });
});
