/** One element of a rule's topic list, from whatever form it was written in. */
import type { Switches } from "../../config/compatibility.ts";
import { nearest } from "../../config/nearest.ts";
import { toBytes } from "../../text.ts";
import type { Text } from "../../types.ts";
import type { TopicEntry } from "../rule/ast.ts";
import { type Complaint, quote } from "./report.ts";
import { normalizeText } from "./text.ts";

export interface TopicReading {
  /** Missing when a complaint is an error. */
  readonly entry?: TopicEntry | undefined;
  readonly complaints: readonly Complaint[];
}

/** Names a topic filter may use between `${` and `}`. */
const PLACEHOLDERS = ["username", "clientid", "cert_common_name", "zone"] as const;
const ATTRIBUTES = "client_attrs.";
/** What other places call the same thing. */
const ALIASES: Readonly<Record<string, string>> = {
  cn: "cert_common_name",
  common_name: "cert_common_name",
  client_id: "clientid",
  clientId: "clientid",
  user: "username",
  client_attrs: "client_attrs.NAME",
};

const NONE: readonly Complaint[] = [];
const EQ_PREFIX = "eq ";
/** `${name}`, `${$}`, or a `${` that starts neither. Strict names may have hyphens. */
const PLACEHOLDER = /\$\{\$\}|\$\{\.?([\w.]*)\}|\$\{/g;
const STRICT_PLACEHOLDER = /\$\{\$\}|\$\{\.?([\w.-]*)\}|\$\{/g;
const SPECIAL = /[+#%]/;
/** `#` as a level that is not the last. */
const INNER_REST = /(?:^|\/)#\//;
/** A wildcard that shares its level. Two characters: a token's topics pass through here too. */
const GLUED_WILDCARD = /[^/][+#]|[+#][^/]/;

/**
 * Reads a topic text. Text that begins with `eq ` stands for the rest, literally (`{eq, …}` in a
 * rule file is readEqualTopic's); everything else is a filter.
 *
 * Source: authorization §2.3, §3.4.
 */
export function readTopic(text: Text, switches: Switches): TopicReading {
  const rest = withoutEqPrefix(normalizeText(text));
  return rest === undefined ? readFilter(text, switches) : readEqualTopic(rest);
}

/**
 * Reads a filter: UTF-8, and free of unknown placeholders where `strict_placeholder_names` is on.
 * It is not validated otherwise, so a filter that can never match is a warning.
 */
export function readFilter(text: Text, switches: Switches): TopicReading {
  const normal = normalizeText(text);
  if (typeof normal !== "string") {
    const complaint: Complaint = {
      code: "ERR_CONFIG_ACL_TOPIC",
      message: "a topic filter has to be UTF-8",
      hint: 'write "…" or <<"…"/utf8>>',
    };
    return { complaints: [complaint] };
  }
  const placeholders = checkPlaceholders(normal, switches);
  const shape = checkShape(normal);
  const complaints = shape.length === 0 ? placeholders : [...placeholders, ...shape];
  if (complaints.some(isError)) return { complaints };
  return { entry: { type: "filter", text: normal }, complaints };
}

/** A topic or filter that is compared level by level, placeholders and wildcards included. */
export function readEqualTopic(text: Text): TopicReading {
  const normal = normalizeText(text);
  const complaints: Complaint[] = [];
  const placeholder = typeof normal === "string" ? /\$\{[^{}]*\}/.exec(normal)?.[0] : undefined;
  if (placeholder !== undefined) {
    complaints.push({
      code: "WARN_CONFIG_ACL_PLACEHOLDER",
      message: `${quote(placeholder)} is literal text in an \`eq\` topic`,
      hint: "leave out `eq` to have it replaced",
    });
  }
  return { entry: { type: "equal", text: normal }, complaints };
}

function isError({ code }: Complaint): boolean {
  return code.startsWith("ERR_");
}

function withoutEqPrefix(text: Text): Text | undefined {
  if (typeof text === "string") {
    return text.startsWith(EQ_PREFIX) ? text.slice(EQ_PREFIX.length) : undefined;
  }
  const prefix = toBytes(EQ_PREFIX);
  return prefix.every((byte, at) => text[at] === byte) ? text.slice(prefix.length) : undefined;
}

function checkPlaceholders(text: string, switches: Switches): readonly Complaint[] {
  if (!text.includes("${")) return NONE;
  const isStrict = switches.strict_placeholder_names;
  const complaints: Complaint[] = [];
  const pattern = isStrict ? STRICT_PLACEHOLDER : PLACEHOLDER;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [whole, name] = match;
    if (whole === "${$}" || (name !== undefined && isPlaceholder(name, isStrict))) continue;
    if (name === undefined) {
      complaints.push({
        code: "WARN_CONFIG_ACL_PLACEHOLDER",
        message: `\`\${\` starts no placeholder in ${quote(text)} and is literal text`,
        hint: isStrict ? "write ${$}{ if that is what is meant" : undefined,
      });
      continue;
    }
    complaints.push({
      code: isStrict ? "ERR_CONFIG_ACL_PLACEHOLDER" : "WARN_CONFIG_ACL_PLACEHOLDER",
      message: isStrict
        ? `unknown placeholder ${quote(whole)}`
        : `unknown placeholder ${quote(whole)} is literal text and makes \${client_attrs.…} literal`,
      hint: placeholderHint(name),
    });
  }
  return complaints;
}

function isPlaceholder(name: string, isStrict: boolean): boolean {
  if ((PLACEHOLDERS as readonly string[]).includes(name)) return true;
  if (!name.startsWith(ATTRIBUTES)) return false;
  // Attribute names have no dots, so such a placeholder never had a value.
  return !isStrict || /^[\w-]+$/.test(name.slice(ATTRIBUTES.length));
}

function placeholderHint(name: string): string {
  const meant = Object.hasOwn(ALIASES, name) ? ALIASES[name] : nearest(name, PLACEHOLDERS);
  if (meant !== undefined) return `did you mean \`\${${meant}}\`?`;
  const names = [...PLACEHOLDERS, "client_attrs.NAME"].map((known) => `\${${known}}`);
  return `a topic may use ${names.join(", ")}`;
}

/** Warns of filters that are legal here and can never do what they look like. */
function checkShape(text: string): readonly Complaint[] {
  if (!SPECIAL.test(text)) return NONE;
  const complaints: Complaint[] = [];
  const old = /%[uc]/.exec(text)?.[0];
  if (old !== undefined) {
    const meant = old === "%u" ? "username" : "clientid";
    complaints.push({
      code: "WARN_CONFIG_ACL_PLACEHOLDER",
      message: `\`${old}\` is literal text`,
      hint: `write \${${meant}}`,
    });
  }
  if (INNER_REST.test(text)) {
    complaints.push({
      code: "WARN_CONFIG_ACL_TOPIC",
      message: `\`#\` is a wildcard only as the last level, so ${quote(text)} selects no topic`,
    });
  } else if (GLUED_WILDCARD.test(text)) {
    complaints.push({
      code: "WARN_CONFIG_ACL_TOPIC",
      message: `${quote(text)} has a wildcard inside a level and so selects no topic`,
      hint: "`+` and `#` stand alone between slashes",
    });
  }
  return complaints;
}
