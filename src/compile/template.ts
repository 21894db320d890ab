/**
 * The template language: text with `${name}` in it, parsed once when the configuration is loaded.
 *
 *   ${a.b}  ${.a.b}   the value at path a, b (one leading dot is dropped)
 *   ${$}              a dollar sign
 *   anything else     itself, also `${` that starts neither form
 *
 * Rendering is src/template/render.ts; topics of rules are rendered in the core.
 * Source: expressions §5.1, §5.2.
 */
import type { Switches } from "../config/compatibility.ts";
import { nearest } from "../config/nearest.ts";
import type { Issue } from "../errors.ts";
import type { SourcePosition } from "../types.ts";

export interface Placeholder {
  /** As written, without the leading dot. */
  readonly name: string;
  /** The name split at dots; empty pieces are keys too. */
  readonly path: readonly string[];
}

/** A literal text, or a place for a value. */
export type TemplatePart = string | Placeholder;

export interface Template {
  /** The text as configured. */
  readonly source: string;
  /** Literals and placeholders in order; literals are never empty and never adjacent. */
  readonly parts: readonly TemplatePart[];
  /** Names that are not allowed in this place, each once. They stand in `parts` as literal text. */
  readonly unknown: readonly string[];
}

type SplitOptions = Pick<TemplateOptions, "switches">;

export interface TemplateOptions {
  /**
   * Names this place knows: `username` for that name, `client_attrs.*` for any that starts with
   * `client_attrs.`. `any` allows all.
   */
  readonly allowed: "any" | readonly string[];
  readonly switches: Pick<Switches, "template_literals_stay_literal" | "strict_placeholder_names">;
  /**
   * Without template_literals_stay_literal: names allowed by a `….*` entry keep working beside an
   * unknown one (the mountpoint only).
   */
  readonly namespacesSurvive?: boolean | undefined;
}

/** What looks like a placeholder and is none. */
const MALFORMED = /\$\{(?!\$\})[^${}]*\}/g;

/** Parses one text that stands alone. Never fails; the caller decides what `unknown` means. */
export function parseTemplate(text: string, options: TemplateOptions): Template {
  return parseTemplates([text], options)[0]!;
}

/**
 * Parses texts that EMQX treats as one template: the names and values of one header list, all texts
 * of one body, the words of one command.
 *
 * Unless template_literals_stay_literal is on, one unknown name anywhere in them makes every
 * `….*` name literal and every `${$}` a plain dollar *before* a second reading, which can make a
 * placeholder of what the first reading took for text, and that one is checked against no list.
 */
export function parseTemplates(texts: readonly string[], options: TemplateOptions): Template[] {
  const first = texts.map((text) => splitTemplate(text, options));
  const isUnknown = (part: TemplatePart): part is Placeholder =>
    typeof part !== "string" && !isAllowed(part.name, options.allowed);
  const hasUnknown = first.some((parts) => parts.some(isUnknown));
  return texts.map((source, index) => {
    const parts = first[index]!;
    return {
      source,
      parts: hasUnknown ? neutralizeUnknown(parts, options, isUnknown) : mergeParts(parts),
      unknown: unique([
        ...parts.filter(isUnknown).map(({ name }) => name),
        ...(options.switches.strict_placeholder_names ? malformedNames(parts) : []),
      ]),
    };
  });
}

/** Has the template no placeholder, so that it renders to the same text for everybody? */
export function isConstant(template: Template): boolean {
  return template.parts.every((part) => typeof part === "string");
}

/** Names of all placeholders of a template, each once, in order. */
export function templateNames(template: Template): string[] {
  return unique(template.parts.flatMap((part) => (typeof part === "string" ? [] : [part.name])));
}

/**
 * One issue for each unknown name. `severity` is the caller's policy: an error where
 * strict_placeholder_names refuses, a warning otherwise.
 */
