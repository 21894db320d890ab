import { describe, expect, it } from "vitest";
import { STORED_RULES_MAX } from "../../../assembly/abi.ts";
import { SHARED_SETS_MAX, STORED_RULES_CHECK_MS } from "../../../src/authz/stored-rules.ts";
import type { Action, Decision } from "../../../src/types.ts";
import { engineOf, imageOf, JWT, type PolicyText, START, token } from "../../support/engine.ts";
import { fakeTime } from "../../support/fake-timers.ts";
import { FakeRuleDatabase } from "../../support/rule-database.ts";

const DATABASE = "{ type = built_in_database }";
const FILE = '{ type = file, path = "acl.conf" }';
const sources = (...list: string[]) =>
  `${JWT}\nauthorization { no_match = deny, sources = [${list.join(", ")}] }`;
const FIRST = sources(DATABASE, FILE);
const LAST = sources(FILE, DATABASE);

const rule = (permission: string, topic: string, more: object = {}) => ({
  permission,
  action: "all",
  topic,
  ...more,
});
const allow = (topic: string, more?: object) => rule("allow", topic, more);
const deny = (topic: string, more?: object) => rule("deny", topic, more);

const PUBLISH: Action = { type: "publish", qos: 0, retain: false };

/** What decided, in short: `allow clientid 1`, `deny file 2`, `deny no_match`. */
function short({ verdict, reason, by, rule: found }: Decision): string {
  if (reason !== "rule") return `${verdict} ${reason} by ${by}`;
  return `${verdict} ${found?.list ?? by} ${found?.number}`;
}

async function setUp(policy: Partial<PolicyText> & { text: string }) {
  const database = new FakeRuleDatabase();
  const time = fakeTime(START * 1000);
  const ports = { rules: database, setTimer: time.setTimer };
  const test = await engineOf({ acl: '{allow, all, all, ["f/#"]}.\n', ...policy, ports });
  const open = async (claims: object = {}, client: object = {}) => {
    const session = await test.open({ username: "ann", password: token(claims), ...client });
    const ask = (topic: string) => short(session.authorize(PUBLISH, topic) as Decision);
    return { session, ask };
  };
  /** Time enough for a change to be noticed. */
  const notice = () => time.advance(STORED_RULES_CHECK_MS);
  return { ...test, database, time, open, notice };
}

describe("the source built_in_database", () => {
  it("tries the rules of the client id, of the username and for all, in this order", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("clientid", "c1", [allow("a"), deny("b")]);
    database.put("username", "ann", [deny("a"), allow("b"), deny("c")]);
    database.put("all", "", [deny("a"), allow("b"), allow("c"), allow("d/${clientid}")]);
    const { ask } = await open();
    expect(["a", "b", "c", "d/c1", "f/x", "x"].map(ask)).toEqual([
      "allow clientid 1",
      "deny clientid 2",
      "deny username 3",
      "allow all 4",
      "allow file 1",
      "deny no_match by default",
    ]);
    const other = await open({}, { clientId: "c2", username: undefined });
    expect(["a", "b", "c"].map(other.ask)).toEqual(["deny all 1", "allow all 2", "allow all 3"]);
  });

  it("stands where the list of sources has it", async () => {
    for (const [text, expected] of [
      [FIRST, ["deny all 1", "allow all 2"]],
      [LAST, ["allow file 1", "allow all 2"]],
    ] as const) {
      const { database, open } = await setUp({ text });
      database.put("all", "", [deny("f/x"), allow("y")]);
      const { ask } = await open();
      expect(["f/x", "y"].map(ask)).toEqual(expected);
    }
  });

  it("is enough, without a file", async () => {
    const { database, open } = await setUp({ text: sources(DATABASE) });
    database.put("all", "", [allow("a")]);
    const { ask } = await open();
    expect(["a", "f/x"].map(ask)).toEqual(["allow all 1", "deny no_match by default"]);
  });

  it("is asked behind the token's list, and never behind its map", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("all", "", [allow("a"), deny("t")]);
    const list = { permission: "allow", action: "all", topic: "t" };
    const withList = await open({ acl: [list] });
    expect(["t", "a"].map(withList.ask)).toEqual(["allow token_acl by client_info", "allow all 1"]);
    const withMap = await open({ acl: { all: ["t"] } });
    expect(["t", "a"].map(withMap.ask)).toEqual([
      "allow token_acl by client_info",
      "deny token_acl_no_match by client_info",
    ]);
    const expired = await open({ acl: [], exp: START + 1 });
    expect(expired.ask("a")).toBe("allow all 1");
  });

  it("is not asked about superusers", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("all", "", [deny("#")]);
    const { ask } = await open({ is_superuser: true });
    expect(ask("a")).toBe("allow superuser by superuser");
    expect(database.reads).toBe(0);
  });

  it("is skipped when it is disabled", async () => {
    const disabled = "{ type = built_in_database, enable = false }";
    const { database, open, time } = await setUp({ text: sources(disabled, FILE) });
    database.put("all", "", [deny("#")]);
    const { ask } = await open();
    expect(ask("f/x")).toBe("allow file 1");
    expect([database.reads, time.pending()]).toEqual([0, 0]);
    // Then no database is needed either.
    await engineOf({ text: sources(disabled, FILE), acl: "" });
  });

  it("is a configuration error on a host without a database", async () => {
    await expect(engineOf({ text: FIRST, acl: "" })).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining("this host has no built-in database"),
    });
  });

  it("takes conditions, actions and several topics as other rules of data do", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("all", "", [
      { permission: "deny", action: "subscribe", topics: ["s", "eq s/#"] },
      { permission: "allow", action: "publish", topic: "q", qos: 1, username_re: "^ann$" },
      allow("q", { username_re: "^bob$", clientid_re: "c" }),
      allow("s"),
    ]);
    const { session, ask } = await open();
    const subscribe = (topic: string) =>
      short(session.authorize({ type: "subscribe", qos: 0 }, topic) as Decision);
    expect([subscribe("s"), subscribe("s/#"), ask("s")]).toEqual([
      "deny all 1",
      "deny all 1",
      "allow all 4",
    ]);
    const publish = (qos: 0 | 1) =>
      short(session.authorize({ type: "publish", qos, retain: false }, "q") as Decision);
    expect([publish(0), publish(1)]).toEqual(["deny no_match by default", "allow all 2"]);
  });
});

