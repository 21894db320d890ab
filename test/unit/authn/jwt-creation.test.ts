import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { JwtConfig } from "../../../src/config/config.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { KeySetStore } from "../../../src/crypto/jwks-store.ts";
import { fakeTime } from "../../support/fake-timers.ts";
import { ask, brief, create, type Setup } from "../../support/jwt.ts";
import { makeKeyPair } from "../../support/key-pair.ts";
import {
  type KeyPair,
  makeToken,
  otherRsa,
  rsa,
  secp256k1,
  spkiPem,
} from "../../support/tokens.ts";

describe("creation", () => {
  const problem = async (setup: Setup) => {
    const creation = await create(setup);
    return creation.ok ? creation.issues.map((issue) => issue.code) : creation.issues[0]?.message;
  };
  const hmac = (secret: string | null, secretBase64Encoded = false): Partial<JwtConfig> => ({
    keys: { type: "hmac", secret, secretBase64Encoded },
  });
  const pem = (text: string): Partial<JwtConfig> => ({ keys: { type: "public_key", pem: text } });

  it("fails for what is no key, and says where", async () => {
    expect(await problem({ config: hmac("!!", true) })).toMatch(/base64/);
    expect(await problem({ config: hmac(null) })).toMatch(/not known/);
    for (const text of ["", "nonsense", JSON.stringify(rsa.publicKey.export({ format: "jwk" }))]) {
      expect(await problem({ config: pem(text) })).toMatch(/PEM/);
    }
    const creation = await create({ config: pem("") });
    expect(creation.issues[0]).toMatchObject({
      severity: "error",
      path: "authentication[0].public_key",
    });
  });

  it("refuses an empty secret and warns of a short one in strict mode only", async () => {
    expect(await problem({ config: hmac("") })).toEqual([]);
    expect(await problem({ config: hmac(""), preset: "strict" })).toMatch(/empty secret/);
    expect(await problem({ config: hmac("short"), preset: "strict" })).toEqual([
      "WARN_CONFIG_SHORT_SECRET",
    ]);
    expect(await problem({ config: hmac("x".repeat(32)), preset: "strict" })).toEqual([]);
  });

  it("refuses short keys where that is wanted, in any mode", async () => {
    const short = makeKeyPair("rsa", { modulusLength: 2047 });
    const pem = (pair: KeyPair) => ({ type: "public_key" as const, pem: spkiPem(pair.publicKey) });
    const secret = (length: number) =>
      ({ type: "hmac", secret: "s".repeat(length), secretBase64Encoded: false }) as const;
    const made = async (keys: JwtConfig["keys"], refuseShortKeys: boolean, preset: Preset) => {
      const { ok, issues } = await create({ preset, config: { keys, refuseShortKeys } });
      return [ok, ...issues.map(({ severity, code }) => `${severity} ${code}`)];
    };
    for (const preset of ["strict", "emqx"] as const) {
      expect(await made(pem(short), true, preset)).toEqual([false, "error ERR_CONFIG_KEY"]);
      expect(await made(secret(31), true, preset)).toEqual([false, "error ERR_CONFIG_KEY"]);
      expect(await made(pem(rsa), true, preset)).toEqual([true]);
      expect(await made(secret(32), true, preset)).toEqual([true]);
    }
    expect(await made(pem(short), false, "strict")).toEqual([
      true,
      "warning WARN_CONFIG_SHORT_KEY",
    ]);
  });

  it("leaves a secret to the hashes it is long enough for", async () => {
    const secret = "s".repeat(48);
    const keys = { type: "hmac", secret, secretBase64Encoded: false } as const;
    const answer = async (alg: string, refuseShortKeys: boolean) =>
      brief(await ask(makeToken(alg, secret, {}), { config: { keys, refuseShortKeys } }));
    expect(await answer("HS384", true)).toBe("ok");
    expect(await answer("HS512", true)).toBe("BFR no_key");
    expect(await answer("HS512", false)).toBe("ok");
  });

  it("of several PEM blocks lets any have signed, in strict mode", async () => {
    const config = pem(`${spkiPem(rsa.publicKey)}\n${spkiPem(otherRsa.publicKey)}`);
    for (const crypto of [createNodeCrypto(), createJoseCrypto()]) {
      for (const { privateKey } of [rsa, otherRsa]) {
        const signed = makeToken("RS256", privateKey, {}, { alg: "RS256", kid: "any" });
        expect(brief(await ask(signed, { preset: "strict", crypto, config }))).toBe("ok");
      }
    }
    expect(await problem({ config })).toMatch(/more than one PEM block/);
  });

  it("warns of a key that no algorithm can use", async () => {
    const config = pem(spkiPem(secp256k1.publicKey));
    expect(await problem({ config })).toEqual(["WARN_CONFIG_KEY_UNSUPPORTED"]);
  });

  it("does not look at the key of a disabled authenticator", async () => {
    for (const config of [pem("nonsense"), hmac("!!", true)]) {
      expect(await problem({ config: { ...config, enable: false } })).toEqual([]);
    }
  });

  it("never quotes the secret or the key", async () => {
    const configs = [
      hmac("s3cret!!", true),
      pem("-----BEGIN PUBLIC KEY-----\ns3cret!\n-----END PUBLIC KEY-----"),
    ];
    for (const config of configs) {
      const creation = await create({ config });
      expect(creation.ok).toBe(false);
      expect(JSON.stringify(creation)).not.toContain("s3cret");
    }
  });
});

