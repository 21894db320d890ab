/**
 * Shared, queue and exclusive filters, with an ordinary client library. aedes has none of them: they
 * are judged by the filter inside and then refused, and never become a subscription to the text.
 */
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../support/broker.ts";
import { type Device, join, type Version } from "../../support/mqtt-client.ts";
import { engineFrom } from "../../support/policy.ts";

let test: TestBroker;
const devices: Device[] = [];
afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.leave()));
  await test.close();
});

/** Everything is allowed but what is inside `no/#`; literal `$share/…` topics too. */
const RULES = `{deny, all, all, ["no/#"]}.\n{allow, all}.\n`;
const CONF = `portcullis.allow_anonymous = true
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

const FILTERS = [
  // [requested, what MQTT 5 is told, topics that a literal subscription would hear]
  ["$share/g/ok/a", 0x9e, "$share/g/ok/a"],
  ["$share/g/#", 0x9e, "$share/g/x"],
  ["$share/g/no/a", 0x87, "$share/g/no/a"],
  ["$share/g/$exclusive/ok/a", 0x9e, "$exclusive/ok/a"],
  ["$share/g/$queue/ok/a", 0x8f, "$share/g/$queue/ok/a"],
  ["$queue/ok/a", 0x9e, "$queue/ok/a"],
  ["$queue/no/a", 0x87, "$queue/no/a"],
  ["$queue/$share/g/ok/a", 0x8f, "$queue/$share/g/ok/a"],
  ["$queue/", 0x8f, "$queue/"],
  ["$exclusive/ok/a", 0x8f, "$exclusive/ok/a"],
  ["$exclusive/no/a", 0x87, "$exclusive/no/a"],
  ["$exclusive/$share/g/ok/a", 0x8f, "$share/g/ok/a"],
  ["$exclusive/", 0x8f, "$exclusive/"],
] as const;

async function start(preset?: "emqx"): Promise<void> {
  test = await startBroker(await engineFrom({ conf: CONF, acl: RULES, preset }));
}

async function device(clientId: string, version: Version, more: object = {}): Promise<Device> {
  const one = await join({ port: test.port, version, clientId, ...more });
  devices.push(one);
  return one;
}

const kept = (version: Version): object => ({
  clean: false,
  ...(version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
});

describe.each([4, 5] as const)("in MQTT %i", (version) => {
  it("every form is answered one by one, and what stands beside it is granted", async () => {
    await start();
    const client = await device("c", version);
    const codes = await client.subscribe([...FILTERS.map(([filter]) => filter), "ok/b"], 1);
    const expected = FILTERS.map(([, code]) => (version === 5 ? code : 0x80));
    expect(codes).toEqual([...expected, 1]);
  });

  for (const preset of ["strict", "emqx"] as const) {
    it(`none of them hears anything, neither the text nor what is inside (${preset})`, async () => {
      await start(preset === "emqx" ? preset : undefined);
      const client = await device("c", version);
      // Each in a packet of its own: in emqx mode a malformed one ends the connection.
      for (const [filter, code] of FILTERS) {
        if (preset === "emqx" && code === 0x8f && !/^\$exclusive\/./.test(filter)) continue;
        await client.subscribe([filter]);
      }
      await client.subscribe(["ok/marker"]);
      const sender = await device("sender", version);
      for (const [, , topic] of FILTERS) await sender.publish(topic);
      for (const topic of ["ok/a", "no/a", "x", "ok/marker"]) await sender.publish(topic);
      expect(await client.until("ok/marker")).toEqual([]);
    });
  }

  it("none of them comes back with a resumed session", async () => {
    await start();
    const first = await device("c", version, kept(version));
    await first.subscribe([...FILTERS.map(([filter]) => filter), "ok/marker"], 1);
    await first.leave();
    const sender = await device("sender", version);
    for (const [, , topic] of FILTERS) await sender.publish(topic);
    for (const topic of ["ok/a", "ok/marker"]) await sender.publish(topic);
    const again = await device("c", version, kept(version));
    expect(await again.until("ok/marker")).toEqual([]);
    for (const [, , topic] of FILTERS) await sender.publish(topic);
    for (const topic of ["ok/a", "ok/marker"]) await sender.publish(topic);
    expect(await again.until("ok/marker")).toEqual([]);
  });
});

describe("in MQTT 5", () => {
  it("CONNACK says that there are no shared subscriptions", async () => {
    await start();
    const client = await test.connect();
    client.send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 5,
      clean: true,
      clientId: "c",
      keepalive: 0,
    });
    const { properties } = await client.next("connack");
    expect(properties?.sharedSubscriptionAvailable).toBe(false);
  });
});
