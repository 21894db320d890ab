/** Outgoing HTTP on undici: a pool for each client, with time-outs and TLS of its own. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { Agent, buildConnector, fetch as undiciFetch } from "undici";
import { UsageError } from "../../src/errors.ts";
import {
  type ClientTls,
  HTTP_CLIENT_DEFAULTS,
  type HttpClient,
  type HttpClientOptions,
} from "../../src/ports/http.ts";

/**
 * Opens a client. Throws UsageError for certificates, keys and ciphers that cannot be used; the
 * message says which, and quotes none.
 *
 * Connections speak HTTP/1.1, are kept for `maxInactiveMs` at most (less where the server says so), and
 * do not keep the process alive when idle.
 */
export function openHttp(options: HttpClientOptions): HttpClient {
  const { tls } = options;
  if (tls) checkTls(tls);
  const { poolSize, pipelining, connectTimeoutMs, maxInactiveMs } = {
    ...HTTP_CLIENT_DEFAULTS,
    ...withoutUndefined(options),
  };
  const agent = new Agent({
    connections: poolSize,
    pipelining,
    keepAliveTimeout: maxInactiveMs,
    keepAliveMaxTimeout: maxInactiveMs,
    // Who asks has one time-out for the whole exchange.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: connectorOf(tls, connectTimeoutMs),
  });
  return {
    fetch: (url, init) =>
      undiciFetch(url, {
        ...(init as Parameters<typeof undiciFetch>[1]),
        dispatcher: agent,
      }) as unknown as Promise<Response>,
    close: () => {
      // Waits for what is under way; nobody waits for it.
      agent.close().catch(() => {});
    },
  };
}

function connectorOf(tls: ClientTls | undefined, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false, ...tlsOptions(tls) });
  const { serverName } = tls ?? {};
  if (serverName === undefined) return connect;
  if (serverName !== "") {
    return (options, callback) => connect({ ...options, servername: serverName }, callback);
  }
  // The name is taken from `host`, the address and the name to check from `hostname`.
  return (options, callback) => {
    const { host: _, servername: __, ...rest } = options;
    connect(rest, callback);
  };
}

function tlsOptions(tls: ClientTls | undefined): object {
  if (!tls) return {};
  return withoutUndefined({
    rejectUnauthorized: tls.verify,
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    passphrase: tls.passphrase,
    minVersion: tls.versions?.[0],
    maxVersion: tls.versions?.[1],
    ciphers: tls.ciphers,
  });
}

/** What node:tls would only say when a connection is made. */
function checkTls(tls: ClientTls): void {
  if (tls.key === null || tls.passphrase === null) throw unusable("the key is not known");
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw unusable("a client certificate needs both `certfile` and `keyfile`");
  }
  if (tls.ca !== undefined && !isCertificate(tls.ca))
    throw unusable("`cacertfile` holds no certificate");
  if (tls.cert !== undefined && !isCertificate(tls.cert)) {
    throw unusable("`certfile` holds no certificate");
  }
  const { cert, key, passphrase, ciphers } = tls;
  try {
    if (ciphers !== undefined) createSecureContext({ ciphers });
  } catch {
    throw unusable("`ciphers` names none that can be used");
  }
  try {
    createSecureContext(withoutUndefined({ cert, key, passphrase: passphrase ?? undefined }));
  } catch {
    throw unusable("the client's certificate and key cannot be used: is the `password` right?");
  }
}

/** Is every PEM block of it a certificate? */
function isCertificate(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN [^-]*-----[\s\S]*?-----END [^-]*-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
    return blocks.length > 0;
  } catch {
    return false;
  }
}

function unusable(message: string): UsageError {
  return new UsageError("ERR_USAGE_TLS", message);
}

function withoutUndefined<T extends object>(
  options: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  const written = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(written) as { [K in keyof T]: Exclude<T[K], undefined> };
}
