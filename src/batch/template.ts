/**
 * `portcullis batch template`: renders one template for one client.
 *
 * Input: `kind`, `template`, `client`. Answer: `result`, or `error`. A topic that matches nothing is
 * `{"unresolved": [names]}`.
 */
import { parseTopicTemplate } from "../compile/rule/topic-template.ts";
import { parseTemplate, type TemplateOptions } from "../compile/template.ts";
import {
  AUTHN_NAMES,
  AUTHZ_QUERY_NAMES,
  CLAIM_NAMES,
  MOUNTPOINT_NAMES,
} from "../compile/template-places.ts";
import type { Switches } from "../config/compatibility.ts";
import type { Value } from "../core/core.ts";
import { parseJson } from "../json/parse.ts";
import type { TemplateRecord } from "../template/record.ts";
import {
  type Rendered,
  type RenderFailure,
  renderGeneric,
  renderMountpoint,
  renderText,
  renderTopic,
  renderUrlPath,
} from "../template/render.ts";
import { parseStructure, renderStructure } from "../template/structure.ts";
import { encodeUtf8 } from "../text.ts";
import type { Text } from "../types.ts";
import { decodeTerm, encodeBytes, encodeTerm, type Term } from "./terms.ts";

export interface TemplateLine {
  readonly kind: string;
  readonly template: string;
  readonly client: { readonly [name: string]: unknown };
}

export type TemplateAnswer = { readonly result: Term } | { readonly error: Term };

/** Names that differ between EMQX's client record and its templates. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["cn", "cert_common_name"],
  ["dn", "cert_subject"],
  ["protocol", "proto_name"],
]);

/** Answers one line. Throws TermError when it cannot be read. */
export function answerTemplate(line: TemplateLine, switches: Switches): TemplateAnswer {
  const { kind, template } = line;
  const parse = (allowed: TemplateOptions["allowed"]) =>
    parseTemplate(template, { allowed, switches });
  const prepared = () => clientRecord(line.client, RENAMED);
  const asIs = () => clientRecord(line.client, new Map());
  switch (kind) {
    case "authz_topic":
      return answerTopic(template, prepared(), switches);
    case "jwt_expected":
      return answer(renderText(parse(CLAIM_NAMES), prepared()));
    case "authn_str":
      return answer(renderText(parse(AUTHN_NAMES), prepared()));
    case "authz_str":
      return answer(renderText(parse(AUTHZ_QUERY_NAMES), prepared()));
    case "authn_url":
      return answer(renderUrlPath(parse(AUTHN_NAMES), prepared()));
    case "authn_json":
      return answerJson(template, { allowed: AUTHN_NAMES, switches }, prepared());
    case "mountpoint": {
      const options = { allowed: MOUNTPOINT_NAMES, switches, namespacesSurvive: true };
      return answer(
        requireUtf8(renderMountpoint(parseTemplate(template, options), asIs(), switches)),
      );
    }
    case "plain": {
      // Nothing prepares the values here, so the address is still a tuple.
      const record = new Map(asIs());
      if (record.get("peerhost")?.type === "bytes") record.set("peerhost", { type: "tuple" });
      return answer(requireUtf8(renderGeneric(parse("any"), record)));
    }
    default:
      return { error: { code: "unknown_kind" } };
  }
}

function answer(rendered: Rendered<Text>): TemplateAnswer {
  if (!rendered.ok) return answerFailure(rendered);
  const { value } = rendered;
  return { result: typeof value === "string" ? value : encodeBytes(value) };
}

function answerFailure(failure: RenderFailure): TemplateAnswer {
  switch (failure.error) {
    case "absent":
      return { result: { unresolved: failure.names } };
    case "not_utf8": {
      // As EMQX has it: what could be read, and the rest.
      const valid = validPrefix(failure.bytes);
      const rest = encodeBytes(failure.bytes.subarray(valid.length));
      return { result: { $tuple: [{ $atom: "error" }, valid.text, rest] } };
    }
    default:
      return { error: { code: failure.error, names: failure.names } };
  }
}

/** Topics of rules as the rule compiler reads them. */
function answerTopic(source: string, record: TemplateRecord, switches: Switches): TemplateAnswer {
  const { topic } = parseTopicTemplate(source, switches);
  switch (topic.type) {
    case "text":
      return { result: typeof topic.text === "string" ? topic.text : encodeBytes(topic.text) };
    case "never":
      return { result: { unresolved: [] } };
    case "template": {
      const parts = topic.parts.map((part) =>
        part.type === "text" ? part.text : { name: part.name, path: part.name.split(".") },
      );
      return answer(renderTopic({ source, parts, unknown: [] }, record, switches));
    }
  }
}

function answerJson(
  template: string,
  options: TemplateOptions,
  record: TemplateRecord,
): TemplateAnswer {
  const reading = parseJson(template);
  if (!reading.ok) return { error: { code: "invalid_json" } };
  const structure = parseStructure(decodeTerm(reading.value), options);
  const rendered = renderStructure(structure, record, "json");
  return rendered.ok ? { result: encodeTerm(rendered.value) } : { error: { code: rendered.error } };
}

function requireUtf8(rendered: Rendered<Text>): Rendered<Text> {
  if (!rendered.ok || typeof rendered.value === "string") return rendered;
  return { ok: false, error: "not_utf8", bytes: rendered.value };
}

/** The client of a vector: top-level `null` is a field without a value, zone and listener are atoms. */
function clientRecord(
  client: TemplateLine["client"],
  renamed: ReadonlyMap<string, string>,
): TemplateRecord {
  const record = new Map<string, Value>();
  for (const [name, term] of Object.entries(client)) {
    record.set(renamed.get(name) ?? name, clientField(name, term));
  }
  return record;
}

function clientField(name: string, term: unknown): Value {
  if (term === null) return { type: "undefined" };
  const isAtom = name === "zone" || name === "listener";
  return isAtom && typeof term === "string" ? { type: "atom", name: term } : decodeTerm(term);
}

/** The longest start of the bytes that is UTF-8. */
function validPrefix(bytes: Uint8Array): { text: string; length: number } {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  try {
    for (let i = 0; i < bytes.length; i++) {
      text += decoder.decode(bytes.subarray(i, i + 1), { stream: true });
    }
  } catch {
    // What was read before the bad byte is the answer.
  }
  return { text, length: encodeUtf8(text).length };
}
