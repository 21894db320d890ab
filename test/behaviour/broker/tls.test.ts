/** TLS listeners: whose certificate is taken, what the engine is told of it, and new certificates. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { ListenerTls } from "../../../src/config/config.ts";
import { connectPacket, RawClient, startBroker, type TestBroker } from "../../support/broker.ts";
import {
  CLIENT_AUTH,
  element,
  makeCertificate,
  type TestCertificate,
} from "../../support/certificates.ts";
import { FakeEngine, type FakeEngineOptions } from "../../support/fake-engine.ts";
import { LISTENER_TLS_DEFAULTS } from "../../support/listener-tls.ts";

const AUTHORITY = makeCertificate({ subject: [{ CN: "authority" }], isCa: true });
const INTERMEDIATE = issue("intermediate", AUTHORITY, true);
const SERVER = makeCertificate({
  subject: [{ CN: "server" }],
  issuer: AUTHORITY,
  dnsNames: ["broker.test"],
});
const CLIENT = makeCertificate({ subject: [{ O: "plant" }, { CN: "dev-1" }], issuer: AUTHORITY });

function issue(name: string, issuer?: TestCertificate, isCa = false): TestCertificate {
  return makeCertificate({ subject: [{ CN: name }], issuer, isCa });
}

const TLS: ListenerTls = {
  ...LISTENER_TLS_DEFAULTS,
  certificate: SERVER.cert,
  key: SERVER.key,
  authorities: AUTHORITY.cert,
  isPeerVerified: true,
};

let test: TestBroker;
afterEach(() => test.close());

async function start(
  tls: Partial<ListenerTls> = {},
  options: FakeEngineOptions = {},
): Promise<FakeEngine> {
  const engine = new FakeEngine({
    ...options,
    listener: { type: "ssl", tls: { ...TLS, ...tls }, ...options.listener },
  });
  test = await startBroker(engine);
  return engine;
}

/** A client of the broker; rejects when the handshake fails. */
async function open(
  certificate?: TestCertificate,
  options: ConnectionOptions = {},
): Promise<{ socket: TLSSocket; client: RawClient }> {
  const socket = connect({
    port: test.port,
    host: "127.0.0.1",
    ca: AUTHORITY.cert,
    servername: "broker.test",
    ...(certificate && { cert: certificate.cert, key: certificate.key }),
    ...options,
  });
  const client = new RawClient(socket);
  await once(socket, "secureConnect");
  return { socket, client };
}

/** `accepted`, or `closed`: with TLS 1.3 a client learns of its refusal after the handshake. */
async function join(certificate?: TestCertificate, options?: ConnectionOptions): Promise<string> {
  try {
    const { client } = await open(certificate, options);
    client.send(connectPacket({ clientId: "one more" }));
    await client.next("connack");
    client.socket.destroy();
    return "accepted";
  } catch {
    return "closed";
  }
}

