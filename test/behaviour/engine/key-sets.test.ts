import { afterEach, describe, expect, it, vi } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import { compilePolicy } from "../../../src/compile/policy.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { loadModuleSync } from "../../../src/core/wasm-inline.gen.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { createEngine, type Engine } from "../../../src/engine.ts";
import type { TraceStep } from "../../../src/observe/trace.ts";
import { missingSecrets } from "../../../src/policy-meta.ts";
import { brief, engineOf, imageOf, START } from "../../support/engine.ts";
import { type FakeTime, fakeTime } from "../../support/fake-timers.ts";
import { type JwksServer, jwk, sendKeys, startJwksServer } from "../../support/jwks-server.ts";
import { makeKeyPair } from "../../support/key-pair.ts";
import { encodePart, keyPairFor, makeToken, p256, rsa } from "../../support/tokens.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const modules = loadModuleSync();

function textOf(server: JwksServer, more = ""): string {
  return `authentication = [{ mechanism = jwt, use_jwks = true, endpoint = "${server.url}", ${more} }]`;
}

interface Running {
  readonly engine: Engine;
  readonly server: JwksServer;
  readonly time: FakeTime;
  login(password: string): Promise<string>;
}

async function start(
  keys: readonly unknown[],
  more = "",
  crypto = createNodeCrypto(),
): Promise<Running> {
  const server = await startJwksServer(keys);
  opened.push(server.close);
  const time = fakeTime(START * 1000);
  const engine = await createEngine({
    image: imageOf({ text: textOf(server, more) }),
    crypto,
    ports: { now: time.now, setTimer: time.setTimer },
    module: modules,
  });
  opened.push(() => engine.close());
  const login = async (password: string): Promise<string> => {
    const decision = await engine.connect({ clientId: "c1", password });
    if (decision.verdict === "allow") decision.session.close();
    return brief(decision);
  };
  return { engine, server, time, login };
}

const signed = (kid: string | undefined, algorithm = "ES256"): string =>
  makeToken(algorithm, keyPairFor(algorithm).privateKey, {}, { alg: algorithm, kid });

/** Named by a kid that nobody has; no key ever gets to look at the signature. */
const forged = (kid: string): string => `${encodePart({ alg: "ES256", kid })}.e30.AAAA`;

