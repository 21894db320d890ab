/**
 * One request made of templates: parsed once, rendered for each client. What a client sends can fill
 * a value and nothing else; whatever would reach further is a problem, never a request.
 *
 * Source: authentication §5.2; expressions §5.4, §5.5.
 */
import { parseTemplate, parseTemplates, type Template } from "../compile/template.ts";
import type { Switches } from "../config/compatibility.ts";
import type { HttpRequestConfig } from "../config/config.ts";
import { bodyKindOf, CONNECTION_HEADERS } from "../config/http-headers.ts";
import type { Value } from "../core/core.ts";
import { isJsonArray, JsonFloat, type JsonValue, parseJson } from "../json/parse.ts";
import type { TemplateRecord } from "../template/record.ts";
import { formEncode, type Rendered, renderRaw, renderUrlPath } from "../template/render.ts";
import { parseStructure, renderStructure, type TemplateStructure } from "../template/structure.ts";
import { valueToJson, valueToText } from "../template/value-text.ts";
import { encodeUtf8, latin1, toBytes } from "../text.ts";
import type { Text } from "../types.ts";

/** LIMIT: of address and headers together. Servers take 8 KiB, and answer with an error above. */
export const REQUEST_HEAD_BYTES_MAX = 8192;
/** LIMIT: a password of 64 KiB fits in every form but the most hostile one. */
export const REQUEST_BODY_BYTES_MAX = 262_144;

export interface HttpTemplates {
  readonly method: "get" | "post";
  readonly origin: string;
  readonly path: Template;
  readonly query: readonly (readonly [name: Template, value: Template | null])[];
  readonly headers: readonly (readonly [name: Template, value: Template])[];
  readonly body: TemplateStructure | undefined;
  /** Undefined: the content type is none that a body can be written in. */
  readonly bodyKind: "json" | "form" | undefined;
}

/** What is sent. */
export interface HttpRequest {
  readonly url: string;
  readonly method: "GET" | "POST";
  /** Values hold one character for each byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** Of all of it, about. */
  readonly bytes: number;
}

export type HttpRequestBuilding =
  | {
      readonly ok: true;
      readonly request: HttpRequest;
      /** Names of the placeholders that had no value. */
      readonly absent: readonly string[];
    }
  /** Names no value. */
  | { readonly ok: false; readonly problem: string };

export interface HttpTemplateOptions {
  readonly allowed: readonly string[];
  /** Where headers know other names than the rest. */
  readonly allowedInHeaders?: readonly string[] | undefined;
  readonly switches: Switches;
}

/** Parses the templates of a checked configuration, whose secrets are known. */
export function parseHttpTemplates(
  config: HttpRequestConfig,
  { allowed, allowedInHeaders = allowed, switches }: HttpTemplateOptions,
): HttpTemplates {
  const options = { allowed, switches };
  const query = parseTemplates(
    config.query.flat().map((text) => text ?? ""),
    options,
  );
  const written = Object.entries(config.headers);
  const headers = parseTemplates(
    written.flatMap(([name, value]) => [name, value ?? ""]),
    { allowed: allowedInHeaders, switches },
  );
  const contentType = config.headers["content-type"] ?? undefined;
  return {
    method: config.method,
    origin: config.origin,
    path: parseTemplate(config.path, options),
    query: config.query.map(([, value], index) => [
      query[2 * index]!,
      value === null ? null : query[2 * index + 1]!,
    ]),
    headers: written.map((_, index) => [headers[2 * index]!, headers[2 * index + 1]!]),
    body: config.body && parseStructure(bodyValue(config.body.value), options),
    bodyKind: bodyKindOf(contentType, switches.media_types_parsed),
  };
}

/** A problem that stops the request; its text holds nothing of a client's. */
class Unsendable extends Error {}

/** The request for one client. Never throws. */
export function buildHttpRequest(
  templates: HttpTemplates,
  record: TemplateRecord,
): HttpRequestBuilding {
  const absent = new Set<string>();
  const take = <T>(rendered: Rendered<T>): T => {
    if (!rendered.ok) throw new Unsendable(describe(rendered));
    for (const name of rendered.absent) absent.add(name);
    return rendered.value;
  };
  try {
    const request = render(templates, record, take);
    return { ok: true, request, absent: [...absent] };
  } catch (error) {
    if (!(error instanceof Unsendable)) throw error;
    return { ok: false, problem: error.message };
  }
}

type Take = <T>(rendered: Rendered<T>) => T;

