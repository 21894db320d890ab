/** `mechanism = jwt`: three shapes, one per kind of key. Source: authentication §3.3.1. */
import type { JwtConfig, JwtKeySource, Located } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { nearest } from "../nearest.ts";
import { COMMON_KEYS } from "./common.ts";
import { verifyClaims } from "./jwt-claims.ts";
import { discoveryEndpoint, idOf, issuers } from "./jwt-issuer.ts";
import { readPublicKey, readSecret } from "./key-material.ts";
import {
  type Keys,
  key,
  object,
  optional,
  readKeys,
  required,
  type Values,
  withoutEffect,
} from "./keys.ts";
import { ours } from "./ours.ts";
import {
  boolean,
  durationSeconds,
  integer,
  joinPath,
  list,
  located,
  mapOf,
  oneOf,
  type Place,
  type Spec,
  size,
  text,
  wrong,
} from "./spec.ts";
import { readTls, TLS_KEYS } from "./tls.ts";

type Shape = "hmac" | "public_key" | "jwks";

const authMethod = text({ pattern: /^[\x21-\x7e]{1,64}$/, expects: "the name of a method" });

const TOKEN_CACHE_KEYS = {
  enable: key(boolean(), false, "remember whose signature has been verified"),
  max_count: key(integer(1, 10_000_000), 100_000, "tokens to remember"),
  max_memory: key(size(256, 2 ** 31), 33_554_432, "bytes to remember them in"),
} satisfies Keys;

const SHARED_KEYS = {
  ...COMMON_KEYS,
  use_jwks: optional(boolean(), "whether the keys come from a JWKS endpoint"),
  from: key(oneOf(["password", "username"]), "password", "the field that carries the token"),
  verify_claims: key(verifyClaims, [], "claims the token must have"),
  acl_claim_name: key(text(), "acl", "the claim that carries the client's own rules"),
  on_missing_jwt: key(
    oneOf(["ignore", "deny"]),
    ({ switches, securityProfile }) =>
      switches.missing_token_denies || securityProfile === "hardened" ? "deny" : "ignore",
    "the answer to a client without a token",
  ),
  disconnect_after_expire: key(boolean(), true, "end the session when its token expires"),
  leeway: key(durationSeconds(), 0, "clock difference to tolerate"),
  issuer: optional(issuers, "whose tokens are its business; the others are left to others"),
  check_iat: key(ours(boolean()), false, "refuse tokens that were issued in the future"),
  short_keys: key(
    ours(oneOf(["warn", "refuse"])),
    "warn",
    "what becomes of keys that are shorter than RFC 7518 asks for",
  ),
  token_cache: optional(ours(object(TOKEN_CACHE_KEYS)), "verify the signature of a token once"),
  auth_methods: key(
    ours(list(authMethod)),
    ({ switches }) => (switches.tokens_in_auth_data ? ["OAUTH2-JWT", "CUSTOM-JWT"] : []),
    "Authentication Methods whose Authentication Data is the token",
  ),
} satisfies Keys;

/** The algorithm that goes with the key that is written; `otherKey` goes with the other one. */
function algorithm(name: "hmac-based" | "public-key", otherKey: string): Spec<string> {
  const words = oneOf(["hmac-based", "public-key"]);
  return {
    expects: `\`${name}\``,
    read(node, place) {
      const value = words.read(node, place);
      if (value === undefined || value === name) return value;
      return wrong(node, place, this.expects, `\`${value}\` goes with \`${otherKey}\``);
    },
  };
}

const HMAC_KEYS = {
  ...SHARED_KEYS,
  algorithm: required(algorithm("hmac-based", "public_key"), "the kind of key"),
  secret: required(located("a text", { mayBeEmpty: true }), "the key of the signature", {
    isSecret: true,
  }),
  secret_base64_encoded: key(boolean(), false, "`secret` is base64 of the key", {
    isSecret: true,
  }),
} satisfies Keys;

const PUBLIC_KEY_KEYS = {
  ...SHARED_KEYS,
  algorithm: required(algorithm("public-key", "secret"), "the kind of key"),
  public_key: required(located("PEM text or the path of a PEM file"), "the key of the signature"),
} satisfies Keys;

const refreshInterval: Spec<number> = {
  expects: "a number of seconds",
  read(node, place) {
    const seconds = integer(1, 4_294_967);
    const isBare = node.kind === "number" || (node.kind === "text" && /^[0-9]+$/.test(node.value));
    if (isBare || !place.load.switches.several_pem_blocks) return seconds.read(node, place);
    const value = durationSeconds().read(node, place);
    if (value !== undefined) {
      place.load.issues.warning(
        "WARN_CONFIG_EMQX_REFUSES",
        node.at,
        "EMQX 6.2 takes only a whole number of seconds",
        { path: place.path, hint: `write \`refresh_interval = ${value}\`` },
      );
    }
    return value;
  },
};

