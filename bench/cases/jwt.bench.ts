/**
 * Verifying a JWT as a whole: structure, header, signature, JSON, time claims. Speed of light: the
 * bare signature check over the same bytes. Caches are off everywhere, so every token counts as new.
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
import type { JwtKeySource } from "../../src/config/config.ts";
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
  "jwt verify HS256": (name) => verifyCase(name, "HS256"),
  "jwt verify RS256": (name) => verifyCase(name, "RS256"),
  "jwt verify ES256": (name) => verifyCase(name, "ES256"),
};

async function verifyCase(name: string, algorithm: Algorithm): Promise<CaseReport> {
  const { token, key, source } = makeToken(algorithm);
  const password = Buffer.from(token);
  const authenticator = await createOurs(source);
  const request: AuthnRequest = { client: { clientId: "test", password }, clientAttrs: {} };
  const ours = () => authenticator.authenticate(request);
  const fastJwt = createVerifier({
    key: algorithm === "HS256" ? SECRET : key.export({ type: "spki", format: "pem" }).toString(),
    algorithms: [algorithm],
    cache: false,
  });
  const viaFastJwt = () => fastJwt(password.toString());
  const viaJose = () => jwtVerify(password, key, { algorithms: [algorithm] });
  const viaJsonwebtoken = () =>
    jsonwebtoken.verify(password.toString(), key, { algorithms: [algorithm] });
  const bare = bareCheck(algorithm, token, key);

  const answer = await ours();
  assert.equal(answer.type, "ok");
  assert.equal(answer.type === "ok" && answer.data.expireAtMs, SOON * 1000);
  assert.equal((viaFastJwt() as { exp: number }).exp, SOON);
  assert.equal((await viaJose()).payload.exp, SOON);
  assert.equal((viaJsonwebtoken() as { exp: number }).exp, SOON);
  assert.equal(await bare(), true);

  const inParallel = algorithm !== "HS256";
  const rivals: Rival[] = [
    ...(inParallel
      ? [burst("portcullis", ours), burst("bare node:crypto", bare)]
      : [
          { name: "portcullis", run: ours },
          { name: "bare node:crypto", run: bare },
        ]),
    { name: "fast-jwt, no cache", run: viaFastJwt },
    { name: "jsonwebtoken", run: viaJsonwebtoken },
    inParallel ? burst("jose", viaJose) : { name: "jose", run: viaJose, isAsync: true },
  ];
  const about = inParallel
    ? `one ${token.length}-byte token of ${BURST} at a time; fast-jwt and jsonwebtoken block the event loop`
    : `one ${token.length}-byte token`;
  return measureCase(name, about, rivals);
}

/** Connects come in bursts; the thread pool is worth its price only then. */
const BURST = 32;

function burst(name: string, run: () => unknown): Rival {
  return {
    name,
    run: () => Promise.all(Array.from({ length: BURST }, run)),
    opsPerCall: BURST,
    isAsync: true,
  };
}

async function createOurs(keys: JwtKeySource) {
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

/** The signature check alone, the way ours calls it. */
function bareCheck(
  algorithm: Algorithm,
  token: string,
  key: KeyObject,
): () => boolean | Promise<boolean> {
  const end = token.lastIndexOf(".");
  const input = Buffer.from(token.slice(0, end));
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  if (algorithm === "HS256") {
    return () => timingSafeEqual(createHmac("sha256", key).update(input).digest(), signature);
  }
  const options = algorithm === "ES256" ? { key, dsaEncoding: "ieee-p1363" as const } : key;
  return () =>
    new Promise((resolve, reject) => {
      verifyBytes("sha256", input, options, signature, (error, isValid) =>
        error ? reject(error) : resolve(isValid),
      );
    });
}

function makeToken(algorithm: Algorithm): { token: string; key: KeyObject; source: JwtKeySource } {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: algorithm, typ: "JWT" })}.${part(CLAIMS)}`;
  if (algorithm === "HS256") {
    const mac = createHmac("sha256", SECRET).update(input).digest("base64url");
    const source = { type: "hmac", secret: SECRET, secretBase64Encoded: false } as const;
    return { token: `${input}.${mac}`, key: createSecretKey(Buffer.from(SECRET)), source };
  }
  const pair =
    algorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const dsaEncoding = "ieee-p1363";
  const signature = signBytes("sha256", Buffer.from(input), { key: pair.privateKey, dsaEncoding });
  const pem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  const token = `${input}.${signature.toString("base64url")}`;
  return { token, key: createPublicKey(pem), source: { type: "public_key", pem } };
}
