/**
 * Rendering of templates outside the core: claims, backend requests and queries, mountpoints. Once per
 * connect or per backend request.
 *
 * Every renderer says how a value becomes text and how that text is escaped; the literal parts of a
 * template are never escaped. Source: expressions §5.3–§5.8.
 */
import type { Placeholder, Template } from "../compile/template.ts";
import type { Switches } from "../config/compatibility.ts";
import type { Value } from "../core/core.ts";
import { decodeUtf8, encodeUtf8, joinBytes, latin1, toBytes } from "../text.ts";
import type { Text } from "../types.ts";
import { lookUp, recordValue, type TemplateRecord } from "./record.ts";
import { valueToText } from "./value-text.ts";

export type Rendered<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Names of the placeholders whose value is absent or undefined, each once. */
      readonly absent: readonly string[];
    }
  | RenderFailure;

export type RenderFailure =
  /** The text as a whole is not UTF-8. */
  | { readonly ok: false; readonly error: "not_utf8"; readonly bytes: Uint8Array }
  /** A value that has no text (a tuple). */
  | { readonly ok: false; readonly error: "no_text"; readonly names: readonly string[] }
  /** Names whose value is missing where every one is needed. */
  | { readonly ok: false; readonly error: "absent"; readonly names: readonly string[] }
  /** Names whose value would change the shape of a topic. */
  | { readonly ok: false; readonly error: "unsafe"; readonly names: readonly string[] };

/**
 * The bare language: no preparation, absent and undefined values are the word `undefined`, `${}` is
 * the whole record as JSON. Fails on a value without text.
 */
export function renderGeneric(template: Template, record: TemplateRecord): Rendered<Text> {
  return render(
    template,
    ({ name, path }) => {
      const value = name === "" ? recordValue(record) : lookUp(record, path);
      return value === undefined ? "undefined" : valueToText(value);
    },
    record,
  );
}

/** For claims and Redis keys: what has no value is empty, and the whole must be UTF-8. */
export function renderText(template: Template, record: TemplateRecord): Rendered<string> {
  const rendered = renderRaw(template, record);
  if (!rendered.ok || typeof rendered.value === "string") return rendered as Rendered<string>;
  return { ok: false, error: "not_utf8", bytes: rendered.value };
}

/** For headers, queries, forms, commands and LDAP values: as renderText, but any bytes. */
export function renderRaw(template: Template, record: TemplateRecord): Rendered<Text> {
  return render(template, (placeholder) => preparedText(record, placeholder), record);
}

/**
 * For the path of a URL: every value form-encoded (`A-Z a-z 0-9 * - . _` stay, a space is `+`, all
 * else `%XX` byte by byte), the literal parts untouched.
 */
export function renderUrlPath(template: Template, record: TemplateRecord): Rendered<string> {
  const rendered = render(
    template,
    (placeholder) => {
      const text = preparedText(record, placeholder);
      return text === undefined ? undefined : formEncode(text);
    },
    record,
  );
  return rendered as Rendered<string>;
}

/**
 * For topics of rules: absent values make the topic match nothing (`absent`), an undefined one is the
 * word `undefined`, values are inserted as they are. A template without placeholders is its source, `${$}`
 * included, unless strict_placeholder_names is on. The broker renders these in the core.
 */
export function renderTopic(
  template: Template,
  record: TemplateRecord,
  switches: Pick<Switches, "strict_placeholder_names">,
): Rendered<string> {
  const isConstant = template.parts.every((part) => typeof part === "string");
  if (isConstant && !switches.strict_placeholder_names) {
    return { ok: true, value: template.source, absent: [] };
  }
  const missing = namesWhere(template, ({ path }) => lookUp(record, path) === undefined);
  if (missing.length > 0) return { ok: false, error: "absent", names: missing };
  const rendered = renderGeneric(template, record);
  if (!rendered.ok || typeof rendered.value === "string") return rendered as Rendered<string>;
  return { ok: false, error: "not_utf8", bytes: rendered.value };
}

/**
 * For the mountpoint of a listener: what has no value stays as written, unless absent_never_matches is on
 * (`absent`). With safe_placeholders a value that would change the shape of topics is refused
 * (`unsafe`): a separator (unless separator_in_placeholder), a wildcard, a control character, a leading
 * `$` at the very front.
 */
