/** Logging in with SCRAM, and refreshing tokens, through a real engine and real sockets. */
import type { IAuthPacket, IConnectPacket } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import type { AuthnResult } from "../../../src/authn/authenticator.ts";
import { createChain } from "../../../src/authn/chain.ts";
import type { Engine } from "../../../src/engine.ts";
import {
  connectPacket,
  FakeClock,
  type RawClient,
  startBroker,
  type TestBroker,
} from "../../support/broker.ts";
import { engineFrom, imageFrom, signToken } from "../../support/policy.ts";
import { ScramClient, type ScramLogin } from "../../support/scram-client.ts";
import { FakeUserDatabase } from "../../support/user-database.ts";

const SECRET = "a secret of thirty-two characters";
const JWT = `{ mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}"
  verify_claims { sub = "\${clientid}" } }`;
const SCRAM = "{ mechanism = scram, backend = built_in_database }";
const ACL = `
{allow, {client_attr, "role", "reader"}, subscribe, ["data/#"]}.
{allow, all, all, ["own/\${username}/#", "will/#"]}.
{allow, {user, "watcher"}, all, ["#"]}.
{deny, all}.
`;
const START = 1_750_000_000;

let test: TestBroker;
let engine: Engine;
let clock: FakeClock;
afterEach(async () => {
  await test.close();
  engine.close();
});

