/** An HTTP client on any host: the platform's own where it has one, else `fetch` as far as that goes. */
import { UsageError } from "../errors.ts";
import {
  type ClientTls,
  HTTP_CLIENT_DEFAULTS,
  type HttpClient,
  type HttpClientOptions,
} from "./http.ts";
import type { Ports } from "./ports.ts";

export type OpeningHttp =
  | { readonly ok: true; readonly client: HttpClient; readonly warnings: readonly string[] }
  /** What the platform cannot do, or what is wrong with a certificate. Never quotes one. */
  | { readonly ok: false; readonly problem: string };

/**
 * Opens a client. Without `ports.openHttp`, TLS settings that decide whom to trust are a problem, and
 * those that only tune the connection a warning.
 */
export function openHttpClient(
  options: HttpClientOptions,
  ports: Pick<Ports, "fetch" | "openHttp">,
): OpeningHttp {
  if (!ports.openHttp) return overFetch(options, ports.fetch);
  try {
    return { ok: true, client: ports.openHttp(options), warnings: [] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { ok: false, problem: error.message };
  }
}

function overFetch(options: HttpClientOptions, fetch: Ports["fetch"]): OpeningHttp {
  const { tls } = options;
  const unsayable = TRUST_SETTINGS.filter((name) => tls?.[name] !== undefined);
  if (unsayable.length > 0) {
    const problem = `TLS settings (${unsayable.map((name) => TLS_KEYS[name]).join(", ")}) cannot be kept by this runtime`;
    return { ok: false, problem };
  }
  const warnings: string[] = [];
  if (tls?.verify === false) warnings.push("certificates are always checked by this runtime");
  const tuned = TUNING.filter(
    (name) => (options[name] ?? HTTP_CLIENT_DEFAULTS[name]) !== HTTP_CLIENT_DEFAULTS[name],
  );
  if (tuned.length > 0 || tls?.versions || tls?.ciphers) {
    warnings.push(
      "connections are the runtime's: settings of the pool, versions and ciphers have no effect",
    );
  }
  return { ok: true, client: { fetch }, warnings };
}

const TRUST_SETTINGS = ["ca", "cert", "key", "passphrase", "serverName"] as const;
const TUNING = ["poolSize", "pipelining", "connectTimeoutMs", "maxInactiveMs"] as const;

/** What an operator calls them. */
const TLS_KEYS: Readonly<Record<(typeof TRUST_SETTINGS)[number], string>> = {
  ca: "cacertfile",
  cert: "certfile",
  key: "keyfile",
  passphrase: "password",
  serverName: "server_name_indication",
} satisfies Partial<Record<keyof ClientTls, string>>;
