/**
 * Tokens made to get in without a right to, against the whole engine: each trick of
 * support/hostile-tokens.ts, on both implementations of cryptography, in both modes.
 */
import { afterAll, describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import type { Preset } from "../../src/config/compatibility.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import type { Crypto } from "../../src/crypto/crypto.ts";
import { createJoseCrypto } from "../../src/crypto/jose.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import { brief, imageOf, START } from "../support/engine.ts";
import {
  type HostileToken,
  hostileTokens,
  type Keys,
  keysInTokens,
  SECRET,
} from "../support/hostile-tokens.ts";
import { jwk, startJwksServer } from "../support/jwks-server.ts";
import { ed25519, p256, p384, rsa, spkiPem } from "../support/tokens.ts";

const server = await startJwksServer([jwk(rsa, { kid: "r" }), jwk(p256, { kid: "e" })]);
const trap = await startJwksServer([]);
const opened: Promise<Engine>[] = [];
afterAll(async () => {
  for (const engine of opened) (await engine).close();
  await Promise.all([server.close(), trap.close()]);
});

const publicKeys = { rsa, p256, p384, ed25519 };

function textOf(keys: Keys): string {
  const common = "mechanism = jwt, from = password";
  switch (keys) {
    case "hmac":
      return `authentication { ${common}, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}" }`;
    case "jwks":
      return `authentication { ${common}, use_jwks = true, endpoint = "${server.url}" }`;
    default: {
      const pem = spkiPem(publicKeys[keys].publicKey);
      return `authentication { ${common}, use_jwks = false, algorithm = "public-key", public_key = """${pem}""" }`;
    }
  }
}

const module = loadModuleSync();

/** One engine for each kind of keys, made when it is first needed. */
function enginesOf(crypto: Crypto, preset: Preset): (keys: Keys) => Promise<Engine> {
  const known = new Map<Keys, Promise<Engine>>();
  return (keys) => {
    let engine = known.get(keys);
    if (engine === undefined) {
      const image = imageOf({ text: textOf(keys), preset });
      engine = createEngine({ image, crypto, ports: { now: () => START * 1000 }, module });
      known.set(keys, engine);
      opened.push(engine);
    }
    return engine;
  };
}

function expected(answer: string): string {
  if (answer === "allow") return "allow by jwt";
  return answer === "ignored" ? "0x87 all_ignored by chain" : `0x86 ${answer} by jwt`;
}

const cryptos = [
  ["node:crypto", createNodeCrypto()],
  ["WebCrypto", createJoseCrypto()],
] as const;

describe.each(cryptos)("hostile tokens on %s", (_name, crypto) => {
  describe.each(["strict", "emqx"] as const)("in %s mode", (preset) => {
    const engineOf = enginesOf(crypto, preset);

    async function check(rows: readonly HostileToken[]): Promise<void> {
      const answers = await Promise.all(
        rows.map(async ({ keys, name, token }) => {
          const decision = await (await engineOf(keys)).connect({
            clientId: "c1",
            password: token,
          });
          if (decision.verdict === "allow") decision.session.close();
          return `${keys}, ${name}: ${brief(decision)}`;
        }),
      );
      const wanted = rows.map((row) => `${row.keys}, ${row.name}: ${expected(row[preset])}`);
      expect(answers).toEqual(wanted);
    }

    it.each(Object.keys(hostileTokens))("%s are answered one by one", async (trick) => {
      await check(hostileTokens[trick]!);
    });

    it("keys that a token brings or points at are never used, and nobody asks for them", async () => {
      await check(keysInTokens(trap.url));
      expect(trap.requests).toEqual([]);
    });
  });
});
