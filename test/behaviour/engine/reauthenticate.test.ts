/** Tokens in Authentication Data, and what a new one changes of a session. */
import { describe, expect, it } from "vitest";
import type { AuthnResult } from "../../../src/authn/authenticator.ts";
import { createChain } from "../../../src/authn/chain.ts";
import { type Preset, resolveSwitches } from "../../../src/config/compatibility.ts";
import { EXCHANGE_STEPS_MAX } from "../../../src/connect/exchange.ts";
import { UsageError } from "../../../src/errors.ts";
import type { ClientInfo, Session } from "../../../src/types.ts";
import {
  brief,
  engineOf,
  imageOf,
  JWT,
  publish,
  SECRET,
  START,
  type TestEngine,
  token,
} from "../../support/engine.ts";

const encoder = new TextEncoder();
const data = (claims: object, secret?: string): Uint8Array => encoder.encode(token(claims, secret));
const withToken = (claims: object): Partial<ClientInfo> => ({
  authMethod: "OAUTH2-JWT",
  authData: data(claims),
});
const METHODS = 'auth_methods = ["OAUTH2-JWT", "CUSTOM-JWT"]';
/** The reference knows no such thing, so there the option has to be written. */
const jwt = (preset: Preset, more = ""): string =>
  JWT.replace(
    "mechanism = jwt,",
    `mechanism = jwt, ${preset === "emqx" ? `${METHODS},` : ""} ${more}`,
  );
const ACL = '{allow, {client_attr, "role", "writer"}, publish, ["w/#"]}.\n{deny, all}.\n';

async function again(session: Session, claims: object, secret?: string): Promise<string> {
  const answer = await session.reauthenticate(data(claims, secret));
  if (answer.verdict === "continue") throw new Error("a token takes one step");
  return answer.verdict === "allow"
    ? `allow by ${answer.by}`
    : `0x${answer.code.toString(16)} ${answer.reason} by ${answer.by}`;
}

describe("a token in Authentication Data", () => {
  it.each(["OAUTH2-JWT", "CUSTOM-JWT"])("lets its client in with %s", async (authMethod) => {
    const { login } = await engineOf({ text: JWT });
    expect(await login({ authMethod, authData: data({}) })).toBe("allow by jwt");
    expect(await login({ authMethod, authData: data({}, "forged") })).toBe(
      "0x86 bad_signature by jwt",
    );
    expect(await login({ authMethod, authData: data({ exp: START }) })).toBe("0x86 expired by jwt");
  });

  it("is never looked for in the password, nor the password where it is missing", async () => {
    const { login } = await engineOf({ text: JWT });
    const password = token({});
    const authMethod = "OAUTH2-JWT";
    expect(await login({ authMethod, password })).toBe("0x86 missing_token by jwt");
    expect(await login({ authMethod, password, authData: new Uint8Array() })).toBe(
      "0x86 missing_token by jwt",
    );
    expect(await login({ password: "x", authData: data({}) })).toMatch(/^0x86 /);
  });

  it("is refused under a method that no authenticator knows", async () => {
    const { login } = await engineOf({ text: JWT });
    const authData = data({});
    expect(await login({ authMethod: "oauth2-jwt", authData })).toBe(
      "0x8c unknown_auth_method by chain",
    );
    const off = await engineOf({ text: JWT.replace("from =", "auth_methods = [], from =") });
    expect(await off.login(withToken({}))).toBe("0x8c unknown_auth_method by chain");
    const other = await engineOf({ text: JWT.replace("from =", "auth_methods = [X], from =") });
    expect(await other.login({ authMethod: "X", authData })).toBe("allow by jwt");
  });

  it("means nothing in emqx mode unless it is asked for", async () => {
    const { login } = await engineOf({ text: JWT, preset: "emqx" });
    expect(await login(withToken({}))).toBe("0x87 all_ignored by chain");
    const asked = await engineOf({ text: jwt("emqx"), preset: "emqx" });
    expect(await asked.login(withToken({}))).toBe("allow by jwt");
  });
});

