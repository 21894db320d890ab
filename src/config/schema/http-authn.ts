/** `mechanism = password_based, backend = http`. Source: authentication §5.1. */
import type { HttpAuthnConfig, OAuth2Config } from "../config.ts";
import type { HoconObject } from "../hocon/index.ts";
import { COMMON_KEYS } from "./common.ts";
import { HTTP_KEYS, readHttp, timeout } from "./http.ts";
import { type Keys, key, object, optional, readKeys, required, type Values } from "./keys.ts";
import { ours } from "./ours.ts";
import { boolean, oneOf, type Place, text } from "./spec.ts";
import { readTls, TLS_KEYS } from "./tls.ts";

const OAUTH2_KEYS = {
  enable: key(boolean(), true, "send a bearer token"),
  grant_type: key(oneOf(["client_credentials"]), "client_credentials", "how a token is had"),
  token_endpoint: required(
    text({
      pattern: /^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/i,
      expects: "an http or https URL without a username or password",
    }),
    "where tokens are",
  ),
  client_id: required(text(), "who asks for a token"),
  client_secret: required(text(), "the secret of who asks", { isSecret: true }),
  scope: optional(text(), "what the token is for"),
  timeout: key(timeout, 5000, "for a token"),
  ssl: optional(object(TLS_KEYS), "TLS of the token's request"),
} satisfies Keys;

export const HTTP_AUTHN_KEYS = {
  ...COMMON_KEYS,
  ...HTTP_KEYS,
  backend: required(text(), "what is asked about the client"),
  on_absent: key(
    ours(oneOf(["ignore", "empty"])),
    ({ switches }) => (switches.absent_placeholder_ignores ? "ignore" : "empty"),
    "what becomes of a client without a value for a placeholder",
  ),
  oauth2: optional(object(OAUTH2_KEYS), "a bearer token for every request", { isSecret: true }),
} satisfies Keys;

/** Reads an HTTP authenticator. Undefined when something was refused, and then that has been reported. */
export function readHttpAuthn(node: HoconObject, place: Place): HttpAuthnConfig | undefined {
  const values = readKeys(node, HTTP_AUTHN_KEYS, place);
  if (values === undefined) return undefined;
  const http = readHttp(values, node, place);
  if (http === undefined) return undefined;
  const written = values.oauth2;
  const isUsed = values.enable && written?.enable === true;
  const oauth2 = written && readOAuth2(written, node, place, isUsed);
  if (written !== undefined && oauth2 === undefined) return undefined;
  if (written?.enable && http.request.headers.authorization !== undefined) {
    const message = "`oauth2` writes the `authorization` header, and so does `headers`";
    const path = `${place.path}.headers.authorization`;
    place.load.issues.error("ERR_CONFIG_VALUE", http.request.headersAt, message, {
      path,
      hint: "remove one of the two",
    });
    return undefined;
  }
  return {
    mechanism: "password_based",
    backend: "http",
    id: "password_based:http",
    path: place.path,
    at: node.at,
    enable: values.enable,
    precondition: values.precondition?.value ? values.precondition : undefined,
    request: http.request,
    connection: http.connection,
    onAbsent: values.on_absent,
    oauth2: written?.enable ? oauth2 : undefined,
  };
}

function readOAuth2(
  values: Values<typeof OAUTH2_KEYS>,
  node: HoconObject,
  place: Place,
  isUsed: boolean,
): OAuth2Config | undefined {
  const block = node.members.get("oauth2")?.value;
  const members = block?.kind === "object" ? block.members : undefined;
  const at = members?.get("token_endpoint")?.value.at;
  const below = { ...place, path: `${place.path}.oauth2` };
  if (!URL.canParse(values.token_endpoint)) {
    const message = "expected an http or https URL";
    place.load.issues.error("ERR_CONFIG_VALUE", at, message, {
      path: `${below.path}.token_endpoint`,
    });
    return undefined;
  }
  const { href, protocol } = new URL(values.token_endpoint);
  const sslNode = members?.get("ssl")?.value;
  const ssl = { values: values.ssl, node: sslNode, place: below, isUsed };
  const reading = readTls({ isHttps: protocol === "https:", at }, ssl, true);
  return (
    reading && {
      tokenEndpoint: href,
      clientId: values.client_id,
      clientSecret: values.client_secret,
      scope: values.scope,
      timeoutMs: values.timeout,
      tls: reading.tls,
    }
  );
}