function render(templates: HttpTemplates, record: TemplateRecord, take: Take): HttpRequest {
  const { method, origin, query, headers, body, bodyKind } = templates;
  const path = checkedPath(take(renderUrlPath(templates.path, record)));
  const pairs = query.map(([name, value]) => {
    const encoded = formEncode(take(renderRaw(name, record)));
    return value === null ? encoded : `${encoded}=${formEncode(take(renderRaw(value, record)))}`;
  });
  let content: Uint8Array<ArrayBuffer> | undefined;
  if (method === "get") {
    if (body) pairs.push(...formPairs(take(renderStructure(body, record, "raw"))));
  } else {
    content = encodeUtf8(renderBody(body, bodyKind, record, take));
  }
  const sent = headers.map(([name, value]) =>
    checkedHeader(take(renderRaw(name, record)), take(renderRaw(value, record))),
  );
  if (new Set(sent.map(([name]) => name.toLowerCase())).size < sent.length) {
    throw new Unsendable("two headers would have the same name");
  }
  const url = `${origin}${path}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
  const headBytes = sent.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (url.length + headBytes > REQUEST_HEAD_BYTES_MAX) {
    throw new Unsendable(`address and headers have more than ${REQUEST_HEAD_BYTES_MAX} bytes`);
  }
  const bodyBytes = content?.length ?? 0;
  if (bodyBytes > REQUEST_BODY_BYTES_MAX) {
    throw new Unsendable(`the body has more than ${REQUEST_BODY_BYTES_MAX} bytes`);
  }
  const bytes = url.length + headBytes + bodyBytes;
  return { url, method: method === "get" ? "GET" : "POST", headers: sent, body: content, bytes };
}

/**
 * Dots stay as they are in form encoding, and URLs are normalised before they are requested: a client
 * called `..` would have another address asked.
 */
function checkedPath(path: string): string {
  if (path.split("/").some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) {
    throw new Unsendable("the path would have a segment `.` or `..`");
  }
  return path;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function checkedHeader(name: Text, value: Text): [string, string] {
  const rendered = byteString(name);
  // A client must not get to say where a request ends by a placeholder in the name of a header.
  if (!TOKEN.test(rendered) || CONNECTION_HEADERS.has(rendered.toLowerCase())) {
    throw new Unsendable("a header would have a name that cannot be sent");
  }
  const line = byteString(value);
  // The reference refuses NUL, CR and LF; the other control characters no HTTP client sends.
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(line)) {
    throw new Unsendable("a header would have a control character in it");
  }
  return [rendered, line];
}

function renderBody(
  body: TemplateStructure | undefined,
  kind: HttpTemplates["bodyKind"],
  record: TemplateRecord,
  take: Take,
): string {
  switch (kind) {
    case "json": {
      const json = body
        ? valueToJson(withoutTwins(take(renderStructure(body, record, "json"))))
        : "{}";
      if (json === undefined) throw new Unsendable("a value has no text");
      return json;
    }
    case "form":
      return body ? formPairs(take(renderStructure(body, record, "raw"))).join("&") : "";
    default:
      throw new Unsendable("no body can be written in the content type");
  }
}

const TWINS = "two members of the body would have the same name";

/**
 * The value, none of whose maps has a name twice: a client must not be able to replace a member of the
 * body by being called like it.
 */
function withoutTwins(value: Value): Value {
  if (value.type === "list") for (const item of value.items) withoutTwins(item);
  if (value.type !== "map") return value;
  const names = new Set<string>();
  for (const [key, element] of value.entries) {
    names.add(byteString(valueToText(key) ?? ""));
    withoutTwins(element);
  }
  if (names.size < value.entries.length) throw new Unsendable(TWINS);
  return value;
}

/** `name=value` of a flat map, in the order of the names' bytes. */
function formPairs(value: Value): string[] {
  const pairs = new Map<string, string>();
  if (value.type !== "map") throw new Unsendable("the body is no map");
  for (const [key, element] of value.entries) {
    const isFlat = element.type !== "list" && element.type !== "map";
    const name = valueToText(key);
    const text = isFlat ? valueToText(element) : undefined;
    if (name === undefined || text === undefined) {
      throw new Unsendable("a form and a query hold texts only");
    }
    if (pairs.has(byteString(name))) throw new Unsendable(TWINS);
    pairs.set(byteString(name), `${formEncode(name)}=${formEncode(text)}`);
  }
  // One character is one byte here, so this is the order of bytes.
  return [...pairs.keys()].sort().map((name) => pairs.get(name)!);
}

function describe(failure: Rendered<unknown> & { ok: false }): string {
  switch (failure.error) {
    case "not_utf8":
      return "a value is not UTF-8";
    default:
      return `${failure.names.map((name) => `\`\${${name}}\``).join(", ")} cannot be sent`;
  }
}

/** The structure of a configured body. Its depth is the configuration's. */
function bodyValue(json: string): Value {
  const reading = parseJson(json);
  return reading.ok ? jsonValue(reading.value) : { type: "map", entries: [] };
}

function jsonValue(json: JsonValue): Value {
  if (json === null) return { type: "null" };
  if (typeof json === "string") return { type: "bytes", value: encodeUtf8(json) };
  if (typeof json === "boolean") return { type: "boolean", value: json };
  if (typeof json === "number" || typeof json === "bigint") {
    return { type: "integer", value: BigInt(json) };
  }
  if (json instanceof JsonFloat) return { type: "float", value: json.value };
  if (isJsonArray(json)) return { type: "list", items: json.map(jsonValue) };
  return {
    type: "map",
    entries: Object.keys(json).map((name) => [
      { type: "bytes", value: encodeUtf8(name) },
      jsonValue(json[name]!),
    ]),
  };
}

/** One character for each byte of UTF-8: how headers are given to fetch. */
function byteString(text: Text): string {
  return latin1(toBytes(text));
}
