import { describe, expect, it } from "vitest";
import type { JwtConfig } from "../../../src/config/config.ts";
import { create, type Setup } from "../../support/jwt.ts";
import { rsa, secp256k1, spkiPem } from "../../support/tokens.ts";

describe("creation", () => {
  const problem = async (setup: Setup) => {
    const creation = await create(setup);
    return creation.ok ? creation.issues.map((issue) => issue.code) : creation.issues[0]?.message;
  };
  const hmac = (secret: string | undefined, secretBase64Encoded = false): Partial<JwtConfig> => ({
    keys: { type: "hmac", secret, secretBase64Encoded },
  });
  const pem = (text: string): Partial<JwtConfig> => ({ keys: { type: "public_key", pem: text } });

  it("fails for what is no key, and says where", async () => {
    expect(await problem({ config: hmac("!!", true) })).toMatch(/base64/);
    expect(await problem({ config: hmac(undefined) })).toMatch(/not known/);
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
