/** What an accepted client may do: superuser, its own rules, the file, and what nobody decides. */
import { describe, expect, it } from "vitest";
import { DECISION_STEPS_MAX } from "../../../assembly/abi.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { Session } from "../../../src/types.ts";
import { engineOf, JWT, publish, START, subscribe, token } from "../../support/engine.ts";

const PRESETS: readonly Preset[] = ["strict", "emqx"];
const FILE = '{allow, all, all, ["file/#"]}.\n';
const password = token({});

const withAcl = (acl: unknown, more: object = {}) => ({ password: token({ acl, ...more }) });

describe.each(PRESETS)("a token's own rules (%s)", (preset) => {
  const policy = { text: JWT, acl: FILE, preset };

  it("as a map allow what they name and end there", async () => {
    const { open } = await engineOf(policy);
    const session = await open(withAcl({ pub: ["p/${clientid}"], sub: ["s/+"], all: ["a/#"] }));
    expect(publish(session, "p/c1")).toBe("allow token_acl");
    expect(publish(session, "p/c2")).toBe("deny token_acl_no_match");
    expect(publish(session, "s/x")).toBe("deny token_acl_no_match");
    expect(subscribe(session, "s/x")).toBe("allow token_acl");
    expect(subscribe(session, "p/c1")).toBe("deny token_acl_no_match");
    expect(publish(session, "a/b/c")).toBe("allow token_acl");
    expect(subscribe(session, "a/#")).toBe("allow token_acl");
    expect(publish(session, "file/x")).toBe("deny token_acl_no_match");
  });

  it("as an empty map allow nothing", async () => {
    const { open } = await engineOf(policy);
    for (const acl of [{}, { pub: [], sub: [], all: [] }, { other: ["#"] }]) {
      const session = await open(withAcl(acl));
      expect(publish(session, "file/x")).toBe("deny token_acl_no_match");
      expect(subscribe(session, "file/x")).toBe("deny token_acl_no_match");
    }
  });

  it("as a list go before the file's and leave it the rest", async () => {
    const { open } = await engineOf(policy);
    const session = await open(
      withAcl([
        { permission: "deny", action: "publish", topic: "file/secret" },
        { permission: "allow", action: "all", topics: ["own/${clientid}/#"], qos: [0] },
      ]),
    );
    expect(publish(session, "file/secret")).toBe("deny token_acl");
    expect(subscribe(session, "file/secret")).toBe("allow rule");
    expect(publish(session, "own/c1/x")).toBe("allow token_acl");
    expect(publish(session, "own/c2/x")).toBe("deny no_match");
    expect(session.authorize({ type: "publish", qos: 1, retain: false }, "own/c1/x")).toMatchObject(
      { verdict: "deny", reason: "no_match" },
    );
  });

  it("hold until the end of their second, and never again after that", async () => {
    const { open, clock } = await engineOf({
      ...policy,
      text: JWT.replace("from", "disconnect_after_expire = false, from"),
    });
    for (const acl of [{ all: ["a/#"] }, [{ permission: "allow", action: "all", topic: "a/#" }]]) {
      clock.ms = START * 1000;
      const session = await open(withAcl(acl, { exp: START + 10 }));
      expect(session.expireAtMs).toBeUndefined();
      clock.ms = (START + 10) * 1000 + 999;
      expect(publish(session, "a/b")).toBe("allow token_acl");
      expect(session.isCovered("a/#", 0)).toBe(false);
      clock.ms += 1;
      expect(publish(session, "a/b")).toBe("deny token_acl_expired");
      expect(publish(session, "file/x")).toBe("deny token_acl_expired");
      expect(session.authorizeDelivery("a/b", 0)).toBe(false);
      clock.ms = START * 1000;
      expect(publish(session, "a/b")).toBe("deny token_acl_expired");
    }
  });

  it("expire for a clock that gives no time", async () => {
    const { open, clock } = await engineOf(policy);
    const session = await open(withAcl({ all: ["a/#"] }, { exp: START + 10 }));
    clock.ms = Number.NaN;
    expect(publish(session, "a/b")).toBe("deny token_acl_expired");
  });

  it("hold for ever where the token does, also past what a number holds", async () => {
    for (const exp of [undefined, START * 1_000_000, 1e300]) {
      const { open, clock } = await engineOf({ ...policy, preset: "strict" });
      const session = await open(withAcl({ all: ["a/#"] }, { exp }));
      clock.ms = START * 100_000;
      expect(publish(session, "a/b")).toBe("allow token_acl");
    }
  });

  it("that cannot be read never let a client in with less than them", async () => {
    const { login, connect } = await engineOf(policy);
    const broken = [
      [{ permission: "maybe", action: "all", topic: "a" }],
      [{ permission: "deny", action: "all" }],
      [{ permission: "deny", action: "all", topic: 7 }],
      ["deny"],
      [null],
    ];
    for (const acl of broken) expect(await login(withAcl(acl))).toMatch(/^0x8/);
    for (const acl of [{ pub: "#" }, { pub: [7] }, { all: { "#": 1 } }]) {
      const decision = await connect(withAcl(acl));
      if (decision.verdict === "deny") continue;
      expect(preset).toBe("emqx");
      expect(publish(decision.session, "other")).toMatch(/^deny/);
    }
    for (const acl of [7, "all", true, null]) expect(await login(withAcl(acl))).toMatch(/^0x8/);
  });
});