describe("keys from an endpoint", () => {
  it("admit whom they sign for, and nobody else", async () => {
    for (const crypto of [createNodeCrypto(), createJoseCrypto()]) {
      const { login } = await start([jwk(p256, { kid: "k" })], "", crypto);
      expect(await login(signed("k"))).toBe("allow by jwt");
      expect(await login(signed(undefined))).toBe("allow by jwt");
      expect(await login(signed("other"))).toBe("0x86 no_key by jwt");
      expect(await login(signed("k", "ES384"))).toBe("0x86 no_key by jwt");
      expect(await login(`${signed("k").slice(0, -4)}AAAA`)).toBe("0x86 bad_signature by jwt");
    }
  });

  it("rotate under load without refusing anybody", async () => {
    const { server, time, login } = await start([jwk(p256, { kid: "k0" })]);
    const outcomes: string[] = [];
    for (let round = 1; round <= 12; round += 1) {
      server.answer = [jwk(p256, { kid: `k${round}` }), jwk(p256, { kid: `k${round - 1}` })];
      const tokens = Array.from({ length: 100 }, (_, index) => signed(`k${round - (index % 2)}`));
      outcomes.push(...(await Promise.all(tokens.map(login))));
      time.advance(10_000);
    }
    expect(outcomes).toHaveLength(1200);
    expect(new Set(outcomes)).toEqual(new Set(["allow by jwt"]));
    expect(server.requests).toHaveLength(13);
  });

  it("change under the same key id without refusing anybody", async () => {
    const { server, time, login } = await start([jwk(p256, { kid: "k" })]);
    const outcomes: string[] = [];
    let old = signed("k");
    for (let round = 1; round <= 12; round += 1) {
      const pair = makeKeyPair("ec", { namedCurve: "P-256" });
      const token = makeToken("ES256", pair.privateKey, {}, { alg: "ES256", kid: "k" });
      server.answer = [jwk(pair, { kid: "k" })];
      outcomes.push(...(await Promise.all(Array.from({ length: 100 }, () => login(token)))));
      expect(await login(old)).toBe("0x86 bad_signature by jwt");
      old = token;
      time.advance(10_000);
    }
    expect(outcomes).toHaveLength(1200);
    expect(new Set(outcomes)).toEqual(new Set(["allow by jwt"]));
    expect(server.requests).toHaveLength(13);
  });

  it("change their kind under the same key id", async () => {
    const { server, login } = await start([jwk(p256, { kid: "k" })]);
    server.answer = [jwk(rsa, { kid: "k" })];
    expect(await login(signed("k", "RS256"))).toBe("allow by jwt");
    expect(server.requests).toHaveLength(2);
  });

  it("are fetched once for 10,000 connects with bad signatures, and good ones get in", async () => {
    const { server, time, login } = await start([jwk(p256, { kid: "k" })]);
    const good = signed("k");
    const badly = makeToken("ES256", p256.privateKey, { a: 1 }, { alg: "ES256", kid: "k" });
    const bad = [good.split(".").slice(0, 2), badly.split(".").slice(2)].flat().join(".");
    const flood = (count: number): Promise<string[]> =>
      Promise.all(
        Array.from({ length: count }, (_, index) => login(index % 100 === 0 ? good : bad)),
      );
    const outcomes = await flood(10_000);
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    expect(count("allow by jwt")).toBe(100);
    expect(count("0x86 bad_signature by jwt")).toBe(9900);
    expect(server.requests).toHaveLength(2);
    time.advance(9_999);
    await flood(200);
    expect(server.requests).toHaveLength(2);
    time.advance(1);
    await flood(200);
    expect(server.requests).toHaveLength(3);
  });

  it("serve through an outage longer than the interval, and end at their age", async () => {
    const { server, time, login } = await start(
      [jwk(p256, { kid: "k" })],
      "refresh_interval = 10, max_fail_count = 6",
    );
    server.answer = (response) => void response.destroy();
    for (let seconds = 1; seconds <= 60; seconds += 1) {
      time.setClock((START + seconds) * 1000);
      expect(await login(signed("k"))).toBe("allow by jwt");
    }
    time.setClock(START * 1000 + 60_001);
    expect(await login(signed("k"))).toBe("0x88 backend_unavailable by jwt");
    server.answer = [jwk(p256, { kid: "k" })];
    time.setClock((START + 120) * 1000);
    expect(await login(signed("k"))).toBe("allow by jwt");
  });

  it("are fetched once for 10,000 connects with unknown key ids, and good ones get in", async () => {
    const { server, login } = await start([jwk(p256, { kid: "k" })]);
    const good = signed("k");
    const logins = Array.from({ length: 10_000 }, (_, index) =>
      login(index % 100 === 0 ? good : forged(`x${index}`)),
    );
    const outcomes = await Promise.all(logins);
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    expect(count("allow by jwt")).toBe(100);
    expect(count("0x86 no_key by jwt")).toBe(9900);
    expect(server.requests).toHaveLength(2);
  });

  it("are missing at first when the endpoint is down: nobody gets in, and the operator is told", async () => {
    const { engine, server, time, login } = await start([]);
    server.answer = (response) => void response.writeHead(503).end();
    await engine.reload(imageOf({ text: textOf(server, 'headers { X-Tenant = "t" }') }));
    expect(engine.policy.issues).toMatchObject([
      { code: "WARN_CONFIG_KEY_SET", severity: "warning", path: "authentication[1].endpoint" },
    ]);
    expect(await login(signed("k"))).toBe("0x88 backend_unavailable by jwt");
    server.answer = [jwk(p256, { kid: "k" })];
    time.advance(time.delaysMs.at(-1)!);
    expect(await login(signed("k"))).toBe("allow by jwt");
  });

  it("survive a reload in an outage", async () => {
    const { engine, server, login } = await start([jwk(p256, { kid: "k" })]);
    server.answer = (response) => void response.destroy();
    await engine.reload(imageOf({ text: textOf(server) }));
    expect(await login(signed("k"))).toBe("allow by jwt");
  });

  it("leave no timer behind: a closed engine and a refused policy are quiet", async () => {
    const { engine, server, time } = await start([jwk(p256, { kid: "k" })]);
    const broken = `authentication = [
      { mechanism = jwt, use_jwks = true, endpoint = "${server.url}" }
    ]
    listeners.tcp.default { bind = 1883, authentication = [
      { mechanism = jwt, use_jwks = true, endpoint = "http://u:p@localhost/" }
    ] }`;
    expect(time.pending()).toBe(1);
    await expect(engine.reload(imageOf({ text: broken }))).rejects.toThrow(/username or password/);
    await vi.waitFor(() => expect(time.pending()).toBe(1));
    engine.close();
    expect(time.pending()).toBe(0);
  });

  it("are explained by set and key id, without a piece of the token", async () => {
    const { engine } = await start([jwk(p256, { kid: "k" })]);
    const explain = async (password: string): Promise<TraceStep[]> => {
      const steps: TraceStep[] = [];
      await engine.connect({ clientId: "c1", password }, { trace: (step) => steps.push(step) });
      return steps.filter(({ stage }) => stage === "authentication");
    };
    const good = signed("k");
    const steps = await explain(good);
    expect(steps[0]?.detail).toMatch(
      /^key set http:\S+\/keys \(1 keys, 0 s old\), .*kid `k`: 1 fit$/,
    );
    for (const part of good.split(".")) expect(JSON.stringify(steps)).not.toContain(part);
    const [refused] = await explain(signed("other"));
    expect(refused).toMatchObject({ outcome: "deny" });
    expect(refused?.detail).toMatch(/^no_key; key set .*fetched again\), .*kid `other`: 0 fit$/);
  });
});