export function templateIssues(
  template: Template,
  options: TemplateOptions,
  place: {
    readonly severity: Issue["severity"];
    readonly path: string;
    readonly at?: SourcePosition | undefined;
  },
): Issue[] {
  const { allowed } = options;
  if (allowed === "any") return [];
  const names = allowed.map((name) => `\${${name.replace("*", "NAME")}}`).join(", ");
  return template.unknown.map((name) => ({
    severity: place.severity,
    code: place.severity === "error" ? "ERR_CONFIG_PLACEHOLDER" : "WARN_CONFIG_PLACEHOLDER",
    path: place.path,
    message: `unknown placeholder \`\${${name}}\`${place.severity === "error" ? "" : " is kept as literal text"}`,
    hint: `${meant(name, allowed)}known here: ${names}; write \${$}{${name}} for the literal text`,
    at: place.at,
  }));
}

function meant(name: string, allowed: readonly string[]): string {
  const guess = nearest(name, allowed);
  return guess === undefined ? "" : `did you mean \`\${${guess}}\`? `;
}

/** Is the name allowed by the list? */
export function isAllowed(name: string, allowed: "any" | readonly string[]): boolean {
  if (allowed === "any") return true;
  return allowed.some((entry) =>
    entry.endsWith(".*") ? name.startsWith(entry.slice(0, -1)) : name === entry,
  );
}

/**
 * One reading: literals with `${$}` replaced, not merged, and placeholders whether allowed or not.
 * Names may have hyphens with strict_placeholder_names.
 */
export function splitTemplate(text: string, { switches }: SplitOptions): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let behind = 0;
  let at = text.indexOf("${");
  while (at !== -1) {
    const close = closingBrace(text, at + 2, switches.strict_placeholder_names);
    if (close !== undefined) {
      if (at > behind) parts.push(text.slice(behind, at));
      parts.push(readPlaceholder(text.slice(at + 2, close)));
      behind = close + 1;
    }
    at = text.indexOf("${", Math.max(at + 2, behind));
  }
  if (behind < text.length) parts.push(text.slice(behind));
  return parts;
}

/** Where the placeholder or escaped dollar ends whose first character stands at `from`. */
function closingBrace(text: string, from: number, mayHaveHyphens: boolean): number | undefined {
  let end = from;
  if (text[end] === "$") end += 1;
  else while (isNameCharacter(text.charCodeAt(end), mayHaveHyphens)) end += 1;
  return text[end] === "}" ? end : undefined;
}

/** A letter, a digit, `_`, `.` or perhaps `-`; all of them are ASCII. */
function isNameCharacter(code: number, mayBeHyphen: boolean): boolean {
  const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
  if (isLetter || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2e) return true;
  return mayBeHyphen && code === 0x2d;
}

function readPlaceholder(spelled: string): TemplatePart {
  if (spelled === "$") return "$";
  const name = spelled.startsWith(".") ? spelled.slice(1) : spelled;
  return { name, path: name.includes(".") ? name.split(".") : [name] };
}

/** What becomes of the parts when some name of the unit is unknown: literals merged again. */
export function neutralizeUnknown(
  parts: readonly TemplatePart[],
  options: TemplateOptions,
  isUnknown: (part: TemplatePart) => part is Placeholder,
): TemplatePart[] {
  if (options.switches.template_literals_stay_literal) {
    return mergeParts(parts.map((part) => (isUnknown(part) ? `\${${part.name}}` : part)));
  }
  const { allowed, namespacesSurvive } = options;
  const survives = ({ name }: Placeholder): boolean =>
    namespacesSurvive ? isAllowed(name, allowed) : allowed.includes(name);
  const rewritten = parts.map((part) => {
    if (typeof part === "string") return part;
    return survives(part) ? `\${${part.name}}` : `\${$}{${part.name}}`;
  });
  return mergeParts(splitTemplate(rewritten.join(""), options));
}

/** Neighbouring literals become one. */
export function mergeParts(parts: readonly TemplatePart[]): TemplatePart[] {
  const merged: TemplatePart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string") {
      merged[merged.length - 1] = last + part;
    } else {
      merged.push(part);
    }
  }
  return merged;
}

/** What stands between `${` and `}` where that is no placeholder. */
function malformedNames(parts: readonly TemplatePart[]): string[] {
  // An escaped dollar is a part of its own, so `${$}{x}` is not seen here as `${x}`.
  return parts
    .filter((part) => typeof part === "string")
    .flatMap((literal) => literal.match(MALFORMED) ?? [])
    .map((text) => text.slice(2, -1));
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
