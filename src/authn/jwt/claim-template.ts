/** The expected value of a claim: literal text with `${clientid}` and `${username}`. */

import { decodeUtf8 } from "../../crypto/jws.ts";
import type { ClientInfo, Text } from "../../types.ts";

type Part = string | { readonly variable: "clientid" | "username" };

export interface ClaimTemplate {
  readonly parts: readonly Part[];
  /** Placeholders that are none here and stay as they are written. */
  readonly unknown: readonly string[];
}

/** Rendered text; `absent` names a placeholder without a value; `not_text` is not UTF-8. */
export type Rendering =
  | { readonly ok: true; readonly text: string; readonly hasAbsent: boolean }
  | { readonly ok: false };

const PLACEHOLDER = /\$\{(\$|\.?[A-Za-z0-9._]*)\}/g;

/**
 * Reads the template of an expected claim. `${$}` is a dollar sign, a dot may stand before a name.
 *
 * Source: authentication §3.2, §3.3.4.
 */
export function readClaimTemplate(text: string): ClaimTemplate {
  const parts: Part[] = [];
  const unknown: string[] = [];
  let from = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    const name = match[1]!.replace(/^\./, "");
    if (name === "$") {
      parts.push("$");
    } else if (name === "clientid" || name === "username") {
      parts.push({ variable: name });
    } else {
      unknown.push(name);
      parts.push(`\${${name}}`);
    }
  }
  parts.push(text.slice(from));
  return { parts, unknown };
}

/** Renders a template for a client; an absent username is empty text and says so. */
export function renderClaimTemplate(template: ClaimTemplate, client: ClientInfo): Rendering {
  let text = "";
  let hasAbsent = false;
  for (const part of template.parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const value = toText(part.variable === "clientid" ? client.clientId : client.username);
    if (value === undefined) return { ok: false };
    if (value === "") hasAbsent = true;
    text += value;
  }
  return { ok: true, text, hasAbsent };
}

function toText(value: Text | undefined): string | undefined {
  if (value === undefined || typeof value === "string") return value ?? "";
  return decodeUtf8(value);
}
