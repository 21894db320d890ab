import { afterEach, describe, expect, it } from "vitest";
import { QUESTIONS_PER_TURN, Review, TURN_MS_MAX } from "../../../bindings/node/broker/review.ts";
import { type RawClient, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

const LESS = { subscribe: ["b/#"] };
const persistent = { clean: false, properties: { sessionExpiryInterval: 100 } };

async function start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const engine = new FakeEngine(options);
  test = await startBroker(engine);
  return engine;
}

/** A subscriber of `a/#` and `b/#`. */
async function subscriber(packet: object = {}): Promise<RawClient> {
  const client = await test.join({ clientId: "sub", ...packet });
  expect(await client.subscribe(["a/#", "b/#"], 1)).toEqual([1, 1]);
  return client;
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

/** The rules of everybody change. */
async function change(engine: FakeEngine, rules: object): Promise<void> {
  test.lines.length = 0;
  for (const session of engine.sessions) session.rules = rules;
  engine.changePolicy();
  await test.logged("policy_followed");
}

describe("a live subscription that the new policy does not allow", () => {
  for (const preset of ["strict", "emqx"] as const) {
    it(`is taken away, and the others stay (${preset})`, async () => {
      const engine = await start({ preset, onPolicyChange: "unsubscribe" });
      const client = await subscriber();
      const publisher = await test.join({ clientId: "pub" });
      await change(engine, LESS);
      expect(await test.logged("policy_followed")).toMatchObject({ removed: 1, disconnected: 0 });
      expect(await test.logged("subscription_refused")).toMatchObject({
        clientId: "sub",
        topic: "a/#",
        rule: "acl.conf:7",
      });
      for (const topic of ["a/1", "b/marker"]) await publisher.publish(topic, { qos: 1 });
      expect(await heard(client)).toEqual([]);
      // Whoever unsubscribes now learns that it was gone.
      client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: ["a/#", "b/#"] });
      expect((await client.next("unsuback")).granted).toEqual([0x11, 0]);
    });
  }

  it("does not come back when the old permission does", async () => {
    const engine = await start();
    const client = await subscriber();
    const publisher = await test.join({ clientId: "pub" });
    await change(engine, LESS);
    await change(engine, {});
    for (const topic of ["a/1", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    expect(await heard(client)).toEqual([]);
    expect(await client.subscribe(["a/#"])).toEqual([0]);
    await publisher.publish("a/2");
    expect((await client.next("publish")).topic).toBe("a/2");
  });

  it("is gone from a session that is kept, with what was queued for it", async () => {
    const engine = await start();
    const client = await subscriber(persistent);
    const publisher = await test.join({ clientId: "pub" });
    // Delivered, but not acknowledged: it would be sent again.
    await publisher.publish("a/1", { qos: 1 });
    await client.next("publish");
    await change(engine, LESS);
    client.socket.destroy();
    await client.closed;
    for (const topic of ["a/2", "b/marker"]) await publisher.publish(topic, { qos: 1 });
    engine.rules = () => ({});
    expect(await heard(await test.join({ clientId: "sub", ...persistent }))).toEqual([]);
  });

  it("is gone as well when the client was away", async () => {
    const engine = await start({ preset: "emqx", onPolicyChange: "unsubscribe" });
    const client = await subscriber(persistent);
    client.send({ cmd: "disconnect", reasonCode: 0 });
    await client.closed;
    const publisher = await test.join({ clientId: "pub" });
    await publisher.publish("a/1", { qos: 1 });
    engine.rules = () => LESS;
    await change(engine, {});
    const resumed = await test.join({ clientId: "sub", ...persistent });
    await publisher.publish("b/marker", { qos: 1 });
    expect(await heard(resumed)).toEqual([]);
  });

  it("ends the connection with not authorized where that is configured", async () => {
    const engine = await start({ onPolicyChange: "disconnect" });
    const client = await subscriber();
    const old = await subscriber({ clientId: "old", protocolVersion: 4 });
    const other = await test.join({ clientId: "other" });
    await other.subscribe(["b/#"]);
    await change(engine, LESS);
    const { reasonCode, properties } = await client.next("disconnect");
    expect(reasonCode).toBe(0x87);
    expect(properties?.reasonString).toBe("the policy has changed");
    await Promise.all([client.closed, old.closed, other.settled()]);
    expect(await test.logged("policy_followed")).toMatchObject({ removed: 0, disconnected: 2 });
  });

  it("stays where that is configured, with deliveries as the mode has them", async () => {
    for (const [preset, expected] of [
      ["emqx", ["a/1"]],
      ["strict", []],
    ] as const) {
      const engine = await start({ preset, onPolicyChange: "keep" });
      const client = await subscriber();
      const publisher = await test.join({ clientId: "pub" });
      await change(engine, LESS);
      for (const topic of ["a/1", "b/marker"]) await publisher.publish(topic, { qos: 1 });
      expect(await heard(client)).toEqual(expected);
      expect(test.lines.filter(({ event }) => event === "subscription_refused")).toEqual([]);
      if (preset === "emqx") await test.close();
    }
  });

  it("is measured by the filter as the client wrote it, without the mountpoint", async () => {
    const engine = await start({ rules: () => ({ mountpoint: "m/" }) });
    const client = await subscriber();
    await change(engine, LESS);
    expect(await test.logged("policy_followed")).toMatchObject({ removed: 1 });
    await client.publish("a/1");
    await client.publish("b/marker");
    expect(await heard(client)).toEqual([]);
  });

  it("is found behind an answer that takes its time", async () => {
    const engine = await start({ rules: () => ({ isAsync: true }) });
    const client = await subscriber();
    await change(engine, { ...LESS, isAsync: true });
    expect(await test.logged("policy_followed")).toMatchObject({ removed: 1 });
    await client.settled();
  });
});

describe("a change of the policy", () => {
  it("waits for the SUBSCRIBE in hand, and then finds what it brought", async () => {
    let answer: () => void = () => {};
    const waits = { "b/#": new Promise<void>((resolve) => (answer = resolve)) };
    const engine = await start({ rules: () => ({ waits }) });
    const client = await test.join({ clientId: "sub" });
    client.sendSubscribe(["a/#", "b/#"]);
    while (engine.asked.at(-1) !== "subscribe b/#") await new Promise(setImmediate);
    await change(engine, LESS);
    answer();
    expect((await client.next("suback")).granted).toEqual([0, 0]);
    await test.logged("subscription_refused");
    await client.settled();
    await client.publish("a/1");
    await client.publish("b/marker");
    expect(await heard(client)).toEqual([]);
  });

  it("reaches a session that is just being resumed", async () => {
    let restore: () => void = () => {};
    const waits = { "b/#": new Promise<void>((resolve) => (restore = resolve)) };
    const engine = await start();
    const client = await subscriber(persistent);
    client.send({ cmd: "disconnect", reasonCode: 0 });
    await client.closed;
    engine.rules = () => ({ waits });
    engine.asked.length = 0;
    const joining = test.join({ clientId: "sub", ...persistent });
    while (engine.asked.at(-1) !== "subscribe b/#") await new Promise(setImmediate);
    engine.sessions[1]!.rules = LESS;
    engine.changePolicy();
    restore();
    const resumed = await joining;
    await test.logged("subscription_refused");
    await resumed.publish("a/1");
    await resumed.publish("b/marker");
    expect(await heard(resumed)).toEqual([]);
  });

  it("leaves the rest of the broker its turns", async () => {
    const engine = await start();
    const client = await test.join({ clientId: "many" });
    const filters = Array.from({ length: 5 * QUESTIONS_PER_TURN }, (_, n) => `a/${n}`);
    await client.subscribe(filters);
    engine.sessions[0]!.rules = { subscribe: ["b/#"] };
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    engine.changePolicy();
    count();
    expect(await test.logged("policy_followed")).toMatchObject({ removed: filters.length });
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it("leaves them after TURN_MS_MAX as well, however few questions that took", async () => {
    let elapsedMs = 0;
    const review = new Review(() => elapsedMs);
    expect(review.takeTurn()).toBeUndefined();
    elapsedMs = TURN_MS_MAX - 0.1;
    expect(review.takeTurn()).toBeUndefined();
    elapsedMs = TURN_MS_MAX;
    const turn = review.takeTurn();
    expect(turn).toBeInstanceOf(Promise);
    // All that wait go on together.
    expect(review.takeTurn()).toBe(turn);
    await turn;
    elapsedMs += TURN_MS_MAX - 0.1;
    expect(review.takeTurn()).toBeUndefined();
    elapsedMs += 0.1;
    expect(review.takeTurn()).toBeInstanceOf(Promise);
  });

  it("starts over when the next one comes before it is done", async () => {
    const engine = await start();
    const client = await test.join({ clientId: "many" });
    const filters = Array.from({ length: 2 * QUESTIONS_PER_TURN }, (_, n) => `a/${n}`);
    await client.subscribe(filters);
    const other = await test.join({ clientId: "other" });
    await other.subscribe(["a/#", "b/#"]);
    engine.changePolicy();
    for (const session of engine.sessions) session.rules = LESS;
    engine.changePolicy();
    await test.logged("policy_followed");
    await Promise.all([client.settled(), other.settled()]);
    await client.publish("a/1");
    await client.publish("b/marker");
    expect(await heard(other)).toEqual([]);
    expect(test.lines.filter(({ event }) => event === "policy_followed")).toHaveLength(1);
  });

  it("is looked at to the end and once more when stored rules change meanwhile", async () => {
    let answer: () => void = () => {};
    const engine = await start();
    await subscriber();
    const waits = { "a/#": new Promise<void>((resolve) => (answer = resolve)) };
    engine.sessions[0]!.rules = { waits };
    engine.changeRules();
    while (engine.asked.at(-1) !== "subscribe a/#") await new Promise(setImmediate);
    engine.changeRules();
    engine.changeRules();
    engine.sessions[0]!.rules = LESS;
    answer();
    const followed = () => test.lines.filter(({ event }) => event === "policy_followed");
    while (followed().length < 2) await new Promise(setImmediate);
    expect(followed()).toMatchObject([{ removed: 0 }, { removed: 1 }]);
    engine.changeRules();
    while (followed().length < 3) await new Promise(setImmediate);
    expect(followed()[2]).toMatchObject({ removed: 0 });
  });

  it("is the business of those whom it concerns", async () => {
    const engine = await start();
    const client = await subscriber();
    const other = await test.join({ clientId: "other" });
    await other.subscribe(["a/#", "b/#"]);
    const [concerned, unconcerned] = engine.sessions;
    unconcerned!.ownRevision = {};
    await change(engine, {});
    test.lines.length = 0;
    engine.asked.length = 0;
    concerned!.rules = LESS;
    unconcerned!.rules = LESS;
    engine.changeRules();
    expect(await test.logged("policy_followed")).toMatchObject({ connections: 1, removed: 1 });
    expect(engine.asked).toEqual(["subscribe a/#", "subscribe b/#"]);
    await Promise.all([client.settled(), other.settled()]);
    test.lines.length = 0;
    unconcerned!.ownRevision = {};
    engine.changeRules();
    expect(await test.logged("policy_followed")).toMatchObject({ connections: 2, removed: 1 });
  });

  it("is not lost on a session that has just been judged", async () => {
    let answer: () => void = () => {};
    const engine = await start();
    const slow = await subscriber();
    const other = await test.join({ clientId: "other" });
    await other.subscribe(["a/#", "b/#"]);
    const waits = { "a/#": new Promise<void>((resolve) => (answer = resolve)) };
    engine.sessions[0]!.rules = { waits };
    engine.sessions[1]!.ownRevision = {};
    engine.changeRules();
    while (engine.asked.at(-1) !== "subscribe a/#") await new Promise(setImmediate);
    // The newest come first: it has been judged, and the review is not over.
    engine.sessions[1]!.ownRevision = {};
    engine.sessions[1]!.rules = LESS;
    engine.changeRules();
    answer();
    const followed = () => test.lines.filter(({ event }) => event === "policy_followed");
    while (followed().length < 2) await new Promise(setImmediate);
    expect(followed()[1]).toMatchObject({ removed: 1 });
    await Promise.all([slow.settled(), other.settled()]);
  });

  it("that comes in a burst is followed at once and once more", async () => {
    let answer: () => void = () => {};
    const engine = await start();
    await subscriber();
    const waits = { "a/#": new Promise<void>((resolve) => (answer = resolve)) };
    engine.sessions[0]!.rules = { waits };
    engine.asked.length = 0;
    for (let n = 0; n < 1000; n++) engine.changeRules();
    while (engine.asked.at(-1) !== "subscribe a/#") await new Promise(setImmediate);
    answer();
    const followed = () => test.lines.filter(({ event }) => event === "policy_followed");
    while (followed().length < 2) await new Promise(setImmediate);
    engine.sessions[0]!.ownRevision = engine.revision;
    engine.changeRules();
    while (followed().length < 3) await new Promise(setImmediate);
    expect(followed()[2]).toMatchObject({ connections: 0 });
  });

  it("does not disturb clients that leave meanwhile", async () => {
    let answer: () => void = () => {};
    const engine = await start();
    const client = await subscriber();
    const waits = { "a/#": new Promise<void>((resolve) => (answer = resolve)) };
    engine.sessions[0]!.rules = { ...LESS, waits };
    engine.changePolicy();
    while (engine.asked.at(-1) !== "subscribe a/#") await new Promise(setImmediate);
    client.socket.destroy();
    await engine.sessions[0]!.ended;
    answer();
    expect(await test.logged("policy_followed")).toMatchObject({ removed: 0 });
  });
});