export function renderMountpoint(
  template: Template,
  record: TemplateRecord,
  switches: Pick<
    Switches,
    "absent_never_matches" | "safe_placeholders" | "separator_in_placeholder"
  >,
): Rendered<Text> {
  const textOf = (placeholder: Placeholder): Text | undefined => mountText(record, placeholder);
  if (switches.absent_never_matches) {
    const names = namesWhere(template, (placeholder) => (textOf(placeholder) ?? "").length === 0);
    if (names.length > 0) return { ok: false, error: "absent", names };
  }
  if (switches.safe_placeholders) {
    const names = namesWhere(template, (placeholder) => !isSafe(textOf(placeholder), switches));
    if (names.length > 0) return { ok: false, error: "unsafe", names };
  }
  const rendered = render(
    template,
    (placeholder) => textOf(placeholder) ?? `\${${placeholder.name}}`,
    record,
  );
  if (switches.safe_placeholders && rendered.ok && startsWithDollar(rendered.value)) {
    // Topics that start with `$` are the broker's own; only the operator may choose one.
    const first = template.parts[0]!;
    if (typeof first !== "string") return { ok: false, error: "unsafe", names: [first.name] };
  }
  return rendered;
}

/** Form encoding of one text, byte by byte. */
export function formEncode(text: Text): string {
  let encoded = "";
  for (const byte of toBytes(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9*._-]/.test(character)) encoded += character;
    else if (character === " ") encoded += "+";
    else encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/**
 * The value of a placeholder in a backend request: `undefined` and absent values are empty,
 * certificates base64 of their DER bytes.
 */
export function preparedValue(record: TemplateRecord, { name, path }: Placeholder): Value {
  const value = lookUp(record, path);
  if (value === undefined || value.type === "undefined") {
    return { type: "bytes", value: new Uint8Array(0) };
  }
  if (name === "cert_pem" && value.type === "bytes") {
    return { type: "bytes", value: encodeUtf8(toBase64(value.value)) };
  }
  return value;
}

function preparedText(record: TemplateRecord, placeholder: Placeholder): Text | undefined {
  return valueToText(preparedValue(record, placeholder));
}

/** A variable of the mountpoint as text; undefined when it has none. */
function mountText(record: TemplateRecord, { name, path }: Placeholder): Text | undefined {
  const value = lookUp(record, path);
  switch (name) {
    case "clientid":
    case "username":
    case "endpoint_name":
      return value?.type === "bytes" ? value.value : undefined;
    case "peerhost":
      if (value?.type === "undefined") return "";
      return value && valueToText(value);
    case "zone":
      return value && valueToText(value);
    default:
      if (path[0] !== "client_attrs" || path.length !== 2) return undefined;
      return value && valueToText(value);
  }
}

function isSafe(
  text: Text | undefined,
  switches: Pick<Switches, "separator_in_placeholder">,
): boolean {
  if (text === undefined) return true;
  const string = typeof text === "string" ? text : (decodeUtf8(text) ?? latin1(text));
  if (/[+#\u0000-\u001f\u007f-\u009f]/.test(string)) return false;
  return switches.separator_in_placeholder || !string.includes("/");
}

function startsWithDollar(text: Text): boolean {
  return typeof text === "string" ? text.startsWith("$") : text[0] === 0x24;
}

/** Joins literals and values; the result is a string when it is UTF-8 as a whole. */
function render(
  template: Template,
  textOf: (placeholder: Placeholder) => Text | undefined,
  record: TemplateRecord,
): Rendered<Text> {
  const chunks: Text[] = [];
  for (const part of template.parts) {
    const text = typeof part === "string" ? part : textOf(part);
    if (text === undefined) {
      return { ok: false, error: "no_text", names: [(part as Placeholder).name] };
    }
    chunks.push(text);
  }
  const absent = namesWhere(template, ({ name, path }) => {
    const value = lookUp(record, path);
    return name !== "" && (value === undefined || value.type === "undefined");
  });
  return { ok: true, value: joinTexts(chunks), absent };
}

function namesWhere(template: Template, test: (placeholder: Placeholder) => boolean): string[] {
  const names = new Set<string>();
  for (const part of template.parts) {
    if (typeof part !== "string" && test(part)) names.add(part.name);
  }
  return [...names];
}

function joinTexts(chunks: readonly Text[]): Text {
  const bytes = joinBytes(chunks.map(toBytes));
  return decodeUtf8(bytes) ?? bytes;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(latin1(bytes));
}

/** One character for each byte. */
