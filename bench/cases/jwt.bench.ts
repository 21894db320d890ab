/**
 * Verifying a JWT as a whole: structure, header, signature, JSON, time claims. Speed of light: the
 * bare signature check over the same bytes. Caches are off unless a case says otherwise.
 */
import { strict as assert } from "node:assert";
import {
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  timingSafeEqual,
  verify as verifyBytes,
} from "node:crypto";
import { createVerifier } from "fast-jwt";
import { jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import type { AuthnRequest } from "../../src/authn/authenticator.ts";
import { createJwtAuthenticator } from "../../src/authn/jwt.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { JwtConfig, JwtKeySource } from "../../src/config/config.ts";
import { type BenchCase, type CaseReport, measureCase, type Rival } from "../harness.ts";

type Algorithm = "HS256" | "RS256" | "ES256";

const SECRET = "a shared secret of 32 characters";
const SOON = Math.floor(Date.now() / 1000) + 86_400;
const CLAIMS = {
  iss: "https://id.example.com/",
  sub: "urn:test:unitid:1001010-1000010:clientid:test",
  aud: "mqtt",
  exp: SOON,
  iat: SOON - 90_000,
  scp: "read openid foobar",
};

export const cases: Readonly<Record<string, BenchCase>> = {
  "jwt verify HS256": (name) => hmacCase(name),
  "jwt verify RS256, one at a time": (name) => publicKeyCase(name, "RS256", 1),
  "jwt verify RS256, 16 in flight": (name) => publicKeyCase(name, "RS256", 16),
  "jwt verify ES256, one at a time": (name) => publicKeyCase(name, "ES256", 1),
  "jwt verify ES256, 16 in flight": (name) => publicKeyCase(name, "ES256", 16),
  "jwt verify HS256, seen before": (name) => cachedCase(name, "HS256"),
  "jwt verify ES256, seen before": (name) => cachedCase(name, "ES256"),
};

async function hmacCase(name: string): Promise<CaseReport> {
  const { token, verifiers } = await contenders("HS256");
  const { ours, fastJwt, viaJose, viaJsonwebtoken, bareSync } = verifiers;
  return measureCase(name, `one ${token.length}-byte token`, [
    { name: "portcullis", run: ours },
    { name: "bare node:crypto", run: bareSync },
    { name: "fast-jwt, no cache", run: fastJwt },
    { name: "jsonwebtoken", run: viaJsonwebtoken },
    { name: "jose", run: viaJose, isAsync: true },
  ]);
}

/**
 * So many connects arrive in one turn of the event loop, which waits for all of them: what a
 * broker sees. Each number holds its share of a turn, about 2 µs when there is one at a time. The pool
 * frees the loop and uses other cores; a synchronous check does neither and saves the way there.
 */
async function publicKeyCase(
  name: string,
  algorithm: "RS256" | "ES256",
  inFlight: number,
): Promise<CaseReport> {
  const { token, verifiers } = await contenders(algorithm);
  const { ours, fastJwt, viaJose, viaJsonwebtoken, bareSync, bareOnPool } = verifiers;
  const arrival = (who: string, run: () => unknown): Rival => ({
    name: who,
    run: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(Array.from({ length: inFlight }, run));
    },
    opsPerCall: inFlight,
    isAsync: true,
  });
  const about = `one ${token.length}-byte token, ${inFlight} a turn of the event loop`;
  return measureCase(name, about, [
    arrival("portcullis", ours),
    arrival("bare node:crypto, pool", bareOnPool),
    arrival("bare node:crypto, blocking", bareSync),
    arrival("fast-jwt, no cache, blocking", fastJwt),
    arrival("jsonwebtoken, blocking", viaJsonwebtoken),
    arrival("jose", viaJose),
  ]);
}

/** A token that was verified before, by those that remember it. */
async function cachedCase(name: string, algorithm: Algorithm): Promise<CaseReport> {
  const { token, verifiers } = await contenders(algorithm);
  const { ours, oursCached, fastJwtCached } = verifiers;
  assert.equal((await oursCached()).type, "ok");
  assert.equal((fastJwtCached() as { exp: number }).exp, SOON);
  assert.ok(!(oursCached() instanceof Promise), "the second time needs no check of the signature");
  return measureCase(
    name,
    `one ${token.length}-byte token; ours checks claims and times anew, fast-jwt remembers the payload`,
    [
      { name: "portcullis, token_cache", run: oursCached },
      { name: "fast-jwt, cache", run: fastJwtCached },
      { name: "portcullis, no cache", run: ours, isAsync: algorithm !== "HS256" },
    ],
  );
}