const ENDPOINT = text({
  pattern: /^https?:\/\/[^\s/?#]+\S*$/,
  expects: "an http or https URL",
});

const JWKS_KEYS = {
  ...SHARED_KEYS,
  endpoint: optional(ENDPOINT, "where the keys are"),
  discovery: optional(ours(boolean()), "ask the `issuer` where the keys are"),
  headers: key(
    mapOf(text(), { pattern: /^[-0-9A-Za-z_ ]+$/, expects: "a header name" }),
    new Map([["Accept", "application/json"]]),
    "headers of the request",
    { isSecret: true },
  ),
  refresh_interval: key(refreshInterval, 300, "seconds between two downloads"),
  max_fail_count: key(integer(1, 1_000_000), 5, "failed downloads until the keys are dropped"),
  pool_size: withoutEffect("one fetcher serves everybody"),
  ssl: optional(object(TLS_KEYS), "TLS of the request"),
} satisfies Keys;

/** Every key of any shape. */
export const JWT_KEYS = { ...HMAC_KEYS, ...PUBLIC_KEY_KEYS, ...JWKS_KEYS } satisfies Keys;

/** Where a key is right that the chosen shape does not have. */
const ELSEWHERE: Readonly<Record<Shape, Readonly<Record<string, string>>>> = {
  hmac: belongs(JWKS_KEYS, HMAC_KEYS, "it belongs to `use_jwks = true`"),
  public_key: {
    ...belongs(JWKS_KEYS, PUBLIC_KEY_KEYS, "it belongs to `use_jwks = true`"),
    ...belongs(HMAC_KEYS, PUBLIC_KEY_KEYS, 'it belongs to `algorithm = "hmac-based"`'),
  },
  jwks: {
    ...belongs(HMAC_KEYS, JWKS_KEYS, "it belongs to `use_jwks = false`: leave it out"),
    ...belongs(PUBLIC_KEY_KEYS, JWKS_KEYS, "it belongs to `use_jwks = false`: leave it out"),
  },
};

function belongs(from: Keys, besides: Keys, hint: string): Record<string, string> {
  const names = Object.keys(from).filter((name) => !Object.hasOwn(besides, name));
  return Object.fromEntries(names.map((name) => [name, hint]));
}

/** Reads a JWT authenticator, with its key material. */
export function readJwt(node: HoconObject, place: Place): JwtConfig | undefined {
  const shape = findShape(node, place);
  if (shape === undefined) return undefined;
  const elsewhere = ELSEWHERE[shape];
  switch (shape) {
    case "hmac": {
      const values = readKeys(node, HMAC_KEYS, place, { elsewhere });
      return values && build(values, node, place, readSecret(values, place));
    }
    case "public_key": {
      const values = readKeys(node, PUBLIC_KEY_KEYS, place, { elsewhere });
      return values && build(values, node, place, readPublicKey(values, place));
    }
    case "jwks": {
      const values = readKeys(node, JWKS_KEYS, place, { elsewhere });
      return values && build(values, node, place, readEndpoint(values, node, place));
    }
  }
}

/** EMQX wants `use_jwks` written; without it the keys that are there tell the shape. */
function findShape(node: HoconObject, place: Place): Shape | undefined {
  const { issues, switches } = place.load;
  const has = (name: string): boolean => {
    const member = node.members.get(name);
    return member !== undefined && member.value.kind !== "null";
  };
  if (has("use_jwks")) {
    const value = node.members.get("use_jwks")?.value;
    const at = { ...place, path: joinPath(place.path, "use_jwks") };
    const useJwks = value && boolean().read(value, at);
    if (useJwks === undefined) return undefined;
    if (useJwks) return "jwks";
    return has("public_key") ? "public_key" : "hmac";
  }
  if (!switches.jwt_shape_from_keys) {
    issues.error("ERR_CONFIG_REQUIRED", node.at, "`use_jwks` is missing", {
      path: place.path,
      hint: "write `use_jwks = false` for a secret or a public key, `true` for an endpoint",
    });
    return undefined;
  }
  const told = [
    has("secret") && "hmac",
    has("public_key") && "public_key",
    (has("endpoint") || has("discovery")) && "jwks",
  ].filter((shape) => shape !== false) as Shape[];
  const shape = told[0];
  if (shape === undefined && reportMisspelt(node, place)) return undefined;
  if (shape === undefined || told.length > 1) {
    issues.error(
      "ERR_CONFIG_REQUIRED",
      node.at,
      shape === undefined
        ? "none of `secret`, `public_key` and `endpoint` is written"
        : "only one of `secret`, `public_key` and `endpoint` can be written",
      { path: place.path, hint: "a token is checked with one kind of key" },
    );
    return undefined;
  }
  issues.warning(
    "WARN_CONFIG_EMQX_REFUSES",
    node.at,
    "EMQX 6.2 refuses a `jwt` authenticator without `use_jwks`",
    { path: place.path, hint: `write \`use_jwks = ${shape === "jwks"}\`` },
  );
  return shape;
}

/** Is there a misspelt key, so that the shape cannot be told? */
function reportMisspelt(node: HoconObject, place: Place): boolean {
  const names = Object.keys(JWT_KEYS);
  let isMisspelt = false;
  for (const [name, { keyAt }] of node.members) {
    const guess = names.includes(name) ? undefined : nearest(name, names);
    if (guess === undefined) continue;
    isMisspelt = true;
    place.load.issues.error(
      "ERR_CONFIG_UNKNOWN_KEY",
      keyAt,
      `there is no key \`${name.slice(0, 60)}\` here`,
      { path: place.path, hint: `did you mean \`${guess}\`?` },
    );
  }
  return isMisspelt;
}

function build(
  values: Values<typeof SHARED_KEYS>,
  node: HoconObject,
  place: Place,
  keys: JwtKeySource | undefined,
): JwtConfig | undefined {
  if (keys === undefined) return undefined;
  return {
    mechanism: "jwt",
    id: idOf(values.issuer?.[0]),
    path: place.path,
    at: node.at,
    enable: values.enable,
    precondition: values.precondition?.value ? values.precondition : undefined,
    keys,
    from: values.from,
    verifyClaims: values.verify_claims,
    aclClaimName: values.acl_claim_name,
    onMissingJwt: values.on_missing_jwt,
    disconnectAfterExpire: values.disconnect_after_expire,
    leewaySeconds: values.leeway,
    issuers: values.issuer,
    checkIat: values.check_iat,
    refuseShortKeys: values.short_keys === "refuse",
    tokenCache: tokenCacheOf(values.token_cache),
    authMethods: values.auth_methods,
  };
}

function tokenCacheOf(
  written: Values<typeof TOKEN_CACHE_KEYS> | undefined,
): JwtConfig["tokenCache"] {
  if (written?.enable !== true) return undefined;
  return { maxCount: written.max_count, maxBytes: written.max_memory };
}

function readEndpoint(
  values: Values<typeof JWKS_KEYS>,
  node: HoconObject,
  place: Place,
): JwtKeySource | undefined {
  const location = readLocation(values, node, place);
  if (location === undefined) return undefined;
  const { endpoint, at } = location;
  const sslNode = node.members.get("ssl")?.value;
  const ssl = { values: values.ssl, node: sslNode, place, isUsed: values.enable };
  const reading = readTls({ isHttps: /^https:/i.test(endpoint), at }, ssl, false);
  if (reading === undefined) return undefined;
  return {
    type: "jwks",
    ...location,
    headers: Object.fromEntries(values.headers),
    refreshIntervalSeconds: Math.max(10, values.refresh_interval),
    maxFailCount: values.max_fail_count,
    ...(reading.tls && { tls: reading.tls }),
  };
}

/** The endpoint as written, or the one that tells where the keys of the issuer are. */
function readLocation(
  { endpoint, discovery, issuer }: Values<typeof JWKS_KEYS>,
  node: HoconObject,
  place: Place,
): Pick<JwtKeySource & { type: "jwks" }, "endpoint" | "discoveryIssuer" | "at"> | undefined {
  const at = (name: string): Located["at"] => node.members.get(name)?.value.at;
  const { issues } = place.load;
  const isDiscovered = discovery ?? (endpoint === undefined && issuer !== undefined);
  if (!isDiscovered) {
    if (endpoint !== undefined) return { endpoint, at: at("endpoint") };
    issues.error("ERR_CONFIG_REQUIRED", node.at, "`endpoint` is missing", {
      path: place.path,
      hint: `where the keys are: ${ENDPOINT.expects}`,
    });
    return undefined;
  }
  if (endpoint !== undefined) {
    issues.error("ERR_CONFIG_VALUE", at("endpoint"), "the issuer is asked where the keys are", {
      path: `${place.path}.endpoint`,
      hint: "leave out `endpoint`, or write `discovery = false`",
    });
    return undefined;
  }
  const only = issuer?.length === 1 ? issuer[0] : undefined;
  const found = only === undefined ? undefined : discoveryEndpoint(only);
  if (found === undefined) {
    const message =
      only === undefined
        ? "the keys of one `issuer` can be looked up, and no more"
        : "the `issuer` is no http or https URL that could be asked for its keys";
    issues.error("ERR_CONFIG_VALUE", at("issuer") ?? node.at, message, {
      path: `${place.path}.issuer`,
      hint: "write where the keys are: `endpoint = …`",
    });
    return undefined;
  }
  return { endpoint: found, discoveryIssuer: only, at: at("issuer") };
}