describe("a change of stored rules", () => {
  it("reaches open sessions with the next look at the database", async () => {
    const { database, open, notice } = await setUp({ text: FIRST });
    database.put("all", "", [allow("a")]);
    const { ask, session } = await open();
    expect(ask("a")).toBe("allow all 1");
    expect(session.isCovered("f/#", 0)).toBe(true);
    const before = session.revision;
    database.put("username", "ann", [deny("a"), deny("f/secret")]);
    notice();
    expect(session.revision).not.toBe(before);
    expect(ask("a")).toBe("deny username 1");
    expect(session.isCovered("f/#", 0)).toBe(false);
    database.put("username", "ann", []);
    notice();
    expect(ask("a")).toBe("allow all 1");
    expect(session.isCovered("f/#", 0)).toBe(true);
  });

  it("is read once a client and change, not at every question", async () => {
    const { database, open, notice } = await setUp({ text: FIRST });
    const { ask } = await open();
    for (let i = 0; i < 10; i++) ask("a");
    notice();
    notice();
    ask("a");
    expect(database.reads).toBe(1);
    database.put("all", "", [allow("a")]);
    notice();
    for (let i = 0; i < 10; i++) ask("a");
    expect(database.reads).toBe(2);
  });

  it("concerns the sessions whose rules they are, and no others", async () => {
    const { database, open, notice } = await setUp({ text: FIRST });
    const [ann, bob] = [await open(), await open({}, { clientId: "c2", username: "bob" })];
    const boss = await open({ is_superuser: true });
    database.put("clientid", "c9", [allow("a")]);
    const before = [ann, bob, boss].map(({ session }) => session.revision);
    const concerned = () =>
      [ann, bob, boss].map(({ session }, n) => session.revision !== before[n]);
    /** Who is concerned by a change, and how often rules were read when everybody asked. */
    const change = (...args: Parameters<typeof database.put>) => {
      for (const [n, { session }] of [ann, bob, boss].entries()) before[n] = session.revision;
      database.put(...args);
      notice();
      const reads = database.reads;
      for (const { ask } of [ann, bob, boss]) ask("a");
      return [...concerned(), database.reads - reads];
    };
    expect(change("clientid", "c9", [deny("a")])).toEqual([false, false, false, 0]);
    expect(change("username", "bob", [deny("a")])).toEqual([false, true, false, 1]);
    expect(change("clientid", "c1", [deny("a")])).toEqual([true, false, false, 1]);
    expect(change("all", "", [allow("b")], "t1")).toEqual([false, false, false, 0]);
    expect(change("all", "", [allow("b")])).toEqual([true, true, false, 2]);
    database.isForgetful = true;
    expect(change("clientid", "c9", [])).toEqual([true, true, false, 2]);
    expect([ann.ask("a"), bob.ask("a"), ann.ask("b"), boss.ask("a")]).toEqual([
      "deny clientid 1",
      "deny username 1",
      "allow all 1",
      "allow superuser by superuser",
    ]);
  });

  it("of a thousand clients at once is noticed once, and concerns them alone", async () => {
    const { database, open, notice, engine } = await setUp({ text: FIRST });
    const { session } = await open();
    const before = session.revision;
    let changes = 0;
    engine.onPolicyChange(() => changes++);
    for (let n = 0; n < 1000; n++) database.put("clientid", `d${n}`, [deny("a")]);
    notice();
    expect([changes, session.revision === before, database.reads]).toEqual([1, true, 1]);
    for (let n = 0; n < 1000; n++) database.put("clientid", `d${n}`, [allow("a")]);
    database.put("clientid", "c1", [deny("a")]);
    notice();
    expect([changes, session.revision === before]).toEqual([2, false]);
  });

  it("of those for all leaves what clients have of their own, unless that has changed too", async () => {
    const { database, open, notice } = await setUp({ text: FIRST });
    database.put("clientid", "c1", [allow("own")]);
    database.put("all", "", [allow("a")]);
    const { ask } = await open();
    database.put("all", "", [allow("b"), deny("own")]);
    notice();
    expect(["own", "a", "b"].map(ask)).toEqual([
      "allow clientid 1",
      "deny no_match by default",
      "allow all 1",
    ]);
    // Moved from one list to the other in between two looks: never seen in neither of them.
    database.put("all", "", [allow("b")]);
    notice();
    database.put("clientid", "c1", [deny("b")]);
    expect(["own", "b"].map(ask)).toEqual(["deny no_match by default", "deny clientid 1"]);
    database.put("all", "", []);
    notice();
    expect(["own", "b"].map(ask)).toEqual(["deny no_match by default", "deny clientid 1"]);
  });

  it("is told to whoever listens for changes of the policy", async () => {
    const { database, notice, engine, time } = await setUp({ text: FIRST });
    const seen: object[] = [];
    engine.onPolicyChange(() => seen.push(engine.config));
    notice();
    expect(seen).toEqual([]);
    database.put("all", "", [allow("a")]);
    notice();
    expect(seen).toHaveLength(1);
    await engine.reload(imageOf({ text: LAST, acl: "{allow, all}.\n" }));
    expect(seen).toHaveLength(2);
    // One policy, one timer; none for a closed engine.
    expect(time.pending()).toBe(1);
    database.put("all", "", [allow("b")]);
    notice();
    expect(seen).toHaveLength(3);
    expect(seen[2]).toBe(seen[1]);
    await engine.reload(imageOf({ text: JWT, acl: "{allow, all}.\n" }));
    expect(time.pending()).toBe(0);
    await engine.reload(imageOf({ text: LAST, acl: "" }));
    engine.close();
    expect(time.pending()).toBe(0);
  });

  it("of the order of sources comes with a reload", async () => {
    const { database, open, engine } = await setUp({ text: FIRST });
    database.put("all", "", [deny("f/x")]);
    const { ask } = await open();
    expect(ask("f/x")).toBe("deny all 1");
    const acl = '{allow, all, all, ["f/#"]}.\n';
    await engine.reload(imageOf({ text: LAST, acl }));
    expect(ask("f/x")).toBe("allow file 1");
    await engine.reload(imageOf({ text: JWT, acl }));
    expect(ask("f/x")).toBe("allow file 1");
    await engine.reload(imageOf({ text: FIRST, acl }));
    expect(ask("f/x")).toBe("deny all 1");
  });

  it("leaves memory where it was after ten thousand sessions", async () => {
    const { database, engine, notice } = await setUp({ text: FIRST });
    const password = token({});
    database.put("all", "", [allow("all/${clientid}"), deny("x")]);
    for (let i = 0; i < 100; i++) database.put("clientid", `c${i}`, [allow(`own/${i}`)]);
    const used = () => engine.policy.memory.exports.records_used();
    const session = async (i: number) => {
      const decision = await engine.connect({ clientId: `c${i % 200}`, password });
      if (decision.verdict === "deny") throw new Error(decision.reason);
      return decision.session;
    };
    (await session(0)).close();
    const before = used();
    for (let round = 0; round < 10; round++) {
      const sessions = await Promise.all(Array.from({ length: 1000 }, (_, i) => session(i)));
      database.put("all", "", [allow("all/${clientid}"), deny(`x${round % 2}`)]);
      notice();
      for (const [i, one] of sessions.entries()) {
        const answer = one.authorize(PUBLISH, `all/c${i % 200}`) as Decision;
        expect(answer.verdict).toBe("allow");
        one.close();
      }
    }
    (await session(0)).close();
    expect(used()).toBe(before);
  });
});

