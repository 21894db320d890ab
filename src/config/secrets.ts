/**
 * The secrets of an authenticator: where each stands in the configuration. Images are compiled
 * without them, and the engine is given them by path (`authentication[2].secret`).
 */
import type { AuthenticatorConfig } from "./config.ts";

/** What becomes of one secret. `null` stands for one that is not known. */
export type ChangeSecret = (path: string, value: string | null) => string | null;

/** Headers that are no credentials. */
const PUBLIC_HEADERS: ReadonlySet<string> = new Set(["accept", "content-type", "user-agent"]);

/** The same authenticator, each of its secrets changed. The one place that knows where they are. */
export function mapSecrets<C extends AuthenticatorConfig>(config: C, change: ChangeSecret): C;
export function mapSecrets(config: AuthenticatorConfig, change: ChangeSecret): AuthenticatorConfig {
  switch (config.mechanism) {
    case "cinfo":
    case "password_based":
      return config;
    case "jwt": {
      const { keys } = config;
      switch (keys.type) {
        case "hmac": {
          const secret = change(`${config.path}.secret`, keys.secret);
          return { ...config, keys: { ...keys, secret } };
        }
        case "jwks": {
          const headers = mapHeaders(keys.headers, `${config.path}.headers`, change);
          return { ...config, keys: { ...keys, headers } };
        }
        case "public_key":
          return config;
      }
    }
  }
}

function mapHeaders(
  headers: Readonly<Record<string, string | null>>,
  path: string,
  change: ChangeSecret,
): Readonly<Record<string, string | null>> {
  const entries = Object.entries(headers).map(([name, value]): [string, string | null] => {
    const isPublic = PUBLIC_HEADERS.has(name.toLowerCase());
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
