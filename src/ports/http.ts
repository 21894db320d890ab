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
}

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

export interface HttpClient {
  readonly fetch: Fetch;
  /** Ends its connections. */
  close(): void;
}

/** Opens a client. Throws UsageError for what the platform cannot do. */
export type OpenHttp = (options: HttpClientOptions) => HttpClient;