describe("a superuser", () => {
  it.each(PRESETS)("may do everything that makes sense (%s)", async (preset) => {
    const { open } = await engineOf({ text: JWT, acl: "{deny, all}.\n", preset });
    const admin = await open({ password: token({ is_superuser: true, acl: {} }) });
    expect(admin.isSuperuser).toBe(true);
    expect(publish(admin, "a/b")).toBe("allow superuser");
    expect(subscribe(admin, "#")).toBe("allow superuser");
    expect(admin.isCovered("#", 2)).toBe(true);
    expect(publish(admin, "$delayed/5")).toBe("deny malformed_topic");
    for (const claim of [false, "false", 0, "TRUE", 1.5, null, [true]]) {
      const session = await open({ password: token({ is_superuser: claim }) });
      expect(publish(session, "a/b"), String(claim)).toBe("deny rule");
    }
  });
});

describe("when no rule applies", () => {
  it.each([
    ["strict", "allow"],
    ["strict", "deny"],
    ["emqx", "allow"],
    ["emqx", "deny"],
  ] as const)("no_match decides (%s, %s)", async (preset, noMatch) => {
    const text = `${JWT}\nauthorization.no_match = ${noMatch}`;
    for (const acl of [FILE, undefined]) {
      const { open } = await engineOf({ text, acl, preset });
      const session = await open({ password });
      expect(publish(session, "other")).toBe(`${noMatch} no_match`);
      expect(session.isCovered("other", 0)).toBe(false);
      expect(session.authorizeDelivery("other", 0)).toBe(noMatch === "allow");
    }
  });
});

describe("a decision that takes too many steps", () => {
  it("denies without a rule and says so, and goes on where it stopped", async () => {
    const clientId = "x".repeat(65_535);
    const enough = Math.floor(DECISION_STEPS_MAX / clientId.length) + 1;
    const slow = Array.from(
      { length: enough },
      (_, i) => `{deny, {clientid, {re, "y${i}$"}}, all, ["t"]}.`,
    );
    const { open } = await engineOf({ text: JWT, acl: `${slow.join("\n")}\n{allow, all}.\n` });
    const session = await open({ clientId, password });
    const refused = session.authorize({ type: "publish", qos: 0, retain: false }, "t");
    expect(refused).toEqual({ verdict: "deny", reason: "too_many_steps", by: "core", faults: [] });
    expect(publish(session, "t")).toBe("allow rule");
  });
});

describe("a rule that raises", () => {
  const acl = '{allow, {zone, 5}, all, ["a/#"]}.\n{allow, all}.\n';
  it.each([
    ["legacy", "deny no_match"],
    ["hardened", "deny source_failed"],
  ] as const)("is a failing source in emqx mode (%s)", async (profile, expected) => {
    const env = { EMQX_SECURITY_PROFILE: profile };
    const { open } = await engineOf({ text: JWT, acl, preset: "emqx", env });
    const session = await open({ password });
    expect(publish(session, "a/b")).toBe(expected);
    const ignored = `${JWT}\nauthorization.ignore_backend_failures = true`;
    const lenient = await engineOf({ text: ignored, acl, preset: "emqx", env });
    expect(publish(await lenient.open({ password }), "a/b")).toBe("deny no_match");
  });

  it("is no policy in strict mode", async () => {
    await expect(engineOf({ text: JWT, acl, preset: "strict" })).rejects.toThrow("zone");
  });
});

