/** Rules with real clients: shared filters, deliveries, and rules that change while messages flow. */
import { afterEach, describe, expect, it } from "vitest";
import { compilePolicy, type Engine, loadConfig } from "../../../src/index.ts";
import { startBroker, type TestBroker } from "../../support/broker.ts";
import { type Device, join, type Version } from "../../support/mqtt-client.ts";
import { engineFrom } from "../../support/policy.ts";

const OPEN = `portcullis.allow_anonymous = true
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
const VERSIONS: readonly Version[] = [4, 5];

let test: TestBroker;
let engine: Engine;
let devices: Device[] = [];
afterEach(async () => {
  await Promise.all(devices.map((device) => device.leave()));
  devices = [];
  await test.close();
});

async function start(acl: string, conf = "", preset?: "emqx"): Promise<void> {
  engine = await engineFrom({ conf: `${OPEN}\n${conf}`, acl, preset });
  test = await startBroker(engine);
}

async function device(version: Version, clientId = `d${devices.length}`): Promise<Device> {
  const joined = await join({ port: test.port, version, clientId });
  devices.push(joined);
  return joined;
}

/** Puts other rules in force, and waits until the sessions have followed. */
async function reload(acl: string, conf = ""): Promise<void> {
  const text = `listeners.tcp.default.bind = "127.0.0.1:0"\n${OPEN}\n${conf}`;
  const { config } = loadConfig({ text, file: "test.conf", readFile: () => acl });
  await engine.reload(compilePolicy(config, { withSecrets: true }).image);
  await test.logged("policy_followed");
}

describe("a secret under an open subtree", () => {
  const ACL = `
    {deny, all, subscribe, ["a/secret"]}.
    {allow, all, subscribe, ["a/#"]}.
    {allow, all, publish, ["a/#"]}.`;

  it.each(VERSIONS)("is kept from who subscribes to all of it (MQTT %i)", async (version) => {
    await start(ACL);
    const publisher = await device(version);
    publisher.client.publish("a/secret", "kept", { retain: true });
    await publisher.publish("a/first");
    const listener = await device(version);
    const no = version === 5 ? 0x87 : 0x80;
    expect(await listener.subscribe(["a/#", "a/secret", "a/+"], 1)).toEqual([1, no, 1]);
    for (const topic of ["a/open", "a/secret", "a/secret/x", "a/end"]) {
      await publisher.publish(topic);
    }
    const heard = new Set(await listener.until("a/end"));
    expect(heard).toEqual(new Set(["a/open", "a/secret/x"]));
  });

  it("is delivered in emqx mode, as EMQX does", async () => {
    await start(ACL, "", "emqx");
    const publisher = await device(5);
    const listener = await device(5);
    expect(await listener.subscribe(["a/#", "a/secret"])).toEqual([0, 0x87]);
    for (const topic of ["a/secret", "a/end"]) await publisher.publish(topic);
    expect(await listener.until("a/end")).toEqual(["a/secret"]);
  });
});

describe("a shared filter", () => {
  const ACL = '{allow, all, subscribe, ["open/#"]}.\n{allow, all, publish}.\n{deny, all}.';
  const RULES = ACL.replace("publish}", 'publish, ["#"]}');

  it.each([
    [5, 0x9e, 0x87],
    [4, 0x80, 0x80],
  ] as const)(
    "is judged by what it shares, then refused (MQTT %i)",
    async (version, no, denied) => {
      await start(RULES);
      const listener = await device(version);
      const filters = ["$share/g/open/x", "$share/g/closed/x", "$share/g/#", "$queue/open/x"];
      expect(await listener.subscribe(filters)).toEqual([no, denied, denied, no]);
      const reasons = test.lines.filter(({ event }) => event === "subscribe_refused");
      expect(reasons.map(({ by }) => by).sort()).toEqual(["broker", "broker", "file", "file"]);
    },
  );

  it("is never taken literally", async () => {
    await start('{allow, all, all, ["#"]}.\n{allow, all, all, ["$share/#"]}.');
    const listener = await device(5);
    expect(await listener.subscribe(["$share/g/t", "end"])).toEqual([0x9e, 0]);
    const publisher = await device(5);
    await publisher.publish("$share/g/t");
    await publisher.publish("t");
    await publisher.publish("end");
    expect(await listener.until("end")).toEqual([]);
  });
});

describe("rules that change while messages flow", () => {
  const MORE = `
    {allow, all, subscribe, ["myorg/read/#", "end"]}.
    {allow, all, publish, ["myorg/#", "end"]}.
    {deny, all}.`;
  const LESS = MORE.replace('"myorg/read/#", ', "");

  /** Publishes without a pause until it is told to stop. */
  function flow(publisher: Device): () => Promise<number> {
    let isOn = true;
    let count = 0;
    const run = (async () => {
      while (isOn) await publisher.publish(`myorg/read/${count++}`);
      return count;
    })();
    return () => {
      isOn = false;
      return run;
    };
  }

  it.each(VERSIONS)("take myorg/read/# away from a subscriber (MQTT %i)", async (version) => {
    await start(MORE);
    const listener = await device(version);
    expect(await listener.subscribe(["myorg/read/#", "end"], 1)).toEqual([1, 1]);
    const publisher = await device(version);
    const stop = flow(publisher);
    await listener.until("myorg/read/20");
    await reload(LESS);
    // What is published from here on must not arrive; what was under way may.
    await publisher.publish("end");
    await listener.until("end");
    for (let n = 0; n < 50; n++) await publisher.publish(`myorg/read/late${n}`);
    const count = await stop();
    await publisher.publish("end");
    expect(await listener.until("end")).toEqual([]);
    expect(count).toBeGreaterThan(20);
    expect(listener.client.connected).toBe(true);
    expect(await listener.subscribe(["myorg/read/#"])).toEqual([version === 5 ? 0x87 : 0x80]);
  });

  it.each([
    [5, 0x87],
    [4, "closed"],
  ] as const)("end the session where that is configured (MQTT %i)", async (version, how) => {
    await start(MORE);
    const listener = await device(version);
    await listener.subscribe(["myorg/read/#"], 1);
    const other = await device(version);
    await other.subscribe(["end"]);
    const publisher = await device(version);
    const stop = flow(publisher);
    await listener.until("myorg/read/5");
    await reload(LESS, "portcullis.on_policy_change = disconnect");
    expect(await listener.ended()).toBe(how);
    await stop();
    await publisher.publish("end");
    expect(await other.until("end")).toEqual([]);
  });

  it("leave a subscriber alone whom they still allow, without losing a message", async () => {
    await start(MORE);
    const listener = await device(5);
    await listener.subscribe(["myorg/read/#", "end"], 1);
    const publisher = await device(5);
    const stop = flow(publisher);
    await listener.until("myorg/read/5");
    for (let n = 0; n < 10; n++) {
      test.lines.length = 0;
      await reload(`${MORE}\n{deny, {username, "u${n}"}, all, all}.`);
    }
    const count = await stop();
    await publisher.publish("end");
    const heard = await listener.until("end");
    expect(heard).toEqual(Array.from({ length: count - 6 }, (_, n) => `myorg/read/${n + 6}`));
  });

  it("never let through what neither the old nor the new ones allow", async () => {
    // In both, `both/no` is denied, by a rule at another place.
    const first = '{deny, all, all, ["both/no"]}.\n{allow, all, all, ["both/#", "one/#", "end"]}.';
    const second =
      '{allow, all, all, ["two/#", "end"]}.\n{deny, all, all, ["both/no"]}.\n{allow, all, all, ["both/#"]}.';
    await start(first);
    const listener = await device(5);
    expect(await listener.subscribe(["both/#", "end"], 1)).toEqual([1, 1]);
    const publisher = await device(5);
    const codes = new Set<number>();
    let isOn = true;
    const traffic = (async () => {
      for (let n = 0; isOn; n++) {
        codes.add(await publisher.publish("both/no"));
        expect(await publisher.publish("both/yes")).toBe(0);
        expect((await listener.subscribe([`${n % 2 ? "one" : "two"}/x`, "both/no"]))[1]).toBe(0x87);
      }
    })();
    for (let n = 0; n < 20; n++) {
      test.lines.length = 0;
      await reload(n % 2 ? first : second);
    }
    isOn = false;
    await traffic;
    await publisher.publish("end");
    expect(new Set(await listener.until("end"))).toEqual(new Set(["both/yes"]));
    expect(codes).toEqual(new Set([0x87]));
  });
});
