/** Outgoing HTTP that an authenticator or source keeps for itself: a pool, time-outs, TLS of its own. */
import type { Fetch } from "./ports.ts";

/** TLS of outgoing requests. Source: authentication §3.1. */
export interface ClientTls {
  /** Check the server's certificate. */
  readonly verify: boolean;
  /** PEM text of the authorities to trust instead of the platform's. */
  readonly ca?: string | undefined;
  /** PEM texts of the client's own certificate and key. */
  readonly cert?: string | undefined;
  /** Null when an image was compiled without secrets. */
  readonly key?: string | null | undefined;
  /** Of the key. Null when an image was compiled without secrets. */
  readonly passphrase?: string | null | undefined;
  /** Instead of the host of the URL; an empty text switches SNI off. */
  readonly serverName?: string | undefined;
  /** Oldest and newest version to speak; what the platform speaks where it is absent. */
  readonly versions?: readonly [min: TlsVersion, max: TlsVersion] | undefined;
  /** In OpenSSL's notation, joined by colons. */
  readonly ciphers?: string | undefined;
}

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

export interface HttpClientOptions {
  readonly tls?: ClientTls | undefined;
  /** Connections to one origin. */
  readonly poolSize?: number | undefined;
  /** Requests on one connection before the first is answered. */
  readonly pipelining?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** An unused connection is closed after this time. */
  readonly maxInactiveMs?: number | undefined;
}

/** What holds where an option is left out. */
export const HTTP_CLIENT_DEFAULTS = {
  poolSize: 8,
  // More would let the answer to one client be taken for the answer to another, should a server be
  // talked into sending two.
  pipelining: 1,
  connectTimeoutMs: 15_000,
  maxInactiveMs: 10_000,
} as const satisfies HttpClientOptions;

export interface HttpClient {
  readonly fetch: Fetch;
  /** Takes no more requests, and ends its connections. Absent where they are the platform's. */
  close?(): void;
}

/** Opens a client. Throws UsageError for what the platform cannot do. */
export type OpenHttp = (options: HttpClientOptions) => HttpClient;
