import { afterEach, describe, expect, it } from "vitest";
import {
  connectPacket,
  type RawClient,
  startBroker,
  type TestBroker,
} from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";
import { engineFrom } from "../../support/policy.ts";

let test: TestBroker;
afterEach(() => test.close());

/** Clients called `sub…` may subscribe to `a/#`, but only hear `a/ok` and what begins with `b`. */
async function start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const engine = new FakeEngine({
    rules: (client) =>
      String(client.clientId).startsWith("sub") ? { subscribe: ["~a/#", "~#", "a/ok", "b/#"] } : {},
    ...options,
  });
  test = await startBroker(engine);
  return engine;
}

/** Topics a client got, up to and without the marker. */
async function heard(client: RawClient): Promise<string[]> {
  const topics: string[] = [];
  for (;;) {
    const { topic } = await client.next("publish");
    if (topic === "b/marker") return topics;
    topics.push(topic);
  }
}

describe("a delivery", () => {
  it("is checked when the policy does not cover the subscription", async () => {
    const engine = await start();
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["a/#", "b/#"]);
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/no", "a/ok", "b/marker"]) await publisher.publish(topic);
    expect(await heard(subscriber)).toEqual(["a/ok"]);
    expect(engine.asked).toContain("deliver a/no");
  });

  it("is not checked when every subscription is covered", async () => {
    const engine = await start();
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["b/#"]);
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("b/marker");
    expect(await heard(subscriber)).toEqual([]);
    expect(engine.asked.filter((question) => question.startsWith("deliver"))).toEqual([]);
  });

  it("is checked no more once the uncovered subscription is gone", async () => {
    const engine = await start();
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["a/#", "b/#"]);
    subscriber.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: ["a/#"] });
    await subscriber.next("unsuback");
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("b/marker");
    expect(await heard(subscriber)).toEqual([]);
    expect(engine.asked.filter((question) => question.startsWith("deliver"))).toEqual([]);
  });

  it("is not checked when enforce_delivery is off", async () => {
    await start({ preset: "emqx" });
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["a/#", "b/#"]);
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/no", "b/marker"]) await publisher.publish(topic);
    expect(await heard(subscriber)).toEqual(["a/no"]);
  });

  it("is checked for retained messages", async () => {
    await start();
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/no", "a/ok"]) await publisher.publish(topic, { retain: true, qos: 1 });
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["a/#"], 1);
    expect((await subscriber.next("publish")).topic).toBe("a/ok");
    await subscriber.subscribe(["b/#"]);
    await publisher.publish("b/marker");
    expect(await heard(subscriber)).toEqual([]);
  });

  it("does not give retained `$` topics to a leading wildcard, covered or not", async () => {
    await start({ rules: () => ({}) });
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["$secret/x", "x"])
      await publisher.publish(topic, { retain: true, qos: 1 });
    const subscriber = await test.join({ clientId: "any" });
    await subscriber.subscribe(["#", "+/x"]);
    expect((await subscriber.next("publish")).topic).toBe("x");
    await publisher.publish("b/marker");
    expect(await heard(subscriber)).toEqual([]);
  });

  it("never has a higher QoS than was granted", async () => {
    await start({ rules: () => ({}) });
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("r/0", { retain: true, qos: 2 });
    const subscriber = await test.join({ clientId: "any" });
    await subscriber.subscribe([
      { topic: "r/+", qos: 0 },
      { topic: "l/#", qos: 1 },
    ]);
    expect((await subscriber.next("publish")).qos).toBe(0);
    await publisher.publish("l/1", { qos: 2 });
    expect((await subscriber.next("publish")).qos).toBe(1);
  });
});

describe("a policy that changes", () => {
  it("is followed by deliveries of subscriptions that had been covered", async () => {
    const engine = await start({ rules: () => ({}) });
    const subscriber = await test.join({ clientId: "sub" });
    await subscriber.subscribe(["a/#", "b/#"]);
    const publisher = await test.join({ clientId: "pub" });
    engine.sessions[0]!.rules = { subscribe: ["b/#"] };
    engine.config = { ...engine.config };
    for (const topic of ["a/2", "b/marker"]) await publisher.publish(topic);
    expect(await heard(subscriber)).toEqual([]);
  });
});

describe("a session that fails", () => {
  it("gets nothing, and does not disturb the publisher", async () => {
    const engine = await start({ rules: () => ({ subscribe: ["~a/#", "b/#"] }) });
    const broken = await test.join({ clientId: "broken" });
    await broken.subscribe(["a/#"]);
    engine.sessions[0]!.authorizeDelivery = () => {
      throw new Error("broken");
    };
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("a/1", { qos: 1 });
    await test.logged("delivery_failed");
    await Promise.all([publisher.settled(), broken.settled()]);
    expect(broken.received).toEqual([]);
  });
});

