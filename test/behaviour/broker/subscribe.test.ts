import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../support/broker.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";

let test: TestBroker;
afterEach(() => test.close());

async function start(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const rules = () => ({ subscribe: ["ok/#"] });
  const engine = new FakeEngine({ rules, ...options });
  test = await startBroker(engine);
  return engine;
}

describe("SUBSCRIBE", () => {
  it("is decided filter by filter, and answered in the order of the request", async () => {
    await start();
    const client = await test.join();
    const filters = [
      { topic: "ok/2", qos: 2 },
      { topic: "no/1", qos: 1 },
      { topic: "1", qos: 0 },
      { topic: "ok/1", qos: 1 },
      { topic: "ok/1", qos: 0 },
    ] as const;
    expect(await client.subscribe(filters)).toEqual([2, 0x87, 0x87, 1, 0]);
    await client.publish("no/1");
    await client.publish("ok/2");
    expect((await client.next("publish")).topic).toBe("ok/2");
  });

  it("has one failure code before MQTT 5", async () => {
    await start();
    const client = await test.join({ protocolVersion: 4 });
    const filters = ["ok/a", "no/a", "$share/g/ok/a", "$exclusive/ok/a"];
    expect(await client.subscribe(filters)).toEqual([0, 0x80, 0x80, 0x80]);
  });

  it("waits for decisions that take time", async () => {
    await start({ rules: () => ({ subscribe: ["ok/#"], isAsync: true }) });
    const client = await test.join();
    client.sendSubscribe(["ok/a", "no/a"]);
    client.send({ cmd: "unsubscribe", messageId: 77, unsubscriptions: ["ok/a"] });
    expect((await client.next("suback")).granted).toEqual([0, 0x87]);
    expect((await client.next("unsuback")).granted).toEqual([0]);
    await client.publish("ok/a");
    await client.settled();
    expect(client.received).toEqual([]);
  });

  it("subscribes nothing and disconnects when deny_action says so", async () => {
    const engine = await start({ denyAction: "disconnect" });
    const client = await test.join();
    client.sendSubscribe(["ok/a", "no/a", "ok/b"]);
    expect((await client.next("disconnect")).reasonCode).toBe(0x87);
    await client.closed;
    expect(client.received).toEqual([]);
    expect(engine.asked).toEqual(["subscribe ok/a", "subscribe no/a", "subscribe ok/b"]);
  });

  it("closes an MQTT 3.1.1 connection when deny_action says so", async () => {
    await start({ denyAction: "disconnect" });
    const client = await test.join({ protocolVersion: 4 });
    client.sendSubscribe(["no/a"]);
    await client.closed;
    expect(client.received).toEqual([]);
  });

  it("is explained in the log when it is denied", async () => {
    await start();
    const client = await test.join();
    await client.subscribe(["no/a"]);
    expect(await test.logged("subscribe_refused")).toMatchObject({
      reason: "no_match",
      rule: "acl.conf:7",
      topic: "no/a",
    });
  });

  for (const filters of [["ok/a", "ok/#/b"], ["ok/a+"], ["$share/g/"], ["$share//t"], ["a\0b"]]) {
    it(`with ${JSON.stringify(filters)} ends the connection, nothing processed`, async () => {
      const engine = await start();
      const client = await test.join();
      client.sendSubscribe(filters);
      expect((await client.next("disconnect")).reasonCode).toBe(0x8f);
      await client.closed;
      expect(engine.asked).toEqual([]);
    });
  }

  it("without filters ends the connection", async () => {
    await start();
    const client = await test.join();
    client.sendRaw(Buffer.from([0x82, 3, 0, 1, 0]));
    expect((await client.next("disconnect")).reasonCode).toBe(0x8f);
  });

  it("with an identifier out of range ends the connection", async () => {
    await start();
    const client = await test.join();
    client.sendRaw(Buffer.from([0x82, 9, 0, 1, 2, 0x0b, 0, 0, 1, 0x61, 0]));
    expect((await client.next("disconnect")).reasonCode).toBe(0xa1);
  });

  for (const topic of ["$share/g/ok/a", "$queue/ok/a"]) {
    it(`to ${topic} with No Local ends the connection`, async () => {
      await start();
      const client = await test.join();
      client.sendSubscribe([{ topic, nl: true }]);
      expect((await client.next("disconnect")).reasonCode).toBe(0x82);
    });
  }
});

describe("shared and exclusive filters", () => {
  it("are authorized by what is inside, then refused, as the broker has none", async () => {
    const engine = await start();
    const client = await test.join();
    const filters = ["$share/g/ok/a", "$share/g/no/a", "$queue/ok/a", "$exclusive/ok/a"];
    expect(await client.subscribe(filters)).toEqual([0x9e, 0x87, 0x9e, 0x8f]);
    expect(engine.asked).toEqual([
      "subscribe ok/a",
      "subscribe no/a",
      "subscribe ok/a",
      "subscribe ok/a",
    ]);
  });

  it("are never taken literally", async () => {
    await start({ rules: () => ({}) });
    const client = await test.join();
    await client.subscribe(["$share/g/t", "$queue/t"]);
    await client.publish("$share/g/t");
    await client.publish("$queue/t");
    await client.settled();
    expect(client.received).toEqual([]);
  });

  it("that contradict themselves are refused one by one", async () => {
    await start();
    const client = await test.join();
    const filters = ["$exclusive/", "$queue/", "$share/g/$queue/t", "$queue/$share/g/t", "ok/a"];
    expect(await client.subscribe(filters)).toEqual([0x8f, 0x8f, 0x8f, 0x8f, 0]);
  });
});

describe("the broker's capabilities", () => {
  it("limit levels, wildcards and QoS of what the policy allows", async () => {
    await start({
      mqtt: { maxTopicLevels: 3, wildcardSubscription: false, maxQosAllowed: 1 },
    });
    const client = await test.join();
    const filters = ["ok/1/2/3", "ok/#", "no/#", "ok/1/2"];
    expect(await client.subscribe(filters, 2)).toEqual([0x8f, 0xa2, 0x87, 1]);
  });
});

describe("UNSUBSCRIBE", () => {
  it("is never asked about, and says whether there was something to end", async () => {
    const engine = await start();
    const client = await test.join();
    await client.subscribe(["ok/a"]);
    const asked = engine.asked.length;
    const unsubscriptions = ["ok/a", "no/a", "$share/g/ok/a"];
    client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions });
    expect((await client.next("unsuback")).granted).toEqual([0, 0x11, 0x11]);
    await client.publish("ok/a");
    await client.settled();
    expect(client.received).toEqual([]);
    expect(engine.asked.slice(asked)).toEqual(["publish ok/a"]);
  });

  for (const [what, filter] of [
    ["an invalid filter", "a/#/b"],
    ["more levels than can be routed", "a/".repeat(100)],
  ] as const) {
    it(`of ${what} ends the connection`, async () => {
      await start();
      const client = await test.join();
      client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: [filter] });
      expect((await client.next("disconnect")).reasonCode).toBe(0x8f);
    });
  }

  it("of as many levels as can be routed is answered", async () => {
    await start();
    const client = await test.join();
    client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: ["a/".repeat(99)] });
    expect((await client.next("unsuback")).granted).toEqual([0x11]);
  });
});
