import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../../bindings/node/store/store.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";

let directory: TestDirectory;

beforeEach(() => {
  directory = new TestDirectory({
    "p.conf": "authentication = [{ mechanism = password_based, backend = built_in_database }]",
  });
  return () => directory.remove();
});

const rules = (...args: string[]) => runCli("rules", ...args, "-c", directory.file("p.conf"));
const rule = (topic: string, more: object = {}) =>
  JSON.stringify({ permission: "allow", action: "publish", topic, ...more });

async function stored(clientId: string, username: string, namespace?: string) {
  const store = await openStore(directory.file("data"));
  const { version: _, namespace: __, ...lists } = store.rulesFor(clientId, username, namespace);
  await store.close();
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      list.map((one) => (one as { topic: string }).topic),
    ]),
  );
}

describe("portcullis rules", () => {
  it("appends rules, one for each topic, and keeps their order", async () => {
    expect(await rules("add", rule("b"), "--client-id", "c1")).toMatchObject({
      code: 0,
      stdout: "added 1 to clientid c1, which has 1 now\n",
    });
    const two = '{"permission":"deny","action":"all","topics":["a","eq c/#"],"qos":[0,1]}';
    await rules("add", `[${two}, ${rule("d")}]`, "--client-id", "c1");
    await rules("add", rule("u"), "--username", "ann");
    await rules("add", rule("x"), "--all");
    await rules("add", rule("t"), "--all", "--namespace", "t1");
    expect(await stored("c1", "ann")).toEqual({
      ofClientId: ["b", "a", "eq c/#", "d"],
      ofUsername: ["u"],
      ofAll: ["x"],
    });
    expect(await stored("c1", "ann", "t1")).toEqual({
      ofClientId: [],
      ofUsername: [],
      ofAll: ["t"],
    });
  });

  it("lists and deletes them", async () => {
    await rules("add", `[${rule("a")}, ${rule("b\u001b")}]`, "--username", "ann");
    const { stdout } = await rules("list");
    expect(stdout).toBe(
      [
        "username ann",
        '  1. {"permission":"allow","action":"publish","topic":"a"}',
        '  2. {"permission":"allow","action":"publish","topic":"b\\u001b"}',
        "",
      ].join("\n"),
    );
    expect((await rules("list", "--username", "bob")).stdout).toBe("");
    const del = (...args: string[]) => rules("delete", "--username", "ann", ...args);
    expect(await del("--number", "1")).toMatchObject({ code: 0 });
    expect((await del("--number", "2")).code).toBe(1);
    const [line] = (await rules("list", "--json")).stdout.split("\n");
    expect(JSON.parse(line!)).toMatchObject({ username: "ann", rules: [{ topic: "b\u001b" }] });
    expect(await del()).toMatchObject({ code: 0, stdout: "deleted 1 of username ann\n" });
    expect((await del()).code).toBe(1);
    expect((await rules("list")).stdout).toBe("");
  });

  it.each([
    ["{", "not JSON"],
    ["7", "a rule is an object"],
    ["[]", "there is no rule"],
    ['{"permission":"allow","topic":"a"}', "`permission` or `action` is missing"],
    ['{"permission":"Allow","action":"publish","topic":"a"}', "`allow` or `deny`"],
    ['{"permission":"allow","action":"write","topic":"a"}', "`publish`, `subscribe` or `all`"],
    ['{"permission":"allow","action":"publish"}', "`topic` or `topics` is missing"],
    ['{"permission":"allow","action":"publish","topics":[]}', "`topics` is empty"],
    [rule("a", { qos: 3 }), "`qos` is 0, 1, 2"],
    [rule("a", { qos: 1.5 }), "`qos` is 0, 1, 2"],
    [rule("a", { retain: "yes" }), "`retain` is"],
    [rule("a", { ipaddr: "10.0.0" }), "`ipaddr` is no address"],
    [rule("a", { clientid_re: "(" }), "`clientid_re` is no regular expression"],
    [rule("${nobody}/x"), "a placeholder that does not exist"],
    // The reader passes these over, and the rule would hold for everybody.
    [rule("a", { clientid: "c1" }), "no key `clientid` in a rule"],
    [rule("a", { username: "ann" }), "no key `username` in a rule"],
    [rule("a", { ip: "10.0.0.1" }), "no key `ip` in a rule"],
  ])("refuses %s", async (text, message) => {
    const result = await rules("add", text, "--all");
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(message);
  });

  it("stores what is right beside what is refused", async () => {
    const good = [
      rule("${clientid}/x", { qos: [1], retain: true, ipaddr: "10.0.0.0/8", zone: "z" }),
      rule("eq a/#", { clientid_re: "^c", username_re: "^u", listener: "tcp:default" }),
    ];
    expect((await rules("add", `[${good}]`, "--all")).code).toBe(0);
  });

  it("has a hundred rules a record and not one more", async () => {
    const hundred = `[${Array.from({ length: 100 }, (_, index) => rule(`t/${index}`))}]`;
    expect((await rules("add", hundred, "--all")).code).toBe(0);
    expect(await rules("add", rule("one more"), "--all")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("more than 100 rules"),
    });
    const more = JSON.stringify({
      ...{ permission: "allow", action: "all" },
      topics: Array.from({ length: 101 }, (_, index) => `${index}`),
    });
    expect((await rules("add", more, "--client-id", "c")).code).toBe(2);
  });

  it("has as many rules a record as max_rules says", async () => {
    const source = "authorization.sources = [{ type = built_in_database, max_rules = 2 }]";
    const config = directory.write("two.conf", `${source}\n`);
    const add = (...topics: string[]) =>
      runCli("rules", "add", `[${topics.map((one) => rule(one))}]`, "--all", "-c", config);
    expect((await add("a", "b", "c")).code).toBe(2);
    expect((await add("a", "b")).code).toBe(0);
    expect(await add("c")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("more than 2 rules"),
    });
  });

  it("needs to know whose", async () => {
    expect((await rules("add", rule("a"))).code).toBe(2);
    expect((await rules("add", rule("a"), "--all", "--username", "ann")).code).toBe(2);
    expect((await rules("add", rule("a"), "--username", "")).code).toBe(2);
    expect((await rules("delete")).code).toBe(2);
  });

  it("imports records, each instead of what was there, all of them or none", async () => {
    await rules("add", rule("old"), "--username", "ann");
    const file = directory.write(
      "r.json",
      `[{ "username": "ann", "rules": [${rule("new")}] },
        { "clientid": "c1", "namespace": "t1", "rules": [${rule("t")}] },
        { "all": true, "rules": [] }]`,
    );
    expect(await rules("import", file)).toMatchObject({
      code: 0,
      stdout: "3 records with 2 rules stored\n",
    });
    expect(await stored("c1", "ann")).toMatchObject({ ofClientId: [], ofUsername: ["new"] });
    expect(await stored("c1", "ann", "t1")).toMatchObject({ ofClientId: ["t"] });
    const bad = directory.write(
      "bad.json",
      `[{ "username": "ann", "rules": [${rule("newer")}] },
 { "username": "bob", "rules": [${rule("a")}, ${rule("b", { clientid: "c" })}] },
 { "username": "bob", "clientid": "c", "rules": [] },
 { "rules": [] }, { "all": false, "rules": [] },
 { "username": "", "rules": [] },
 { "username": "x", "rules": {} },
 { "username": "x", "rule": [] }]`,
    );
    const refused = await rules("import", bad);
    expect(refused.code).toBe(1);
    const places = directory.without(refused.stderr).match(/bad\.json:\d+:\d+/g);
    expect(places).toEqual(
      ["2:2", "3:2", "4:2", "4:19", "5:2", "6:2", "7:2"].map((place) => `bad.json:${place}`),
    );
    expect(refused.stderr).toContain("rule 2: there is no key `clientid`");
    expect(await stored("c1", "ann")).toMatchObject({ ofUsername: ["new"] });
    expect((await rules("import", directory.write("no.json", "[]"))).stderr).toContain(
      "no records",
    );
    expect((await rules("import", directory.file("gone.json"))).stderr).toContain("no such file");
  });
});
