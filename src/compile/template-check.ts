/** Placeholders that do not exist, in the texts that are parsed only when a client connects. */
import type { AuthenticatorConfig, Config, HttpRequestConfig } from "../config/config.ts";
import type { Issue } from "../errors.ts";
import { isJsonArray, isJsonObject, type JsonValue, parseJson } from "../json/parse.ts";
import type { SourcePosition } from "../types.ts";
import { parseTemplate, templateIssues } from "./template.ts";
import { AUTHN_NAMES, CLAIM_NAMES, MOUNTPOINT_NAMES } from "./template-places.ts";

interface PlacedTemplate {
  readonly path: string;
  readonly text: string;
  readonly at: SourcePosition | undefined;
  readonly allowed: readonly string[];
}

/**
 * What is wrong with the placeholders of claim values, requests and mountpoints: errors under
 * strict_placeholder_names, warnings otherwise.
 *
 * Source: expressions §5.2, §6.3.
 */
export function placeholderIssues(config: Config): Issue[] {
  return templatesOf(config).flatMap((template) => issuesOf(template, config));
}

function templatesOf(config: Config): PlacedTemplate[] {
  return [
    ...config.authentication.flatMap(authenticatorTemplates),
    ...config.listeners.flatMap(({ type, name, mountpoint, mountpointAt, authentication }) => [
      {
        path: `listeners.${type}.${name}.mountpoint`,
        text: mountpoint,
        at: mountpointAt,
        allowed: MOUNTPOINT_NAMES,
      },
      ...(authentication ?? []).flatMap(authenticatorTemplates),
    ]),
  ];
}

function authenticatorTemplates(one: AuthenticatorConfig): PlacedTemplate[] {
  switch (one.mechanism) {
    case "cinfo":
    case "scram":
      return [];
    case "jwt":
      return one.verifyClaims.map(({ name, value }) => ({
        path: `${one.path}.verify_claims.${name}`,
        text: value.value,
        at: value.at,
        allowed: CLAIM_NAMES,
      }));
    case "password_based":
      return one.backend === "http" ? requestTemplates(one.request, one.path, AUTHN_NAMES) : [];
  }
}

/** Of what stands in several texts of a part, each is said once a text. */
function requestTemplates(
  { path, query, headers, body, at, headersAt }: HttpRequestConfig,
  place: string,
  allowed: readonly string[],
): PlacedTemplate[] {
  const reading = parseJson(body?.value ?? "{}");
  return [
    ...[path, ...query.flat()].map((text) => ({ path: `${place}.url`, text, at })),
    ...Object.entries(headers).flatMap(([name, value]) =>
      [name, value].map((text) => ({
        path: `${place}.headers.${name}`,
        text,
        at: headersAt ?? at,
      })),
    ),
    ...(reading.ok ? textsOf(reading.value) : []).map((text) => ({
      path: `${place}.body`,
      text,
      at: body?.at,
    })),
  ].flatMap(({ text, ...one }) => (text === null ? [] : [{ ...one, text, allowed }]));
}

/** Every text of a structure, keys included. Its depth is the configuration's. */
function textsOf(value: JsonValue): string[] {
  if (typeof value === "string") return [value];
  if (isJsonArray(value)) return value.flatMap(textsOf);
  if (!isJsonObject(value)) return [];
  return Object.keys(value).flatMap((name) => [name, ...textsOf(value[name]!)]);
}

function issuesOf({ path, text, at, allowed }: PlacedTemplate, { switches }: Config): Issue[] {
  const severity = switches.strict_placeholder_names ? "error" : "warning";
  const options = { allowed, switches };
  return templateIssues(parseTemplate(text, options), options, { severity, path, at });
}