describe("a TLS listener", () => {
  it("tells the engine who the client is by its certificate", async () => {
    const engine = await start();
    expect(await join(CLIENT)).toBe("accepted");
    expect(engine.seen[0]).toMatchObject({
      listener: "ssl:default",
      peerHost: "127.0.0.1",
      peerSni: "broker.test",
      certCommonName: "dev-1",
      certSubject: "CN=dev-1,O=plant",
    });
    expect(Buffer.from(engine.seen[0]!.certDer!)).toEqual(CLIENT.der);
  });

  it("takes a client without a certificate unless it has to have one", async () => {
    const engine = await start();
    expect(await join()).toBe("accepted");
    expect(engine.seen[0]).toMatchObject({ certCommonName: undefined, certDer: undefined });
    await test.close();
    const strict = await start({ failIfNoPeerCert: true });
    expect(await join()).toBe("closed");
    expect(await join(CLIENT)).toBe("accepted");
    expect(strict.seen).toHaveLength(1);
    expect(await test.logged("connection_refused")).toMatchObject({
      why: "no certificate was presented",
      listener: "ssl:default",
    });
  });

  it("refuses a certificate of another authority, whether one is needed or not", async () => {
    const other = issue("other authority", undefined, true);
    // Named as the real one is.
    const twin = issue("authority", undefined, true);
    for (const failIfNoPeerCert of [true, false]) {
      const engine = await start({ failIfNoPeerCert });
      for (const stranger of [issue("dev-1", other), issue("dev-1", twin), issue("dev-1")]) {
        expect(await join(stranger)).toBe("closed");
        expect(await join(stranger, { maxVersion: "TLSv1.2" })).toBe("closed");
      }
      expect(await join(CLIENT)).toBe("accepted");
      expect(engine.seen).toHaveLength(1);
      await test.close();
    }
    await start();
  });

  it("asks nobody for a certificate with verify_none, and hears of none", async () => {
    const engine = await start({ isPeerVerified: false });
    expect(await join(issue("stranger"))).toBe("accepted");
    expect(engine.seen[0]).toMatchObject({ certCommonName: undefined, certSubject: undefined });
  });

  it("counts the certificates between the client's and the authority's", async () => {
    const second = issue("second", INTERMEDIATE, true);
    const far = issue("dev-1", second);
    const chain = { cert: far.cert + second.cert + INTERMEDIATE.cert, key: far.key };
    await start({ depth: 2 });
    expect(await join(far, chain)).toBe("accepted");
    await test.close();
    await start({ depth: 1 });
    expect(await join(far, chain)).toBe("closed");
    const near = issue("dev-1", INTERMEDIATE);
    expect(await join(near, { cert: near.cert + INTERMEDIATE.cert })).toBe("accepted");
    await test.close();
    await start({ depth: 0 });
    expect(await join(near, { cert: near.cert + INTERMEDIATE.cert })).toBe("closed");
    expect(await join(CLIENT)).toBe("accepted");
    // Nothing is believed of a chain that cannot be followed.
    await test.close();
    await start({ depth: 2 });
    const disordered = far.cert + INTERMEDIATE.cert + second.cert;
    expect(await join(far, { ...chain, cert: disordered })).toBe("closed");
    expect(await test.logged("connection_refused")).toMatchObject({
      why: expect.stringContaining("cannot be seen to its end"),
    });
    // Also where the listener itself knows the certificate in between.
    await test.close();
    await start({ depth: 0, authorities: AUTHORITY.cert + INTERMEDIATE.cert });
    expect(await join(near)).toBe("closed");
  });

  it("trusts the last of its authorities alone with partial_chain", async () => {
    const device = issue("dev-1", INTERMEDIATE);
    const [apart, last] = [issue("apart", AUTHORITY, true), INTERMEDIATE];
    await start({ authorities: apart.cert + last.cert });
    expect(await join(device)).toBe("closed");
    await test.close();
    await start({ authorities: apart.cert + last.cert, partialChain: 1 });
    expect(await join(device)).toBe("accepted");
    expect(await join(issue("dev-1", apart))).toBe("closed");
    await test.close();
    await start({ authorities: apart.cert + last.cert, partialChain: 2 });
    expect(await join(issue("dev-1", apart))).toBe("accepted");
    expect(await join(CLIENT)).toBe("closed");
  });

  it("wants all extended key usages that it is told to", async () => {
    const forClients = (usages: readonly string[]) =>
      makeCertificate({ subject: [{ CN: "dev-1" }], issuer: AUTHORITY, usages });
    await start({ extKeyUsage: [CLIENT_AUTH, "1.2.3.4"] });
    expect(await join(forClients([CLIENT_AUTH, "1.2.3.4"]))).toBe("accepted");
    expect(await join(forClients([CLIENT_AUTH]))).toBe("closed");
    expect(await join(CLIENT)).toBe("closed");
  });

  it.each([
    ["a control character", { CN: "dev\u0000-1" }],
    ["bad text", { CN: element(0x13, Buffer.of(0xe9)) }],
    ["a line feed in another part", { CN: "dev-1", O: "a\nCN=admin" }],
  ])("closes on a subject with %s", async (_, rdn) => {
    const engine = await start();
    const odd = makeCertificate({ subject: [rdn], issuer: AUTHORITY });
    expect(await join(odd)).toBe("closed");
    expect(engine.seen).toEqual([]);
    expect(await test.logged("connection_refused")).toMatchObject({
      why: "the subject of the certificate is not valid",
    });
  });

  it("offers the versions and ciphers that it is told to", async () => {
    const old = { maxVersion: "TLSv1.2", minVersion: "TLSv1.2" } as const;
    await start({ minVersion: "TLSv1.3" });
    expect(await join(CLIENT, old)).toBe("closed");
    expect(await join(CLIENT)).toBe("accepted");
    await test.close();
    await start({ ...old, ciphers: ["ECDHE-ECDSA-AES256-GCM-SHA384"] });
    expect(await join(CLIENT, { minVersion: "TLSv1.3" })).toBe("closed");
    expect(await join(CLIENT, { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).toBe("closed");
    const { socket } = await open(CLIENT);
    expect(socket.getCipher()).toMatchObject({ name: "ECDHE-ECDSA-AES256-GCM-SHA384" });
  });

  it("makes every client prove itself anew", async () => {
    await start();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const sessions: Buffer[] = [];
      const { socket, client } = await open(CLIENT, { maxVersion });
      socket.on("session", (session) => sessions.push(session));
      client.send(connectPacket());
      await client.next("connack");
      const session = socket.getSession() ?? sessions[0];
      socket.destroy();
      const again = await open(undefined, { maxVersion, session });
      expect(again.socket.isSessionReused()).toBe(false);
      again.socket.destroy();
    }
  });

  it("cuts off who does not finish the handshake", async () => {
    await start({ handshakeTimeoutMs: 50 });
    const socket = connectTcp(test.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "close");
    expect(await test.logged("connection_refused")).toMatchObject({
      why: "ERR_TLS_HANDSHAKE_TIMEOUT",
    });
    expect(await join(CLIENT)).toBe("accepted");
  });

  it("lives through clients that do not speak TLS, and counts them out", async () => {
    await start({}, { listener: { maxConnections: 1 } });
    for (const bytes of [
      "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
      "GET / HTTP/1.1\r\n\r\n",
    ]) {
      const socket = connectTcp(test.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(bytes);
      await once(socket, "close");
    }
    const first = await open(CLIENT);
    expect(await join(CLIENT)).toBe("closed");
    first.socket.destroy();
    await first.client.closed;
    while (test.broker.connections > 0) await new Promise(setImmediate);
    expect(await join(CLIENT)).toBe("accepted");
  });

  it("has its sessions end at their time", async () => {
    const engine = await start();
    const { client } = await open(CLIENT);
    client.send(connectPacket());
    await client.next("connack");
    await client.settled();
    expect(engine.sessions).toHaveLength(1);
    await test.broker.close();
    expect((await client.next("disconnect")).reasonCode).toBe(0x8b);
    await client.closed;
  });
});

describe("a new policy", () => {
  it("brings a new certificate and authority for new connections, and drops none", async () => {
    const engine = await start({ failIfNoPeerCert: true });
    const { client } = await open(CLIENT);
    client.send(connectPacket());
    await client.next("connack");
    const other = issue("other", undefined, true);
    const server = makeCertificate({
      subject: [{ CN: "new" }],
      issuer: other,
      dnsNames: ["broker.test"],
    });
    const [listener] = engine.config.listeners;
    const tls = {
      ...TLS,
      failIfNoPeerCert: true,
      certificate: server.cert,
      key: server.key,
      authorities: other.cert,
    };
    engine.changePolicy({ listeners: [{ ...listener!, tls }] });
    await client.settled();
    expect(await join(CLIENT, { ca: other.cert })).toBe("closed");
    expect(await join(issue("dev-1", other), { ca: AUTHORITY.cert })).toBe("closed");
    expect(await join(issue("dev-1", other), { ca: other.cert })).toBe("accepted");
    await client.settled();
  });

  it("whose certificate cannot be used leaves the old one", async () => {
    const engine = await start();
    const [listener] = engine.config.listeners;
    const tls = { ...TLS, key: CLIENT.key };
    engine.changePolicy({ listeners: [{ ...listener!, tls }] });
    expect(await test.logged("listener_unchanged")).toMatchObject({ listener: "ssl:default" });
    expect(await join(CLIENT)).toBe("accepted");
  });
});

describe("access rules", () => {
  it("are asked before TLS, and follow the policy", async () => {
    const deny = [{ permission: "deny", who: "127.0.0.0/8" }] as const;
    const engine = await start({}, { listener: { accessRules: deny } });
    expect(await join(CLIENT)).toBe("closed");
    expect(await test.logged("connection_refused")).toMatchObject({
      why: "the address may not connect",
    });
    const [listener] = engine.config.listeners;
    engine.changePolicy({ listeners: [{ ...listener!, accessRules: [] }] });
    expect(await join(CLIENT)).toBe("accepted");
  });
});
