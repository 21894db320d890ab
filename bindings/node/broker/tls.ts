/**
 * TLS in front of a listener: handshakes, what is asked of clients, and who they then are.
 *
 * Node's own check of client certificates refuses all or none; whether one has to be there, how long
 * its chain may be and what it is for are looked at here, before the first packet is read.
 */
import { constants, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import {
  createSecureContext,
  createServer,
  type DetailedPeerCertificate,
  getCiphers,
  type SecureContext,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import type { ListenerConfig, ListenerTls } from "../../../src/config/config.ts";
import { readSubject } from "../../../src/crypto/certificate.ts";
import type { Issue } from "../../../src/errors.ts";

/** What the handshake says of a client. */
export interface TlsIdentity {
  readonly serverName: string | undefined;
  /** Undefined when the client presented no certificate. */
  readonly certificate: ClientCertificate | undefined;
}

export interface ClientCertificate {
  readonly der: Uint8Array;
  readonly commonName: string | undefined;
  readonly subject: string;
}

export interface TlsHandlers {
  onOpen(socket: TLSSocket, identity: TlsIdentity): void;
  /** The handshake failed, or the client may not connect. `why` holds nothing that the client chose. */
  onRefused(socket: Socket, why: string): void;
}

/** Makes handshakes for connections that it is handed, under the options in force at the time. */
export class TlsAcceptor {
  readonly #handlers: TlsHandlers;
  #server: Server;

  /** Throws what OpenSSL says about the certificate or its key. */
  constructor(tls: ListenerTls, handlers: TlsHandlers) {
    this.#handlers = handlers;
    this.#server = this.#serverFor(tls);
  }

  /** The options for handshakes from now on; connections stay. Throws, and then changes nothing. */
  follow(tls: ListenerTls): void {
    this.#server = this.#serverFor(tls);
  }

  accept(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  /** It never listens: sockets are handed to it, so that options can change as a whole. */
  #serverFor(tls: ListenerTls): Server {
    const options = serverOptions(tls);
    const server = createServer(options);
    if (options.allowPartialTrustChain) {
      // Node 20's server drops this option. Where the name is another one day, such clients are refused.
      const shared: { _sharedCreds?: SecureContext } = server as object;
      shared._sharedCreds = createSecureContext(options);
    }
    const { onOpen, onRefused } = this.#handlers;
    server.on("secureConnection", (socket) => {
      const identity = identify(socket, tls);
      if (typeof identity !== "string") {
        onOpen(socket, identity);
        return;
      }
      onRefused(socket, identity);
      socket.on("error", noop);
      socket.destroy();
    });
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      onRefused(socket, error.code ?? "handshake failed");
      socket.destroy();
    });
    return server;
  }
}

/** Who the client is, or why it may not connect. Source: authentication §1.1 steps 4 and 6, §6.5. */
function identify(socket: TLSSocket, tls: ListenerTls): TlsIdentity | string {
  // Node says `false` for a client that names no server.
  const serverName = socket.servername || undefined;
  if (serverName !== undefined && /[\x00-\x1f\x7f-\x9f\ufffd]/.test(serverName)) {
    return "the server name is not valid";
  }
  // Node's newer way of asking leaves out the chain, and what is asked afterwards has none either.
  const presented = socket.getPeerCertificate(true);
  if (presented?.raw === undefined) {
    return tls.failIfNoPeerCert
      ? "no certificate was presented"
      : { serverName, certificate: undefined };
  }
  const problem = problemOf(presented, socket, tls);
  if (problem !== undefined) return problem;
  const der = Uint8Array.from(presented.raw);
  const subject = readSubject(der);
  if (subject === undefined) return "the subject of the certificate is not valid";
  const certificate = { der, commonName: subject.commonName, subject: subject.text };
  return { serverName, certificate };
}