describe("a resumed session", () => {
  const persistent = { clientId: "sub", clean: false, properties: { sessionExpiryInterval: 100 } };

  it("gets what was queued for it, checked again", async () => {
    await start();
    const subscriber = await test.join(persistent);
    await subscriber.subscribe(["a/#", "b/#"], 1);
    subscriber.send({ cmd: "disconnect", reasonCode: 0 });
    await subscriber.closed;
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/no", "a/ok", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    const resumed = await test.join(persistent);
    expect(await heard(resumed)).toEqual(["a/ok"]);
  });

  it("gets nothing before its CONNACK, and then everything", async () => {
    const engine = await start({ rules: () => ({}) });
    const subscriber = await test.join(persistent);
    await subscriber.subscribe(["a/#", "b/#"], 1);
    subscriber.send({ cmd: "disconnect", reasonCode: 0 });
    await subscriber.closed;
    const publisher = await test.join({ clientId: "pub" });
    let restore: () => void = () => {};
    const waits = { "b/#": new Promise<void>((resolve) => (restore = resolve)) };
    engine.rules = () => ({ waits });
    const resumed = await test.connect();
    resumed.send(connectPacket(persistent));
    while (engine.asked.at(-1) !== "subscribe b/#") await new Promise(setImmediate);
    for (const topic of ["a/1", "a/2"]) await publisher.publish(topic, { qos: 1 });
    await publisher.settled();
    expect(resumed.received).toEqual([]);
    restore();
    expect((await resumed.next("connack")).sessionPresent).toBe(true);
    await publisher.publish("b/marker", { qos: 1 });
    expect(await heard(resumed)).toEqual(["a/1", "a/2"]);
  });

  it("keeps what it may have when something before it in the queue is denied", async () => {
    await start();
    const subscriber = await test.join(persistent);
    await subscriber.subscribe(["a/#", "b/#"], 1);
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/ok", "a/no", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    expect(await heard(subscriber)).toEqual(["a/ok"]);
    subscriber.socket.destroy();
    await subscriber.closed;
    const resumed = await test.join(persistent);
    expect(await heard(resumed)).toEqual(["a/ok"]);
  });

  it("loses subscriptions that are no longer allowed, and what was queued for them", async () => {
    const engine = await start({ rules: () => ({}) });
    const subscriber = await test.join(persistent);
    await subscriber.subscribe(["a/#", "b/#"], 1);
    subscriber.send({ cmd: "disconnect", reasonCode: 0 });
    await subscriber.closed;
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("a/ok", { qos: 1 });
    engine.rules = () => ({ subscribe: ["b/#"] });
    const resumed = await test.join(persistent);
    for (const topic of ["a/ok", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    expect(await heard(resumed)).toEqual([]);
    expect(await test.logged("subscribe_refused")).toMatchObject({ topic: "a/#" });
  });

  it("does not bring subscriptions from under another mountpoint along", async () => {
    const engine = await start({ rules: () => ({ mountpoint: "x/" }) });
    const subscriber = await test.join(persistent);
    await subscriber.subscribe(["#"], 1);
    subscriber.send({ cmd: "disconnect", reasonCode: 0 });
    await subscriber.closed;
    engine.rules = () => ({ mountpoint: "y/" });
    const resumed = await test.join(persistent);
    await resumed.subscribe(["b/#"]);
    engine.rules = () => ({});
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("x/t");
    await publisher.publish("y/b/marker");
    expect(await heard(resumed)).toEqual([]);
  });

  it("does not get what was queued for a filter that had been denied in the same packet", async () => {
    await start({ rules: () => ({ subscribe: ["b/#"] }) });
    const subscriber = await test.join(persistent);
    expect(await subscriber.subscribe(["a/#", "b/#"], 1)).toEqual([0x87, 1]);
    subscriber.send({ cmd: "disconnect", reasonCode: 0 });
    await subscriber.closed;
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/1", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    const resumed = await test.join(persistent);
    expect(await heard(resumed)).toEqual([]);
  });
});

describe("a delivery under rules that do not cover its subscription", () => {
  const CONF = `portcullis.allow_anonymous = true
    authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
  `;

  async function startWith(rules: string): Promise<RawClient> {
    const acl = `${rules}\n{allow, all, publish, all}.\n{allow, all, subscribe, ["b/marker"]}.\n`;
    test = await startBroker(await engineFrom({ conf: CONF, acl }));
    return test.join({ clientId: "sub" });
  }

  async function publish(...topics: readonly string[]): Promise<void> {
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of topics) await publisher.publish(topic, { qos: 1, messageId: 7 });
    await publisher.publish("b/marker");
  }

  it("is made for a filter that an eq rule allows, unless the topic is refused before", async () => {
    const rules = '{deny, all, subscribe, ["a/no"]}.\n{allow, all, subscribe, [{eq, "a/#"}]}.';
    const subscriber = await startWith(rules);
    expect(await subscriber.subscribe(["a/#", "b/marker", "a/+", "a/x"])).toEqual([0, 0, 135, 135]);
    await publish("a/x", "a/no", "a");
    expect(await heard(subscriber)).toEqual(["a/x", "a"]);
  });

  it("goes by the QoS that was subscribed with, whatever the message has", async () => {
    const rules = `{deny, all, subscribe, ["a/no"]}.
      {allow, all, {subscribe, [{qos, 1}]}, ["a/#"]}.
      {allow, all, {subscribe, [{qos, 0}]}, ["c/#"]}.`;
    const subscriber = await startWith(rules);
    expect(await subscriber.subscribe([{ topic: "a/#", qos: 1 }, "a/#", "c/#"])).toEqual([
      1, 135, 0,
    ]);
    await subscriber.subscribe(["b/marker"]);
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/x", "a/no", "c/x"]) {
      for (const qos of [0, 1] as const) await publisher.publish(topic, { qos });
    }
    await publisher.publish("b/marker");
    const qos: string[] = [];
    for (;;) {
      const packet = await subscriber.next("publish");
      if (packet.topic === "b/marker") break;
      qos.push(`${packet.topic} ${packet.qos}`);
    }
    expect(qos).toEqual(["a/x 0", "a/x 1", "c/x 0", "c/x 0"]);
  });
});
