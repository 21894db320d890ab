import { constants, createPublicKey, sign } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import type { JwsAlgorithm, VerificationKey } from "../../../src/crypto/crypto.ts";
import { algorithmOf, fitsKey, JWS_ALGORITHMS } from "../../../src/crypto/crypto.ts";
import { createJoseCrypto } from "../../../src/crypto/jose.ts";
import { readPem } from "../../../src/crypto/pem.ts";
import { makeKeyPair } from "../../support/key-pair.ts";
import {
  ed448,
  ed25519,
  type KeyPair,
  keyPairFor,
  otherRsa,
  p256,
  p384,
  rsa,
  secp256k1,
  signInput,
  spkiPem,
} from "../../support/tokens.ts";
import { readVectorObjects } from "../../support/vector-objects.ts";

const SECRET = "a shared secret";
const INPUT = new TextEncoder().encode("header.payload");
const certificates = new Set(
  readVectorObjects("jwt_verify.jsonl").flatMap((vector) => {
    const pem = (vector.config as { public_key?: unknown }).public_key;
    return typeof pem === "string" && pem.includes("CERTIFICATE") ? [pem] : [];
  }),
);

describe.each([
  ["node:crypto", createNodeCrypto()],
  ["WebCrypto", createJoseCrypto()],
])("%s", (_name, crypto) => {
  async function importPem(pem: string): Promise<VerificationKey> {
    const reading = readPem(pem);
    if (!reading.ok) throw new Error(reading.problem);
    const imported = await crypto.importPem(reading.blocks[0]!);
    if (!imported.ok) throw new Error(imported.problem);
    return imported.key;
  }

  async function importSecret(secret: string): Promise<VerificationKey> {
    const imported = await crypto.importSecret(new TextEncoder().encode(secret));
    if (!imported.ok) throw new Error(imported.problem);
    return imported.key;
  }

  async function keyFor(algorithm: JwsAlgorithm): Promise<VerificationKey> {
    if (algorithm.startsWith("HS")) return importSecret(SECRET);
    return importPem(spkiPem(keyPairFor(algorithm).publicKey));
  }

  describe.each(JWS_ALGORITHMS)("with %s", (algorithm) => {
    let key: VerificationKey;
    const signer = algorithm.startsWith("HS") ? SECRET : keyPairFor(algorithm).privateKey;
    const signature = signInput(algorithm, signer, INPUT);

    beforeAll(async () => {
      key = await keyFor(algorithm);
    });

    it("accepts a good signature, twice", async () => {
      expect(fitsKey(algorithm, key.type)).toBe(true);
      expect(await crypto.verify(algorithm, key, INPUT, signature)).toBe(true);
      expect(await crypto.verify(algorithm, key, INPUT, signature)).toBe(true);
    });

    it("refuses a signature with any bit of its ends flipped", async () => {
      for (const at of [0, signature.length - 1]) {
        const flipped = Uint8Array.from(signature);
        flipped[at]! ^= 1;
        expect(await crypto.verify(algorithm, key, INPUT, flipped)).toBe(false);
      }
    });

    it("refuses shortened, lengthened and empty signatures", async () => {
      const longer = Uint8Array.from([...signature, 0]);
      const wrong = [signature.subarray(1), signature.subarray(0, -1), longer, new Uint8Array()];
      for (const bytes of wrong) {
        expect(await crypto.verify(algorithm, key, INPUT, bytes)).toBe(false);
      }
    });

    it("refuses the signature of other bytes", async () => {
      const other = new TextEncoder().encode("header.Payload");
      expect(await crypto.verify(algorithm, key, other, signature)).toBe(false);
    });

    it("refuses to use the key for any algorithm it does not fit", async () => {
      for (const wrong of JWS_ALGORITHMS) {
        if (fitsKey(wrong, key.type)) continue;
        expect(await crypto.verify(wrong, key, INPUT, signature)).toBe(false);
      }
    });
  });

  it("refuses another key's signature", async () => {
    const key = await importPem(spkiPem(rsa.publicKey));
    const signature = signInput("RS256", otherRsa.privateKey, INPUT);
    expect(await crypto.verify("RS256", key, INPUT, signature)).toBe(false);
  });

  it("refuses ECDSA signatures in DER", async () => {
    const key = await importPem(spkiPem(p256.publicKey));
    const der = sign("sha256", INPUT, { key: p256.privateKey, dsaEncoding: "der" });
    expect(await crypto.verify("ES256", key, INPUT, der)).toBe(false);
  });

  it("accepts PSS salts that are as long as the hash, empty, or as long as they can be", async () => {
    const key = await importPem(spkiPem(rsa.publicKey));
    for (const saltLength of [32, 0, 256 - 32 - 2]) {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const signature = sign("sha256", INPUT, { key: rsa.privateKey, padding, saltLength });
      expect(await crypto.verify("PS256", key, INPUT, signature)).toBe(true);
      expect(await crypto.verify("RS256", key, INPUT, signature)).toBe(false);
    }
  });

  it("refuses a signature without the zero it begins with", async () => {
    const key = await importPem(spkiPem(rsa.publicKey));
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    // One signature in 256 begins with a zero; its salt makes each another one.
    let signature: Uint8Array = Uint8Array.of(1);
    while (signature[0] !== 0) {
      signature = sign("sha256", INPUT, { key: rsa.privateKey, padding, saltLength: 32 });
    }
    expect(await crypto.verify("PS256", key, INPUT, signature)).toBe(true);
    expect(await crypto.verify("PS256", key, INPUT, signature.subarray(1))).toBe(false);
  });

  it("takes an empty secret and tells it from a blank one", async () => {
    const key = await importSecret("");
    expect(await crypto.verify("HS256", key, INPUT, signInput("HS256", "", INPUT))).toBe(true);
    expect(await crypto.verify("HS256", key, INPUT, signInput("HS256", " ", INPUT))).toBe(false);
  });

  it("reads RSA keys as PKCS#1, PKCS#8 and PKCS#1 private, and knows their size", async () => {
    const signature = signInput("RS256", rsa.privateKey, INPUT);
    const pems = [
      rsa.publicKey.export({ type: "pkcs1", format: "pem" }),
      rsa.privateKey.export({ type: "pkcs8", format: "pem" }),
      rsa.privateKey.export({ type: "pkcs1", format: "pem" }),
    ];
    for (const pem of pems) {
      const key = await importPem(pem.toString());
      expect(key.type).toBe("RSA");
      expect(key.bits).toBe(2048);
      expect(await crypto.verify("RS256", key, INPUT, signature)).toBe(true);
    }
  });

  it("reads EC and Ed25519 private keys for their public half", async () => {
    const cases = [
      ["ES256", p256, "sec1"],
      ["ES384", p384, "pkcs8"],
      ["EdDSA", ed25519, "pkcs8"],
    ] as const;
    for (const [algorithm, pair, type] of cases) {
      // The types of export do not know that the key fits the form.
      const pem = pair.privateKey.export({ type: type as "pkcs8", format: "pem" }).toString();
      const key = await importPem(pem);
      const signature = signInput(algorithm, pair.privateKey, INPUT);
      expect(await crypto.verify(algorithm, key, INPUT, signature)).toBe(true);
    }
  });

  it("reads certificates", async () => {
    const types = await Promise.all(
      [...certificates].map(async (pem) => (await importPem(pem)).type),
    );
    expect(types.sort()).toEqual(["P-256", "RSA"]);
  });

  it("verifies Ed448 where the platform has it", async () => {
    const key = await importPem(spkiPem(ed448.publicKey));
    expect(key.type).toBe("Ed448");
    const signature = signInput("EdDSA", ed448.privateKey, INPUT);
    expect(await crypto.verify("EdDSA", key, INPUT, signature)).toBe(true);
    signature[0]! ^= 1;
    expect(await crypto.verify("EdDSA", key, INPUT, signature)).toBe(false);
  });

  it("holds a secp256k1 key but verifies nothing with it", async () => {
    const key = await importPem(spkiPem(secp256k1.publicKey));
    expect(key.type).toBe("unsupported");
    const signature = signInput("ES256", secp256k1.privateKey, INPUT);
    expect(await crypto.verify("ES256", key, INPUT, signature)).toBe(false);
  });

  it("refuses a block that is no key, without quoting it", async () => {
    const der = Uint8Array.from([0x30, 0x03, 0x02, 0x01, 0x07]);
    for (const label of ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", "PRIVATE KEY"]) {
      const imported = await crypto.importPem({ label, der });
      expect(imported.ok).toBe(false);
      expect(imported).toHaveProperty("problem", expect.stringContaining(label));
    }
  });

  it("imports public JWKs of every kind, and holds those it cannot use", async () => {
    const jwk = (pair: { publicKey: typeof rsa.publicKey }) =>
      createPublicKey(spkiPem(pair.publicKey)).export({ format: "jwk" });
    const typeOf = async (value: unknown) => {
      const imported = await crypto.importJwk(value as Parameters<typeof crypto.importJwk>[0]);
      return imported.ok ? imported.key.type : imported.problem;
    };
    expect(await typeOf(jwk(rsa))).toBe("RSA");
    expect(await typeOf(jwk(p384))).toBe("P-384");
    expect(await typeOf(jwk(ed25519))).toBe("Ed25519");
    expect(await typeOf(jwk(secp256k1))).toBe("unsupported");
    expect(await typeOf({ ...jwk(p256), x: "AQAB" })).toBe("unsupported");
    expect(await typeOf({ kty: "OKP", crv: "X25519", x: jwk(ed25519).x })).toBe("unsupported");
  });
});