describe("a tenant's rules", () => {
  const text = FIRST.replace(
    "authentication",
    "mqtt.client_attrs_init = [{expression = username, set_as_attr = tns}]\nauthentication",
  );

  it("are those of its namespace, without the global ones", async () => {
    const { database, open } = await setUp({ text });
    database.put("all", "", [allow("global")]);
    database.put("clientid", "c1", [allow("c1/global")]);
    database.put("all", "", [allow("tenant")], "t1");
    const { ask } = await open({}, { username: "t1" });
    expect(["tenant", "global", "c1/global"].map(ask)).toEqual([
      "allow all 1",
      "deny no_match by default",
      "deny no_match by default",
    ]);
  });

  it("are the global ones where the namespace has none for the client", async () => {
    const { database, open } = await setUp({ text });
    database.put("all", "", [allow("global")]);
    database.put("clientid", "c2", [allow("c2")], "t1");
    expect((await open({}, { username: "t1" })).ask("global")).toBe("allow all 1");
    const other = await open({}, { username: "t1", clientId: "c2" });
    expect(["c2", "global"].map(other.ask)).toEqual([
      "allow clientid 1",
      "deny no_match by default",
    ]);
  });

  it("concern its clients, and the global ones those that have no others", async () => {
    const { database, open, notice } = await setUp({ text });
    database.put("all", "", [allow("global")]);
    database.put("clientid", "c2", [allow("c2")], "t1");
    notice();
    const tenant = await open({}, { username: "t1", clientId: "c2" });
    const falling = await open({}, { username: "t1" });
    const change = (...args: Parameters<typeof database.put>) => {
      const sessions = [tenant.session, falling.session];
      const before = sessions.map(({ revision }) => revision);
      database.put(...args);
      notice();
      return sessions.map(({ revision }, n) => revision !== before[n]);
    };
    expect(change("all", "", [allow("others")])).toEqual([false, true]);
    expect([tenant.ask("others"), falling.ask("others")]).toEqual([
      "deny no_match by default",
      "allow all 1",
    ]);
    expect(change("all", "", [allow("tenant")], "t1")).toEqual([true, true]);
    expect([tenant, falling].map(({ ask }) => ask("tenant"))).toEqual([
      "allow all 1",
      "allow all 1",
    ]);
    expect(change("all", "", [allow("global")])).toEqual([false, false]);
    expect([tenant.ask("c2"), falling.ask("global")]).toEqual([
      "allow clientid 1",
      "deny no_match by default",
    ]);
    expect(change("all", "", [], "t1")).toEqual([true, true]);
    expect([tenant.ask("global"), falling.ask("global")]).toEqual([
      "deny no_match by default",
      "allow all 1",
    ]);
    expect(change("clientid", "c2", [], "t1")).toEqual([true, false]);
    expect(tenant.ask("global")).toBe("allow all 1");
  });

  it("for all are kept compiled for SHARED_SETS_MAX tenants, and compiled again for one more", async () => {
    const { database, open, engine } = await setUp({ text });
    const { exports } = engine.policy.memory;
    const used = () => exports.records_used();
    const join = async (tenant: string) => {
      database.put("all", "", [allow(tenant)], tenant);
      const { ask, session } = await open({}, { username: tenant });
      expect(ask(tenant)).toBe("allow all 1");
      session.close();
    };
    for (let n = 0; n < SHARED_SETS_MAX; n++) await join(`t${1000 + n}`);
    const kept = used();
    await join("t1000");
    expect(used()).toBe(kept);
    // Texts of the same length, so that the sets are of the same size.
    await join("other");
    expect(used()).toBe(kept);
  });

  it("are nobody's whose names are no UTF-8", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("username", "\ufffd", [allow("a")]);
    const { ask } = await open({}, { username: Uint8Array.of(0xff) });
    expect(ask("a")).toBe("deny no_match by default");
    expect((await open({}, { username: "\ufffd" })).ask("a")).toBe("allow username 1");
  });
});