async function start(chain: string, preset?: "emqx"): Promise<void> {
  clock = new FakeClock(START * 1000);
  const users = new FakeUserDatabase()
    .addScram("/dev", "pencil", { iterations: 10 })
    .addScram("/ops", "pen", { iterations: 10, isSuperuser: true })
    .addScram("/dev", "pencil", { iterations: 10, hash: "sha512" });
  const conf = `authentication = [${chain}]
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
  engine = await engineFrom({ conf, acl: ACL, preset, now: () => clock.now(), users });
  test = await startBroker(engine, clock);
}

function connect(method: string, data: Uint8Array, packet: Partial<IConnectPacket> = {}) {
  const properties = { authenticationMethod: method, authenticationData: Buffer.from(data) };
  return connectPacket({ properties, ...packet });
}

function auth(reasonCode: number, method: string, data: Uint8Array): IAuthPacket {
  const properties = { authenticationMethod: method, authenticationData: Buffer.from(data) };
  return { cmd: "auth", reasonCode, properties };
}

/** Both steps; the reason code of the CONNACK. */
async function login(
  who: ScramLogin,
  packet: Partial<IConnectPacket> = {},
): Promise<{ client: RawClient; code: number; isTrusted: boolean }> {
  const scram = new ScramClient(who);
  const client = await test.connect();
  client.send(connect(scram.method, scram.first, packet));
  const asked = await client.next("auth");
  const answer = scram.answer(asked.properties?.authenticationData);
  client.send(auth(0x18, scram.method, answer));
  const { reasonCode = 0, properties } = await client.next("connack");
  return { client, code: reasonCode, isTrusted: scram.trusts(properties?.authenticationData) };
}

const DEV = { user: "dev", password: "pencil" };

describe("a SCRAM login", () => {
  it.each(["sha256", "sha512"] as const)("lets the client in as its user (%s)", async (hash) => {
    await start(`{ mechanism = scram, backend = built_in_database, algorithm = ${hash} }`);
    const { client, code, isTrusted } = await login({ ...DEV, hash });
    expect([code, isTrusted]).toEqual([0, true]);
    expect(await client.publish("own/dev/1", { qos: 1 })).toBe(0);
    expect(await client.publish("own/ops/1", { qos: 1 })).toBe(0x87);
  });

  it("of a superuser may do everything", async () => {
    await start(SCRAM);
    const { client } = await login({ user: "ops", password: "pen" });
    expect(await client.publish("anything", { qos: 1 })).toBe(0);
  });

  it("with a wrong password and of an unknown user end alike", async () => {
    await start(SCRAM);
    for (const user of ["dev", "ghost"]) {
      const { client, code, isTrusted } = await login({ user, password: "wrong" });
      expect([code, isTrusted]).toEqual([0x87, false]);
      await client.closed;
    }
    const reasons = test.lines.filter(({ event }) => event === "connect_refused");
    expect(reasons.map(({ reason }) => reason)).toEqual(["wrong_password", "unknown_user"]);
    expect(test.text()).not.toContain("pencil");
  });

  it("of an unknown user ends at once in emqx mode", async () => {
    await start(SCRAM, "emqx");
    const client = await test.connect();
    const scram = new ScramClient({ user: "ghost", password: "x" });
    client.send(connect(scram.method, scram.first));
    expect((await client.next("connack")).reasonCode).toBe(0x87);
  });

  it("does not go with another username", async () => {
    await start(SCRAM);
    expect((await login(DEV, { username: "dev" })).code).toBe(0);
    expect((await login(DEV, { username: "ops" })).code).toBe(0x86);
  });

  it("takes the username as it is in emqx mode", async () => {
    // The keys of the account were made with ten iterations, and there the setting counts.
    await start("{ mechanism = scram, backend = built_in_database, iteration_count = 10 }", "emqx");
    const { client, code } = await login(DEV, { username: "ops" });
    expect(code).toBe(0);
    expect(await client.publish("own/ops/1", { qos: 1 })).toBe(0);
  });

  it("with a method that nobody knows is refused as such", async () => {
    await start(`${SCRAM}, ${JWT}`);
    const client = await test.connect();
    client.send(connect("SCRAM-SHA-1", Buffer.from("n,,n=dev,r=a")));
    expect((await client.next("connack")).reasonCode).toBe(0x8c);
  });

  it("can be repeated while connected, by the same user alone", async () => {
    await start(SCRAM);
    const { client } = await login(DEV);
    const again = async (who: ScramLogin): Promise<IAuthPacket> => {
      const scram = new ScramClient(who);
      client.send(auth(0x19, scram.method, scram.first));
      const asked = await client.next("auth");
      const answer = scram.answer(asked.properties?.authenticationData);
      client.send(auth(0x18, scram.method, answer));
      const last = await client.next("auth");
      expect(scram.trusts(last.properties?.authenticationData)).toBe(true);
      return last;
    };
    expect((await again(DEV)).reasonCode).toBe(0);
    expect((await again(DEV)).reasonCode).toBe(0);
    await expect(again({ user: "ops", password: "pen" })).rejects.toThrow("closed");
    expect((await test.logged("auth_refused")).reason).toBe("identity_changed");
  });

  it("that stops half-way leaves the core as it was", async () => {
    await start(SCRAM);
    const { client } = await login(DEV);
    const { memory } = engine.policy;
    const size = memory.exports.memory.buffer.byteLength;
    for (let round = 0; round < 100; round++) {
      const scram = new ScramClient(DEV);
      const half = await test.connect();
      half.send(connect(scram.method, scram.first, { clientId: `half-${round}` }));
      await half.next("auth");
      half.socket.destroy();
    }
    while (test.broker.connections > 1) await new Promise(setImmediate);
    await client.settled();
    expect(memory.exports.memory.buffer.byteLength).toBe(size);
  });

  it("that was begun under another policy has to begin again", async () => {
    await start(SCRAM);
    const scram = new ScramClient(DEV);
    const client = await test.connect();
    client.send(connect(scram.method, scram.first));
    const asked = await client.next("auth");
    await engine.reload(imageFrom({ conf: `authentication = [${SCRAM}]`, acl: ACL }));
    const answer = scram.answer(asked.properties?.authenticationData);
    client.send(auth(0x18, scram.method, answer));
    expect((await client.next("connack")).reasonCode).toBe(0x88);
    expect((await login(DEV)).code).toBe(0);
  });
});

it("an exchange without end is refused after ten steps", async () => {
  await start(SCRAM);
  const authenticator = {
    id: "endless",
    methods: ["M"],
    authenticate: (): AuthnResult => ({ type: "continue" }),
  };
  const { switches } = engine.config;
  const chain = createChain([{ authenticator, enable: true, hasPrecondition: false }], {
    ...{ switches, securityProfile: "legacy", ignoreBackendFailures: false, allowAnonymous: false },
  });
  Object.assign(engine.policy, { chainOf: () => chain });
  const client = await test.connect();
  client.send(connect("M", Buffer.alloc(0)));
  for (let step = 0; step < 10; step++) {
    expect((await client.next("auth")).reasonCode).toBe(0x18);
    client.send(auth(0x18, "M", Buffer.from("more")));
  }
  expect((await client.next("connack")).reasonCode).toBe(0x87);
  expect((await test.logged("connect_refused")).reason).toBe("too_many_steps");
});

const METHOD = "OAUTH2-JWT";
const token = (claims: object): Buffer => Buffer.from(signToken({ sub: "c1", ...claims }, SECRET));

async function enter(claims: object, packet: Partial<IConnectPacket> = {}): Promise<RawClient> {
  const client = await test.connect();
  client.send(connect(METHOD, token(claims), packet));
  expect((await client.next("connack")).reasonCode).toBe(0);
  await client.settled();
  return client;
}

describe("a token that is refreshed", () => {
  const reader = { client_attrs: { role: "reader" } };

  it("keeps the session past its first expiry", async () => {
    await start(JWT);
    const client = await enter({ exp: START + 60, ...reader });
    expect(await client.subscribe(["data/1"])).toEqual([0]);
    clock.advance(50_000);
    client.send(auth(0x19, METHOD, token({ exp: START + 120, ...reader })));
    expect((await client.next("auth")).reasonCode).toBe(0);
    clock.advance(60_000);
    await client.settled();
    clock.advance(10_200);
    expect((await client.next("disconnect")).reasonCode).toBe(0xa0);
  });

  it("does not in emqx mode, as in the reference", async () => {
    await start(JWT.replace("verify", `auth_methods = [${METHOD}], verify`), "emqx");
    const client = await enter({ exp: START + 60 });
    client.send(auth(0x19, METHOD, token({ exp: START + 120 })));
    expect((await client.next("auth")).reasonCode).toBe(0);
    clock.advance(60_200);
    expect((await client.next("disconnect")).reasonCode).toBe(0x87);
  });

  it("takes the subscriptions away that it does not allow any more", async () => {
    await start(`${JWT}, ${SCRAM}`);
    const client = await enter(reader);
    expect(await client.subscribe(["data/#", "will/x"])).toEqual([0, 0]);
    client.send(auth(0x19, METHOD, token({})));
    expect((await client.next("auth")).reasonCode).toBe(0);
    const { client: ops } = await login({ user: "ops", password: "pen" }, { clientId: "ops" });
    await ops.publish("data/1", { qos: 1 });
    await ops.publish("will/x", { qos: 1 });
    expect((await client.next("publish")).topic).toBe("will/x");
    expect(await client.subscribe(["data/#"])).toEqual([0x87]);
  });

  it("that is not refreshed in time ends a pure subscriber, whose will is heard", async () => {
    await start(`${JWT}, ${SCRAM}`);
    const { client: ops } = await login({ user: "ops", password: "pen" }, { clientId: "ops" });
    await ops.subscribe(["will/#"]);
    const will = { topic: "will/c1", payload: Buffer.from("gone"), qos: 0, retain: false } as const;
    const client = await enter({ exp: START + 60, ...reader }, { will });
    await client.subscribe(["data/#"]);
    clock.advance(60_200);
    expect((await client.next("disconnect")).reasonCode).toBe(0xa0);
    expect((await ops.next("publish")).topic).toBe("will/c1");
  });

  it.each([
    ["of another client", { sub: "c2" }, "claim_mismatch:sub"],
    ["that has expired", { exp: START - 1 }, "expired"],
    ["that would change the client id", { clientid_override: "c2" }, "identity_changed"],
  ])("by one %s ends the session", async (_, claims, reason) => {
    await start(JWT);
    const client = await enter({});
    client.send(auth(0x19, METHOD, token(claims)));
    expect((await client.next("disconnect")).reasonCode).toBe(0x87);
    expect((await test.logged("auth_refused")).reason).toBe(reason);
  });

  it("under another of its methods than the one of CONNECT is refused", async () => {
    await start(JWT);
    const client = await enter({});
    client.send(auth(0x19, "CUSTOM-JWT", token({})));
    await client.closed;
    expect((await test.logged("auth_refused")).code).toBe("0x8c");
  });
});
