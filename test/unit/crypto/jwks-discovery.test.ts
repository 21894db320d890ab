import { afterEach, describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import {
  type DownloadOptions,
  downloadKeySet,
  KEY_SET_BYTES_MAX,
} from "../../../src/crypto/jwks-download.ts";
import type { Fetch } from "../../../src/ports/ports.ts";
import { fakeTime } from "../../support/fake-timers.ts";
import { type JwksServer, jwk, sendKeys, startJwksServer } from "../../support/jwks-server.ts";
import { p256, p384 } from "../../support/tokens.ts";

const WELL_KNOWN = "/.well-known/openid-configuration";
const KEY = jwk(p256, { kid: "k" });

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

interface Provider extends JwksServer {
  readonly issuer: string;
  /** The configuration it serves; anything else gets the keys. */
  configuration: unknown;
  /** Paths asked for. */
  readonly paths: string[];
}

async function startProvider(): Promise<Provider> {
  const paths: string[] = [];
  const server = await startJwksServer((response, { url = "" }) => {
    paths.push(url);
    if (url !== WELL_KNOWN) return sendKeys(response, [KEY]);
    const { configuration } = provider;
    response.end(typeof configuration === "string" ? configuration : JSON.stringify(configuration));
  });
  opened.push(server.close);
  const issuer = new URL(server.url).origin;
  const configuration: unknown = { issuer, jwks_uri: `${issuer}/keys` };
  const provider: Provider = Object.assign(server, { issuer, configuration, paths });
  return provider;
}

/** Key ids, or the problem. */
async function discover(
  { issuer }: Provider,
  more: Partial<DownloadOptions> = {},
  fetch: Fetch = (url, init) => globalThis.fetch(url, init),
): Promise<unknown> {
  const options: DownloadOptions = {
    endpoint: `${issuer}${WELL_KNOWN}`,
    discoveryIssuer: issuer,
    headers: { accept: "application/json", authorization: "Bearer s3cret" },
    wantsStatus200: true,
    skipBadKeys: true,
    ...more,
  };
  const { setTimer } = fakeTime(0);
  const ports = { crypto: createNodeCrypto(), fetch, setTimer };
  const result = await downloadKeySet(options, ports, new AbortController().signal);
  return result.ok ? result.keys.map(({ kid }) => kid) : result.problem;
}

describe("a provider's configuration", () => {
  it("leads to its keys, with the headers on its own origin", async () => {
    const provider = await startProvider();
    expect(await discover(provider)).toEqual(["k"]);
    expect(provider.paths).toEqual([WELL_KNOWN, "/keys"]);
    expect(provider.requests.map(({ authorization }) => authorization)).toEqual([
      "Bearer s3cret",
      "Bearer s3cret",
    ]);
  });

  it("is read anew each time, so that keys may move", async () => {
    const provider = await startProvider();
    await discover(provider);
    provider.configuration = { issuer: provider.issuer, jwks_uri: `${provider.issuer}/keys/v2` };
    await discover(provider);
    expect(provider.paths.filter((path) => path !== WELL_KNOWN)).toEqual(["/keys", "/keys/v2"]);
  });

  it("takes no headers to keys on another origin", async () => {
    const provider = await startProvider();
    const other = await startJwksServer([jwk(p384, { kid: "elsewhere" })]);
    opened.push(other.close);
    provider.configuration = { issuer: provider.issuer, jwks_uri: other.url };
    expect(await discover(provider)).toEqual(["elsewhere"]);
    expect(other.requests[0]?.authorization).toBeUndefined();
  });

  it("must name the issuer to the letter", async () => {
    const provider = await startProvider();
    const { issuer } = provider;
    const others = [
      `${issuer}/`,
      issuer.toUpperCase(),
      "https://other.example",
      undefined,
      1,
      [issuer],
    ];
    for (const named of others) {
      provider.configuration = { issuer: named, jwks_uri: `${issuer}/keys` };
      expect(await discover(provider)).toBe(
        "the provider configuration is not that of the `issuer`",
      );
    }
    expect(provider.paths).not.toContain("/keys");
  });

  it.each([
    [undefined, "the provider configuration has no `jwks_uri`"],
    [5, "the provider configuration has no `jwks_uri`"],
    ["/keys", "the provider configuration has no `jwks_uri`"],
    ["file:///etc/passwd", "`jwks_uri` is another scheme"],
    ['data:application/json,{"keys":[]}', "`jwks_uri` is another scheme"],
    ["http://user:pw@127.0.0.1/keys", "`jwks_uri` is an unusable address"],
  ])("with the jwks_uri %j is of no use", async (uri, problem) => {
    const provider = await startProvider();
    provider.configuration = { issuer: provider.issuer, jwks_uri: uri };
    expect(await discover(provider)).toBe(problem);
  });

  it.each([
    ["no JSON", "<html>", "the answer is not JSON"],
    ["a list", [], "the provider configuration is not that of the `issuer`"],
    [
      "too long",
      " ".repeat(KEY_SET_BYTES_MAX + 1),
      `the answer has more than ${KEY_SET_BYTES_MAX} bytes`,
    ],
  ])("that is %s is of no use", async (_what, configuration, problem) => {
    const provider = await startProvider();
    provider.configuration = configuration;
    expect(await discover(provider)).toBe(problem);
  });

  it("counts only with status 200, even where key sets need none", async () => {
    const provider = await startProvider();
    provider.answer = (response) => void response.writeHead(404).end();
    const problem = "the answer has status 404";
    expect(await discover(provider, { wantsStatus200: false })).toBe(problem);
  });

  it("over TLS never leads to plain HTTP", async () => {
    const provider = { ...(await startProvider()), issuer: "https://id.example.com" };
    const { issuer } = provider;
    const asked: string[] = [];
    const serving =
      (uri: string): Fetch =>
      async (url) => {
        asked.push(url);
        const isConfiguration = url.endsWith(WELL_KNOWN);
        return Response.json(isConfiguration ? { issuer, jwks_uri: uri } : { keys: [KEY] });
      };
    const plain = "http://id.example.com/keys";
    expect(await discover(provider, {}, serving(plain))).toBe("`jwks_uri` is plain HTTP");
    expect(asked).not.toContain(plain);
    expect(await discover(provider, {}, serving("https://keys.example.com/"))).toEqual(["k"]);
  });
});