describe("stored rules that cannot be used", () => {
  const BAD = [{ permission: "allow", action: "all", topic: "x", ipaddr: "nowhere" }];

  it("deny what reaches them, and say where they are", async () => {
    const { database, open } = await setUp({ text: FIRST });
    database.put("username", "ann", [allow("a"), ...BAD]);
    database.put("all", "", [allow("b")]);
    const { session, ask } = await open();
    expect(ask("a")).toBe("allow username 1");
    expect(session.authorize(PUBLISH, "b")).toEqual({
      verdict: "deny",
      reason: "source_failed",
      by: "built_in_database",
      rule: { number: 2, list: "username" },
      faults: [
        {
          code: "ERR_STORED_RULES",
          at: "built_in_database",
          message: "a rule of the username list cannot be used",
        },
      ],
    });
    expect(session.isCovered("b", 0)).toBe(false);
  });

  it("are reached only where the sources in front have nothing to say", async () => {
    const { database, open } = await setUp({ text: LAST });
    database.put("all", "", BAD);
    const { ask } = await open();
    expect(["f/x", "y"].map(ask)).toEqual([
      "allow file 1",
      "deny source_failed by built_in_database",
    ]);
  });

  it("are passed over as EMQX does it in its legacy profile, not in the hardened one", async () => {
    for (const [env, expected] of [
      [{}, "allow file 1"],
      [{ EMQX_SECURITY_PROFILE: "hardened" }, "deny source_failed by built_in_database"],
    ] as const) {
      const { database, open } = await setUp({ text: FIRST, preset: "emqx", env });
      database.put("username", "ann", BAD);
      database.put("all", "", [deny("f/x")]);
      expect((await open()).ask("f/x")).toBe(expected);
    }
  });

  it("are whole lists that are too long", async () => {
    const { database, open, notice } = await setUp({ text: FIRST });
    const list = Array.from({ length: STORED_RULES_MAX }, () => allow("a"));
    database.put("all", "", list);
    const { ask } = await open();
    expect(ask("a")).toBe("allow all 1");
    database.put("all", "", [...list, allow("b")]);
    notice();
    expect(ask("a")).toBe("deny source_failed by built_in_database");
    database.put("all", "", [allow(`a/${"x".repeat(60_000)}`), ...list.slice(0, 40)]);
    notice();
    expect(ask("a")).toBe("allow all 2");
    database.put(
      "all",
      "",
      Array.from({ length: 40 }, (_, i) => allow(`${"x".repeat(60_000)}${i}/+`)),
    );
    notice();
    expect(ask("a")).toBe("deny source_failed by built_in_database");
  });
});

