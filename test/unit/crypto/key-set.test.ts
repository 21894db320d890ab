import { createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import type { JwsHeader } from "../../../src/crypto/jws.ts";
import { readKeySet } from "../../../src/crypto/key-set.ts";
import { selectKeys } from "../../../src/crypto/key-source.ts";
import { readPem } from "../../../src/crypto/pem.ts";
import { secretBytes } from "../../../src/crypto/secret.ts";
import type { JsonObject, JsonValue } from "../../../src/json/parse.ts";
import { ed25519, otherRsa, p256, rsa, spkiPem } from "../../support/tokens.ts";

function jwk(pair: { publicKey: typeof rsa.publicKey }, members: JsonObject = {}): JsonObject {
  return {
    ...(createPublicKey(spkiPem(pair.publicKey)).export({ format: "jwk" }) as JsonObject),
    ...members,
  };
}

const crypto = createNodeCrypto();
const exact = { skipBadKeys: false };

async function typesOf(document: JsonValue, options = exact): Promise<unknown> {
  const set = await readKeySet(document, crypto, options);
  return set.ok ? set.keys.map((key) => key.type) : set.problem;
}

describe("a key set", () => {
  it("keeps document order and the labels of its keys", async () => {
    const document = {
      keys: [jwk(p256, { kid: "E" }), jwk(rsa, { kid: "R", use: "sig", alg: "RS256" })],
    };
    for (const each of [crypto, createJoseCrypto()]) {
      const set = await readKeySet(document, each, exact);
      if (!set.ok) throw new Error(set.problem);
      expect(set.keys.map(({ type, kid, use, alg }) => [type, kid, use, alg])).toEqual([
        ["P-256", "E", undefined, undefined],
        ["RSA", "R", "sig", "RS256"],
      ]);
    }
  });

  it("leaves out symmetric keys and unknown kinds, and may be empty", async () => {
    const keys = [{ kty: "oct", k: "AAAA" }, { kty: "XYZ" }, { kid: "no kty" }, jwk(ed25519)];
    expect(await typesOf({ keys })).toEqual(["Ed25519"]);
    expect(await typesOf({ keys: [] })).toEqual([]);
  });

  it("is spoiled by one malformed key, unless bad keys are skipped", async () => {
    const malformed: JsonValue[] = [
      jwk(rsa, { n: "!!" }),
      { kty: "RSA", n: "AQAB" },
      jwk(rsa, { e: 65537 }),
      { kty: "EC", crv: "P-256", x: "AAAA" },
      { kty: "OKP", x: "AAAA" },
      { kty: "oct", k: 1 },
      "text",
      null,
    ];
    for (const key of malformed) {
      const document = { keys: [jwk(p256), key] };
      expect(await typesOf(document)).toMatch(/^keys\[1\]: /);
      expect(await typesOf(document, { skipBadKeys: true })).toEqual(["P-256"]);
    }
  });

  it("is an object with an array `keys`", async () => {
    for (const document of [jwk(rsa), [], "[]", null, { keys: {} }, { Keys: [] }]) {
      expect(await typesOf(document)).toMatch(/no array/);
    }
  });

  it("never keeps the private members of a key", async () => {
    const key = rsa.privateKey.export({ format: "jwk" }) as unknown as JsonObject;
    const set = await readKeySet({ keys: [key] }, createJoseCrypto(), exact);
    expect(set.ok && set.keys[0]?.type).toBe("RSA");
    expect(JSON.stringify(set)).not.toContain((key.d as string).slice(0, 20));
  });
});

describe("selecting keys", () => {
  const header = (kid?: string): JwsHeader => ({ alg: "RS256", kid, hasCrit: false, b64: true });

  async function select(keys: JsonObject[], kid: string | undefined, selectsByKid: boolean) {
    const set = await readKeySet({ keys }, crypto, exact);
    if (!set.ok) throw new Error(set.problem);
    return selectKeys(set.keys, header(kid), "RS256", { selectsByKid }).map((key) => key.kid);
  }

  it("tries every key that fits the algorithm where kid says nothing", async () => {
    const keys = [jwk(rsa, { kid: "A", use: "enc" }), jwk(p256), jwk(otherRsa, { kid: "B" })];
    expect(await select(keys, "B", false)).toEqual(["A", "B"]);
  });

  it("takes the named key only, and the unnamed ones for an unknown name", async () => {
    const keys = [jwk(rsa, { kid: "A" }), jwk(otherRsa, { kid: "B" }), jwk(rsa)];
    expect(await select(keys, "B", true)).toEqual(["B"]);
    expect(await select(keys, "C", true)).toEqual([undefined]);
    expect(await select(keys, undefined, true)).toEqual(["A", "B", undefined]);
  });

  it("leaves out keys that are meant for something else", async () => {
    const keys = [
      jwk(rsa, { kid: "enc", use: "enc" }),
      jwk(rsa, { kid: "alg", alg: "RS512" }),
      jwk(rsa, { kid: "ops", key_ops: ["encrypt"] }),
      jwk(rsa, { kid: "good", use: "sig", alg: "RS256", key_ops: ["verify"] }),
    ];
    expect(await select(keys, undefined, true)).toEqual(["good"]);
    expect(await select(keys, "enc", true)).toEqual([]);
  });
});

describe("PEM text", () => {
  const pem = spkiPem(rsa.publicKey);

  it("may have anything around its blocks, and several of them", () => {
    const reading = readPem(`issuer: x\n${pem}trailing\n${spkiPem(p256.publicKey)}`);
    expect(reading.ok && reading.blocks.map((block) => block.label)).toEqual([
      "PUBLIC KEY",
      "PUBLIC KEY",
    ]);
    expect(readPem(pem.trimEnd()).ok).toBe(true);
  });

  it("is refused without a block, with a broken one, or with something that is no key", () => {
    const wrong = [
      "",
      "hello",
      JSON.stringify(jwk(rsa)),
      pem.replace("-----END PUBLIC KEY-----", ""),
      pem.replace("MII", "M!I"),
      pem.replaceAll("PUBLIC KEY", "CERTIFICATE REQUEST"),
    ];
    for (const text of wrong) expect(readPem(text).ok).toBe(false);
  });
});

describe("the secret", () => {
  const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("latin1");

  it("is its UTF-8 bytes unless it is base64", () => {
    expect(text(secretBytes("é ", false))).toBe("Ã© ");
    expect(text(secretBytes("YQ==", false))).toBe("YQ==");
  });

  it("may have white space in its base64, but must be padded and of the standard alphabet", () => {
    expect(text(secretBytes("YWJ\n jZA==\n", true))).toBe("abcd");
    expect(text(secretBytes("/+//", true))).toBe("ÿïÿ");
    expect(text(secretBytes("", true))).toBe("");
    for (const wrong of ["YQ", "!!", "_-__", "YQ=", "YQ==YQ==", "Y===", "YQ==="]) {
      expect(secretBytes(wrong, true)).toBeUndefined();
    }
  });
});