describe("two issuers in a chain", () => {
  it("are each judged by their own keys, and nobody by the other's", async () => {
    const issuers = ["https://a.example", "https://b.example"] as const;
    const pairs = [p256, makeKeyPair("ec", { namedCurve: "P-256" })];
    const servers = await Promise.all(
      pairs.map((pair, index) => startJwksServer([jwk(pair, { kid: `k${index}` })])),
    );
    for (const server of servers) opened.push(server.close);
    const members = issuers.map(
      (issuer, index) =>
        `{ mechanism = jwt, use_jwks = true, issuer = "${issuer}", endpoint = "${servers[index]!.url}" }`,
    );
    const { login, trace } = await engineOf({ text: `authentication = [${members.join(", ")}]` });
    const by = (pair: number, iss: string | undefined, kid = `k${pair}`): string =>
      makeToken("ES256", pairs[pair]!.privateKey, { iss }, { alg: "ES256", kid });
    expect(await login({ password: by(0, issuers[0]) })).toBe("allow by jwt:https://a.example");
    expect(await login({ password: by(1, issuers[1]) })).toBe("allow by jwt:https://b.example");
    expect(await login({ password: by(1, issuers[0]) })).toBe(
      "0x86 no_key by jwt:https://a.example",
    );
    expect(await login({ password: by(0, issuers[1], "k1") })).toBe(
      "0x86 bad_signature by jwt:https://b.example",
    );
    expect(await login({ password: by(0, "https://c.example") })).toBe("0x87 all_ignored by chain");
    expect(await login({ password: by(0, undefined) })).toBe("0x87 all_ignored by chain");
    const steps = (await trace({ password: by(1, issuers[1]) })).map(
      ({ at, detail }) => `${at}: ${detail}`,
    );
    expect(steps.join("\n")).toMatch(
      /jwt:https:\/\/a\.example: other_issuer; `iss` is not `https:\/\/a/,
    );
    expect(steps.join("\n")).toMatch(/jwt:https:\/\/b\.example: .*key set http:.*kid `k1`: 1 fit/);
  });

  it("can have their keys looked up, and the keys may move", async () => {
    const paths: string[] = [];
    let keysAt = "/keys/1";
    const server = await startJwksServer((response, { url = "" }) => {
      paths.push(url);
      if (!url.startsWith("/.well-known/")) return sendKeys(response, [jwk(p256, { kid: url })]);
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}${keysAt}` }));
    });
    opened.push(server.close);
    const issuer = new URL(server.url).origin;
    const { login } = await engineOf({
      text: `authentication { mechanism = jwt, use_jwks = true, issuer = "${issuer}" }`,
    });
    const by = (kid: string): string =>
      makeToken("ES256", p256.privateKey, { iss: issuer }, { alg: "ES256", kid });
    expect(await login({ password: by("/keys/1") })).toBe(`allow by jwt:${issuer}`);
    keysAt = "/keys/2";
    expect(await login({ password: by("/keys/2") })).toBe(`allow by jwt:${issuer}`);
    expect(await login({ password: by("/keys/1") })).toBe(`0x86 no_key by jwt:${issuer}`);
    const wellKnown = "/.well-known/openid-configuration";
    expect(paths).toEqual([wellKnown, "/keys/1", wellKnown, "/keys/2"]);
  });
});

describe("an image with a key set", () => {
  it("holds no header that could be a credential, and wants it supplied", async () => {
    const server = await startJwksServer([jwk(p256, { kid: "k" })]);
    opened.push(server.close);
    const text = textOf(
      server,
      'headers { Accept = "application/json", Authorization = "s3cret" }',
    );
    const { config } = loadConfig({ text, file: "test.conf", env: {} });
    const { image } = compilePolicy(config);
    expect(Buffer.from(image).includes("s3cret")).toBe(false);
    const path = "authentication[1].headers.Authorization";
    expect(missingSecrets(image)).toEqual([path]);
    const options = { image, crypto: createNodeCrypto(), module: modules };
    await expect(createEngine(options)).rejects.toThrow(path);
    const engine = await createEngine({ ...options, secrets: { [path]: "supplied" } });
    engine.close();
    expect(server.requests.map(({ authorization }) => authorization)).toEqual(["supplied"]);
  });
});