describe("the algorithms", () => {
  it("are exact names of the configured family", () => {
    for (const algorithm of JWS_ALGORITHMS) {
      const isHmac = algorithm.startsWith("HS");
      expect(algorithmOf("hmac", algorithm)).toBe(isHmac ? algorithm : undefined);
      expect(algorithmOf("public_key", algorithm)).toBe(isHmac ? undefined : algorithm);
    }
    const wrong = ["none", "None", "", "hs256", "HS256 ", "HS1", "ES256K", "Ed25519", "__proto__"];
    for (const name of [...wrong, "constructor", undefined, null, 1, ["HS256"], {}]) {
      expect(algorithmOf("hmac", name)).toBeUndefined();
      expect(algorithmOf("public_key", name)).toBeUndefined();
    }
  });

  it("pin each ECDSA algorithm to its curve", () => {
    expect(fitsKey("ES256", "P-256")).toBe(true);
    expect(fitsKey("ES256", "P-384")).toBe(false);
    expect(fitsKey("ES384", "P-256")).toBe(false);
    expect(fitsKey("ES512", "P-521")).toBe(true);
    expect(fitsKey("HS256", "RSA")).toBe(false);
    expect(fitsKey("RS256", "oct")).toBe(false);
  });
});

describe("where node:crypto checks signatures", () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const good = signInput("RS256", rsa.privateKey, INPUT);
  const bad = good.map((byte, index) => (index === 9 ? byte ^ 1 : byte));

  async function start(pair: KeyPair) {
    const crypto = createNodeCrypto();
    const pem = readPem(spkiPem(pair.publicKey));
    if (!pem.ok) throw new Error(pem.problem);
    const imported = await crypto.importPem(pem.blocks[0]!);
    if (!imported.ok) throw new Error(imported.problem);
    const { key } = imported;
    return (algorithm: JwsAlgorithm, signature: Uint8Array) =>
      crypto.verify(algorithm, key, INPUT, signature);
  }

  it("does one RSA check a turn at once, and the others on the pool", async () => {
    const verify = await start(rsa);
    for (let round = 0; round < 3; round += 1) {
      expect(verify("RS256", round === 1 ? bad : good)).toBe(round !== 1);
      const others = [verify("RS256", good), verify("RS256", bad), verify("PS256", good)];
      for (const other of others) expect(other).toBeInstanceOf(Promise);
      expect(await Promise.all(others)).toEqual([true, false, false]);
      await turn();
    }
  });

  it("does none at once while the pool is at work", async () => {
    const verify = await start(rsa);
    verify("RS256", good);
    let isDone = false;
    const waiting = Array.from({ length: 50 }, () => verify("RS256", good));
    void Promise.all(waiting).then(() => {
      isDone = true;
    });
    for (await turn(); !isDone; await turn()) {
      expect(verify("RS256", good)).toBeInstanceOf(Promise);
    }
    expect(await Promise.all(waiting)).not.toContain(false);
  });

  it("leaves what takes long to the pool", async () => {
    const long = makeKeyPair("rsa", { modulusLength: 3080 });
    const signature = signInput("RS256", long.privateKey, INPUT);
    expect((await start(long))("RS256", signature)).toBeInstanceOf(Promise);
    const curve = await start(p256);
    expect(curve("ES256", signInput("ES256", p256.privateKey, INPUT))).toBeInstanceOf(Promise);
  });
});
