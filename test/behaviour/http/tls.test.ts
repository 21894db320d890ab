import type { ServerOptions } from "node:https";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { brief } from "../../support/engine.ts";
import { type HttpServer, startHttpServer } from "../../support/http-server.ts";
import { jwk } from "../../support/jwks-server.ts";
import { engineFrom, imageFrom } from "../../support/policy.ts";
import { makeToken, p256 } from "../../support/tokens.ts";

const authority = makeCertificate({ subject: [{ CN: "Authority" }], isCa: true });
const stranger = makeCertificate({ subject: [{ CN: "Stranger" }], isCa: true });
const names = { dnsNames: ["localhost", "auth.example"], addresses: ["127.0.0.1"] };
const issued = makeCertificate({ subject: [{ CN: "auth" }], issuer: authority, ...names });
const selfSigned = makeCertificate({ subject: [{ CN: "auth" }], isCa: true, ...names });
const elsewhere = makeCertificate({
  subject: [{ CN: "auth" }],
  issuer: authority,
  dnsNames: ["elsewhere.example"],
});
const device = makeCertificate({ subject: [{ CN: "broker" }], issuer: authority });

const BY = "by password_based:http";
const OK = `allow ${BY}`;
const FAILED = `0x88 backend_unavailable ${BY}`;

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function start(tls: ServerOptions, answer: object = { result: "allow" }) {
  const server = await startHttpServer(answer, tls);
  opened.push(() => server.close());
  return server;
}

async function engineOf(conf: string): Promise<Engine> {
  const engine = await engineFrom({ conf });
  opened.push(() => engine.close());
  return engine;
}

/** What comes of a connect when this server is asked with these `ssl` settings. */
async function login(server: HttpServer, ssl: string, host = "127.0.0.1"): Promise<string> {
  const url = server.origin.replace("127.0.0.1", host);
  const engine = await engineOf(`authentication = [{
    mechanism = password_based, backend = http, method = post, url = "${url}/auth"
    body { u = "\${username}" }, ssl { enable = true, ${ssl} }
  }]`);
  return brief(await engine.connect({ clientId: "c1", username: "u1" }));
}

const text = (pem: string): string => `"""${pem}"""`;
const CA = `cacertfile = ${text(authority.cert)}`;

describe("a server's certificate", () => {
  it("is refused when nobody vouches for it, and before anything is sent", async () => {
    const server = await start(selfSigned);
    expect(await login(server, "")).toBe(FAILED);
    expect(server.asked).toEqual([]);
    expect(await login(server, "verify = verify_none")).toBe(OK);
  });

  it("is accepted from an authority of the operator's, and from no other", async () => {
    const server = await start(issued);
    expect(await login(server, CA)).toBe(OK);
    expect(await login(server, `cacertfile = ${text(stranger.cert)}`)).toBe(FAILED);
    expect(await login(server, `cacertfile = ${text(stranger.cert + authority.cert)}`)).toBe(OK);
  });

  it("has to be for the host that is asked, or for the name that is configured", async () => {
    const server = await start(elsewhere);
    expect(await login(server, CA)).toBe(FAILED);
    expect(await login(server, `${CA}, server_name_indication = elsewhere.example`)).toBe(OK);
    expect(await login(server, `${CA}, server_name_indication = else.example`)).toBe(FAILED);
    const good = await start(issued);
    expect(await login(good, CA, "localhost")).toBe(OK);
    expect(await login(good, `${CA}, server_name_indication = disable`, "localhost")).toBe(OK);
    const bad = await start(elsewhere);
    expect(await login(bad, `${CA}, server_name_indication = disable`, "localhost")).toBe(FAILED);
  });
});

