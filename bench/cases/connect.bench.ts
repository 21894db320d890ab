/**
 * A whole CONNECT decision through the engine, session opened and closed again: identity, attribute
 * expressions, the chain, the client record. Speed of light: the signature check over the same bytes.
 */
import { strict as assert } from "node:assert";
import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { Engine } from "../../src/index.ts";
import { compileTexts, startEngine } from "../data/policy.ts";
import { type BenchCase, type CaseReport, measureCase } from "../harness.ts";

const SECRET = "a shared secret of 32 characters";
const CLIENT_ID = "1001010-1000010";
const BUDGET_US = 10;

const JWT = `{
  mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}"
  from = password, disconnect_after_expire = true, verify_claims {}
}`;

/** The token belongs to one device. */
const STORY_1 = `
  authentication = [
    {
      mechanism = cinfo
      checks = [{
        is_match = "str_neq(nth(4, tokens(jwt_value(password,'sub'),':')), clientid)"
        result = deny
      }]
    }
    ${JWT}
  ]
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

/** An OAuth scope becomes a topic permission. */
const STORY_2 = `
  authentication = [${JWT}]
  mqtt.client_attrs_init = [{
    expression = """nth(2, regex_extract(jwt_value(password, 'scp'), '(^|\\s)(read)(\\s|$)'))"""
    set_as_attr = jwt_scp
  }]
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

const ACL = `
{allow, all, subscribe, ["myorg/\${client_attrs.jwt_scp}/#"]}.
{allow, all, publish, ["myorg/#"]}.
{deny, all}.
`;

export const cases: Readonly<Record<string, BenchCase>> = {
  "connect: story 1, token bound to one client id": (name) => storyCase(name, STORY_1),
  "connect: story 2, scope becomes an attribute": (name) => storyCase(name, STORY_2),
};

async function storyCase(name: string, config: string): Promise<CaseReport> {
  const engine = await startEngine(compileTexts(config, ACL));
  const token = mintToken();
  const password = Buffer.from(token);
  const ours = (): Promise<void> => connectOnce(engine, password);
  const bare = bareHmac(token);
  assert.equal(bare(), true);
  await assertDecides(engine, token);
  const report = await measureCase(
    name,
    `one ${token.length}-byte HS256 token, session opened and closed`,
    [
      { name: "portcullis", run: ours, isAsync: true },
      { name: "bare HMAC", run: bare },
    ],
  );
  const [decision, hmac] = report.rivals;
  const extra = ((decision!.medianNs - hmac!.medianNs) / 1e3).toFixed(1);
  return { ...report, notes: [`${extra} µs over the bare HMAC; budget ${BUDGET_US} µs`] };
}

async function connectOnce(engine: Engine, password: Uint8Array): Promise<void> {
  const answer = await engine.connect({ clientId: CLIENT_ID, username: "unit-7", password });
  if (answer.verdict !== "allow") throw new Error(answer.reason);
  answer.session.close();
}

/** The token is accepted; another client's and one with a changed signature are not. */
async function assertDecides(engine: Engine, token: string): Promise<void> {
  await connectOnce(engine, Buffer.from(token));
  const forged = `${token.slice(0, -4)}AAAA`;
  const answer = await engine.connect({ clientId: CLIENT_ID, password: Buffer.from(forged) });
  assert.equal(answer.verdict, "deny");
  const before = engine.policy.memory.exports.records_used();
  for (let i = 0; i < 100; i++) await connectOnce(engine, Buffer.from(token));
  assert.equal(engine.policy.memory.exports.records_used(), before);
}

function bareHmac(token: string): () => boolean {
  const end = token.lastIndexOf(".");
  const input = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  const key = createSecretKey(Buffer.from(SECRET));
  return () => timingSafeEqual(createHmac("sha256", key).update(input).digest(), signature);
}

function mintToken(): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = {
    iss: "https://id.example.com/",
    sub: `urn:test:unitid:${CLIENT_ID}:clientid:test`,
    scp: "read openid foobar",
    iat: now,
    exp: now + 86_400,
  };
  const input = `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}`;
  return `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
}
