/**
 * Placeholders in rule topics.
 *
 * With `strict_placeholder_names`, whatever looks like a placeholder must be one, and `${$}` is
 * always a dollar sign. Without, unknown names are text, and one of them turns every
 * `${client_attrs.…}` into text and every `${$}` into a plain dollar sign before the topic is read
 * a second time, now with every name alive; `template_literals_stay_literal` leaves that out.
 *
 * Source: authorization §3.4, §9 item 7; expressions §5.1, §5.2, §5.7.
 */
import type { Switches } from "../../config/compatibility.ts";
import { decodeUtf8 } from "../../text.ts";
import type { Text } from "../../types.ts";

export type TemplatePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "variable"; readonly name: string };

export type TopicTemplate =
  /** No placeholder: the filter, as it stands. */
  | { readonly type: "text"; readonly text: Text }
  | { readonly type: "template"; readonly parts: readonly TemplatePart[] }
  /** Not UTF-8 with placeholders in it: renders to nothing that matches. */
  | { readonly type: "never" };

export interface TopicParse {
  readonly topic: TopicTemplate;
  /** What looks like a placeholder and is none, as written. */
  readonly unknown: readonly string[];
}

export type TemplateSwitches = Pick<
  Switches,
  "strict_placeholder_names" | "template_literals_stay_literal"
>;

type Token = TemplatePart | { readonly type: "dollar" } | { readonly type: "broken" };

const NAMES = new Set(["username", "clientid", "cert_common_name", "zone"]);
const ATTR = "client_attrs.";

/** Reads a rule topic. Never fails: in strict mode `unknown` lists what to refuse. */
export function parseTopicTemplate(text: Text, switches: TemplateSwitches): TopicParse {
  const isPlain = typeof text === "string" ? !text.includes("${") : !hasPlaceholderStart(text);
  if (isPlain) return { topic: { type: "text", text }, unknown: [] };
  const source = typeof text === "string" ? text : decodeUtf8(text);
  if (source === undefined) return { topic: { type: "never" }, unknown: [] };
  if (switches.strict_placeholder_names) return parseStrict(source);
  return parseLoose(source, switches.template_literals_stay_literal);
}

/** The attribute name of a variable such as `client_attrs.site`; undefined for other variables. */
export function attributeName(variable: string): string | undefined {
  return variable.startsWith(ATTR) ? variable.slice(ATTR.length) : undefined;
}

function parseStrict(source: string): TopicParse {
  const tokens = tokenize(source, /\$\{(?:(\$)|\.?([A-Za-z0-9._-]*))\}|\$\{/g);
  const unknown: string[] = [];
  for (const token of tokens) {
    if (token.type === "broken") unknown.push("${");
    else if (token.type === "variable" && !(isAllowed(token.name) && token.name !== ATTR)) {
      unknown.push(`\${${token.name}}`);
    }
  }
  const parts = joinParts(tokens);
  if (parts.some((part) => part.type === "variable")) {
    return { topic: { type: "template", parts }, unknown };
  }
  const plain = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return { topic: { type: "text", text: plain }, unknown };
}

const LOOSE = /\$\{(?:(\$)|\.?([A-Za-z0-9._]*))\}/g;

function parseLoose(source: string, staysLiteral: boolean): TopicParse {
  let tokens = tokenize(source, LOOSE);
  const unknown: string[] = [];
  for (const token of tokens) {
    if (token.type === "variable" && !isAllowed(token.name)) unknown.push(`\${${token.name}}`);
  }
  if (unknown.length > 0 && staysLiteral) tokens = tokens.map(literal);
  else if (unknown.length > 0) tokens = tokenize(tokens.map(rewrite).join(""), LOOSE);
  if (!tokens.some((token) => token.type === "variable")) {
    return { topic: { type: "text", text: source }, unknown };
  }
  return { topic: { type: "template", parts: joinParts(tokens) }, unknown };
}

function literal(token: Token): Token {
  if (token.type !== "variable" || isAllowed(token.name)) return token;
  return { type: "text", text: `\${${token.name}}` };
}

/** What is left for the second reading once an unknown name was found. */
function rewrite(token: Token): string {
  if (token.type === "text") return token.text;
  if (token.type !== "variable") return "$";
  const isKept = isAllowed(token.name) && !token.name.startsWith(ATTR);
  return isKept ? `\${${token.name}}` : `\${$}{${token.name}}`;
}

function isAllowed(name: string): boolean {
  return NAMES.has(name) || name.startsWith(ATTR);
}

/** `placeholder` has two groups: the escaped dollar sign, and the name. */
function tokenize(source: string, placeholder: RegExp): Token[] {
  const tokens: Token[] = [];
  let from = 0;
  for (const match of source.matchAll(placeholder)) {
    if (match.index > from) tokens.push({ type: "text", text: source.slice(from, match.index) });
    if (match[1] !== undefined) tokens.push({ type: "dollar" });
    else if (match[2] !== undefined) tokens.push({ type: "variable", name: match[2] });
    else tokens.push({ type: "broken" });
    from = match.index + match[0].length;
  }
  if (from < source.length) tokens.push({ type: "text", text: source.slice(from) });
  return tokens;
}

/** Neighbouring texts become one, so that no part is empty or could be joined. */
function joinParts(tokens: readonly Token[]): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let text = "";
  for (const token of tokens) {
    if (token.type === "text") text += token.text;
    else if (token.type === "dollar") text += "$";
    else if (token.type === "variable") {
      if (text !== "") parts.push({ type: "text", text });
      text = "";
      parts.push(token);
    }
  }
  if (text !== "") parts.push({ type: "text", text });
  return parts;
}

function hasPlaceholderStart(bytes: Uint8Array): boolean {
  return bytes.some((byte, at) => byte === 0x24 && bytes[at + 1] === 0x7b);
}
