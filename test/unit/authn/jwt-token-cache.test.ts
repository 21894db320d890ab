import { describe, expect, it, vi } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import { ENTRY_BYTES, TokenCache } from "../../../src/authn/jwt/token-cache.ts";
import { createJwtAuthenticatorWith } from "../../../src/authn/jwt.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import type { JwtConfig } from "../../../src/config/config.ts";
import type { Crypto, VerificationKey } from "../../../src/crypto/crypto.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { createStaticKeySource } from "../../../src/crypto/key-source.ts";
import { readPem } from "../../../src/crypto/pem.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { brief, claims, N } from "../../support/jwt.ts";
import { makeToken, otherRsa, rsa, spkiPem } from "../../support/tokens.ts";

const key = (name: string): VerificationKey => ({ type: "oct", bits: 256, handle: name });
const A = key("a");
const B = key("b");

describe("the table of verified tokens", () => {
  const table = (maxCount: number, maxBytes = 1e9): TokenCache =>
    new TokenCache({ maxCount, maxBytes });

  it("knows what was added, under the key that verified it", () => {
    const cache = table(10);
    cache.add("x", A, 1000);
    expect(cache.holds("x", [B, A], 1000)).toBe(true);
    expect(cache.holds("y", [A], 1000)).toBe(false);
    expect(cache.holds("x", [B], 1000)).toBe(false);
    expect(cache.holds("x", [A], 1000)).toBe(false);
    expect(cache.size).toBe(0);
  });

  it("forgets a token whose time is over", () => {
    const cache = table(10);
    cache.add("x", A, 1000);
    expect(cache.holds("x", [A], 1001)).toBe(false);
    expect(cache.size).toBe(0);
  });

  it("holds as many as it may, and lets go of the one unused for longest", () => {
    const cache = table(3);
    for (const digest of ["a", "b", "c"]) cache.add(digest, A, 1000);
    expect(cache.holds("a", [A], 0)).toBe(true);
    cache.add("d", A, 1000);
    expect(cache.size).toBe(3);
    const held = ["a", "b", "c", "d"].filter((digest) => cache.holds(digest, [A], 0));
    expect(held).toEqual(["a", "c", "d"]);
  });

  it("stays within its bytes", () => {
    const cache = table(1_000_000, ENTRY_BYTES * 5 - 1);
    for (let index = 0; index < 100; index += 1) cache.add(`${index}`, A, 1000);
    expect(cache.size).toBe(4);
  });
});

