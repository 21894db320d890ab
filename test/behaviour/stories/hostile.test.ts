/** Hostile clients against the whole thing: real sockets, real engine, both stories' policy. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import mqtt from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/index.ts";
import { connectPacket, startBroker, type TestBroker } from "../../support/broker.ts";
import { makeKeyPair } from "../../support/key-pair.ts";
import { type Device, knock } from "../../support/mqtt-client.ts";
import { engineFrom, signToken } from "../../support/policy.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8");
const POLICY = `${read("spoofing.conf")}\n${read("scopes.conf").replace(/^include .*$/m, "")}`;
const ACL = read("scopes.acl.conf");
const SECRET = "jwtpassfortest1";

let test: TestBroker;
let engine: Engine;
let devices: Device[] = [];

afterEach(async () => {
  await Promise.all(devices.map((device) => device.leave()));
  devices = [];
  while (test.broker.connections > 0) await new Promise(setImmediate);
  expect(recordsUsed()).toBe(0);
  await test.close();
});

async function start(conf = POLICY): Promise<void> {
  engine = await engineFrom({ conf, acl: ACL });
  test = await startBroker(engine);
}

function recordsUsed(): number {
  return engine.policy.memory.exports.records_used();
}

const tokenOf = (clientId: string, claims: object = {}): string =>
  signToken({ sub: `urn:test:unitid:${clientId}:clientid:test`, scp: "read", ...claims }, SECRET);

/** 0, or the code of the refusal. */
async function enter(clientId: string, password: string, version: 4 | 5 = 5): Promise<number> {
  const answer = await knock({ port: test.port, version, clientId, username: "u", password });
  if (typeof answer === "number") return answer;
  devices.push(answer);
  return 0;
}

/** An ordinary client is served as ever, whatever happened before. */
async function expectService(): Promise<void> {
  expect(await enter("ordinary", tokenOf("ordinary"))).toBe(0);
  const device = devices.at(-1)!;
  expect(await device.subscribe(["myorg/read/#", "#"])).toEqual([0, 0x87]);
  await device.publish("myorg/read/1");
  expect(await device.until("myorg/read/1")).toEqual([]);
}

const code = (text: string): string => Buffer.from(text).toString("base64url");

describe("the broker stays up, refuses and says why", () => {
  it("garbage, at the start and after a CONNECT", async () => {
    await start();
    const hello = mqtt.generate(
      connectPacket({ clientId: "g", username: "u", password: Buffer.from(tokenOf("g")) }),
    );
    for (let n = 0; n < 60; n++) {
      const client = await test.connect();
      const noise = randomBytes(1 + n * 40);
      client.sendRaw(n % 2 ? Buffer.concat([hello, noise]) : noise);
      client.socket.end();
      await client.closed;
    }
    await expectService();
  });

  it("client ids of 64 KiB, whose log lines stay short", async () => {
    await start();
    const clientId = "x".repeat(65_535);
    const client = await test.connect();
    const password = Buffer.from(tokenOf("short"));
    client.send(connectPacket({ clientId, username: "u", password }));
    expect((await client.next("connack")).reasonCode).toBe(0x86);
    await client.closed;
    expect(JSON.stringify(await test.logged("connect_refused")).length).toBeLessThan(1_000);
    await expectService();
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])(
    "a client called %s, which is one like any other",
    async (clientId) => {
      await start();
      expect(await enter(clientId, tokenOf("ordinary"))).toBe(0x86);
      expect(await enter(clientId, tokenOf(clientId))).toBe(0);
      const device = devices[0]!;
      expect(await device.subscribe(["myorg/read/#", `myorg/read/${clientId}`, clientId])).toEqual([
        0, 0, 0x87,
      ]);
      await device.publish(`myorg/read/${clientId}`);
      await device.until(`myorg/read/${clientId}`);
      // Its own name is no claim, no attribute and no scope.
      expect(await enter("other", tokenOf("other", { scp: clientId }))).toBe(0);
      expect(await devices[1]!.subscribe([`myorg/${clientId}/#`, "myorg//#"])).toEqual([
        0x87, 0x87,
      ]);
      await expectService();
    },
  );

  it("a thousand connections in the middle of their CONNECT", async () => {
    await start();
    const half = mqtt.generate(connectPacket({ clientId: "half" })).subarray(0, 9);
    const sockets: Socket[] = await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => {
        const socket = connect(test.port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        if (n % 2) socket.write(half);
        return socket;
      }),
    );
    await expectService();
    expect(test.broker.connections).toBe(1_001);
    for (const socket of sockets) socket.destroy();
  });

  const NESTED = `${"[".repeat(22_000)}${"]".repeat(22_000)}`;
  const HEAD = code('{"alg":"HS256","typ":"JWT"}');
  const DEEP = `{"sub":"urn:test:unitid:ordinary","x":${NESTED}}`;
  const HOSTILE: Readonly<Record<string, string>> = {
    "10,000 dots": ".".repeat(10_000),
    "10,000 dots behind a header": `${HEAD}${".".repeat(10_000)}`,
    "60 KB of nested arrays": `${HEAD}.${code(NESTED)}.c2ln`,
    "nested arrays beside the right claim": `${HEAD}.${code(DEEP)}.c2ln`,
    "nested arrays for a header": `${code(NESTED)}.e30.c2ln`,
    "a claim of 40,000 colons": `${HEAD}.${code(`{"sub":"${":".repeat(40_000)}"}`)}.c2ln`,
    "alg none": signToken({ sub: "urn:test:unitid:ordinary" }, SECRET, { alg: "none" }),
    "alg none, not signed": `${code('{"alg":"none"}')}.${code(DEEP.replace(NESTED, "1"))}.`,
    "alg NoNe": signToken({ sub: "urn:test:unitid:ordinary" }, SECRET, { alg: "NoNe" }),
    "sub twice": `${HEAD}.${code('{"sub":"a:b:c:ordinary","sub":"a:b:c:x"}')}.c2ln`,
    "bytes that are no UTF-8": `${HEAD}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.c2ln`,
    "64 KiB of anything": "A".repeat(65_535),
    "an empty one": "",
  };

  it.each(Object.entries(HOSTILE))("a token of %s", async (_, token) => {
    await start();
    for (const version of [5, 4] as const) {
      expect(await enter("ordinary", token, version)).toBe(version === 5 ? 0x86 : 4);
    }
    const line = await test.logged("connect_refused");
    expect(`${line.by}`).toMatch(/^(cinfo|jwt)$/);
    expect(`${line.reason}`).toMatch(/^[a-z_]+$/);
    const tail = token.slice(-12);
    if (tail.length === 12) expect(test.text()).not.toContain(tail);
    await expectService();
  });

  it("an HS256 token signed with the RSA public key", async () => {
    const { publicKey, privateKey } = makeKeyPair("rsa", { modulusLength: 2048 });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    await start(`authentication = [{
      mechanism = jwt, use_jwks = false, algorithm = "public-key", from = password
      public_key = """${pem}"""
    }]`);
    const der = publicKey.export({ type: "spki", format: "der" });
    const keys = [pem, pem.trim(), pem.replaceAll("\n", "\r\n"), der.toString("latin1")];
    for (const key of keys) {
      expect(await enter("a", signToken({ sub: "a" }, key))).toBe(0x86);
      const line = test.lines.filter(({ event }) => event === "connect_refused").at(-1);
      expect(line?.reason).toBe("alg_not_allowed");
    }
    expect(privateKey.type).toBe("private");
  });
});
