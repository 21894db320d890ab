/** The first story with real clients: a client id has to be the one in the token. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../support/broker.ts";
import { type Device, knock, type Version } from "../../support/mqtt-client.ts";
import { engineFrom, signToken } from "../../support/policy.ts";

const PRINTED = readFileSync(new URL("../../fixtures/spoofing.conf", import.meta.url), "utf8");
const SECRET = "jwtpassfortest1";
const SUB = "urn:test:unitid:1001010-1000010:clientid:test";
const UNIT = "1001010-1000010";

let test: TestBroker;
let devices: Device[] = [];
afterEach(async () => {
  await Promise.all(devices.map((device) => device.leave()));
  devices = [];
  await test.close();
});

/** The policy as printed, or with the other part; EMQX itself insists on `use_jwks`. */
async function start(position: 4 | 6, preset: "strict" | "emqx" = "strict"): Promise<void> {
  const text = PRINTED.replace("nth(4,", `nth(${position},`);
  const conf =
    preset === "emqx" ? text.replace("mechanism = jwt", "mechanism = jwt, use_jwks = false") : text;
  test = await startBroker(await engineFrom({ conf, preset }));
}

/** 0, or the code of the refusal. */
async function connect(version: Version, clientId: string, password: string): Promise<number> {
  const answer = await knock({ port: test.port, version, clientId, username: "u", password });
  if (typeof answer === "number") return answer;
  devices.push(answer);
  return 0;
}

/** Who refused the last CONNECT, by the log. */
function refusedBy(): string {
  const line = test.lines.filter(({ event }) => event === "connect_refused").at(-1);
  return `${line?.by} ${line?.reason}`;
}

describe.each(["strict", "emqx"] as const)("a stolen token (%s)", (preset) => {
  for (const [position, clientId, other] of [
    [4, UNIT, "test"],
    [6, "test", UNIT],
  ] as const) {
    it(`opens for ${clientId} and for nobody else (nth ${position})`, async () => {
      await start(position, preset);
      const token = signToken({ sub: SUB }, SECRET);
      for (const [version, code] of [
        [5, 0x86],
        [4, 4],
      ] as const) {
        expect(await connect(version, clientId, token)).toBe(0);
        for (const wrong of [other, `${clientId}x`, clientId.slice(1), SUB]) {
          expect(await connect(version, wrong, token)).toBe(code);
          expect(refusedBy()).toBe("cinfo check_denied");
        }
      }
    });
  }
});

describe("a forged token", () => {
  it("with a wrong id is refused by cinfo, before any signature work", async () => {
    await start(4);
    const forged = signToken({ sub: SUB }, "somebody else's secret");
    expect(await connect(5, "spoofed", forged)).toBe(0x86);
    expect(refusedBy()).toBe("cinfo check_denied");
    expect(await connect(4, "spoofed", forged)).toBe(4);
    expect(refusedBy()).toBe("cinfo check_denied");
    // What is no signature at all gets the same answer: nobody has looked at it.
    expect(await connect(5, "spoofed", `${forged.split(".").slice(0, 2).join(".")}.!`)).toBe(0x86);
    expect(refusedBy()).toBe("cinfo check_denied");
  });

  it("with the right id is refused by jwt, for its signature", async () => {
    await start(4);
    const forged = signToken({ sub: SUB }, "somebody else's secret");
    expect(await connect(5, UNIT, forged)).toBe(0x86);
    expect(refusedBy()).toBe("jwt bad_signature");
    const [head, , signature] = signToken({ sub: SUB }, SECRET).split(".");
    const claims = Buffer.from(JSON.stringify({ sub: SUB, scp: "read" })).toString("base64url");
    expect(await connect(5, UNIT, `${head}.${claims}.${signature}`)).toBe(0x86);
    expect(refusedBy()).toBe("jwt bad_signature");
  });

  it("leaves nothing of itself in the log", async () => {
    await start(4);
    const forged = signToken({ sub: SUB }, "somebody else's secret");
    await connect(5, UNIT, forged);
    await connect(4, "spoofed", forged);
    for (const part of [...forged.split("."), SECRET]) expect(test.text()).not.toContain(part);
  });
});