describe("creation with an endpoint", () => {
  const endpoint = (url: string, headers: Record<string, string | null> = {}) => ({
    type: "jwks" as const,
    endpoint: url,
    headers,
    refreshIntervalSeconds: 300,
  });

  async function createWith(keys: JwtConfig["keys"], preset: Preset = "strict") {
    const urls: string[] = [];
    const headers: unknown[] = [];
    const time = fakeTime(0);
    const creation = await create({
      preset,
      config: { keys },
      remote: {
        fetch: (url, init) => {
          urls.push(url);
          headers.push(init.headers);
          return Promise.resolve(
            Response.json({ keys: [rsa.publicKey.export({ format: "jwk" })] }),
          );
        },
        setTimer: time.setTimer,
        random: () => 0,
        store: new KeySetStore(),
      },
    });
    if (creation.ok) creation.authenticator.close?.();
    expect(time.pending()).toBe(0);
    const said = creation.issues.map(({ path, message }) => `${path}: ${message}`);
    return { ok: creation.ok, said, urls, headers };
  }

  it("asks it, with the headers that are not the connection's own", async () => {
    const headers = { Accept: "application/json", Connection: "close", Authorization: "s3cret" };
    const made = await createWith(endpoint("https://idp.test/keys", headers));
    expect(made).toEqual({
      ok: true,
      said: ["authentication[0].headers.Connection: the connection decides this header itself"],
      urls: ["https://idp.test/keys"],
      headers: [{ Accept: "application/json", Authorization: "s3cret" }],
    });
  });

  it.each([
    ["idp.test/keys", {}, /^authentication\[0\]\.endpoint: .*URL$/],
    ["file:///keys", {}, /URL$/],
    ["https://[", {}, /URL$/],
    ["https://u@idp.test/", {}, /username or password$/],
    ["https://:s3cret@idp.test/", {}, /username or password$/],
    ["https://idp.test/", { "a b": "s3cret" }, /^authentication\[0\]\.headers\.a b: /],
    ["https://idp.test/", { a: "s3cret\n\u0001\n" }, /^authentication\[0\]\.headers\.a: /],
    ["https://idp.test/", { a: null }, /^authentication\[0\]\.headers\.a: /],
  ])("refuses %s with %j", async (url, headers, expected) => {
    const made = await createWith(endpoint(url, headers));
    expect(made).toMatchObject({ ok: false, urls: [] });
    expect(made.said.join()).toMatch(expected);
    expect(made.said.join()).not.toContain("s3cret");
  });

  it("warns of plain HTTP, unless it stays on this machine or the reference's ways are wanted", async () => {
    const said = async (url: string, preset?: Preset) =>
      (await createWith(endpoint(url), preset)).said;
    expect(await said("http://idp.test/")).toEqual([expect.stringMatching(/use https$/)]);
    expect(await said("http://127.0.0.1:1/")).toEqual([]);
    expect(await said("http://localhost/")).toEqual([]);
    expect(await said("http://idp.test/", "emqx")).toEqual([]);
  });

  it("refuses a key set where nothing can be fetched, unless it is disabled", async () => {
    const keys = endpoint("https://idp.test/");
    expect(await create({ config: { keys } })).toMatchObject({ ok: false });
    expect(await create({ config: { keys, enable: false } })).toMatchObject({ ok: true });
  });
});
