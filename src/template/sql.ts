/**
 * Templates of SQL queries: every placeholder is a bound parameter, so a value can never become part of the
 * statement. Source: expressions §5.6.
 */
import {
  isAllowed,
  parseTemplate,
  type TemplateOptions,
  type TemplatePart,
} from "../compile/template.ts";
import type { Value } from "../core/core.ts";
import { encodeUtf8 } from "../text.ts";
import type { TemplateRecord } from "./record.ts";
import { preparedValue } from "./render.ts";
import { valueToJson, valueToText } from "./value-text.ts";

/** How the database writes parameters: `?`, or `$1`, `$2` and so on. */
export type ParameterStyle = "question_mark" | "numbered";

export interface SqlTemplate {
  readonly statement: string;
  /** One for each parameter, in order: a placeholder, or the literal text of an unknown one. */
  readonly parameters: readonly TemplatePart[];
  /** Names that are not allowed, each once. */
  readonly unknown: readonly string[];
}

/** What a parameter is bound to. */
export type SqlParameter = Uint8Array | string | bigint | number | boolean;

/**
 * Parses a query. Double quotes directly around a placeholder are dropped, single quotes are not (the
 * parameter mark between them is a constant of the database's).
 */
export function parseSql(
  text: string,
  style: ParameterStyle,
  options: TemplateOptions,
): SqlTemplate {
  const { parts } = parseTemplate(text, { ...options, allowed: "any" });
  const unknown = new Set<string>();
  for (const part of parts) {
    if (typeof part !== "string" && !isAllowed(part.name, options.allowed)) unknown.add(part.name);
  }
  const isLiteral = (name: string): boolean => {
    if (unknown.has(name)) return true;
    if (options.switches.template_literals_stay_literal || unknown.size === 0) return false;
    return options.allowed !== "any" && !options.allowed.includes(name);
  };
  const parameters: TemplatePart[] = [];
  let statement = "";
  parts.forEach((part, index) => {
    if (typeof part === "string") {
      const isUnquoted = isQuoted(parts, index - 1);
      statement += part.slice(isUnquoted ? 1 : 0, isQuoted(parts, index + 1) ? -1 : undefined);
      return;
    }
    parameters.push(isLiteral(part.name) ? `\${${part.name}}` : part);
    statement += style === "numbered" ? `$${parameters.length}` : "?";
  });
  return { statement, parameters, unknown: [...unknown] };
}

/**
 * The values of the parameters: texts as bytes, numbers and booleans as themselves, maps and lists as JSON.
 * Undefined when one cannot be bound: a tuple, or, beside an unknown name and without
 * template_literals_stay_literal, anything but text.
 */
export function bindSql(
  template: SqlTemplate,
  record: TemplateRecord,
  options: TemplateOptions,
): SqlParameter[] | undefined {
  const onlyTexts = template.unknown.length > 0 && !options.switches.template_literals_stay_literal;
  const bound: SqlParameter[] = [];
  for (const parameter of template.parameters) {
    if (typeof parameter === "string") {
      bound.push(encodeUtf8(parameter));
      continue;
    }
    const value = toParameter(preparedValue(record, parameter));
    const isText = typeof value === "string" || value instanceof Uint8Array;
    if (value === undefined || (onlyTexts && !isText)) return undefined;
    bound.push(value);
  }
  return bound;
}

/** Is the part at `index` a placeholder directly between double quotes? */
function isQuoted(parts: readonly TemplatePart[], index: number): boolean {
  const before = parts[index - 1];
  const behind = parts[index + 1];
  return (
    typeof parts[index] === "object" &&
    typeof before === "string" &&
    before.endsWith('"') &&
    typeof behind === "string" &&
    behind.startsWith('"')
  );
}

function toParameter(value: Value): SqlParameter | undefined {
  switch (value.type) {
    case "bytes":
    case "integer":
    case "float":
    case "boolean":
      return value.value;
    case "map":
    case "list":
      return valueToJson(value);
    default:
      return valueToText(value);
  }
}
