/** Rules of the built-in database, changed with the command line while a broker of its own process runs. */
import { beforeEach, describe, expect, it } from "vitest";
import { connectPacket, RawClient } from "../../support/broker.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { type CliProcess, startCli } from "../../support/cli-process.ts";

const POLICY = `
listeners.tcp.default.bind = "127.0.0.1:0"
authentication = { mechanism = cinfo, checks = [{ is_match = "true", result = allow }] }
mqtt.client_attrs_init = [{ expression = "nth(2, tokens(clientid, '@'))", set_as_attr = tns }]
authorization {
  no_match = deny
  sources = [{ type = built_in_database }, { type = file, path = "acl.conf" }]
}
`;
const ACL = '{allow, all, all, ["news/#", "marker"]}.\n';

let directory: TestDirectory;
let broker: CliProcess;
let clients: RawClient[];
let changes: number;

beforeEach(() => {
  directory = new TestDirectory({ "p.conf": POLICY, "acl.conf": ACL });
  clients = [];
  changes = 0;
  broker = startCli(["broker", "-c", directory.file("p.conf")]);
  return async () => {
    for (const { socket } of clients) socket.destroy();
    broker.child.kill("SIGTERM");
    await broker.ended;
    directory.remove();
  };
});

async function join(clientId: string, username?: string): Promise<RawClient> {
  const text = await broker.until(/"event":"listening".*\n/);
  const line = text.split("\n").find((one) => one.includes('"event":"listening"'))!;
  const client = await RawClient.open((JSON.parse(line) as { port: number }).port);
  clients.push(client);
  client.send(connectPacket({ clientId, ...(username !== undefined && { username }) }));
  expect((await client.next("connack")).reasonCode).toBe(0);
  return client;
}

/** Changes rules, and waits until the broker has gone through its sessions. */
async function rules(...args: string[]): Promise<void> {
  const result = await runCli("rules", ...args, "-c", directory.file("p.conf"));
  expect(result).toMatchObject({ code: 0, stderr: "" });
  changes += 1;
  await broker.until(new RegExp(`(?:"event":"policy_followed"[\\s\\S]*){${changes}}`));
}

const rule = (permission: string, action: string, topic: string) =>
  JSON.stringify({ permission, action, topic });

