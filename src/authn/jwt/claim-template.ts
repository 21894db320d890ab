/** The expected value of a claim: literal text with `${clientid}` and `${username}`. */
import { parseTemplate, type Template } from "../../compile/template.ts";
import { CLAIM_NAMES } from "../../compile/template-places.ts";
import type { Switches } from "../../config/compatibility.ts";
import { toText } from "../../text.ts";
import type { ClientInfo, Text } from "../../types.ts";

/** The text for one client; not ok when a value is not UTF-8, which no claim can be equal to. */
export type Rendering =
  | { readonly ok: true; readonly text: string; readonly hasAbsent: boolean }
  | { readonly ok: false };

/**
 * Reads the template of an expected claim. Names that are unknown here stay literal text.
 *
 * Source: authentication §3.2, §3.3.4.
 */
export function readClaimTemplate(text: string, switches: Switches): Template {
  return parseTemplate(text, { allowed: CLAIM_NAMES, switches });
}

/**
 * Renders a template for a client. A name without a value is empty text, which `hasAbsent` tells:
 * an empty username is as good as none.
 */
export function renderClaimTemplate(template: Template, client: ClientInfo): Rendering {
  let text = "";
  let hasAbsent = false;
  for (const part of template.parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const value = toText(valueOfName(part.name, client) ?? "");
    if (value === undefined) return { ok: false };
    if (value === "") hasAbsent = true;
    text += value;
  }
  return { ok: true, text, hasAbsent };
}

function valueOfName(name: string, client: ClientInfo): Text | undefined {
  switch (name) {
    case "clientid":
      return client.clientId;
    case "username":
      return client.username;
    default:
      return undefined;
  }
}
