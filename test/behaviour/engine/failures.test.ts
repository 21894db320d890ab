/** What happens when the core breaks, when policies change under load, and over many connects. */
import { describe, expect, it } from "vitest";
import type { CoreExports } from "../../../src/core/wasm.ts";
import type { Engine } from "../../../src/engine.ts";
import type { Session } from "../../../src/types.ts";
import {
  engineOf,
  imageOf,
  JWT,
  publish,
  SECRET,
  START,
  subscribe,
  token,
} from "../../support/engine.ts";
import { encodePart, otherRsa, rsa, signInput, spkiPem } from "../../support/tokens.ts";

const ACL = '{allow, all, all, ["c/${clientid}/#"]}.\n{deny, all}.\n';
const CINFO = `authentication = [
  { mechanism = cinfo, checks = [{ is_match = "str_eq(username, 'bad')", result = deny }] }
  { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}", from = password }
]`;

/** A function that traps, as a broken core would. */
const unreachable = new WebAssembly.Instance(
  new WebAssembly.Module(
    // (module (func (export "f") unreachable))
    Uint8Array.from(atob("AGFzbQEAAAABBAFgAAADAgEABwUBAWYAAAoFAQMAAAs="), (c) => c.charCodeAt(0)),
  ),
).exports.f as () => never;

/** Makes one export of the instance in force trap. */
function sabotage(engine: Engine, name: keyof CoreExports): void {
  const { memory } = engine.policy;
  const value = { ...memory.exports, [name]: unreachable };
  Object.defineProperty(memory, "exports", { value });
  Object.defineProperty(memory, "decide", { value: value.decide });
}

const used = (engine: Engine): number => engine.policy.memory.exports.records_used();
const password = token({});

it("has a trap to test with", () => {
  expect(unreachable).toThrow(WebAssembly.RuntimeError);
});

describe("a core that traps", () => {
  it("denies the question, is replaced, and every session goes on", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: ACL });
    const one = await open({ clientId: "a", password });
    const other = await open({ clientId: "b", password });
    expect(publish(one, "c/a/x")).toBe("allow rule");
    sabotage(engine, "decide");
    expect(publish(one, "c/a/x")).toBe("deny core_failed");
    expect(publish(one, "c/a/x")).toBe("allow rule");
    expect(publish(one, "c/b/x")).toBe("deny rule");
    expect(publish(other, "c/b/x")).toBe("allow rule");
    expect(publish(other, "c/a/x")).toBe("deny rule");
    one.close();
    other.close();
    expect(used(engine)).toBe(0);
  });

  it.each(["strict", "emqx"] as const)("refuses a connect (%s)", async (preset) => {
    const { engine, login } = await engineOf({ text: CINFO, acl: ACL, preset });
    sabotage(engine, "expression_holds");
    expect(await login({ username: "bad", password })).toBe("0x88 core_failed by core");
    expect(await login({ username: "bad", password })).toBe("0x86 check_denied by cinfo");
    for (const name of ["expression_holds", "client_open"] as const) {
      sabotage(engine, name);
      expect(await login({ username: "good", password })).toBe("0x88 core_failed by core");
      expect(await login({ username: "good", password })).toBe("allow by jwt");
    }
  });

  it.each(["strict", "emqx"] as const)("refuses for a precondition too (%s)", async (preset) => {
    const text = CINFO.replace(
      "mechanism = cinfo",
      "mechanism = cinfo, precondition = \"str_eq('a','a')\"",
    );
    const { engine, login } = await engineOf({ text, preset });
    sabotage(engine, "expression_holds");
    expect(await login({ username: "good", password })).toBe("0x88 core_failed by core");
    expect(await login({ username: "good", password })).toBe("allow by jwt");
  });

  it.each(["strict", "emqx"] as const)("refuses for an attribute too (%s)", async (preset) => {
    const text = `mqtt.client_attrs_init = [{ expression = username, set_as_attr = a }]\n${JWT}`;
    const { engine, login } = await engineOf({ text, preset });
    for (const name of ["expression_eval", "result_ptr"] as const) {
      sabotage(engine, name);
      expect(await login({ username: "good", password })).toBe("0x88 core_failed by core");
      expect(await login({ username: "good", password })).toBe("allow by jwt");
    }
  });

  it("clears no filter, and closes sessions without a word", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: ACL });
    const session = await open({ clientId: "a", password });
    sabotage(engine, "is_covered");
    expect(session.isCovered("c/a/#", 0)).toBe(false);
    expect(session.isCovered("c/a/#", 0)).toBe(true);
    sabotage(engine, "client_close");
    expect(() => session.close()).not.toThrow();
    expect(used(engine)).toBe(0);
  });

  it("is not replaced for what a client sends", async () => {
    const { engine, open, login } = await engineOf({ text: JWT, acl: ACL });
    const { epoch } = engine.policy;
    const session = await open({ clientId: "a", password });
    expect(publish(session, `c/a/${"x/".repeat(200)}`)).toBe("deny malformed_topic");
    expect(publish(session, "x".repeat(70_000))).toBe("deny malformed_topic");
    expect(await login({ clientId: "x".repeat(65_536), password })).toMatch(/^0x85/);
    expect(engine.policy.epoch).toBe(epoch);
  });
});

