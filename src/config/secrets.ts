/**
 * The secrets of an authenticator: where each stands in the configuration. Images are compiled
 * without them, and the engine is given them by path (`authentication[2].secret`).
 */
import type { ClientTls } from "../ports/http.ts";
import type { AuthenticatorConfig, HttpAuthnConfig, JwtConfig } from "./config.ts";

/** What becomes of one secret. `null` stands for one that is not known. */
export type ChangeSecret = (path: string, value: string | null) => string | null;

/** Headers that are no credentials. */
const PUBLIC_HEADERS: ReadonlySet<string> = new Set([
  ...["accept", "cache-control", "connection", "content-type", "keep-alive", "user-agent"],
]);

/** The same authenticator, each of its secrets changed. The one place that knows where they are. */
function mapSecrets<C extends AuthenticatorConfig>(config: C, change: ChangeSecret): C;
function mapSecrets(config: AuthenticatorConfig, change: ChangeSecret): AuthenticatorConfig {
  switch (config.mechanism) {
    case "cinfo":
    case "scram":
      return config;
    case "jwt":
      return { ...config, keys: mapKeys(config, change) };
    case "password_based":
      return config.backend === "http" ? mapHttp(config, change) : config;
  }
}

function mapKeys({ keys, path }: JwtConfig, change: ChangeSecret): JwtConfig["keys"] {
  switch (keys.type) {
    case "hmac":
      return { ...keys, secret: change(`${path}.secret`, keys.secret) };
    case "jwks": {
      const headers = mapHeaders(keys.headers, `${path}.headers`, change);
      const tls = mapTls(keys.tls, `${path}.ssl`, change);
      return { ...keys, headers, ...(tls && { tls }) };
    }
    case "public_key":
      return keys;
  }
}

function mapHttp(config: HttpAuthnConfig, change: ChangeSecret): HttpAuthnConfig {
  const { path, request, connection, oauth2 } = config;
  const headers = mapHeaders(request.headers, `${path}.headers`, change);
  const tls = mapTls(connection.tls, `${path}.ssl`, change);
  const secret = oauth2 && {
    clientSecret: change(`${path}.oauth2.client_secret`, oauth2.clientSecret),
    tls: mapTls(oauth2.tls, `${path}.oauth2.ssl`, change),
  };
  return {
    ...config,
    request: { ...request, headers },
    connection: { ...connection, tls },
    ...(oauth2 && { oauth2: { ...oauth2, ...secret } }),
  };
}

/** The key and its password; certificates are public. */
function mapTls(
  tls: ClientTls | undefined,
  path: string,
  change: ChangeSecret,
): ClientTls | undefined {
  if (tls?.key === undefined) return tls;
  const { key, passphrase } = tls;
  return {
    ...tls,
    key: change(`${path}.keyfile`, key),
    ...(passphrase !== undefined && { passphrase: change(`${path}.password`, passphrase) }),
  };
}

function mapHeaders(
  headers: Readonly<Record<string, string | null>>,
  path: string,
  change: ChangeSecret,
): Readonly<Record<string, string | null>> {
  const entries = Object.entries(headers).map(([name, value]): [string, string | null] => {
    // A value that is a placeholder and nothing else is the client's.
    const isPublic = PUBLIC_HEADERS.has(name.toLowerCase()) || /^\$\{[^}]+\}$/.test(value ?? "");
    return [name, isPublic ? value : change(`${path}.${name}`, value)];
  });
  return Object.fromEntries(entries);
}

/** The authenticator without its secrets. */
export function withoutSecrets<C extends AuthenticatorConfig>(config: C): C {
  return mapSecrets(config, () => null);
}

/** The authenticator with these secrets by path; they win over its own. */
export function withSecrets<C extends AuthenticatorConfig>(
  config: C,
  supplied: Readonly<Record<string, string>>,
): C {
  return mapSecrets(config, (path, value) =>
    Object.hasOwn(supplied, path) ? supplied[path]! : value,
  );
}

/** Configuration paths of the secrets that are not known. */
export function missingSecretsOf(config: AuthenticatorConfig): string[] {
  const missing: string[] = [];
  mapSecrets(config, (path, value) => {
    if (value === null) missing.push(path);
    return value;
  });
  return missing;
}
