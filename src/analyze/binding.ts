/** Placeholders whose value a condition fixes: `{clientid, "x"}` makes `${clientid}` an `x`. */
import type { TemplatePart } from "../compile/rule/topic-template.ts";
import { decodeUtf8 } from "../text.ts";
import { type Level, placeholderField, templateLevel } from "./levels.ts";

/** A field's key → what stands in its place. */
export type Bindings = ReadonlyMap<string, string>;

/** C0, DEL and C1: values with these never match under safe_placeholders. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * The level with fixed values put in. Undefined: a value may not stand there, so the topic selects
 * nothing for such a client. Only for safe placeholders.
 */
export function bindLevel(level: Level, index: number, bindings: Bindings): Level | undefined {
  if (level.type !== "template" || bindings.size === 0) return level;
  const parts: TemplatePart[] = [];
  for (const [at, part] of level.parts.entries()) {
    const key = part.type === "variable" ? bindings.get(placeholderField(part.name)) : undefined;
    if (key === undefined) {
      parts.push(part);
      continue;
    }
    const value = textOfKey(key);
    if (value === undefined || !isSafeValue(value, index === 0 && at === 0)) return undefined;
    parts.push({ type: "text", text: value });
  }
  return templateLevel(joinTexts(parts));
}

export function bindLevels(levels: readonly Level[], bindings: Bindings): Level[] | undefined {
  const bound: Level[] = [];
  for (const [index, level] of levels.entries()) {
    const one = bindLevel(level, index, bindings);
    if (!one) return undefined;
    bound.push(one);
  }
  return bound;
}

/** May a placeholder have this value? Source: authorization §9 items 5 and 6. */
export function isSafeValue(value: string, beginsTopic: boolean): boolean {
  if (value === "" || /[+#/]/.test(value) || CONTROL.test(value)) return false;
  return !(beginsTopic && value.startsWith("$"));
}

/** The text whose bytes a key spells; undefined when they are not UTF-8. */
function textOfKey(key: string): string | undefined {
  return decodeUtf8(Uint8Array.from(key, (character) => character.charCodeAt(0)));
}

function joinTexts(parts: readonly TemplatePart[]): TemplatePart[] {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === "text" && last?.type === "text") {
      joined[joined.length - 1] = { type: "text", text: last.text + part.text };
    } else joined.push(part);
  }
  return joined;
}