describe.each([
  ["node:crypto", createNodeCrypto],
  ["WebCrypto", createJoseCrypto],
])("an authenticator with a token cache on %s", (_name, createCrypto) => {
  const PAYLOAD = { sub: "c1", nbf: N, exp: N + 100 };
  const token = makeToken("RS256", rsa.privateKey, PAYLOAD);

  async function start(more: Partial<JwtConfig> = {}) {
    const crypto: Crypto = createCrypto();
    const verify = vi.spyOn(crypto, "verify");
    const pem = readPem(spkiPem(rsa.publicKey));
    if (!pem.ok) throw new Error(pem.problem);
    const imported = await crypto.importPem(pem.blocks[0]!);
    if (!imported.ok) throw new Error(imported.problem);
    const keys = { now: [imported.key] as readonly VerificationKey[], ms: N * 1000 };
    const config: JwtConfig = {
      id: "jwt",
      path: "authentication[1]",
      mechanism: "jwt",
      enable: true,
      keys: { type: "public_key", pem: "" },
      from: "password",
      verifyClaims: claims({ sub: "${clientid}" }).verifyClaims!,
      aclClaimName: "acl",
      onMissingJwt: "deny",
      disconnectAfterExpire: true,
      leewaySeconds: 0,
      tokenCache: { maxCount: 10, maxBytes: 1_000_000 },
      ...more,
    };
    const source = {
      family: "public_key" as const,
      find: (...about: Parameters<ReturnType<typeof createStaticKeySource>["find"]>) =>
        createStaticKeySource("public_key", keys.now, { selectsByKid: true }).find(...about),
    };
    const authenticator = createJwtAuthenticatorWith(
      config,
      source,
      { switches: resolveSwitches("strict"), securityProfile: "legacy" },
      {
        crypto,
        clock: { now: () => keys.ms },
        readAcl: () => ({ ok: true, rules: undefined }),
      },
    );
    /** The answer, and how many signatures were checked for it. */
    const ask = async (password: ClientInfo["password"] = token, clientId = "c1") => {
      verify.mockClear();
      const client = { clientId, password };
      const answer = await authenticator.authenticate({ client, clientAttrs: {} });
      return [brief(answer), verify.mock.calls.length];
    };
    return { ask, keys, crypto };
  }

  it("checks a signature once, whether the token is text or bytes", async () => {
    const { ask } = await start();
    expect(await ask()).toEqual(["ok", 1]);
    expect(await ask()).toEqual(["ok", 0]);
    expect(await ask(Buffer.from(token))).toEqual(["ok", 0]);
  });

  it("checks it each time unless that is wanted", async () => {
    const { ask } = await start({ tokenCache: undefined });
    expect(await ask()).toEqual(["ok", 1]);
    expect(await ask()).toEqual(["ok", 1]);
  });

  it("compares claims with the client that is asking", async () => {
    const { ask } = await start();
    await ask();
    expect(await ask(token, "c2")).toEqual(["0x86 claim_mismatch:sub", 0]);
    expect(await ask()).toEqual(["ok", 0]);
  });

  it("takes no token before its time or after it", async () => {
    const { ask, keys } = await start();
    await ask();
    keys.ms = (N - 1) * 1000;
    expect(await ask()).toEqual(["0x86 not_yet_valid", 0]);
    keys.ms = (N + 100) * 1000 - 1;
    expect(await ask()).toEqual(["ok", 0]);
    keys.ms = (N + 100) * 1000;
    expect((await ask())[0]).toBe("0x86 expired");
    keys.ms += 1;
    expect(await ask()).toEqual(["0x86 expired", 1]);
  });

  it("knows a token by all of it", async () => {
    const { ask } = await start();
    await ask();
    const [header, payload, signature] = token.split(".") as [string, string, string];
    const other = makeToken("RS256", rsa.privateKey, { ...PAYLOAD, is_superuser: true });
    const [, otherPayload] = other.split(".");
    expect(await ask(`${header}.${otherPayload}.${signature}`)).toEqual(["0x86 bad_signature", 1]);
    const flipped = `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`;
    expect(await ask(`${header}.${payload}.${flipped}`)).toEqual(["0x86 bad_signature", 1]);
    expect(await ask(`${header}.${payload}.`)).toEqual(["0x86 bad_signature", 1]);
  });

  it("remembers nothing of a token that was refused", async () => {
    const { ask } = await start();
    const forged = makeToken("RS256", otherRsa.privateKey, PAYLOAD);
    expect(await ask(forged)).toEqual(["0x86 bad_signature", 1]);
    expect(await ask(forged)).toEqual(["0x86 bad_signature", 1]);
    expect(await ask(token, "c2")).toEqual(["0x86 claim_mismatch:sub", 1]);
    expect(await ask(token, "c2")).toEqual(["0x86 claim_mismatch:sub", 1]);
  });

  it("ends with the key", async () => {
    const { ask, keys } = await start();
    await ask();
    const old = keys.now;
    keys.now = [];
    expect(await ask()).toEqual(["0x86 no_key", 0]);
    keys.now = old.map((one) => ({ ...one }));
    expect(await ask()).toEqual(["ok", 1]);
    expect(await ask()).toEqual(["ok", 0]);
  });

  it("digests with SHA-256", async () => {
    const { crypto } = await start();
    const digest = Buffer.from(crypto.digest(new TextEncoder().encode("abc")), "latin1");
    expect(digest.toString("hex")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});
