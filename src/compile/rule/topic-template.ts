/**
 * Placeholders in rule topics: the template language (src/compile/template.ts) and what is different
 * about it where a rule's topic is read.
 *
 * - A topic without placeholders is no template: it stands as it is written, `${$}` included.
 * - With `strict_placeholder_names`, whatever looks like a placeholder must be one, a lone `${` too,
 *   an attribute has a name, and `${$}` is always a dollar sign.
 * - A topic may come as bytes. Where they are not UTF-8 and have placeholders it matches nothing.
 *
 * Source: authorization §3.4, §9 item 7; expressions §5.1, §5.2, §5.7.
 */
import type { Switches } from "../../config/compatibility.ts";
import { decodeUtf8 } from "../../text.ts";
import type { Text } from "../../types.ts";
import {
  type TemplatePart as AnyPart,
  isAllowed,
  mergeParts,
  neutralizeUnknown,
  type Placeholder,
  splitTemplate,
} from "../template.ts";
import { TOPIC_NAMES } from "../template-places.ts";

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
  /** What looks like a placeholder and is none, as written but for a leading dot. */
  readonly unknown: readonly string[];
}

export type TemplateSwitches = Pick<
  Switches,
  "strict_placeholder_names" | "template_literals_stay_literal"
>;

const ATTR = "client_attrs.";
const NONE: readonly string[] = [];

/** Reads a rule topic. Never fails: in strict mode `unknown` lists what to refuse. */
export function parseTopicTemplate(text: Text, switches: TemplateSwitches): TopicParse {
  const isPlain = typeof text === "string" ? !text.includes("${") : !hasPlaceholderStart(text);
  if (isPlain) return { topic: { type: "text", text }, unknown: NONE };
  const source = typeof text === "string" ? text : decodeUtf8(text);
  if (source === undefined) return { topic: { type: "never" }, unknown: NONE };
  const isStrict = switches.strict_placeholder_names;
  const options = { allowed: TOPIC_NAMES, switches };
  const first = splitTemplate(source, options);
  const unknown = isStrict ? refusedNames(first) : unknownNames(first);
  const isRewritten = unknown.length > 0 && !isStrict;
  const parts = isRewritten ? neutralizeUnknown(first, options, isUnknown) : mergeParts(first);
  if (parts.some(isPlaceholder)) {
    return { topic: { type: "template", parts: parts.map(topicPart) }, unknown };
  }
  return { topic: { type: "text", text: isStrict ? parts.join("") : source }, unknown };
}

/** The attribute name of a variable such as `client_attrs.site`; undefined for other variables. */
export function attributeName(variable: string): string | undefined {
  return variable.startsWith(ATTR) ? variable.slice(ATTR.length) : undefined;
}

function unknownNames(parts: readonly AnyPart[]): readonly string[] {
  return parts.some(isUnknown) ? parts.filter(isUnknown).map(spell) : NONE;
}

/** In strict mode. */
function refusedNames(parts: readonly AnyPart[]): readonly string[] {
  const names: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      // An escaped dollar sign is a part of its own, so that this one was written as it stands.
      for (let at = part.indexOf("${"); at !== -1; at = part.indexOf("${", at + 2))
        names.push("${");
    } else if (part.name === ATTR || isUnknown(part)) names.push(spell(part));
  }
  return names;
}

function isPlaceholder(part: AnyPart): part is Placeholder {
  return typeof part !== "string";
}

function isUnknown(part: AnyPart): part is Placeholder {
  return isPlaceholder(part) && !isAllowed(part.name, TOPIC_NAMES);
}

function spell({ name }: Placeholder): string {
  return `\${${name}}`;
}

function topicPart(part: AnyPart): TemplatePart {
  return isPlaceholder(part) ? { type: "variable", name: part.name } : { type: "text", text: part };
}

function hasPlaceholderStart(bytes: Uint8Array): boolean {
  return bytes.some((byte, at) => byte === 0x24 && bytes[at + 1] === 0x7b);
}
