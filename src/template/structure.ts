/**
 * Templates in structures: JSON bodies, database filters. Every text in one is a template, map keys
 * included; numbers, booleans and nulls stay. Source: expressions §5.5.
 */
import { parseTemplates, type Template, type TemplateOptions } from "../compile/template.ts";
import type { Value } from "../core/core.ts";
import { decodeUtf8, toBytes } from "../text.ts";
import type { Text } from "../types.ts";
import type { TemplateRecord } from "./record.ts";
import { type Rendered, renderRaw, renderText } from "./render.ts";

/** A parsed structure: its shape, and its texts in the order in which they stand in it. */
export interface TemplateStructure {
  readonly shape: Value;
  readonly templates: readonly Template[];
}

/** Parses all texts of a structure as one unit. Texts must be UTF-8 (checked before). */
export function parseStructure(shape: Value, options: TemplateOptions): TemplateStructure {
  const texts: string[] = [];
  mapTexts(shape, (bytes) => {
    const text = decodeUtf8(bytes);
    if (text === undefined) throw new TypeError("a text of the structure is not UTF-8");
    texts.push(text);
    return bytes;
  });
  return { shape, templates: parseTemplates(texts, options) };
}

/**
 * The structure with its texts rendered. A placeholder always yields text, never a number or null.
 * `json` demands UTF-8 of every text, `raw` takes any bytes.
 */
export function renderStructure(
  { shape, templates }: TemplateStructure,
  record: TemplateRecord,
  renderer: "json" | "raw",
): Rendered<Value> {
  const rendered: Uint8Array[] = [];
  const absent = new Set<string>();
  for (const template of templates) {
    const text: Rendered<Text> =
      renderer === "json" ? renderText(template, record) : renderRaw(template, record);
    if (!text.ok) return text;
    rendered.push(toBytes(text.value));
    for (const name of text.absent) absent.add(name);
  }
  let next = 0;
  return { ok: true, value: mapTexts(shape, () => rendered[next++]!), absent: [...absent] };
}

/** A copy with every text replaced, in the order of the texts: lists and maps front to back, key first. */
function mapTexts(value: Value, replace: (bytes: Uint8Array) => Uint8Array): Value {
  switch (value.type) {
    case "bytes":
      return { type: "bytes", value: replace(value.value) };
    case "list":
      return { type: "list", items: value.items.map((item) => mapTexts(item, replace)) };
    case "map":
      return {
        type: "map",
        entries: value.entries.map(([key, element]) => [
          mapTexts(key, replace),
          mapTexts(element, replace),
        ]),
      };
    default:
      return value;
  }
}
