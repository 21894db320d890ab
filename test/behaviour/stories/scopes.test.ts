/** The second story with real clients: the scope of a token opens topics, until it expires. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
import { type Device, join, knock, type Version } from "../../support/mqtt-client.ts";
import { engineFrom, signToken } from "../../support/policy.ts";

const read = (name: string): string =>
  readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8");
const DOUBLED = read("scopes.conf").replace(/^include .*$/m, "");
const SINGLE = DOUBLED.replaceAll("\\\\s", "\\s");
const ACL = read("scopes.acl.conf");
const SECRET = "jwtpassfortest1";
const JWT = `authentication = [{
  mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}"
  from = password, disconnect_after_expire = true, verify_claims {}
}]`;

const VERSIONS: readonly Version[] = [4, 5];
const clock = new FakeClock();
let test: TestBroker;
let devices: Device[] = [];
afterEach(async () => {
  await Promise.all(devices.map((device) => device.leave()));
  devices = [];
  await test.close();
});

async function start(preset: "strict" | "emqx", text: string): Promise<void> {
  const conf = `${JWT}\n${text}`;
  test = await startBroker(
    await engineFrom({ conf, acl: ACL, preset, now: () => clock.now() }),
    clock,
  );
}

function token(scp: string | undefined, seconds = 60): string {
  return signToken({ scp, exp: Math.floor(clock.now() / 1000) + seconds }, SECRET);
}

async function device(version: Version, scp: string | undefined, seconds = 60): Promise<Device> {
  const clientId = `d${devices.length}`;
  const password = token(scp, seconds);
  const joined = await join({ port: test.port, version, clientId, username: "u", password });
  devices.push(joined);
  return joined;
}

describe.each([
  ["strict", "doubled", DOUBLED],
  ["strict", "single", SINGLE],
  ["emqx", "single", SINGLE],
] as const)("a token with the scope read (%s, %s backslash)", (preset, _, text) => {
  it.each(VERSIONS)("opens myorg/read/# and nothing wider (MQTT %i)", async (version) => {
    await start(preset, text);
    const no = version === 5 ? 0x87 : 0x80;
    for (const scp of ["read openid foobar", "openid read", "read"]) {
      const reader = await device(version, scp);
      const filters = ["myorg/read/#", "myorg/read/a/b", "myorg/read/+"];
      expect(await reader.subscribe(filters)).toEqual([0, 0, 0]);
      for (const wider of ["#", "myorg/#", "myorg/+/#", "+/read/#", "myorg/write/#", "myorg"]) {
        expect(await reader.subscribe([wider])).toEqual([no]);
      }
      await reader.publish("myorg/read/x");
      expect(await reader.until("myorg/read/x")).toEqual([]);
    }
  });

  it.each(VERSIONS)("is what lets a client in, not a word like it (MQTT %i)", async (version) => {
    await start(preset, text);
    const no = version === 5 ? 0x87 : 0x80;
    for (const scp of ["openid", "readable", "unread", "", undefined]) {
      const other = await device(version, scp);
      const filters = ["myorg/read/#", "myorg//#", "myorg/undefined/#", "myorg/#"];
      expect(await other.subscribe(filters)).toEqual([no, no, no, no]);
      expect(await other.publish("myorg/any/where")).toBe(0);
    }
  });
});

describe("publishing", () => {
  it("is open below myorg/ for both, and closed elsewhere", async () => {
    await start("strict", SINGLE);
    const listener = await device(5, "read");
    await listener.subscribe(["myorg/read/#"], 1);
    for (const scp of ["read", "openid"]) {
      const publisher = await device(5, scp);
      expect(await publisher.publish("other/read/x")).toBe(0x87);
      expect(await publisher.publish("myorg/read/x")).toBe(0);
      expect(await listener.until("myorg/read/x")).toEqual([]);
    }
  });
});

describe("the doubled backslash in emqx mode", () => {
  it("is a backslash and an s, which only a scope of `read` alone gets past", async () => {
    await start("emqx", DOUBLED);
    const many = await device(5, "read openid foobar");
    expect(await many.subscribe(["myorg/read/#"])).toEqual([0x87]);
    const one = await device(5, "read");
    expect(await one.subscribe(["myorg/read/#"])).toEqual([0]);
    const odd = await device(5, "openid\\sread\\sfoobar");
    expect(await odd.subscribe(["myorg/read/#"])).toEqual([0]);
  });
});

describe("the end of the token", () => {
  for (const [preset, version, how] of [
    ["strict", 5, 0xa0],
    ["emqx", 5, 0x87],
    ["strict", 4, "closed"],
    ["emqx", 4, "closed"],
  ] as const) {
    it(`is the end of the session: ${how} (${preset}, MQTT ${version})`, async () => {
      await start(preset, SINGLE);
      const [short, long] = [await device(version, "read", 30), await device(version, "read", 90)];
      await short.subscribe(["myorg/read/#"]);
      await long.subscribe(["myorg/read/#"]);
      clock.advance(29_000);
      await long.publish("myorg/read/1");
      await short.until("myorg/read/1");
      clock.advance(1_200);
      expect(await short.ended()).toBe(how);
      await long.publish("myorg/read/2");
      expect(await long.until("myorg/read/2")).toEqual(["myorg/read/1"]);
      expect(short.heard).toEqual([]);
      const late = { port: test.port, version, clientId: "late", username: "u" };
      const refusal = version === 5 ? 0x86 : 4;
      expect(await knock({ ...late, password: token("read", 0) })).toBe(refusal);
    });
  }
});
