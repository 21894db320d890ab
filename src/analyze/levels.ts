/**
 * Rule topics level by level, placeholders kept as symbols.
 *
 * Symbols are exact while a placeholder stands for one non-empty level without wildcards: in allow
 * rules with safe_placeholders and absent_never_matches, and without separator_in_placeholder. Deny
 * rules insert every value, so there the symbols are the least that is selected, and `raw` what else
 * may be. With other switches a topic with placeholders is `loose` altogether: nothing is claimed
 * about what stands behind its first placeholder.
 */
import type { TopicEntry } from "../compile/rule/ast.ts";
import {
  attributeName,
  parseTopicTemplate,
  type TemplatePart,
} from "../compile/rule/topic-template.ts";
import { textKey } from "../compile/rule/words.ts";
import type { Switches } from "../config/compatibility.ts";
import { splitLevels } from "../topic/text.ts";
import { validateTopicFilter, validateTopicName } from "../topic/validate.ts";
import type { Text } from "../types.ts";

export type Level =
  | { readonly type: "text"; readonly text: string }
  /** Text with placeholders; `key` is the same for the same parts. */
  | { readonly type: "template"; readonly parts: readonly TemplatePart[]; readonly key: string }
  | { readonly type: "plus" }
  | { readonly type: "rest" };

export type SymbolicTopic =
  | {
      readonly type: "levels";
      readonly levels: readonly Level[];
      readonly raw?: LooseTopic | undefined;
    }
  /** One request, as it is; `levels` when it is text. */
  | { readonly type: "equal"; readonly key: string; readonly text: string | undefined }
  | LooseTopic
  /** No valid request can be selected. */
  | { readonly type: "never" };

export interface LooseTopic {
  readonly type: "loose";
  /** The same for the same text. */
  readonly key: string;
  /** The levels before the first placeholder. */
  readonly prefix: readonly Level[];
  /** As written. */
  readonly text: string;
}

/** Are the placeholders of allow rules single levels under these switches? */
export function hasSafePlaceholders(switches: Switches): boolean {
  return (
    switches.safe_placeholders &&
    switches.absent_never_matches &&
    !switches.separator_in_placeholder
  );
}

/** What an entry selects. */
export function symbolicTopic(
  entry: TopicEntry,
  permission: "allow" | "deny",
  switches: Switches,
): SymbolicTopic {
  if (entry.type === "equal") {
    const isValid = !validateTopicName(entry.text) || !validateTopicFilter(entry.text);
    if (!isValid) return { type: "never" };
    const text = typeof entry.text === "string" ? entry.text : undefined;
    return { type: "equal", key: textKey(entry.text), text };
  }
  const { topic } = parseTopicTemplate(entry.text, switches);
  if (topic.type === "never") return { type: "never" };
  if (topic.type === "text") return plainTopic(topic.text);
  const levels = templateLevels(topic.parts);
  const prefix = levels.slice(
    0,
    levels.findIndex(({ type }) => type === "template"),
  );
  const text = showLevels(levels);
  const loose: LooseTopic = { type: "loose", key: partsKey(topic.parts), prefix, text };
  if (!hasSafePlaceholders(switches)) return loose;
  if (permission === "deny")
    return isPossible(levels) ? { type: "levels", levels, raw: loose } : loose;
  return isPossible(levels) ? { type: "levels", levels } : { type: "never" };
}

/** The levels of a filter or topic name without placeholders. */
export function plainLevels(text: string): Level[] {
  const levels = splitLevels(text);
  return levels.map((level, index): Level => {
    if (level === "+") return { type: "plus" };
    if (level === "#" && index === levels.length - 1) return { type: "rest" };
    return { type: "text", text: level };
  });
}

/** Does the first level of a topic begin with `$`? A wildcard never selects it. */
export function isSystemLevel(level: Level): boolean {
  if (level.type === "text") return level.text.startsWith("$");
  if (level.type !== "template") return false;
  const [first] = level.parts;
  return first?.type === "text" && first.text.startsWith("$");
}

/** As it would be written. */
export function showLevels(levels: readonly Level[]): string {
  return levels.map(showLevel).join("/");
}

export function showLevel(level: Level): string {
  switch (level.type) {
    case "text":
      return level.text;
    case "template":
      return level.parts
        .map((part) => (part.type === "text" ? part.text : `\${${part.name}}`))
        .join("");
    case "plus":
      return "+";
    case "rest":
      return "#";
  }
}

/** A placeholder's field, as Facts name it. */
export function placeholderField(name: string): string {
  const attribute = attributeName(name);
  return attribute === undefined ? name : `client_attrs.${textKey(attribute)}`;
}

export function templateLevel(parts: readonly TemplatePart[]): Level {
  if (parts.every((part) => part.type === "text")) {
    return {
      type: "text",
      text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    };
  }
  return { type: "template", parts, key: partsKey(parts) };
}

function plainTopic(text: Text): SymbolicTopic {
  if (typeof text !== "string" || text === "") return { type: "never" };
  const levels = plainLevels(text);
  return isPossible(levels) ? { type: "levels", levels } : { type: "never" };
}

function templateLevels(parts: readonly TemplatePart[]): Level[] {
  const levels: TemplatePart[][] = [[]];
  for (const part of parts) {
    if (part.type === "variable") {
      levels.at(-1)?.push(part);
      continue;
    }
    for (const [index, text] of splitLevels(part.text).entries()) {
      if (index > 0) levels.push([]);
      if (text !== "") levels.at(-1)?.push({ type: "text", text });
    }
  }
  return levels.map((level, index): Level => {
    const only = level.length === 1 ? level[0] : undefined;
    if (only?.type === "text" && only.text === "+") return { type: "plus" };
    if (only?.type === "text" && only.text === "#" && index === levels.length - 1) {
      return { type: "rest" };
    }
    return templateLevel(level);
  });
}

/** Requests have wildcards only as whole levels and `#` only at the end. */
function isPossible(levels: readonly Level[]): boolean {
  return levels.every((level) => {
    if (level.type === "text") return !/[+#\0]/.test(level.text);
    if (level.type !== "template") return true;
    return level.parts.every((part) => part.type === "variable" || !/[+#\0]/.test(part.text));
  });
}

function partsKey(parts: readonly TemplatePart[]): string {
  return parts
    .map((part) => {
      const text = part.type === "text" ? part.text : placeholderField(part.name);
      return `${part.type === "text" ? "=" : "$"}${text.length}:${text}`;
    })
    .join("");
}
