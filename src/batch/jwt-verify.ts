/** `batch jwt_verify`: what a JWT authenticator makes of a token. */
import type { Authenticator, AuthnData, AuthnRequest } from "../authn/authenticator.ts";
import type { ChainVerdict } from "../authn/chain.ts";
import { createChain } from "../authn/chain.ts";
import { createJwtAuthenticator, createJwtAuthenticatorWith } from "../authn/jwt.ts";
import type { AuthnMode, AuthnPorts } from "../authn/registry.ts";
import type { JwtConfig } from "../config/config.ts";
import { readKeySet } from "../crypto/key-set.ts";
import { createStaticKeySource } from "../crypto/key-source.ts";
import type { JsonObject, JsonValue } from "../json/parse.ts";
import { isJsonArray, isJsonObject, member } from "../json/parse.ts";
import type { AuthnBatchPorts } from "./authn.ts";
import { batchMode, batchRequest, reasonOfCode, textTerm, toNumberTerm } from "./authn.ts";
import { encodeText } from "./terms.ts";

/** Answers one line; `input` is what parseJson made of it. */
export async function answerJwtVerify(
  input: JsonObject,
  ports: AuthnBatchPorts,
): Promise<JsonObject> {
  const mode = batchMode(input, ports.preset);
  const given = member(input, "config");
  const config = readConfig(isJsonObject(given) ? given : {}, mode);
  const now = member(input, "now");
  const clock = { now: () => (typeof now === "number" ? now * 1000 : 0) };
  const creation = await createAuthenticator(config, given, mode, { ...ports, clock });
  if (typeof creation === "string") return { config_error: creation };
  const verdict = await runAlone(creation, withToken(input, config), mode);
  return answerOf(verdict);
}

/** The verdict of a chain that has only this authenticator. */
export async function runAlone(
  authenticator: Authenticator,
  request: AuthnRequest,
  mode: AuthnMode,
): Promise<ChainVerdict> {
  const chain = createChain([{ authenticator, enable: true, hasPrecondition: false }], {
    ...mode,
    ignoreBackendFailures: false,
    allowAnonymous: false,
  });
  return chain.authenticate(request);
}

/** `ok`, `ignore` (nobody decided) or `error:REASON`. */
export function resultOf(verdict: ChainVerdict): string {
  if (verdict.verdict === "continue") return "continue";
  if (verdict.verdict === "allow") return "ok";
  return verdict.reason === "all_ignored" ? "ignore" : `error:${reasonOfCode(verdict.code)}`;
}

function answerOf(verdict: ChainVerdict): JsonObject {
  const result = resultOf(verdict);
  if (verdict.verdict !== "allow") return { result };
  const { data } = verdict;
  const attrs = Object.entries(data.clientAttrs).map(([name, value]) => [name, encodeText(value)]);
  return {
    result,
    superuser: data.isSuperuser,
    expire_at: toNumberTerm(data.expireAtMs ?? null),
    client_attrs: Object.fromEntries(attrs),
    ...(data.clientIdOverride === undefined ? {} : { clientid_override: data.clientIdOverride }),
    ...(data.acl === undefined ? {} : { acl: aclAnswer(data.acl) }),
  };
}

function aclAnswer({ form, claim, expireAt }: NonNullable<AuthnData["acl"]>): JsonObject {
  const expire = toNumberTerm(expireAt ?? null);
  return isJsonArray(claim)
    ? { form, expire, rule_count: claim.length }
    : { form, expire, rules: claim };
}

/** The authenticator, or EMQX's name of why it cannot be made. */
async function createAuthenticator(
  config: JwtConfig,
  given: JsonValue | undefined,
  mode: AuthnMode,
  ports: AuthnPorts,
): Promise<Authenticator | string> {
  if (config.keys.type === "jwks") {
    const document = isJsonObject(given) ? (member(given, "jwks") ?? null) : null;
    const set = await readKeySet(document, ports.crypto, {
      skipBadKeys: mode.switches.bad_jwks_keys_skipped,
    });
    if (!set.ok) return "invalid_jwks";
    const selectsByKid = mode.switches.kid_selects_key;
    const keys = createStaticKeySource("public_key", set.keys, { selectsByKid });
    return createJwtAuthenticatorWith(config, keys, mode, ports);
  }
  const creation = await createJwtAuthenticator(config, mode, ports);
  if (creation.ok) return creation.authenticator;
  return config.keys.type === "hmac" ? "invalid_parameter" : "invalid_public_key";
}

/** HOCON names → JwtConfig, with the vectors' defaults. */
export function readConfig(given: JsonObject, { switches }: AuthnMode): JwtConfig {
  const string = (name: string): string | undefined => {
    const value = member(given, name);
    return typeof value === "string" ? value : undefined;
  };
  const onMissing = string("on_missing_jwt") ?? (switches.missing_token_denies ? "deny" : "ignore");
  return {
    id: "jwt",
    path: "authentication",
    mechanism: "jwt",
    enable: true,
    keys: readKeys(given),
    from: string("from") === "username" ? "username" : "password",
    verifyClaims: readVerifyClaims(member(given, "verify_claims")),
    aclClaimName: string("acl_claim_name") ?? "acl",
    onMissingJwt: onMissing === "deny" ? "deny" : "ignore",
    disconnectAfterExpire: member(given, "disconnect_after_expire") !== false,
    leewaySeconds: 0,
  };
}

function readKeys(given: JsonObject): JwtConfig["keys"] {
  if (member(given, "use_jwks") === true) {
    return { type: "jwks", endpoint: "", headers: {}, refreshIntervalSeconds: 300 };
  }
  const pem = member(given, "public_key");
  if (typeof pem === "string") return { type: "public_key", pem };
  const secret = member(given, "secret");
  return {
    type: "hmac",
    secret: typeof secret === "string" ? secret : null,
    secretBase64Encoded: member(given, "secret_base64_encoded") === true,
  };
}

function readVerifyClaims(given: JsonValue | undefined): JwtConfig["verifyClaims"] {
  const entries: (readonly [JsonValue | undefined, JsonValue | undefined])[] = [];
  if (isJsonArray(given)) {
    for (const entry of given) {
      if (isJsonObject(entry)) entries.push([member(entry, "name"), member(entry, "value")]);
    }
  } else if (isJsonObject(given)) {
    for (const name of Object.keys(given)) entries.push([name, given[name]]);
  }
  return entries.flatMap(([name, value]) =>
    typeof name === "string" && typeof value === "string" ? [{ name, value: { value } }] : [],
  );
}

/** The recorded client with the token in the field `from` names. */
function withToken(input: JsonObject, config: JwtConfig): AuthnRequest {
  const request = batchRequest(input);
  const token = textTerm(member(input, "token"));
  return { ...request, client: { ...request.client, [config.from]: token } };
}
