/**
 * What a refused client learns: the reason code of the specification and nothing else. The bytes on the
 * wire are compared as a whole, so that a text, a length or an order of packets cannot tell more.
 */
import { once } from "node:events";
import { connect } from "node:net";
import mqtt from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { Engine } from "../../../src/index.ts";
import { connectPacket, FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
import { engineFrom } from "../../support/policy.ts";
import { makeToken } from "../../support/tokens.ts";
import { FakeUserDatabase } from "../../support/user-database.ts";

const SECRET = "a secret of thirty-two characters";
const NOW = 1_750_000_000;

const CHAIN = `authentication = [
  { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}"
    from = password, on_missing_jwt = ignore, verify_claims { role = reader } }
  { mechanism = password_based, backend = built_in_database
    password_hash_algorithm { name = plain, salt_position = disable } }
]`;

const token = (claims: object, secret = SECRET) =>
  makeToken("HS256", secret, { role: "reader", exp: NOW + 10, ...claims });
const good = token({});
const [head, body, signature] = good.split(".") as [string, string, string];

/** Why a client is refused; who is known has the name `ann`. */
const REASONS: Readonly<Record<string, { readonly username: string; readonly password: string }>> =
  {
    "unknown user": { username: "nobody", password: "right" },
    "unknown user, long password": { username: "nobody", password: "x".repeat(5_000) },
    "wrong password": { username: "ann", password: "wrong" },
    "password that is nearly right": { username: "ann", password: "righ" },
    "bad signature": { username: "nobody", password: token({}, "another secret") },
    "signature cut short": {
      username: "nobody",
      password: `${head}.${body}.${signature.slice(0, 8)}`,
    },
    "no signature": { username: "nobody", password: `${head}.${body}.` },
    expired: { username: "nobody", password: token({ exp: NOW - 10 }) },
    "not valid yet": { username: "nobody", password: token({ nbf: NOW + 10 }) },
    "claim mismatch": { username: "nobody", password: token({ role: "writer" }) },
    "claim missing": { username: "nobody", password: token({ role: undefined }) },
  };

let engine: Engine;
let test: TestBroker;

afterEach(async () => {
  await test.close();
  engine.close();
});

async function start(preset: Preset, more = ""): Promise<void> {
  const clock = new FakeClock(NOW * 1000);
  const users = new FakeUserDatabase().add("global//ann", { passwordHash: "right" });
  const conf = `${CHAIN}\n${more}`;
  engine = await engineFrom({ conf, preset, users, now: () => clock.now() });
  test = await startBroker(engine, clock);
}

/** Every byte that the client got until the connection was closed, in hexadecimal. */
async function heard(version: 4 | 5, credential: object): Promise<string> {
  const socket = connect(test.port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  const options = { protocolVersion: version };
  socket.write(mqtt.generate(connectPacket({ ...options, ...credential }), options));
  await once(socket, "close");
  return Buffer.concat(chunks).toString("hex");
}

const code = (reason: number) => reason.toString(16).padStart(2, "0");

/** The reason codes; where they differ, the specification says so (authentication §2.3, §3.3.3). */
const CODES: Readonly<Record<Preset, (reason: string) => 0x86 | 0x87>> = {
  // Nobody knows the user: all ignored. Everything else is a credential that is wrong.
  strict: (reason) => (reason.startsWith("unknown user") ? 0x87 : 0x86),
  // A token that does not verify is a failure there, which is skipped, and then the user is unknown.
  emqx: (reason) => (/unknown|signature/.test(reason) ? 0x87 : 0x86),
};

describe.each(["strict", "emqx"] as const)("what a refused client hears (%s)", (preset) => {
  it("is the code of its reason and not a byte more", async () => {
    await start(preset);
    for (const [reason, credential] of Object.entries(REASONS)) {
      const expected = CODES[preset](reason);
      expect(await heard(5, credential), reason).toBe(`200300${code(expected)}00`);
      const returnCode = expected === 0x86 ? 4 : 5;
      expect(await heard(4, credential), reason).toBe(`200200${code(returnCode)}`);
    }
  });

  it("is one text for one code where texts are wanted", async () => {
    await start(preset, "portcullis.refusal_reason_string = true");
    const answers = new Map<number, Set<string>>();
    for (const [reason, credential] of Object.entries(REASONS)) {
      const expected = CODES[preset](reason);
      const all = answers.get(expected) ?? new Set();
      answers.set(expected, all.add(await heard(5, credential)));
    }
    const sizes = [...answers].map(([reason, all]) => `${code(reason)}: ${all.size}`).sort();
    expect(sizes).toEqual(["86: 1", "87: 1"]);
  });

  it("is another thing than what an accepted one hears", async () => {
    await start(preset);
    for (const password of [good, "right"]) {
      const client = await test.connect();
      client.send(connectPacket({ username: "ann", password: Buffer.from(password) }));
      expect((await client.next("connack")).reasonCode).toBe(0);
    }
  });
});