describe("a check that could not be finished", () => {
  // Sixteen copies of 64 KiB are more text than an expression may make.
  const copies = `[${Array(17).fill("password").join(", ")}]`;
  const text = `authentication = [
    {
      mechanism = cinfo
      checks = [{ is_match = "str_neq(concat(${copies}), '')", result = deny }, { is_match = "true", result = allow }]
    }
  ]`;

  it.each(["strict", "emqx"] as const)("is no reason to ask the next (%s)", async (preset) => {
    const { login } = await engineOf({ text, preset });
    expect(await login({ password: "short" })).toBe("0x86 check_denied by cinfo");
    expect(await login({ password: "" })).toBe("allow by cinfo");
    expect(await login({ password: "x".repeat(65_535) })).toBe("0x87 core_failed by core");
  });

  it.each(["strict", "emqx"] as const)("is not skipped for a huge request (%s)", async (preset) => {
    const { login } = await engineOf({
      text: `authentication = [
        {
          mechanism = cinfo
          checks = [
            { is_match = "str_eq(cert_subject, 'CN=bad')", result = deny }
            { is_match = "true", result = allow }
          ]
        }
      ]`,
      preset,
    });
    const certSubject = "x".repeat(40 * 65_535);
    expect(await login({ certSubject: "CN=bad" })).toBe("0x86 check_denied by cinfo");
    expect(await login({ certSubject: "CN=good" })).toBe("allow by cinfo");
    expect(await login({ certSubject })).toBe("0x87 core_failed by core");
  });

  it("does not come of what no check reads", async () => {
    const { login } = await engineOf({ text: CINFO });
    const userProperties = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`k${i}`, "x".repeat(65_535)]),
    );
    const reason = "0x86 check_denied by cinfo";
    expect(await login({ username: "bad", password, userProperties })).toBe(reason);
  });
});

describe("a reload", () => {
  const first = '{allow, all, all, ["a/#"]}.\n{deny, all}.\n';
  const second = '{allow, all, all, ["b/#"]}.\n{deny, all}.\n';

  it("gives 1,000 sessions one policy or the other, never a mixture", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: first });
    const images = [second, first].map((acl) => imageOf({ text: JWT, acl }));
    const sessions: Session[] = [];
    for (let i = 0; i < 1000; i++) sessions.push(await open({ clientId: `c${i}`, password }));
    for (const [round, image] of [...images, ...images].entries()) {
      const reload = engine.reload(image);
      const before = round % 2 === 0 ? ["allow", "deny"] : ["deny", "allow"];
      const ask = (session: Session) => [publish(session, "a/x"), publish(session, "b/x")];
      for (const session of sessions.slice(0, 500)) {
        expect(ask(session)).toEqual(before.map((verdict) => `${verdict} rule`));
      }
      await reload;
      for (const session of sessions) {
        expect(ask(session)).toEqual(before.toReversed().map((verdict) => `${verdict} rule`));
      }
    }
    const size = engine.policy.memory.bytes.length;
    for (const session of sessions) session.close();
    expect(used(engine)).toBe(0);
    expect(engine.policy.memory.bytes.length).toBe(size);
  });

  it("that is refused leaves the old policy", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: first });
    const session = await open({ password });
    const { policy } = engine;
    const damaged = imageOf({ text: JWT, acl: second });
    damaged[damaged.length >> 1]! ^= 1;
    for (const image of [damaged, new Uint8Array(0), new Uint8Array(1000), damaged.subarray(9)]) {
      await expect(engine.reload(image)).rejects.toMatchObject({ name: "CoreError" });
    }
    expect(engine.policy).toBe(policy);
    expect(publish(session, "a/x")).toBe("allow rule");
    expect(publish(session, "b/x")).toBe("deny rule");
  });

  it("that was asked for last wins, whichever is loaded first", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: first });
    const session = await open({ password });
    const pem = spkiPem(rsa.publicKey).trimEnd();
    const slow = `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = """${pem}""" }]`;
    await Promise.all([
      engine.reload(imageOf({ text: slow, acl: first })),
      engine.reload(imageOf({ text: JWT, acl: first })),
      engine.reload(imageOf({ text: JWT, acl: second })),
    ]);
    expect(publish(session, "b/x")).toBe("allow rule");
    expect(publish(session, "a/x")).toBe("deny rule");
  });
});

