/** Placeholders that do not exist, in the texts that are parsed only when a client connects. */
import type { AuthenticatorConfig, Config } from "../config/config.ts";
import type { Issue } from "../errors.ts";
import type { SourcePosition } from "../types.ts";
import { parseTemplate, templateIssues } from "./template.ts";
import { CLAIM_NAMES, MOUNTPOINT_NAMES } from "./template-places.ts";

interface PlacedTemplate {
  readonly path: string;
  readonly text: string;
  readonly at: SourcePosition | undefined;
  readonly allowed: readonly string[];
}

/**
 * What is wrong with the placeholders of claim values and mountpoints: errors under
 * strict_placeholder_names, warnings otherwise.
 *
 * Source: expressions §5.2, §6.3.
 */
export function placeholderIssues(config: Config): Issue[] {
  return templatesOf(config).flatMap((template) => issuesOf(template, config));
}

function templatesOf(config: Config): PlacedTemplate[] {
  const claims = (chain: readonly AuthenticatorConfig[]): PlacedTemplate[] =>
    chain.flatMap((one) =>
      one.mechanism !== "jwt"
        ? []
        : one.verifyClaims.map(({ name, value }) => ({
            path: `${one.path}.verify_claims.${name}`,
            text: value.value,
            at: value.at,
            allowed: CLAIM_NAMES,
          })),
    );
  return [
    ...claims(config.authentication),
    ...config.listeners.flatMap(({ type, name, mountpoint, mountpointAt, authentication }) => [
      {
        path: `listeners.${type}.${name}.mountpoint`,
        text: mountpoint,
        at: mountpointAt,
        allowed: MOUNTPOINT_NAMES,
      },
      ...claims(authentication ?? []),
    ]),
  ];
}

function issuesOf({ path, text, at, allowed }: PlacedTemplate, { switches }: Config): Issue[] {
  const severity = switches.strict_placeholder_names ? "error" : "warning";
  const options = { allowed, switches };
  return templateIssues(parseTemplate(text, options), options, { severity, path, at });
}
