import { afterEach, describe, expect, it } from "vitest";
import { type RawClient, startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const engine = new FakeEngine({ rules: () => ({ publish: ["ok/#", "$delayed/#"] }), ...options });
  test = await startBroker(engine);
  return engine;
}

async function watch(): Promise<RawClient> {
  const watcher = await test.join({ clientId: "watcher" });
  await watcher.subscribe(["#", "$delayed/#"]);
  return watcher;
}

describe("an allowed PUBLISH", () => {
  for (const qos of [0, 1, 2] as const) {
    it(`with QoS ${qos} is acknowledged and reaches subscribers`, async () => {
      await start();
      const watcher = await watch();
      const client = await test.join();
      expect(await client.publish("ok/a", { qos, payload: "hello" })).toBe(
        qos === 0 ? undefined : 0,
      );
      const { topic, payload } = await watcher.next("publish");
      expect([topic, String(payload)]).toEqual(["ok/a", "hello"]);
    });
  }

  it("keeps its place among others when the decision takes time", async () => {
    await start({ rules: () => ({ isAsync: true }) });
    const watcher = await watch();
    const client = await test.join();
    const topics = Array.from({ length: 50 }, (_, n) => `ok/${n}`);
    client.send(
      ...topics.map(
        (topic) =>
          ({ cmd: "publish", topic, payload: "", qos: 0, retain: false, dup: false }) as const,
      ),
    );
    const seen: string[] = [];
    for (const _ of topics) seen.push((await watcher.next("publish")).topic);
    expect(seen).toEqual(topics);
    await client.settled();
  });

  it("uses a topic alias the way the client registered it", async () => {
    await start();
    const watcher = await watch();
    const client = await test.join();
    const packet = { cmd: "publish", payload: "", qos: 0, retain: false, dup: false } as const;
    client.send(
      { ...packet, topic: "ok/long", properties: { topicAlias: 3 } },
      { ...packet, topic: "", properties: { topicAlias: 3 } },
    );
    expect((await watcher.next("publish")).topic).toBe("ok/long");
    const second = await watcher.next("publish");
    expect(second.topic).toBe("ok/long");
    expect(second.properties?.topicAlias).toBeUndefined();
  });
});

describe("a denied PUBLISH", () => {
  for (const [qos, version, code] of [
    [0, 5, undefined],
    [1, 5, 0x87],
    [2, 5, 0x87],
    [0, 4, undefined],
    [1, 4, 0],
    [2, 4, 0],
  ] as const) {
    it(`with QoS ${qos} in version ${version} goes nowhere and is answered with ${code}`, async () => {
      await start();
      const watcher = await watch();
      const client = await test.join({ protocolVersion: version });
      expect(await client.publish("no/a", { qos, retain: true })).toBe(code);
      await client.publish("ok/marker");
      expect((await watcher.next("publish")).topic).toBe("ok/marker");
      const late = await test.join({ clientId: "late" });
      await late.subscribe(["no/#"]);
      await late.settled();
      expect(late.received).toEqual([]);
    });
  }

  for (const [version, packets] of [
    [5, [{ cmd: "disconnect", reasonCode: 0x87 }]],
    [4, []],
  ] as const) {
    it(`ends a connection of version ${version} when deny_action says so`, async () => {
      await start({ denyAction: "disconnect" });
      const client = await test.join({ protocolVersion: version });
      await client.publish("no/a");
      await client.closed;
      expect(client.received).toMatchObject(packets);
    });
  }

  it("is explained in the log, without its payload", async () => {
    await start();
    const client = await test.join({ clientId: "dev" });
    await client.publish("no/a", { qos: 1, payload: "top-secret" });
    expect(await test.logged("publish_refused")).toMatchObject({
      reason: "no_match",
      by: "file",
      rule: "acl.conf:7",
      topic: "no/a",
      clientId: "dev",
      listener: "tcp:default",
    });
    expect(test.text()).not.toContain("top-secret");
  });

  it("about delays is what the engine says about the whole topic", async () => {
    const engine = await start();
    const client = await test.join();
    await client.publish("$delayed/5/ok/a", { qos: 1 });
    expect(engine.asked).toContain("publish $delayed/5/ok/a");
  });

  it("under $SYS/ is denied whatever the policy says", async () => {
    await start({ rules: () => ({}) });
    const client = await test.join();
    expect(await client.publish("$SYS/x/new/clients", { qos: 1 })).toBe(0x87);
    expect(await client.publish("$other/x", { qos: 1 })).toBe(0);
  });
});

