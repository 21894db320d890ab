import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { JwtConfig } from "../../../src/config/config.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { ask, brief, create, type Setup, token } from "../../support/jwt.ts";
import {
  ed25519,
  encodePart,
  keyPairFor,
  makeToken,
  otherRsa,
  p256,
  p384,
  rsa,
  secp256k1,
  spkiPem,
} from "../../support/tokens.ts";

describe.each([
  ["node:crypto", createNodeCrypto()],
  ["WebCrypto", createJoseCrypto()],
])("algorithm confusion on %s", (_name, crypto) => {
  const pem = spkiPem(rsa.publicKey);
  const publicKey = (text: string): Partial<JwtConfig> => ({
    keys: { type: "public_key", pem: text },
  });
  const setup = (preset: Preset, config: Partial<JwtConfig>): Setup => ({ preset, crypto, config });

  it("an HMAC over the public key's text is no signature", async () => {
    for (const key of [
      pem,
      pem.trimEnd(),
      rsa.publicKey.export({ type: "spki", format: "der" }).toString("latin1"),
    ]) {
      for (const alg of ["HS256", "HS384", "HS512"]) {
        const forged = makeToken(alg, key, { is_superuser: true });
        expect(brief(await ask(forged, setup("emqx", publicKey(pem))))).toBe("BFR alg_not_allowed");
        expect(brief(await ask(forged, setup("strict", publicKey(pem))))).toBe(
          "0x86 alg_not_allowed",
        );
      }
    }
  });

  it("`none` and its spellings are no algorithm, with or without a signature", async () => {
    for (const alg of [
      "none",
      "None",
      "NONE",
      "nOnE",
      "",
      "hs256",
      "HS256 ",
      "ES256K",
      "Ed25519",
      null,
      1,
    ]) {
      const unsigned = `${encodePart({ alg })}.${encodePart({})}.`;
      for (const config of [{}, publicKey(pem)]) {
        for (const text of [unsigned, token({}, { alg })]) {
          expect(brief(await ask(text, setup("strict", config)))).toBe("0x86 alg_not_allowed");
        }
      }
    }
    expect(brief(await ask(token({}, {}), { crypto }))).toBe("BFR alg_not_allowed");
    expect(brief(await ask(token({}, { ALG: "HS256" }), { crypto }))).toBe("BFR alg_not_allowed");
  });

  it("a public key algorithm never works with a secret", async () => {
    const signed = makeToken("RS256", rsa.privateKey, {});
    expect(brief(await ask(signed, { crypto }))).toBe("BFR alg_not_allowed");
  });

  it("an algorithm of another key type or curve finds no key", async () => {
    const swaps = [
      ["ES256", p256.privateKey, pem],
      ["RS256", rsa.privateKey, spkiPem(p256.publicKey)],
      ["ES256", p384.privateKey, spkiPem(p384.publicKey)],
      ["ES384", p256.privateKey, spkiPem(p256.publicKey)],
      ["ES256", secp256k1.privateKey, spkiPem(secp256k1.publicKey)],
      ["EdDSA", ed25519.privateKey, pem],
      ["PS256", rsa.privateKey, spkiPem(ed25519.publicKey)],
    ] as const;
    for (const [alg, key, configured] of swaps) {
      const signed = makeToken(alg, key, {});
      expect(brief(await ask(signed, setup("strict", publicKey(configured))))).toBe("0x86 no_key");
    }
  });

  it("another key's signature, and RS256 where PS256 is claimed, are bad", async () => {
    const bad = [
      makeToken("RS256", otherRsa.privateKey, {}),
      makeToken("RS256", rsa.privateKey, {}, { alg: "PS256" }),
      makeToken("RS256", rsa.privateKey, {}, { alg: "RS512" }),
    ];
    for (const text of bad) {
      expect(brief(await ask(text, setup("strict", publicKey(pem))))).toBe("0x86 bad_signature");
    }
  });

  it("keys in the token are never used", async () => {
    const jwk = otherRsa.publicKey.export({ format: "jwk" });
    const headers = [
      { alg: "RS256", jwk },
      { alg: "RS256", jku: "https://attacker.example/jwks.json", kid: "../../../dev/null" },
      { alg: "RS256", x5u: "https://attacker.example/cert.pem", kid: "' OR 1=1 --" },
    ];
    for (const header of headers) {
      const forged = makeToken("RS256", otherRsa.privateKey, {}, header);
      expect(brief(await ask(forged, setup("strict", publicKey(pem))))).toBe("0x86 bad_signature");
      const honest = makeToken("RS256", rsa.privateKey, {}, header);
      expect(brief(await ask(honest, setup("strict", publicKey(pem))))).toBe("ok");
    }
  });

  it.each(["RS256", "PS384", "ES256", "ES512", "EdDSA"])(
    "a good %s token is accepted",
    async (alg) => {
      const pair = keyPairFor(alg);
      const signed = makeToken(alg, pair.privateKey, {});
      const config = publicKey(spkiPem(pair.publicKey));
      expect(brief(await ask(signed, setup("strict", config)))).toBe("ok");
    },
  );

  it("of several PEM blocks any may have signed", async () => {
    const config = publicKey(`${pem}\n${spkiPem(otherRsa.publicKey)}`);
    const signed = makeToken("RS256", otherRsa.privateKey, {}, { alg: "RS256", kid: "any" });
    expect(brief(await ask(signed, setup("strict", config)))).toBe("ok");
    expect((await create(setup("emqx", config))).ok).toBe(false);
  });
});
