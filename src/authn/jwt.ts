/** `mechanism = jwt`: the token in the password or username says who the client is. */
import type { JwtConfig } from "../config/config.ts";
import type { KeySource } from "../crypto/key-source.ts";
import type { ClientInfo, Text } from "../types.ts";
import type { Authenticator, AuthnRequest, AuthnResult } from "./authenticator.ts";
import { BAD_CREDENTIALS } from "./authenticator.ts";
import { readClaimTemplate } from "./jwt/claim-template.ts";
import { loadKeys } from "./jwt/keys.ts";
import { TokenCache } from "./jwt/token-cache.ts";
import type { TokenVerdict, VerifierOptions } from "./jwt/verify.ts";
import { createJwtVerifier } from "./jwt/verify.ts";
import type { AuthnMode, AuthnPorts, Creation } from "./registry.ts";

/**
 * Makes a JWT authenticator with the keys its configuration names.
 *
 * Source: authentication §3.3.1, §8 items 14 and 16.
 */
export async function createJwtAuthenticator(
  config: JwtConfig,
  mode: AuthnMode,
  ports: AuthnPorts,
): Promise<Creation> {
  const loading = await loadKeys(config, mode, ports);
  if (!loading.ok) return loading;
  const authenticator = createJwtAuthenticatorWith(config, loading.keys, mode, ports);
  return { ok: true, authenticator, issues: loading.issues };
}

/** The same with keys from elsewhere, such as a key set already at hand. */
export function createJwtAuthenticatorWith(
  config: JwtConfig,
  keys: KeySource,
  mode: AuthnMode,
  ports: AuthnPorts,
): Authenticator {
  const verify = createJwtVerifier(verifierOptions(config, keys, mode, ports));
  const methods = config.authMethods ?? [];
  const emptyIsMissing = mode.switches.empty_password_is_missing;

  function conclude(verdict: TokenVerdict): AuthnResult {
    if (verdict.type !== "missing") return verdict;
    return config.onMissingJwt === "deny"
      ? { type: "deny", reason: verdict.reason, code: BAD_CREDENTIALS }
      : { type: "ignore", reason: verdict.reason };
  }

  function authenticate({ client }: AuthnRequest): AuthnResult | Promise<AuthnResult> {
    if (client.authMethod !== undefined && !methods.includes(client.authMethod)) {
      return { type: "ignore", reason: "auth_method_present" };
    }
    const token = tokenOf(client, config.from);
    if (token === undefined || (emptyIsMissing && token.length === 0)) {
      return conclude({ type: "missing", reason: "missing_token" });
    }
    const verdict = verify(token, client);
    return verdict instanceof Promise ? verdict : conclude(verdict);
  }

  const { id, from: verifies } = config;
  return { id, methods, verifies, authenticate, close: () => keys.close?.() };
}

/** With an Authentication Method that it knows, the token is the Authentication Data. */
function tokenOf(client: ClientInfo, from: JwtConfig["from"]): Text | undefined {
  if (client.authMethod !== undefined) return client.authData;
  return from === "username" ? client.username : client.password;
}

function verifierOptions(
  config: JwtConfig,
  keys: KeySource,
  { switches }: AuthnMode,
  { crypto, clock, readAcl }: AuthnPorts,
): VerifierOptions {
  const { leewaySeconds } = config;
  return {
    crypto,
    keys,
    clock,
    badTokenDenies: switches.bad_token_denies,
    rejectsCrit: switches.crit_rejected,
    issuers: config.issuers,
    cache: config.tokenCache && new TokenCache(config.tokenCache),
    claims: {
      checks: config.verifyClaims.map(({ name, value }) => ({
        name,
        expected: readClaimTemplate(value.value, switches),
      })),
      leewaySeconds,
      checksIat: config.checkIat,
      absentPlaceholderFails: switches.absent_placeholder_fails_claim,
      comparesScalars: switches.json_claims,
    },
    data: {
      aclClaimName: config.aclClaimName,
      disconnectAfterExpire: config.disconnectAfterExpire,
      leewaySeconds,
      badClaimsDeny: switches.bad_claims_deny,
      readAcl,
    },
  };
}