/** Why this certificate will not do. */
function problemOf(
  certificate: DetailedPeerCertificate,
  socket: TLSSocket,
  tls: ListenerTls,
): string | undefined {
  if (!socket.authorized) {
    // Node calls it an error, and gives a code of OpenSSL's such as `CERT_HAS_EXPIRED`.
    return `the certificate is not trusted: ${String(socket.authorizationError)}`;
  }
  const between = intermediates(certificate, tls.partialChain > 0);
  if (between === undefined) {
    return "the chain of the certificate cannot be seen to its end: is it sent in order? (Node 24.21 and 26.8 hide it, nodejs/node#65579)";
  }
  if (between > tls.depth) return "the chain of the certificate is too long";
  const usages: readonly string[] = certificate.ext_key_usage ?? [];
  if (!tls.extKeyUsage.every((usage) => usages.includes(usage))) {
    return "the certificate is for another use";
  }
  return undefined;
}

/** Certificates between the client's and the authority's; undefined where the authority's is not seen. */
function intermediates(
  certificate: DetailedPeerCertificate,
  mayEndAnywhere: boolean,
): number | undefined {
  let count = 0;
  let at: DetailedPeerCertificate | undefined = certificate;
  while (at.issuerCertificate !== at) {
    at = at.issuerCertificate as DetailedPeerCertificate | undefined;
    if (at === undefined) return mayEndAnywhere ? Math.max(0, count - 1) : undefined;
    count += 1;
  }
  return Math.max(0, count - 1);
}

/** What `check` says about the certificate of an enabled listener. */
export function tlsIssues({ type, name, tls }: ListenerConfig): Issue[] {
  if (!tls) return [];
  const issue = (message: string, hint: string): Issue => ({
    severity: "error",
    code: "ERR_CONFIG_TLS",
    path: `listeners.${type}.${name}.ssl_options`,
    message,
    hint,
    at: tls.at,
  });
  const known = new Set(getCiphers());
  const unusable = tls.ciphers.filter((one) => !known.has(one.toLowerCase()) || ANYBODY.test(one));
  if (unusable.length > 0) {
    const hint = "`openssl ciphers -v` lists the names";
    return [issue(`\`${unusable[0]}\` is no cipher that can be offered`, hint)];
  }
  try {
    createSecureContext(serverOptions(tls));
    return [];
  } catch (error) {
    const hint = "check `certfile`, `keyfile`, `cacertfile` and `password`";
    return [issue(`the certificate or its key cannot be used: ${describe(error)}`, hint)];
  }
}

/** Ciphers without encryption, or without knowing who is at the other end. */
const ANYBODY = /null|^a?ec?dh-anon|^adh|^aecdh|^exp/i;

function serverOptions(tls: ListenerTls): TlsOptions {
  return {
    cert: tls.certificate,
    key: tls.key,
    ...(tls.password !== undefined && { passphrase: tls.password }),
    ...(tls.authorities !== undefined && authoritiesOf(tls.authorities, tls.partialChain)),
    requestCert: tls.isPeerVerified,
    // Looked at after the handshake, see above.
    rejectUnauthorized: false,
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(tls.ciphers.length > 0 && { ciphers: tls.ciphers.join(":") }),
    honorCipherOrder: tls.honorCipherOrder,
    handshakeTimeout: tls.handshakeTimeoutMs,
    // A resumed session would get round a changed authority, a renegotiated one could be another's.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/**
 * Whom clients' certificates may come from. OpenSSL trusts all or none of the certificates that did
 * not sign themselves; of those only the last `partialChain` are meant, so the others are left out.
 */
function authoritiesOf(bundle: string, partialChain: number): TlsOptions {
  const all = bundle.match(CERTIFICATE) ?? [];
  if (partialChain === 0) return { ca: all };
  const ca = all.filter((one, at) => at >= all.length - partialChain || isSelfSigned(one));
  return { ca, allowPartialTrustChain: true };
}

const CERTIFICATE = /-----BEGIN ((?:TRUSTED )?CERTIFICATE)-----[^-]*-----END \1-----/g;

function isSelfSigned(text: string): boolean {
  const certificate = new X509Certificate(text);
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

/** OpenSSL's reason, without the numbers around it: `error:…:key values mismatch`. */
function describe(error: unknown): string {
  const { reason, code } = error as { reason?: unknown; code?: unknown };
  return String(reason ?? code ?? "unknown").toLowerCase();
}

function noop(): void {}