describe("an engine that was closed", () => {
  it("refuses connects in flight and open sessions", async () => {
    const { engine, open, connect } = await engineOf({ text: JWT, acl: ACL });
    const session = await open({ clientId: "a", password });
    const inFlight = connect({ clientId: "b", password });
    engine.close();
    expect(await inFlight).toMatchObject({ verdict: "deny", reason: "closed" });
    expect(publish(session, "c/a/x")).toBe("deny closed");
    expect(session.authorizeDelivery("c/a/x", 0)).toBe(false);
    expect(session.isCovered("c/a/#", 0)).toBe(false);
    expect(() => session.close()).not.toThrow();
    await expect(connect({ clientId: "c", password })).rejects.toThrow("after close");
  });
});

describe("many clients", () => {
  it("leave memory as it was after 10,000 connects", async () => {
    const { engine, connect } = await engineOf({ text: JWT, acl: ACL });
    const acl = { pub: ["t/${clientid}"], sub: ["t/#"] };
    const passwords = [password, token({ acl }), token({ acl: [] }), token({}, "forged")];
    let size = 0;
    for (let i = 0; i < 10_000; i++) {
      const decision = await connect({ clientId: `c${i}`, password: passwords[i & 3] });
      if (decision.verdict === "allow") {
        if (i % 3 === 0) publish(decision.session, `c/c${i}/x`);
        decision.session.close();
      }
      if (i === 100) size = engine.policy.memory.bytes.length;
    }
    expect(used(engine)).toBe(0);
    expect(engine.policy.memory.bytes.length).toBe(size);
  });

  it("never see each other while signatures are checked elsewhere", async () => {
    const pem = spkiPem(rsa.publicKey).trimEnd();
    const text = `authentication = [
      { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = """${pem}""" }
      {
        mechanism = cinfo
        precondition = "str_neq(clientid, 'c0')"
        checks = [
          { is_match = "str_eq(clientid, username)", result = allow }
          { is_match = "str_neq(clientid, username)", result = deny }
        ]
      }
    ]
    mqtt.client_attrs_init = [{ expression = "concat([clientid, '-', username])", set_as_attr = both }]`;
    const { connect } = await engineOf({ text, preset: "emqx" });
    const input = `${encodePart({ alg: "RS256" })}.${encodePart({})}`;
    const bad = `${input}.${signInput("RS256", otherRsa.privateKey, input).toString("base64url")}`;
    const clients = Array.from({ length: 200 }, (_, i) => ({
      clientId: `c${i}`,
      username: i % 3 === 0 ? "other" : `c${i}`,
      password: i % 2 === 0 ? bad : "no token",
    }));
    const decisions = await Promise.all(clients.map((client) => connect(client)));
    for (const [i, decision] of decisions.entries()) {
      const { clientId, username } = clients[i]!;
      if (i === 0) expect(decision).toMatchObject({ verdict: "deny", reason: "all_ignored" });
      else expect(decision.verdict).toBe(clientId === username ? "allow" : "deny");
      if (decision.verdict === "deny") continue;
      expect(decision.session.clientId).toBe(clientId);
      expect(decision.session.clientAttrs.both).toBe(`${clientId}-${username}`);
    }
  });

  it("with private rules that do not fit leave nothing behind", async () => {
    const { engine, login } = await engineOf({ text: JWT, acl: ACL });
    const rule = { permission: "allow", action: "all", topic: "t" };
    const unknown = token({ acl: [{ ...rule, topic: "a/${nonsense}" }] });
    for (let i = 0; i < 20; i++) {
      expect(await login({ password: unknown })).toBe("0x86 bad_acl_claim by jwt");
    }
    expect(used(engine)).toBe(0);
    expect(await login({ password: token({ acl: [rule], exp: START + 1 }) })).toBe("allow by jwt");
    expect(used(engine)).toBe(0);
  });
});

it("denies everything to a session whose private rules the new policy refuses", async () => {
  const { engine, open } = await engineOf({ text: JWT, acl: "{allow, all}.\n", preset: "emqx" });
  const rule = { permission: "deny", action: "all", topic: "a/${nonsense}" };
  const session = await open({ password: token({ acl: [rule] }) });
  expect(publish(session, "b")).toBe("allow rule");
  await engine.reload(imageOf({ text: JWT, acl: "{allow, all}.\n", preset: "strict" }));
  expect(publish(session, "b")).toBe("deny bad_acl_claim");
  expect(subscribe(session, "b")).toBe("deny bad_acl_claim");
  expect(session.isCovered("b", 0)).toBe(false);
  expect(used(engine)).toBe(0);
  await engine.reload(imageOf({ text: JWT, acl: "{allow, all}.\n", preset: "emqx" }));
  expect(publish(session, "b")).toBe("allow rule");
});
