import { afterEach, describe, expect, it } from "vitest";
import {
  connectPacket,
  FakeClock,
  type RawClient,
  startBroker,
  type TestBroker,
} from "../../support/broker.ts";
import { engineFrom, signToken } from "../../support/policy.ts";

const SECRET = "jwtpassfortest1";
const JWT = `{
  mechanism = jwt
  algorithm = "hmac-based"
  secret = "${SECRET}"
  use_jwks = false
  from = password
  disconnect_after_expire = true
  verify_claims {}
}`;

let test: TestBroker;
afterEach(() => test.close());
const clock = new FakeClock();

/** The CONNACK for a client with this id and token. */
async function knock(
  clientId: string,
  token: string,
  version: 4 | 5 = 5,
): Promise<{ client: RawClient; code: number }> {
  const client = await test.connect();
  client.send(
    connectPacket({
      protocolVersion: version,
      clientId,
      username: "u",
      password: Buffer.from(token),
    }),
  );
  const connack = await client.next("connack");
  return { client, code: connack.reasonCode ?? connack.returnCode ?? -1 };
}

describe("story 1: a client id has to be the one in the token", () => {
  const sub = "urn:test:unitid:1001010-1000010:clientid:test";
  const start = async (position: number): Promise<void> => {
    const conf = `
      authentication = [
        {
          mechanism = cinfo
          enable = true
          checks = [
            {
              is_match = "str_neq(nth(${position}, tokens(jwt_value(password, 'sub'), ':')), clientid)"
              result = deny
            }
          ]
        },
        ${JWT}
      ]`;
    test = await startBroker(await engineFrom({ conf }));
  };

  for (const [position, clientId] of [
    [4, "1001010-1000010"],
    [6, "test"],
  ] as const) {
    it(`lets ${clientId} in, and nobody else (nth ${position})`, async () => {
      await start(position);
      const token = signToken({ sub }, SECRET);
      expect((await knock(clientId, token)).code).toBe(0);
      expect((await knock(`${clientId}x`, token)).code).toBe(0x86);
      expect((await knock(`${clientId}x`, token, 4)).code).toBe(4);
    });
  }

  it("refuses a wrong id before it looks at the signature", async () => {
    await start(4);
    const forged = signToken({ sub }, "not the secret");
    expect((await knock("somebody-else", forged)).code).toBe(0x86);
    expect((await test.logged("connect_refused")).by).toMatch(/cinfo/);
  });

  it("refuses a forged token with the right id by its signature", async () => {
    await start(4);
    const forged = signToken({ sub }, "not the secret");
    expect((await knock("1001010-1000010", forged)).code).toBe(0x86);
    const line = await test.logged("connect_refused");
    expect(line.by).toMatch(/jwt/);
    expect(line.reason).toBe("bad_signature");
    expect(test.text()).not.toContain(forged.slice(-20));
  });

  it("refuses tokens made to hurt", async () => {
    await start(4);
    const none = signToken({ sub }, SECRET, { alg: "none" });
    const nested = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const part = Buffer.from(nested).toString("base64url").slice(0, 60_000);
    const hostile = [
      ".".repeat(10_000),
      none,
      `${none.split(".")[0]}.${part}.x`,
      "",
      "\0",
      "a.b.c",
    ];
    for (const token of hostile) expect((await knock("1001010-1000010", token)).code).toBe(0x86);
    expect((await knock("1001010-1000010", signToken({ sub }, SECRET))).code).toBe(0);
  });
});

describe("story 2: the scope of a token opens topics", () => {
  const acl = `
    {allow, all, subscribe, ["myorg/\${client_attrs.jwt_scp}/#"]}.
    {allow, all, publish, ["myorg/#"]}.
    {deny, all}. % the last rule as safety guard
  `;
  const start = async (preset: "strict" | "emqx"): Promise<void> => {
    const conf = `
      authentication = [${JWT}]
      mqtt {
        client_attrs_init = [
          {
            expression = """nth(2, regex_extract(jwt_value(password, 'scp'), '(^|\\\\s)(read)(\\\\s|$)'))"""
            set_as_attr = jwt_scp
          }
        ]
      }
      authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
    const engine = await engineFrom({ conf, acl, preset, now: () => clock.now() });
    test = await startBroker(engine, clock);
  };
  const token = (scp: string, seconds = 60): string =>
    signToken({ scp, exp: Math.floor(clock.now() / 1000) + seconds }, SECRET);

  it("lets a reader subscribe below its scope and nothing wider", async () => {
    await start("strict");
    const { client } = await knock("reader", token("read openid foobar"));
    const filters = ["myorg/read/#", "myorg/read/a", "myorg/+/a", "myorg/#", "#", "myorg/write/#"];
    expect(await client.subscribe(filters)).toEqual([0, 0, 0x87, 0x87, 0x87, 0x87]);
    expect(await client.publish("myorg/read/a", { qos: 1 })).toBe(0);
    expect((await client.next("publish")).topic).toBe("myorg/read/a");
    expect(await client.publish("other/a", { qos: 1 })).toBe(0x87);
  });

  it("lets others publish only", async () => {
    await start("strict");
    const { client } = await knock("writer", token("openid readable"));
    expect(await client.subscribe(["myorg/read/#", "myorg//#"])).toEqual([0x87, 0x87]);
    expect(await client.publish("myorg/read/a", { qos: 1 })).toBe(0);
  });

  it("takes the doubled backslash at its word in emqx mode", async () => {
    await start("emqx");
    const { client: many } = await knock("many", token("read openid"));
    expect(await many.subscribe(["myorg/read/#"])).toEqual([0x87]);
    const { client: one } = await knock("one", token("read"));
    expect(await one.subscribe(["myorg/read/#"])).toEqual([0]);
  });

  for (const [preset, code] of [
    ["strict", 0xa0],
    ["emqx", 0x87],
  ] as const) {
    it(`ends with its token (${preset})`, async () => {
      await start(preset);
      const { client } = await knock("reader", token("read", 30));
      const { client: old } = await knock("old", token("read", 30), 4);
      await Promise.all([client.settled(), old.settled()]);
      clock.advance(30_200);
      expect((await client.next("disconnect")).reasonCode).toBe(code);
      await old.closed;
      expect((await knock("late", token("read", 0))).code).toBe(0x86);
    });
  }
});

describe("delivery under the real policy", () => {
  it("keeps what a broad subscription may not hear from the subscriber", async () => {
    const conf = `
      portcullis.allow_anonymous = true
      authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }`;
    const acl = `
      {deny, {clientid, "sub"}, subscribe, ["a/secret"]}.
      {allow, all}.`;
    test = await startBroker(await engineFrom({ conf, acl }));
    const subscriber = await test.join({ clientId: "sub" });
    expect(await subscriber.subscribe(["a/#", "a/secret"])).toEqual([0, 0x87]);
    const publisher = await test.join({ clientId: "pub" });
    for (const topic of ["a/secret", "a/open"]) await publisher.publish(topic, { qos: 1 });
    expect((await subscriber.next("publish")).topic).toBe("a/open");
  });
});