describe("$delayed", () => {
  it.each(PRESETS)("asks about the topic inside (%s)", async (preset) => {
    const acl = '{allow, all, all, ["a/#", "$delayed/#"]}.\n{deny, all}.\n';
    const { open } = await engineOf({ text: JWT, acl, preset });
    const session = await open({ password });
    expect(publish(session, "$delayed/5/a/b")).toBe("allow rule");
    expect(publish(session, "$delayed/x/$delayed//a/b")).toBe("allow rule");
    expect(publish(session, "$delayed/5/b")).toBe("deny rule");
    expect(publish(session, "$delayed/a/b/c")).toBe("deny rule");
    expect(publish(session, "$delayed/5")).toBe("deny malformed_topic");
    expect(publish(session, "$delayed/")).toBe("deny malformed_topic");
    expect(publish(session, "$delayed")).toBe("allow rule");
    expect(subscribe(session, "$delayed/5/a/+")).toBe("allow rule");
  });
});

describe("include_mountpoint", () => {
  const text = (include: boolean) => `${JWT}
    listeners.tcp.default.mountpoint = "m/\${clientid}/"
    authorization.include_mountpoint = ${include}`;
  const acl = '{allow, all, all, ["m/c1/a/#"]}.\n{deny, all}.\n';

  it.each(PRESETS)("puts the mountpoint before what rules see (%s)", async (preset) => {
    const on = await engineOf({ text: text(true), acl, preset });
    const session = await on.open({ password });
    expect(publish(session, "a/b")).toBe("allow rule");
    expect(publish(session, "$delayed/5/a/b")).toBe("allow rule");
    expect(subscribe(session, "a/#")).toBe("allow rule");
    expect(session.isCovered("a/#", 0)).toBe(true);
    expect(session.authorizeDelivery("a/b", 0)).toBe(true);
    expect(publish(session, "m/c1/a/b")).toBe("deny rule");
    expect(publish(await on.open({ clientId: "c2", password }), "a/b")).toBe("deny rule");
    const off = await engineOf({ text: text(false), acl, preset });
    const plain = await off.open({ password });
    expect(publish(plain, "a/b")).toBe("deny rule");
    expect(publish(plain, "m/c1/a/b")).toBe("allow rule");
  });
});

