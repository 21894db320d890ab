/** Plain reference: placeholders in rule topics. Source: authorization §3.4; expressions §5.1, §5.2, §5.7. */
import type { Switches } from "../../src/config/compatibility.ts";
import { byteString, isUtf8, type ReferenceClient } from "./client.ts";

type Part = { readonly literal: string } | { readonly name: string };

const SIMPLE_NAMES = ["username", "clientid", "cert_common_name", "zone"];

/**
 * The filter an entry stands for, for this client; undefined when it stands for none. What protects
 * allow rules from values that reshape a topic would let such values escape a deny rule.
 */
export function renderTopic(
  template: string,
  client: ReferenceClient,
  switches: Switches,
  permission: "allow" | "deny" = "allow",
): string | undefined {
  const parts = parseTemplate(template, switches);
  let rendered = "";
  for (const part of parts) {
    if ("literal" in part) {
      rendered += part.literal;
      continue;
    }
    const value = lookUp(part.name, client);
    const text = value === null ? "undefined" : value;
    if (text === undefined) return undefined;
    const beginsTopic = rendered === "";
    if (permission === "allow") {
      if (switches.absent_never_matches && (value === null || value === "")) return undefined;
      if (switches.safe_placeholders && !isSafe(text, beginsTopic, switches)) return undefined;
    }
    rendered += text;
  }
  return isUtf8(rendered) ? rendered : undefined;
}

function isSafe(value: string, beginsTopic: boolean, switches: Switches): boolean {
  if (/[+#]/.test(value)) return false;
  if (value.includes("/") && !switches.separator_in_placeholder) return false;
  // Control characters of UTF-8 text: C0, DEL, and C1 (0xC2 0x80…0x9F).
  if (/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]/.test(value)) return false;
  return !(beginsTopic && value.startsWith("$"));
}

/** undefined: no such key. null: the key is there, the value is not. */
function lookUp(name: string, client: ReferenceClient): string | null | undefined {
  const field = (value: Parameters<typeof byteString>[0] | null | undefined) =>
    value === undefined || value === null ? value : byteString(value);
  if (name === "clientid") return field(client.clientId);
  if (name === "username") return field(client.username);
  if (name === "zone") return field(client.zone);
  if (name === "listener") return field(client.listener);
  if (name === "cert_common_name") return field(client.certCommonName);
  if (!name.startsWith("client_attrs.")) return undefined;
  for (const [attr, value] of Object.entries(client.clientAttrs ?? {})) {
    if (byteString(attr) === name.slice("client_attrs.".length)) return byteString(value);
  }
  return undefined;
}

/** The literal and live parts of a topic. A topic without a live part is itself. */
export function parseTemplate(template: string, switches: Switches): Part[] {
  if (switches.strict_placeholder_names) return scan(template, /^[A-Za-z0-9._-]*$/, isAllowed);

  const everything = scan(template, /^[A-Za-z0-9._]*$/, () => true);
  const isPoisoned =
    !switches.template_literals_stay_literal &&
    everything.some((part) => "name" in part && !isAllowed(part.name));
  // One unknown name: it and the attributes are escaped, escapes are undone, the result read again.
  const parts = isPoisoned
    ? scan(everything.map(rewrite).join(""), /^[A-Za-z0-9._]*$/, () => true)
    : scan(template, /^[A-Za-z0-9._]*$/, isAllowed);
  return parts.some((part) => "name" in part) ? parts : [{ literal: template }];
}

function rewrite(part: Part): string {
  if ("literal" in part) return part.literal;
  return SIMPLE_NAMES.includes(part.name) ? `\${${part.name}}` : `\${$}{${part.name}}`;
}

function isAllowed(name: string): boolean {
  return SIMPLE_NAMES.includes(name) || name.startsWith("client_attrs.");
}

/** Cuts a text at `${name}` and `${$}`; a name that is not live stays as it was written. */
function scan(text: string, nameCharacters: RegExp, isLive: (name: string) => boolean): Part[] {
  const parts: Part[] = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.startsWith("${") ? rest.indexOf("}") : -1;
    const inner = end === -1 ? undefined : rest.slice(2, end);
    const name = inner?.replace(/^\./, "");
    if (inner === "$") {
      parts.push({ literal: "$" });
      rest = rest.slice(end + 1);
    } else if (name !== undefined && nameCharacters.test(name)) {
      parts.push(isLive(name) ? { name } : { literal: rest.slice(0, end + 1) });
      rest = rest.slice(end + 1);
    } else {
      parts.push({ literal: rest[0] as string });
      rest = rest.slice(1);
    }
  }
  return parts;
}