describe("rules that are stored while the broker runs", () => {
  it("hold for the next publish, and no longer when they are deleted", async () => {
    const client = await join("c1", "ann");
    expect(await client.publish("up/c1", { qos: 1 })).toBe(0x87);
    await rules("add", rule("allow", "publish", "up/${clientid}"), "--all");
    expect(await client.publish("up/c1", { qos: 1 })).not.toBe(0x87);
    expect(await client.publish("up/c2", { qos: 1 })).toBe(0x87);
    await rules("add", rule("deny", "publish", "up/#"), "--username", "ann");
    expect(await client.publish("up/c1", { qos: 1 })).toBe(0x87);
    const refusal =
      /"event":"publish_refused","reason":"rule","by":"built_in_database".*"rule":"username #1"/;
    await broker.until(refusal);
    await rules("delete", "--username", "ann");
    expect(await client.publish("up/c1", { qos: 1 })).not.toBe(0x87);
  });

  it("take a live subscription away, and leave the others", async () => {
    const client = await join("c1");
    const publisher = await join("pub");
    expect(await client.subscribe(["news/secret/#", "marker"])).toEqual([0, 0]);
    await publisher.publish("news/secret/1");
    expect((await client.next("publish")).topic).toBe("news/secret/1");
    await rules("add", rule("deny", "all", "news/secret/#"), "--client-id", "c1");
    await broker.until(/"event":"subscription_refused".*"rule":"clientid #1"/);
    for (const topic of ["news/secret/2", "marker"]) await publisher.publish(topic);
    expect((await client.next("publish")).topic).toBe("marker");
    expect(await client.subscribe(["news/secret/#"])).toEqual([0x87]);
  });

  it("take away what many clients lose at once, while messages flow, and nothing else", async () => {
    const publisher = await join("pub");
    const members = [];
    for (let n = 0; n < 12; n++) {
      const client = await join(`c${n}`);
      expect(await client.subscribe(["news/secret", "marker"])).toEqual([0, 0]);
      members.push(client);
    }
    const losers = members.filter((_, n) => n % 2 === 0);
    const records = Array.from({ length: 1000 }, (_, n) => ({
      clientid: `c${2 * n}`,
      rules: [JSON.parse(rule("deny", "all", "news/secret"))],
    }));
    directory.write("rules.json", JSON.stringify(records));
    let isOver = false;
    const flow = (async () => {
      for (let n = 0; !isOver; n++) {
        await publisher.publish("news/secret", { qos: 1, payload: `${n}` });
      }
    })();
    await rules("import", directory.file("rules.json"));
    isOver = true;
    await flow;
    for (const topic of ["news/secret", "marker"]) {
      await publisher.publish(topic, { qos: 1, payload: "last" });
    }
    for (const client of members) {
      let last: string | undefined;
      for (;;) {
        const { topic, payload } = await client.next("publish");
        if (topic === "marker") break;
        last = payload.toString();
      }
      expect(last === "last").toBe(!losers.includes(client));
      client.send({ cmd: "unsubscribe", messageId: 9, unsubscriptions: ["news/secret", "marker"] });
      const { granted } = await client.next("unsuback");
      expect(granted).toEqual([losers.includes(client) ? 0x11 : 0, 0]);
    }
  });

  it("close a hole in a subscription that stays", async () => {
    const client = await join("c1");
    const publisher = await join("pub");
    expect(await client.subscribe(["news/#", "marker"])).toEqual([0, 0]);
    await rules("add", rule("deny", "all", "news/secret"), "--all");
    await rules("add", rule("allow", "publish", "news/secret"), "--client-id", "pub");
    // Of two lists the client id's is tried first: it may still publish there.
    for (const topic of ["news/secret", "news/1", "marker"]) await publisher.publish(topic);
    expect((await client.next("publish")).topic).toBe("news/1");
    expect((await client.next("publish")).topic).toBe("marker");
  });

  it("of a namespace hold for its clients alone", async () => {
    const tenant = await join("c1@t1");
    const other = await join("c1@t2");
    await rules("add", rule("allow", "publish", "t"), "--all", "--namespace", "t1");
    expect(await tenant.publish("t", { qos: 1 })).not.toBe(0x87);
    expect(await other.publish("t", { qos: 1 })).toBe(0x87);
  });
});

describe("portcullis explain", () => {
  it("names the stored rule that decided, and the lists that were tried", async () => {
    await join("c1");
    await rules("add", rule("allow", "subscribe", "down/${clientid}"), "--all");
    await rules(
      "add",
      `[${rule("deny", "all", "x")}, ${rule("deny", "all", "up/#")}]`,
      "--username",
      "ann",
    );
    const explain = (kind: string, topic: string) =>
      runCli("explain", kind, topic, "-c", directory.file("p.conf"), "-i", "c1", "-u", "ann");
    const denied = await explain("publish", "up/1");
    expect(denied.code).toBe(1);
    expect(denied.stdout).toContain("rule 2 of the username list of built_in_database");
    expect(denied.stdout).toMatch(/built_in_database +username rule 2 +applies/);
    expect(denied.stdout).not.toContain("acl.conf");
    const allowed = await explain("subscribe", "down/c1");
    expect(allowed.stdout).toMatch(/ALLOW subscribe "down\/c1": rule 1 of the all list/);
    const file = await explain("publish", "news/1");
    expect(file.stdout).toMatch(
      /built_in_database +all rule 1 +no match[\s\S]*acl.conf:1 +applies/,
    );
  });
});
