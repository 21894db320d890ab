/** The keys that a JWT authenticator's configuration names: a secret, PEM text, or a key set. */
import type { JwtConfig } from "../../config/config.ts";
import { CONNECTION_HEADERS } from "../../config/http-headers.ts";
import { isLocalHost } from "../../config/local-host.ts";
import { RSA_BITS_MIN, type VerificationKey } from "../../crypto/crypto.ts";
import { JwksSource } from "../../crypto/jwks.ts";
import type { KeySelection, KeySource } from "../../crypto/key-source.ts";
import { createStaticKeySource } from "../../crypto/key-source.ts";
import { readPem } from "../../crypto/pem.ts";
import { secretBytes } from "../../crypto/secret.ts";
import type { Issue } from "../../errors.ts";
import type { HttpClient } from "../../ports/http.ts";
import { openHttpClient } from "../../ports/open-http.ts";
import type { SourcePosition } from "../../types.ts";
import type { AuthnMode, AuthnPorts } from "../registry.ts";

/** LIMIT: an HMAC secret should be as long as its hash; this is the shortest one's (RFC 7518 §3.2). */
const SECRET_BITS_MIN = 256;

export type Loading =
  | { readonly ok: true; readonly keys: KeySource; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * A source of the keys, with warnings, or the issues that prevent it. Waits for the first download of
 * a key set, within its limit. Never quotes a key.
 *
 * Source: authentication §3.3.1, §8 items 14 and 16.
 */
export async function loadKeys(
  config: JwtConfig,
  mode: AuthnMode,
  ports: AuthnPorts,
): Promise<Loading> {
  if (!config.enable) {
    // Nobody will ask it, so its key may still be missing or wrong.
    const family = config.keys.type === "hmac" ? "hmac" : "public_key";
    const keys = createStaticKeySource(family, [], selectionOf(config, mode));
    return { ok: true, keys, issues: [] };
  }
  switch (config.keys.type) {
    case "hmac":
      return loadSecret(config.keys, config, mode, ports);
    case "public_key":
      return loadPem(config.keys, config, mode, ports);
    case "jwks":
      return openKeySet(config.keys, config, mode, ports);
  }
}

function selectionOf({ refuseShortKeys }: JwtConfig, { switches }: AuthnMode): KeySelection {
  return { selectsByKid: switches.kid_selects_key, refusesShort: refuseShortKeys };
}

/** Without keys at first it is made all the same, with a warning: the endpoint may come back. */
async function openKeySet(
  source: Extract<JwtConfig["keys"], { type: "jwks" }>,
  config: JwtConfig,
  mode: AuthnMode,
  { crypto, clock, remote }: AuthnPorts,
): Promise<Loading> {
  const { switches } = mode;
  const { discoveryIssuer } = source;
  const path = `${config.path}.${discoveryIssuer === undefined ? "endpoint" : "issuer"}`;
  const { at } = source;
  if (!remote) return refused(path, "key sets cannot be fetched here", at);
  const url = URL.canParse(source.endpoint) ? new URL(source.endpoint) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    return refused(path, "the endpoint is not an http or https URL", at);
  }
  if (url.username !== "" || url.password !== "") {
    const hint = "write `headers { Authorization = … }`";
    return refused(path, "the endpoint cannot hold a username or password", at, hint);
  }
  const issues: Issue[] = [];
  const warn = (name: string, message: string): void => {
    issues.push({ severity: "warning", code: "WARN_CONFIG_KEY_SET", path: name, message, at });
  };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(source.headers)) {
    const headerPath = `${config.path}.headers.${name}`;
    if (CONNECTION_HEADERS.has(name.toLowerCase())) {
      warn(headerPath, "the connection decides this header itself");
    } else if (value === null || !isHeader(name, value)) {
      return refused(headerPath, "no header can have this name or value", at);
    } else headers[name] = value;
  }
  if (url.protocol === "http:" && switches.key_sets_guarded && !isLocalHost(url.hostname)) {
    warn(path, "who controls the network can supply the keys: use https");
  }
  let client: HttpClient | undefined;
  if (source.tls) {
    const opening = openHttpClient({ tls: source.tls, poolSize: 1 }, remote);
    if (!opening.ok) return refused(`${config.path}.ssl`, opening.problem, at);
    for (const warning of opening.warnings) warn(`${config.path}.ssl`, warning);
    client = opening.client;
  }
  const set = await JwksSource.open(
    {
      endpoint: url.href,
      discoveryIssuer,
      headers,
      trust: source.tls && [source.tls.verify, source.tls.ca, source.tls.serverName],
      refreshIntervalSeconds: source.refreshIntervalSeconds,
      maxFailCount: source.maxFailCount ?? FAIL_COUNT_MAX,
      ...selectionOf(config, mode),
      skipBadKeys: switches.bad_jwks_keys_skipped,
      isGuarded: switches.key_sets_guarded,
    },
    { crypto, clock, ...remote, ...(client && { fetch: client.fetch }) },
  );
  for (const warning of set.warnings) warn(path, warning);
  const usable = set.keys.filter((key) => key.type !== "unsupported");
  for (const key of usable) {
    const weakness = weaknessOf(key, { config, mode, path, at });
    if (weakness) issues.push(weakness);
  }
  return { ok: true, keys: client ? withClient(set, client) : set, issues };
}