describe("a PUBLISH that breaks the protocol", () => {
  const packet = { cmd: "publish", payload: "", qos: 0, retain: false, dup: false } as const;
  const cases = [
    ["a wildcard", { topic: "ok/+" }, 0x90],
    ["a NUL", { topic: "ok/\0" }, 0x90],
    ["no topic", { topic: "" }, 0x82],
    ["alias 0 and no topic", { topic: "", properties: { topicAlias: 0 } }, 0x82],
    ["alias 0 and a topic", { topic: "ok/a", properties: { topicAlias: 0 } }, 0x94],
    ["an alias nobody registered", { topic: "", properties: { topicAlias: 9 } }, 0x82],
    ["an alias past the maximum", { topic: "ok/a", properties: { topicAlias: 33 } }, 0x94],
    [
      "a subscription identifier",
      { topic: "ok/a", properties: { subscriptionIdentifier: 1 } },
      0x82,
    ],
    ["a property it may not have", { topic: "ok/a", properties: { serverKeepAlive: 1 } }, 0x82],
    [
      "a wildcard in the response topic",
      { topic: "ok/a", properties: { responseTopic: "a/#" } },
      0x82,
    ],
  ] as const;
  for (const [what, changes, code] of cases) {
    it(`with ${what} ends the connection with 0x${code.toString(16)}`, async () => {
      await start();
      const client = await test.join();
      client.send({ ...packet, ...changes } as never);
      expect((await client.next("disconnect")).reasonCode).toBe(code);
      await client.closed;
    });
  }

  it("with bytes that are not UTF-8 in its topic ends the connection", async () => {
    await start();
    const client = await test.join();
    client.sendRaw(Buffer.from([0x30, 6, 0, 3, 0x6f, 0xff, 0x6b, 0]));
    expect((await client.next("disconnect")).reasonCode).toBe(0x90);
  });

  it("closes an MQTT 3.1.1 connection without a word", async () => {
    await start();
    const client = await test.join({ protocolVersion: 4 });
    client.send({ ...packet, topic: "ok/#" });
    await client.closed;
    expect(client.received).toEqual([]);
  });
});

describe("the broker's capabilities", () => {
  const deep = (levels: number): string => `ok${"/x".repeat(levels - 1)}`;
  const limits = { maxTopicLevels: 5, maxQosAllowed: 1, retainAvailable: false } as const;
  const cases = [
    ["levels", deep(6), {}, 0x90],
    ["QoS", "ok/a", { qos: 2 }, 0x9b],
    ["retain", "ok/a", { retain: true }, 0x9a],
  ] as const;
  for (const [what, topic, options, code] of cases) {
    it(`limit the ${what} of a publish`, async () => {
      await start({ mqtt: limits });
      const client = await test.join();
      client.publish(topic, options).catch(() => {});
      expect((await client.next("disconnect")).reasonCode).toBe(code);
    });
  }

  it("let through what is just at the limit", async () => {
    await start({ mqtt: limits });
    const client = await test.join();
    expect(await client.publish(deep(5), { qos: 1 })).toBe(0);
  });

  it("are looked at only after the policy has allowed the publish", async () => {
    await start({ mqtt: limits });
    const client = await test.join();
    expect(await client.publish("no/1/2/3/4/5/6", { qos: 1 })).toBe(0x87);
  });
});

describe("a mountpoint", () => {
  it("keeps tenants apart and is invisible to them", async () => {
    const engine = await start({ rules: (c) => ({ mountpoint: `${String(c.clientId)[0]}/` }) });
    const a1 = await test.join({ clientId: "a1" });
    const a2 = await test.join({ clientId: "a2" });
    const b1 = await test.join({ clientId: "b1" });
    await a2.subscribe(["#"]);
    await b1.subscribe(["#"]);
    await a1.publish("t/1");
    await b1.publish("t/2");
    expect((await a2.next("publish")).topic).toBe("t/1");
    expect((await b1.next("publish")).topic).toBe("t/2");
    await Promise.all([a2.settled(), b1.settled()]);
    expect([...a2.received, ...b1.received]).toEqual([]);
    expect(engine.asked).toContain("publish t/1");
  });
});