/** Everybody who verifies the same token, equal answers asserted. */
async function contenders(algorithm: Algorithm) {
  const { token, key, source } = makeToken(algorithm);
  const password = Buffer.from(token);
  const request: AuthnRequest = { client: { clientId: "test", password }, clientAttrs: {} };
  const authenticator = await createOurs(source);
  const ours = () => authenticator.authenticate(request);
  const remembering = await createOurs(source, { maxCount: 1000, maxBytes: 1_000_000 });
  const pem =
    algorithm === "HS256" ? SECRET : key.export({ type: "spki", format: "pem" }).toString();
  const options = { key: pem, algorithms: [algorithm] };
  const uncached = createVerifier({ ...options, cache: false });
  const cached = createVerifier({ ...options, cache: 1000 });
  const bare = bareChecks(algorithm, token, key);
  const verifiers = {
    ours,
    oursCached: () => remembering.authenticate(request),
    fastJwt: () => uncached(password.toString()),
    fastJwtCached: () => cached(password.toString()),
    viaJose: () => jwtVerify(password, key, { algorithms: [algorithm] }),
    viaJsonwebtoken: () =>
      jsonwebtoken.verify(password.toString(), key, { algorithms: [algorithm] }),
    ...bare,
  };
  const answer = await ours();
  assert.equal(answer.type, "ok");
  assert.equal(answer.type === "ok" && answer.data.expireAtMs, SOON * 1000);
  assert.equal((verifiers.fastJwt() as { exp: number }).exp, SOON);
  assert.equal((await verifiers.viaJose()).payload.exp, SOON);
  assert.equal((verifiers.viaJsonwebtoken() as { exp: number }).exp, SOON);
  assert.equal(bare.bareSync(), true);
  assert.equal(await bare.bareOnPool(), true);
  return { token, verifiers };
}

async function createOurs(keys: JwtKeySource, tokenCache?: JwtConfig["tokenCache"]) {
  const creation = await createJwtAuthenticator(
    {
      id: "jwt",
      path: "authentication",
      mechanism: "jwt",
      enable: true,
      keys,
      from: "password",
      verifyClaims: [],
      aclClaimName: "acl",
      onMissingJwt: "deny",
      disconnectAfterExpire: true,
      leewaySeconds: 0,
      tokenCache,
    },
    { switches: resolveSwitches("strict"), securityProfile: "legacy" },
    {
      crypto: createNodeCrypto(),
      clock: Date,
      readAcl: () => ({ ok: true, rules: undefined }),
    },
  );
  if (!creation.ok) throw new Error("the authenticator of the bench cannot be created");
  return creation.authenticator;
}

/** The signature check alone, at once and on the thread pool. */
function bareChecks(algorithm: Algorithm, token: string, key: KeyObject) {
  const end = token.lastIndexOf(".");
  const input = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  if (algorithm === "HS256") {
    const bareSync = (): boolean =>
      timingSafeEqual(createHmac("sha256", key).update(input).digest(), signature);
    return { bareSync, bareOnPool: async () => bareSync() };
  }
  const options = algorithm === "ES256" ? { key, dsaEncoding: "ieee-p1363" as const } : key;
  return {
    bareSync: () => verifyBytes("sha256", input, options, signature),
    bareOnPool: () =>
      new Promise<boolean>((resolve, reject) => {
        verifyBytes("sha256", input, options, signature, (error, isValid) =>
          error ? reject(error) : resolve(isValid),
        );
      }),
  };
}

function makeToken(algorithm: Algorithm): { token: string; key: KeyObject; source: JwtKeySource } {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: algorithm, typ: "JWT" })}.${part(CLAIMS)}`;
  if (algorithm === "HS256") {
    const mac = createHmac("sha256", SECRET).update(input).digest("base64url");
    const source = { type: "hmac", secret: SECRET, secretBase64Encoded: false } as const;
    return { token: `${input}.${mac}`, key: createSecretKey(Buffer.from(SECRET)), source };
  }
  const { publicKey: pem, privateKey } = makeKeyPair(algorithm);
  const dsaEncoding = "ieee-p1363";
  const signature = signBytes("sha256", Buffer.from(input), { key: privateKey, dsaEncoding });
  const token = `${input}.${signature.toString("base64url")}`;
  return { token, key: createPublicKey(pem), source: { type: "public_key", pem } };
}

/**
 * A new pair as PEM texts: Node 20 can stop for ever where a generated key is exported while the job
 * that made it is collected.
 */
function makeKeyPair(algorithm: "RS256" | "ES256"): { publicKey: string; privateKey: string } {
  const asPem = {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  } as const;
  const pair: unknown =
    algorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048, ...asPem })
      : generateKeyPairSync("ec", { namedCurve: "P-256", ...asPem });
  return pair as { publicKey: string; privateKey: string };
}