/** The same keys; what they are fetched with ends when they do. */
function withClient(set: JwksSource, client: HttpClient): KeySource {
  return {
    family: set.family,
    find: (header, algorithm) => set.find(header, algorithm),
    close: () => {
      set.close();
      client.close?.();
    },
  };
}

/** Default of `max_fail_count`. */
const FAIL_COUNT_MAX = 5;

function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]]);
    return true;
  } catch {
    return false;
  }
}

async function loadSecret(
  source: Extract<JwtConfig["keys"], { type: "hmac" }>,
  config: JwtConfig,
  mode: AuthnMode,
  { crypto }: AuthnPorts,
): Promise<Loading> {
  const path = `${config.path}.secret`;
  if (source.secret === null) return refused(path, "the secret is not known", source.at);
  const secret = secretBytes(source.secret, source.secretBase64Encoded);
  if (secret === undefined) return refused(path, "the secret is not padded base64", source.at);
  if (secret.length === 0 && mode.switches.empty_secret_refused) {
    return refused(path, "an empty secret lets everyone sign tokens", source.at);
  }
  const imported = await crypto.importSecret(secret);
  if (!imported.ok) return refused(path, imported.problem, source.at);
  return fromKeys("hmac", [imported.key], { config, mode, path, at: source.at });
}

async function loadPem(
  source: Extract<JwtConfig["keys"], { type: "public_key" }>,
  config: JwtConfig,
  mode: AuthnMode,
  { crypto }: AuthnPorts,
): Promise<Loading> {
  const path = `${config.path}.public_key`;
  const reading = readPem(source.pem);
  if (!reading.ok) return refused(path, reading.problem, source.at, PEM_HINT);
  if (reading.blocks.length > 1 && !mode.switches.several_pem_blocks) {
    return refused(path, "there is more than one PEM block", source.at);
  }
  const keys: VerificationKey[] = [];
  for (const block of reading.blocks) {
    const imported = await crypto.importPem(block);
    if (!imported.ok) return refused(path, imported.problem, source.at, PEM_HINT);
    keys.push(imported.key);
  }
  return fromKeys("public_key", keys, { config, mode, path, at: source.at });
}

/** Where keys were written, and for whom. */
interface KeyPlace {
  readonly config: JwtConfig;
  readonly mode: AuthnMode;
  readonly path: string;
  readonly at: SourcePosition | undefined;
}

/** A source of keys that were all written by the operator: a weak one is refused where that is wanted. */
function fromKeys(
  family: KeySource["family"],
  keys: readonly VerificationKey[],
  { config, mode, path, at }: KeyPlace,
): Loading {
  const issues: Issue[] = [];
  for (const key of keys) {
    const weakness = weaknessOf(key, { config, mode, path, at });
    if (weakness && weakness.code !== UNSUPPORTED && config.refuseShortKeys) {
      return refused(path, weakness.message, at, "`short_keys = refuse` is written");
    }
    if (weakness) issues.push(weakness);
  }
  return { ok: true, keys: createStaticKeySource(family, keys, selectionOf(config, mode)), issues };
}

const UNSUPPORTED = "WARN_CONFIG_KEY_UNSUPPORTED";

/** What an operator should know of a key that works, but not well. */
function weaknessOf(key: VerificationKey, { config, mode, path, at }: KeyPlace): Issue | undefined {
  const warn = (code: string, message: string): Issue => {
    return { severity: "warning", code, path, message, at };
  };
  if (key.type === "unsupported") {
    return warn(UNSUPPORTED, "no token can be verified with a key of this type");
  }
  if (!mode.switches.empty_secret_refused && !config.refuseShortKeys) return undefined;
  if (key.type === "oct" && key.bits < SECRET_BITS_MIN) {
    const message = `the secret has ${key.bits} bits; HS256 wants at least ${SECRET_BITS_MIN}`;
    return warn("WARN_CONFIG_SHORT_SECRET", message);
  }
  if (key.type === "RSA" && key.bits < RSA_BITS_MIN) {
    const message = `the RSA key has ${key.bits} bits; use at least ${RSA_BITS_MIN}`;
    return warn("WARN_CONFIG_SHORT_KEY", message);
  }
  return undefined;
}

const PEM_HINT =
  "write a public key or certificate: `openssl pkey -in private.pem -pubout` makes one";

function refused(
  path: string,
  message: string,
  at: SourcePosition | undefined,
  hint?: string,
): Loading {
  return {
    ok: false,
    issues: [{ severity: "error", code: "ERR_CONFIG_KEY", path, message, hint, at }],
  };
}
