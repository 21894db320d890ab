import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { JwtConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { ConfigError, type Issue } from "../../../src/errors.ts";

const SECRET = 'algorithm = "hmac-based", secret = "a secret of more than 32 characters"';
const ISSUER = "https://id.example.com/tenant";

function load(
  text: string,
  preset?: Preset,
): { chain: readonly JwtConfig[]; issues: readonly Issue[] } {
  const { config, issues } = loadConfig({ text, file: "test.conf", env: {}, preset });
  const ofAuthenticators = issues.filter(({ code }) => code !== "WARN_CONFIG_NO_SOURCES");
  return { chain: config.authentication as readonly JwtConfig[], issues: ofAuthenticators };
}

const authenticators = (...all: string[]): string =>
  `authentication = [${all.map((keys) => `{ mechanism = jwt, use_jwks = false, ${keys} }`).join(", ")}]`;

const jwks = (keys: string): string =>
  `authentication { mechanism = jwt, use_jwks = true, ${keys} }`;

/** `path: message` of the errors. */
function errors(text: string, preset?: Preset): string[] {
  try {
    load(text, preset);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const all = error.issues.filter(({ severity }) => severity === "error");
    return all.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

const warnings = (text: string): string[] =>
  load(text).issues.map(({ code, path }) => `${code} ${path}`);

describe("authenticators for an issuer", () => {
  it("have an id each, and can be several in a chain", () => {
    const { chain } = load(
      authenticators(`${SECRET}, issuer = "a"`, `${SECRET}, issuer = ["b", "c"]`, SECRET),
    );
    expect(chain.map(({ id, issuers }) => [id, issuers])).toEqual([
      ["jwt:a", ["a"]],
      ["jwt:b", ["b", "c"]],
      ["jwt", undefined],
    ]);
  });

  it("never share an issuer, and only one may go without", () => {
    const second = (id: string): string[] => [
      `authentication[2]: a chain can have one \`${id}\` authenticator, this is the second`,
    ];
    const pair = (a: string, b: string): string =>
      authenticators(`${SECRET} ${a}`, `${SECRET} ${b}`);
    expect(errors(pair(', issuer = "a"', ', issuer = "a"'))).toEqual(second("jwt:a"));
    expect(errors(pair(', issuer = ["a", "b"]', ', issuer = ["c", "b"]'))).toEqual(second("jwt:b"));
    expect(errors(pair("", ""))).toEqual(second("jwt"));
    expect(errors(pair(', issuer = "a"', ', issuer = "A"'))).toEqual([]);
  });

  it("are refused in emqx mode, where the second is skipped as before", () => {
    expect(errors(authenticators(`${SECRET}, issuer = "a"`), "emqx")).toEqual([
      "authentication[1].issuer: expected no `issuer`, which EMQX 6.2 does not know, found `a`",
    ]);
    const { chain, issues } = load(authenticators(SECRET, SECRET), "emqx");
    expect(chain).toHaveLength(1);
    expect(issues.map(({ code }) => code)).toEqual(["WARN_CONFIG_DUPLICATE"]);
  });

  it("are named as what EMQX refuses", () => {
    expect(warnings(authenticators(`${SECRET}, issuer = "a"`))).toEqual([
      "WARN_CONFIG_EMQX_REFUSES authentication[1].issuer",
    ]);
  });

  it("behind one that takes every token are warned of", () => {
    const unreachable = "WARN_CONFIG_NO_EFFECT authentication[2]";
    const behind = (first: string): string[] =>
      warnings(authenticators(`${SECRET} ${first}`, `${SECRET}, issuer = "a"`));
    expect(behind("")).toContain(unreachable);
    for (const first of [
      ", precondition = \"str_eq(username, 'u')\"",
      ", from = username",
      ", enable = false",
      ', issuer = "b"',
    ]) {
      expect(behind(first)).not.toContain(unreachable);
    }
  });

  it.each(["[]", '""', "{ a = b }", "null x"])("are refused with issuer = %s", (value) => {
    expect(errors(authenticators(`${SECRET}, issuer = ${value}`))).toHaveLength(1);
  });
});

describe("looking up the keys of an issuer", () => {
  const endpoint = `${ISSUER}/.well-known/openid-configuration`;

  it("follows from an issuer without an endpoint, or is asked for", () => {
    for (const keys of [`issuer = "${ISSUER}"`, `issuer = ["${ISSUER}"], discovery = true`]) {
      const [one] = load(jwks(keys)).chain;
      expect(one?.keys).toMatchObject({ type: "jwks", endpoint, discoveryIssuer: ISSUER });
    }
    const [slash] = load(jwks(`issuer = "${ISSUER}/"`)).chain;
    expect(slash?.keys).toMatchObject({ endpoint, discoveryIssuer: `${ISSUER}/` });
    const told = `authentication { mechanism = jwt, discovery = true, issuer = "${ISSUER}" }`;
    expect(load(told).chain[0]?.keys).toMatchObject({ endpoint });
  });

  it("is not done where the endpoint is written", () => {
    const written = `issuer = "${ISSUER}", endpoint = "https://keys.example.com/"`;
    for (const keys of [written, `${written}, discovery = false`]) {
      const [one] = load(jwks(keys)).chain;
      expect(one?.keys).toMatchObject({ endpoint: "https://keys.example.com/" });
      expect(one?.keys).not.toHaveProperty("discoveryIssuer");
    }
    expect(errors(jwks(`${written}, discovery = true`))).toEqual([
      "authentication.endpoint: the issuer is asked where the keys are",
    ]);
  });

  it("needs one issuer that is a URL", () => {
    const one = "authentication.issuer: the keys of one `issuer` can be looked up, and no more";
    expect(errors(jwks('issuer = ["https://a", "https://b"]'))).toEqual([one]);
    expect(errors(jwks("discovery = true"))).toEqual([one]);
    const url =
      "authentication.issuer: the `issuer` is no http or https URL that could be asked for its keys";
    for (const issuer of ["accounts", "ftp://a", `${ISSUER}?x=1`, `${ISSUER}#x`]) {
      expect(errors(jwks(`issuer = "${issuer}"`))).toEqual([url]);
    }
    expect(errors(jwks("discovery = false"))).toEqual(["authentication: `endpoint` is missing"]);
    expect(errors(jwks("enable = true"))).toEqual(["authentication: `endpoint` is missing"]);
  });
});

describe("options of ours", () => {
  it("are off unless written, and named as what EMQX refuses", () => {
    const [plain] = load(authenticators(SECRET)).chain;
    expect(plain).toMatchObject({ checkIat: false, refuseShortKeys: false });
    const text = authenticators(`${SECRET}, check_iat = true, short_keys = refuse`);
    expect(load(text).chain[0]).toMatchObject({ checkIat: true, refuseShortKeys: true });
    expect(warnings(text)).toEqual([
      "WARN_CONFIG_EMQX_REFUSES authentication[1].check_iat",
      "WARN_CONFIG_EMQX_REFUSES authentication[1].short_keys",
    ]);
  });

  it("say how many verified tokens to remember", () => {
    const cache = (keys: string): unknown =>
      load(authenticators(`${SECRET}, token_cache { ${keys} }`)).chain[0]?.tokenCache;
    expect(load(authenticators(SECRET)).chain[0]?.tokenCache).toBeUndefined();
    expect(cache("max_count = 5")).toBeUndefined();
    expect(cache("enable = true")).toEqual({ maxCount: 100_000, maxBytes: 33_554_432 });
    expect(cache("enable = true, max_count = 5, max_memory = 1KB")).toEqual({
      maxCount: 5,
      maxBytes: 1024,
    });
    for (const keys of ["max_count = 0", "max_memory = 255", "ttl = 5s"]) {
      expect(errors(authenticators(`${SECRET}, token_cache { ${keys} }`))).toHaveLength(1);
    }
  });

  it("refuse a secret one byte short of 32 where that is wanted", () => {
    const secret = (length: number, more = ""): string =>
      authenticators(`algorithm = "hmac-based", secret = "${"s".repeat(length)}" ${more}`);
    expect(warnings(secret(31))).toEqual(["WARN_CONFIG_SHORT_SECRET authentication[1].secret"]);
    expect(errors(secret(31, ", short_keys = refuse"))).toEqual([
      "authentication[1].secret: the secret has 31 bytes, fewer than 32",
    ]);
    expect(errors(secret(32, ", short_keys = refuse"))).toEqual([]);
  });
});