describe("a database that cannot be read", () => {
  it("denies, and is asked again until it can", async () => {
    const { database, open, notice, engine } = await setUp({ text: FIRST });
    database.put("all", "", [allow("a")]);
    const { ask, session } = await open();
    let changes = 0;
    engine.onPolicyChange(() => changes++);
    database.isBroken = true;
    expect(ask("a")).toBe("allow all 1");
    notice();
    // What was read may be out of date, and nobody can say.
    expect(session.authorize(PUBLISH, "a")).toMatchObject({
      verdict: "deny",
      reason: "source_failed",
      faults: [{ message: "the built-in database cannot be read" }],
    });
    expect([ask("f/x"), session.isCovered("f/#", 0), changes]).toEqual([
      "deny source_failed by built_in_database",
      false,
      0,
    ]);
    const late = await open({}, { clientId: "c2" });
    expect(late.ask("a")).toBe("deny source_failed by built_in_database");
    database.isBroken = false;
    // Before the next look at the version: who failed to read tries again.
    expect([ask("a"), late.ask("a")]).toEqual(["allow all 1", "allow all 1"]);
    notice();
    expect(changes).toBe(1);
    expect(session.isCovered("f/#", 0)).toBe(true);
  });

  it("is passed over in the legacy profile", async () => {
    const { database, open } = await setUp({ text: FIRST, preset: "emqx" });
    database.isBroken = true;
    const { ask } = await open();
    expect([ask("f/x"), ask("y")]).toEqual(["allow file 1", "deny no_match by default"]);
  });
});

describe("a core that was replaced", () => {
  it("gets the stored rules again", async () => {
    const { database, open, engine } = await setUp({ text: FIRST });
    database.put("all", "", [deny("f/x")]);
    database.put("clientid", "c1", [allow("a")]);
    const { ask } = await open();
    engine.policy.recover(new Error("a trap"));
    expect(["f/x", "a"].map(ask)).toEqual(["deny all 1", "allow clientid 1"]);
  });
});