it("the name of the host is told in the handshake unless that is disabled", async () => {
  const told: string[] = [];
  const server = await start({
    ...issued,
    SNICallback: (name, done) => {
      told.push(name);
      done(null);
    },
  });
  expect(await login(server, CA, "localhost")).toBe(OK);
  expect(await login(server, `${CA}, server_name_indication = auth.example`)).toBe(OK);
  expect(await login(server, `${CA}, server_name_indication = disable`, "localhost")).toBe(OK);
  expect(told).toEqual(["localhost", "auth.example"]);
});

it("a client certificate is sent where one is configured", async () => {
  const server = await start({
    ...issued,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });
  expect(await login(server, CA)).toBe(FAILED);
  const pair = `certfile = ${text(device.cert)}, keyfile = ${text(device.key)}`;
  expect(await login(server, `${CA}, ${pair}`)).toBe(OK);
});

it("versions that have none in common do not meet", async () => {
  const server = await start({ ...issued, maxVersion: "TLSv1.2" });
  expect(await login(server, `${CA}, versions = ["tlsv1.3"]`)).toBe(FAILED);
  expect(await login(server, `${CA}, versions = ["tlsv1.3", "tlsv1.2"]`)).toBe(OK);
});

it.each([
  ["cacertfile", "-----BEGIN X-----\nAAAA\n-----END X-----", "`cacertfile` holds no certificate"],
  ["ciphers", "NO-SUCH-CIPHER", "`ciphers` names none that can be used"],
])("what cannot be used in %s is a load error", async (name, value, problem) => {
  const server = await start(issued);
  await expect(login(server, `${name} = ${text(value)}`)).rejects.toThrow(problem);
});

it("a key that does not belong to its certificate is a load error that shows neither", async () => {
  const server = await start(issued);
  const pair = `certfile = ${text(device.cert)}, keyfile = ${text(stranger.key)}`;
  const error = await login(server, pair).catch((reason: Error) => reason.message);
  expect(error).toContain("certificate and key cannot be used");
  expect(error).not.toContain(stranger.key.split("\n")[1]);
});

describe("a key set", () => {
  const KEY = { keys: [jwk(p256, { kid: "k1" })] };
  const token = (): string => makeToken("ES256", p256.privateKey, {}, { alg: "ES256", kid: "k1" });
  const keySet = async (server: HttpServer, ssl: string): Promise<string> => {
    const engine = await engineOf(`authentication = [{
      mechanism = jwt, use_jwks = true, endpoint = "${server.origin}/keys", ssl { enable = true, ${ssl} }
    }]`);
    return brief(await engine.connect({ clientId: "c1", password: token() }));
  };

  it("is had over TLS with an authority and a certificate of the operator's", async () => {
    const server = await start(
      { ...issued, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      KEY,
    );
    const pair = `certfile = ${text(device.cert)}, keyfile = ${text(device.key)}`;
    expect(await keySet(server, `${CA}, ${pair}`)).toBe("allow by jwt");
    expect(await keySet(server, CA)).toBe("0x88 backend_unavailable by jwt");
  });

  it("is refused from a server that nobody vouches for", async () => {
    const server = await start(selfSigned, KEY);
    expect(await keySet(server, "")).toBe("0x88 backend_unavailable by jwt");
    expect(await keySet(server, CA)).toBe("0x88 backend_unavailable by jwt");
    expect(server.asked).toEqual([]);
    expect(await keySet(server, "verify = verify_none")).toBe("allow by jwt");
  });

  it("fetched without checking is not kept for a policy that checks", async () => {
    const server = await start(selfSigned, KEY);
    const conf = (verify: string): string => `authentication = [{
      mechanism = jwt, use_jwks = true, endpoint = "${server.origin}/keys"
      ssl { enable = true, verify = ${verify} }
    }]`;
    const engine = await engineOf(conf("verify_none"));
    const login = async () => brief(await engine.connect({ clientId: "c1", password: token() }));
    expect(await login()).toBe("allow by jwt");
    await engine.reload(imageFrom({ conf: conf("verify_peer") }));
    expect(await login()).toBe("0x88 backend_unavailable by jwt");
  });
});