describe("a new token", () => {
  it("replaces superuser, attributes, rules and expiry", async () => {
    const text = `${JWT}\nmqtt.client_attrs_init = [{ expression = "'1'", set_as_attr = init }]`;
    const { open } = await engineOf({ text, acl: ACL });
    const session = await open(
      withToken({ client_attrs: { role: "writer", a: "1" }, exp: START + 60, acl: { pub: ["x"] } }),
    );
    expect(publish(session, "x")).toBe("allow token_acl");
    expect(await again(session, { client_attrs: { role: "writer", b: "2" } })).toBe("allow by jwt");
    expect({ ...session.clientAttrs }).toEqual({ init: "1", role: "writer", b: "2" });
    expect(session.expireAtMs).toBeUndefined();
    expect(publish(session, "x")).toBe("deny rule");
    expect(publish(session, "w/1")).toBe("allow rule");
    expect(await again(session, { is_superuser: true, exp: START + 9 })).toBe("allow by jwt");
    expect(session.expireAtMs).toBe((START + 9) * 1000);
    expect({ ...session.clientAttrs }).toEqual({ init: "1" });
    expect(publish(session, "x")).toBe("allow superuser");
    expect(await again(session, {})).toBe("allow by jwt");
    expect(session.isSuperuser).toBe(false);
    expect(publish(session, "w/1")).toBe("deny rule");
  });

  it("adds to the old one in emqx mode, as the reference does", async () => {
    const { open } = await engineOf({ text: jwt("emqx"), acl: ACL, preset: "emqx" });
    const session = await open(
      withToken({ client_attrs: { role: "writer", a: "1" }, acl: { pub: ["x"] } }),
    );
    expect(await again(session, { client_attrs: { a: "2" }, is_superuser: true })).toBe(
      "allow by jwt",
    );
    expect({ ...session.clientAttrs }).toEqual({ role: "writer", a: "2" });
    expect(session.isSuperuser).toBe(true);
    expect(await again(session, {})).toBe("allow by jwt");
    expect(session.isSuperuser).toBe(false);
    expect(publish(session, "x")).toBe("allow token_acl");
    expect(await again(session, { acl: { pub: ["y"] } })).toBe("allow by jwt");
    expect(publish(session, "x")).toBe("deny token_acl_no_match");
    expect(publish(session, "y")).toBe("allow token_acl");
  });

  it.each([
    ["forged", {}, "forged", "0x86 bad_signature by jwt"],
    ["expired", { exp: START - 1 }, SECRET, "0x86 expired by jwt"],
    [
      "with rules nobody can read",
      { acl: [{ permission: "x" }] },
      SECRET,
      "0x86 bad_acl_claim by jwt",
    ],
  ])("that is %s changes nothing", async (_, claims, secret, expected) => {
    const { open } = await engineOf({ text: JWT, acl: ACL });
    const session = await open(withToken({ client_attrs: { role: "writer" }, exp: START + 60 }));
    expect(await again(session, claims, secret)).toBe(expected);
    expect(session.expireAtMs).toBe((START + 60) * 1000);
    expect(publish(session, "w/1")).toBe("allow rule");
  });

  it("of another client is refused", async () => {
    const text = JWT.replace("from =", 'verify_claims { sub = "${clientid}" }, from =');
    const { open } = await engineOf({ text, acl: ACL });
    const session = await open(withToken({ sub: "c1" }));
    expect(await again(session, { sub: "c2" })).toBe("0x86 claim_mismatch:sub by jwt");
    expect(await again(session, { sub: "c1" })).toBe("allow by jwt");
  });

  it.each(["strict", "emqx"] as const)("must not change the client id (%s)", async (preset) => {
    const { open } = await engineOf({ text: jwt(preset), acl: ACL, preset });
    const session = await open(withToken({ clientid_override: "dev" }));
    expect(session.clientId).toBe("dev");
    expect(await again(session, { clientid_override: "dev2" })).toBe(
      "0x86 identity_changed by jwt",
    );
    expect(await again(session, {})).toBe("0x86 identity_changed by jwt");
    expect(await again(session, { clientid_override: "dev" })).toBe("allow by jwt");
    expect(session.clientId).toBe("dev");
  });

  it("must not move the client to another mountpoint", async () => {
    const text = `${JWT}\nlisteners.tcp.default.mountpoint = "\${client_attrs.tns}/"`;
    const { open } = await engineOf({ text, acl: ACL });
    const session = await open(withToken({ client_attrs: { tns: "a" } }));
    expect(await again(session, { client_attrs: { tns: "b" } })).toBe(
      "0x86 identity_changed by jwt",
    );
    expect(await again(session, { client_attrs: { tns: "a", x: "y" } })).toBe("allow by jwt");
    expect(session.mountpoint).toBe("a/");
  });

  it("is judged by the policy in force, as one that has no chain any more", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: ACL });
    const session = await open(withToken({}));
    await engine.reload(imageOf({ text: JWT.replace(SECRET, "another secret") }));
    expect(await again(session, {})).toBe("0x86 bad_signature by jwt");
    expect(await again(session, {}, "another secret")).toBe("allow by jwt");
    await engine.reload(imageOf({ text: "authentication = []" }));
    expect(await again(session, {})).toBe("0x8c unknown_auth_method by chain");
  });
});