describe("deliveries and covered filters", () => {
  const ask = (session: Session, filter: string, topics: readonly string[]) => [
    session.isCovered(filter, 0),
    ...topics.map((topic) => session.authorizeDelivery(topic, 0)),
  ];

  it("are allowed what a subscription of just that topic would be", async () => {
    const acl = `{deny, all, subscribe, ["a/secret"]}.
      {deny, all, publish, ["a/open"]}.
      {allow, all, all, ["a/#"]}.
      {deny, all}.\n`;
    for (const preset of PRESETS) {
      const { open } = await engineOf({ text: JWT, acl, preset });
      const session = await open({ password });
      expect(ask(session, "a/+", ["a/secret", "a/open", "b"])).toEqual([false, false, true, false]);
      expect(ask(session, "a/x/#", ["a/x", "a/x/y"])).toEqual([true, true, true]);
      expect(subscribe(session, "a/+")).toBe("allow rule");
    }
  });

  it("follow the QoS a rule speaks of", async () => {
    const acl = '{allow, all, {subscribe, [{qos, 0}]}, ["a/#"]}.\n{deny, all}.\n';
    const { open } = await engineOf({ text: JWT, acl });
    const session = await open({ password });
    expect([session.isCovered("a/#", 0), session.isCovered("a/#", 1)]).toEqual([true, false]);
    expect(session.authorizeDelivery("a/b", 0)).toBe(true);
    expect(session.authorizeDelivery("a/b", 1)).toBe(false);
  });

  it("are allowed by an eq rule for the filter, unless a rule before it refuses the topic", async () => {
    const acl = `{deny, all, subscribe, ["a/secret"]}.
      {allow, all, subscribe, [{eq, "a/#"}]}.
      {deny, all, subscribe, ["a/late"]}.
      {allow, all, subscribe, ["a/+/x"]}.
      {deny, all}.\n`;
    const { open } = await engineOf({ text: JWT, acl });
    const session = await open({ password });
    const heard = (filter: string): string[] =>
      ["a", "a/b", "a/late", "a/b/x", "a/secret", "b"].filter((topic) =>
        session.authorizeDelivery(topic, 0, filter),
      );
    expect(session.isCovered("a/#", 0)).toBe(false);
    expect(heard("a/#")).toEqual(["a", "a/b", "a/late", "a/b/x"]);
    expect(heard("a/+")).toEqual(["a/b/x"]);
    expect(heard("#")).toEqual(["a/b/x"]);
    expect(session.authorizeDelivery("a/b", 0)).toBe(false);
  });

  it("are refused by a token's own rules before an eq rule of a file allows the filter", async () => {
    const acl = '{allow, all, subscribe, [{eq, "a/#"}]}.\n{deny, all}.\n';
    const { open } = await engineOf({ text: JWT, acl });
    const own = await open({
      password: token({ acl: [{ permission: "deny", action: "sub", topic: "a/b" }] }),
    });
    expect(own.authorizeDelivery("a/b", 0, "a/#")).toBe(false);
    expect(own.authorizeDelivery("a/c", 0, "a/#")).toBe(true);
    const eq = await open({ password: token({ acl: { sub: ["eq a/#"] }, exp: START + 10 }) });
    expect(eq.authorizeDelivery("a/b", 0, "a/#")).toBe(true);
    expect(eq.authorizeDelivery("a/b", 0, "a/+")).toBe(false);
  });

  it("are not allowed by an eq rule once the token's rules have expired", async () => {
    const { open, clock } = await engineOf({ text: JWT, acl: "{deny, all}.\n" });
    const session = await open({ password: token({ acl: { sub: ["eq a/#"] }, exp: START + 10 }) });
    expect(session.authorizeDelivery("a/b", 0, "a/#")).toBe(true);
    clock.ms += 11_000;
    expect(session.authorizeDelivery("a/b", 0, "a/#")).toBe(false);
  });

  it("are not widened by a filter where allow rules need not contain it", async () => {
    const text = `${JWT}\nportcullis.switches { subscribe_containment = false }`;
    const { open } = await engineOf({ text, acl: '{allow, all, all, ["a/+"]}.\n{deny, all}.\n' });
    const session = await open({ password });
    expect(subscribe(session, "a/#")).toBe("allow rule");
    expect(session.authorizeDelivery("a/b", 0, "a/#")).toBe(true);
    expect(session.authorizeDelivery("a/b/c", 0, "a/#")).toBe(false);
  });
});

describe("requested filters", () => {
  const acl =
    '{allow, all, subscribe, ["a/+"]}.\n{deny, all, subscribe, ["b/x"]}.\n{allow, all, subscribe, ["b/#"]}.\n{deny, all}.\n';

  it("have to be contained in strict mode, and compare level by level in emqx mode", async () => {
    const strict = await (await engineOf({ text: JWT, acl, preset: "strict" })).open({ password });
    const emqx = await (await engineOf({ text: JWT, acl, preset: "emqx" })).open({ password });
    expect(subscribe(strict, "a/#")).toBe("deny rule");
    expect(subscribe(emqx, "a/#")).toBe("allow rule");
    for (const session of [strict, emqx]) {
      expect(subscribe(session, "a/+")).toBe("allow rule");
      expect(subscribe(session, "b/#")).toBe("allow rule");
      expect(subscribe(session, "b/x")).toBe("deny rule");
    }
    const text = `${JWT}\nportcullis.switches.overlap_denies = true`;
    const careful = await (await engineOf({ text, acl })).open({ password });
    expect(subscribe(careful, "b/#")).toBe("deny rule");
    expect(subscribe(careful, "b/y")).toBe("allow rule");
  });
});

it.each(PRESETS)(
  "a name that a client chose widens no rule and escapes none (%s)",
  async (preset) => {
    const acl =
      '{deny, all, all, ["private/${clientid}/#"]}.\n{allow, all, all, ["${username}/#"]}.\n{allow, all, all, ["private/#"]}.\n{deny, all}.\n';
    const { open } = await engineOf({ text: JWT, acl, preset });
    const session = await open({ clientId: "a/b", username: "+", password });
    expect(publish(session, "private/a/b/c")).toBe("deny rule");
    expect(publish(session, "private/a/c")).toBe("allow rule");
    expect(publish(session, "any/thing")).toBe(preset === "strict" ? "deny rule" : "allow rule");
    expect(session.isCovered("private/#", 0)).toBe(false);
  },
);
