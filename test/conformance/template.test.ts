/** Recorded answers of EMQX 6.2 for templates (expressions §5, §9). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { answerTemplate, type TemplateLine } from "../../src/batch/template.ts";
import { decodeTerm, encodeTerm, type Term } from "../../src/batch/terms.ts";
import { parseTemplate, type Template, type TemplateOptions } from "../../src/compile/template.ts";
import { MOUNTPOINT_NAMES } from "../../src/compile/template-places.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { Value } from "../../src/core/core.ts";
import type { TemplateRecord } from "../../src/template/record.ts";
import {
  type Rendered,
  renderGeneric,
  renderMountpoint,
  renderText,
  renderTopic,
  renderUrlPath,
} from "../../src/template/render.ts";
import { bindSql, parseSql } from "../../src/template/sql.ts";
import { parseStructure, renderStructure } from "../../src/template/structure.ts";
import { readVectors } from "../support/vectors.ts";

const switches = resolveSwitches("emqx");

type RecordedLine = TemplateLine & {
  readonly id: string;
  readonly result?: Term;
  readonly error?: Term;
};

describe("template.jsonl", () => {
  const lines = readVectors<RecordedLine>("template");

  it("has all its lines", () => {
    expect(lines).toHaveLength(506);
  });

  it.each(lines)("$id $kind $template", (line) => {
    const answer = answerTemplate(line, switches);
    if ("error" in line) expect(answer).toHaveProperty("error");
    else expect(answer).toStrictEqual({ result: line.result });
  });
});

interface SpecCase {
  readonly group: string;
  readonly renderer: string;
  readonly template: unknown;
  readonly vars: { readonly [name: string]: unknown };
  readonly allowed?: readonly string[];
  readonly params?: string;
  readonly ok?: unknown;
  readonly error?: string;
}

describe("expressions-vectors.json, templates", () => {
  const file = new URL("./vectors/expressions-vectors.json", import.meta.url);
  const cases = (JSON.parse(readFileSync(file, "utf8")) as { templates: SpecCase[] }).templates;

  it("has all its cases", () => {
    expect(cases).toHaveLength(130);
  });

  it.each(cases)("$renderer $template with $vars", (one) => {
    const result = renderCase(one);
    if (one.error === undefined) expect(result).toStrictEqual({ ok: specTerm(one.ok) });
    else expect(result).toStrictEqual({ error: true });
  });
});

function renderCase(one: SpecCase): { ok: Term } | { error: true } {
  const options: TemplateOptions = { allowed: one.allowed ?? "any", switches };
  const text = typeof one.template === "string" ? one.template : "";
  const parse = (more: Partial<TemplateOptions> = {}): Template =>
    parseTemplate(text, { ...options, ...more });
  switch (one.renderer) {
    case "generic":
      return outcome(renderGeneric(parse(), record(one, false)));
    case "text":
      return outcome(renderText(parse(), record(one, true)));
    case "urlpath":
      return outcome(renderUrlPath(parse(), record(one, true)));
    case "json":
    case "raw": {
      const structure = parseStructure(specValue(one.template), options);
      const rendered = renderStructure(structure, record(one, true), one.renderer);
      return rendered.ok ? { ok: encodeTerm(rendered.value) } : { error: true };
    }
    case "sql": {
      const sql = parseSql(text, one.params === "?" ? "question_mark" : "numbered", options);
      const bound = bindSql(sql, record(one, true), options);
      if (!bound) return { error: true };
      const terms = bound.map((value) => (value instanceof Uint8Array ? decode(value) : value));
      return {
        ok: [
          sql.statement,
          ...terms.map((term) => (typeof term === "bigint" ? Number(term) : term)),
        ],
      };
    }
    case "acl_topic": {
      const rendered = renderTopic(parse(), record(one, true), switches);
      if (!rendered.ok && rendered.error === "absent") return { ok: { $atom: "undefined" } };
      return outcome(rendered);
    }
    case "mountpoint": {
      const template = parse({ allowed: MOUNTPOINT_NAMES, namespacesSurvive: true });
      return outcome(renderMountpoint(template, record(one, false), switches));
    }
    default:
      throw new Error(`no renderer ${one.renderer}`);
  }
}

function outcome(rendered: Rendered<string | Uint8Array>): { ok: Term } | { error: true } {
  if (!rendered.ok) return { error: true };
  return { ok: decode(rendered.value) };
}

function decode(text: string | Uint8Array): Term {
  return typeof text === "string" ? text : encodeTerm({ type: "bytes", value: text });
}

/** The client record of a case; `renamed` gives the certificate fields their names in templates. */
function record({ vars }: SpecCase, renamed: boolean): TemplateRecord {
  const names: Record<string, string> = renamed
    ? { cn: "cert_common_name", dn: "cert_subject", protocol: "proto_name" }
    : {};
  return new Map(
    Object.entries(vars).map(([name, value]) => [names[name] ?? name, specValue(value)]),
  );
}

/** Value encoding of expressions §9. */
function specValue(value: unknown): Value {
  return decodeTerm(specTerm(value));
}

function specTerm(value: unknown): Term {
  if (Array.isArray(value)) return value.map(specTerm);
  if (typeof value !== "object" || value === null) return value as Term;
  const [[key, content]] = Object.entries(value) as [[string, unknown]];
  switch (key) {
    case "hex":
      return encodeTerm({ type: "bytes", value: Buffer.from(content as string, "hex") });
    case "int":
      return { $int: content as string };
    case "float":
      return { $float: content as string };
    case "undefined":
      return { $atom: "undefined" };
    case "atom":
      return { $atom: content as string };
    // Templates read the address as text.
    case "ip":
      return content as string;
    case "map":
      return Object.fromEntries(
        Object.entries(content as object).map(([name, element]) => [name, specTerm(element)]),
      );
    default:
      throw new Error(`no value ${key}`);
  }
}