describe("an exchange", () => {
  /** A chain whose one authenticator always wants more. */
  async function endless(): Promise<TestEngine> {
    const test = await engineOf({ text: JWT });
    const authenticator = {
      id: "endless",
      methods: ["M"],
      authenticate: (): AuthnResult => ({ type: "continue" }),
    };
    const chain = createChain([{ authenticator, enable: true, hasPrecondition: false }], {
      switches: resolveSwitches("strict"),
      securityProfile: "legacy",
      ignoreBackendFailures: false,
      allowAnonymous: false,
    });
    Object.assign(test.engine.policy, { chainOf: () => chain });
    return test;
  }

  it("that never ends is refused after ten steps", async () => {
    const { engine } = await endless();
    let answer = await engine.connect({ clientId: "c1", authMethod: "M" });
    let steps = 0;
    while (answer.verdict === "continue") {
      steps++;
      answer = await answer.exchange.step(undefined);
    }
    expect(steps).toBe(EXCHANGE_STEPS_MAX);
    expect(brief(answer)).toBe("0x87 too_many_steps by endless");
  });

  it("has each step taken once, and none after it was given up", async () => {
    const { engine } = await endless();
    const answer = await engine.connect({ clientId: "c1", authMethod: "M" });
    if (answer.verdict !== "continue") throw new Error(answer.verdict);
    const next = await answer.exchange.step(undefined);
    await expect(answer.exchange.step(undefined)).rejects.toThrow(UsageError);
    if (next.verdict !== "continue") throw new Error(next.verdict);
    next.exchange.abandon();
    await expect(next.exchange.step(undefined)).rejects.toThrow(UsageError);
  });

  it("given up in the middle of a step comes to nothing", async () => {
    const { engine } = await endless();
    const answer = await engine.connect({ clientId: "c1", authMethod: "M" });
    if (answer.verdict !== "continue") throw new Error(answer.verdict);
    const pending = answer.exchange.step(undefined);
    answer.exchange.abandon();
    expect(await pending).toMatchObject({ verdict: "deny", reason: "closed" });
  });

  it("is refused with 0x8C by hosts that cannot go on with it", async () => {
    const { login } = await endless();
    expect(await login({ authMethod: "M" })).toBe("0x8c exchange_not_possible by endless");
  });

  it("of an engine that was closed meanwhile comes to nothing", async () => {
    const { engine } = await endless();
    const answer = await engine.connect({ clientId: "c1", authMethod: "M" });
    if (answer.verdict !== "continue") throw new Error(answer.verdict);
    engine.close();
    expect(await answer.exchange.step(undefined)).toMatchObject({ verdict: "deny", code: 0x88 });
  });

  it("without a method cannot begin", async () => {
    const { login } = await endless();
    expect(await login({ password: "x" })).toBe("0x8c exchange_not_possible by endless");
  });
});

describe("re-authentication", () => {
  it("is a mistake of the host for clients that connected without a method", async () => {
    const { open } = await engineOf({ text: JWT });
    const session = await open({ password: token({}) });
    await expect(session.reauthenticate(data({}))).rejects.toThrow("without an authentication");
  });

  it("of a session that was closed meanwhile comes to nothing", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: ACL });
    const session = await open(withToken({}));
    const pending = session.reauthenticate(data({ is_superuser: true }));
    session.close();
    expect(brief((await pending) as never)).toBe("0x88 closed by engine");
    expect(session.isSuperuser).toBe(false);
    engine.close();
  });

  it("gives each record in the core back", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: ACL });
    const session = await open(withToken({ acl: { pub: ["x"] } }));
    expect(publish(session, "x")).toBe("allow token_acl");
    const { memory } = engine.policy;
    const size = memory.exports.memory.buffer.byteLength;
    for (let round = 0; round < 500; round++) {
      await session.reauthenticate(data({ client_attrs: { a: "x".repeat(10_000) } }));
    }
    expect(memory.exports.memory.buffer.byteLength).toBe(size);
    session.close();
  });
});
