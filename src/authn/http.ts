/** `mechanism = password_based, backend = http`: a server says who the client is. */
import { AUTHN_NAMES } from "../compile/template-places.ts";
import type { HttpAuthnConfig } from "../config/config.ts";
import type { Issue } from "../errors.ts";
import { HttpBackend } from "../http/backend.ts";
import { TokenSource } from "../http/oauth2.ts";
import { buildHttpRequest, parseHttpTemplates } from "../http/request.ts";
import type { HttpClient, HttpClientOptions } from "../ports/http.ts";
import { openHttpClient } from "../ports/open-http.ts";
import { templateRecord } from "../template/record.ts";
import type { AuthnRequest, AuthnResult } from "./authenticator.ts";
import { type AnswerRules, readAnswer } from "./http/answer.ts";
import type { AuthnMode, AuthnPorts, Creation, RemotePorts } from "./registry.ts";

/**
 * Makes an HTTP authenticator. A server that is down is no issue: that is found out client by client.
 *
 * Source: authentication §5, §8 items 9, 20, 21.
 */
export function createHttpAuthenticator(
  config: HttpAuthnConfig,
  mode: AuthnMode,
  ports: AuthnPorts,
): Creation {
  const { remote, clock } = ports;
  const issues: Issue[] = [];
  if (!remote) return refused(config, "url", "requests cannot be made here");
  const open = (path: string, options: HttpClientOptions): HttpClient | Creation => {
    const opening = openHttpClient(options, remote);
    if (!opening.ok) return refused(config, path, opening.problem);
    for (const message of opening.warnings) {
      const at = config.request.at;
      issues.push({
        severity: "warning",
        code: "WARN_CONFIG_NO_EFFECT",
        path: pathOf(config, path),
        message,
        at,
      });
    }
    return opening.client;
  };
  const client = open("ssl", config.connection);
  if ("ok" in client) return client;
  let tokens: TokenSource | undefined;
  if (config.oauth2) {
    const tokenClient = open("oauth2.ssl", { tls: config.oauth2.tls, poolSize: 1 });
    if ("ok" in tokenClient) return tokenClient;
    tokens = new TokenSource(config.oauth2, { ...remote, client: tokenClient, clock });
  }
  const backend = openBackend(config, client, tokens, remote, ports);
  const authenticate = authenticateWith(config, backend, mode, ports);
  return {
    ok: true,
    authenticator: { id: config.id, authenticate, close: () => backend.close() },
    issues,
  };
}

function openBackend(
  { request, connection }: HttpAuthnConfig,
  client: HttpClient,
  tokens: TokenSource | undefined,
  { setTimer, random }: RemotePorts,
  { clock }: AuthnPorts,
): HttpBackend {
  // As configured: what is rendered may hold a password, and the query a key.
  const name = `${request.method.toUpperCase()} ${request.origin}${request.path}`;
  const options = { name, timeoutMs: connection.requestTimeoutMs, tokens };
  return new HttpBackend(options, { client, setTimer, random, clock });
}

function authenticateWith(
  config: HttpAuthnConfig,
  backend: HttpBackend,
  { switches }: AuthnMode,
  { clock, readAcl }: AuthnPorts,
): (request: AuthnRequest) => AuthnResult | Promise<AuthnResult> {
  const templates = parseHttpTemplates(config.request, { allowed: AUTHN_NAMES, switches });
  const rules: AnswerRules = {
    refusalsDeny: switches.http_refusals_deny,
    parsesMediaTypes: switches.media_types_parsed,
    isExact: switches.bad_claims_deny,
    readAcl,
    now: () => clock.now(),
  };
  return ({ client, fields = {} }) => {
    if (client.authMethod !== undefined) return { type: "ignore", reason: "auth_method_present" };
    const building = buildHttpRequest(templates, templateRecord(fields));
    if (!building.ok) {
      return { type: "failure", reason: "bad_request", message: building.problem };
    }
    if (config.onAbsent === "ignore" && building.absent.length > 0) {
      const names = building.absent.map((name) => `\${${name}}`).join(", ");
      return { type: "ignore", reason: "placeholder_absent", detail: `no value for ${names}` };
    }
    return backend.ask(building.request).then((answer) => readAnswer(answer, rules));
  };
}

function refused(config: HttpAuthnConfig, path: string, message: string): Creation {
  const { at } = config.request;
  const issue = { severity: "error", code: "ERR_CONFIG_HTTP", message, at } as const;
  return { ok: false, issues: [{ ...issue, path: pathOf(config, path) }] };
}

function pathOf({ path }: HttpAuthnConfig, name: string): string {
  return `${path}.${name}`;
}
