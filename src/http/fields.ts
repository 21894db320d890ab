/** The body of an answer as named fields: a JSON object or a form. Source: authentication §5.3. */
import { mediaType } from "../config/http-headers.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json/parse.ts";
import { decodeUtf8 } from "../text.ts";

export type FieldsReading =
  | { readonly ok: true; readonly fields: JsonObject }
  /** Quotes nothing. */
  | { readonly ok: false; readonly problem: string };

/** Never throws. `parsesMediaTypes`: the switch media_types_parsed. */
export function readFields(
  contentType: string | null,
  body: Uint8Array,
  parsesMediaTypes: boolean,
): FieldsReading {
  const kind = kindOf(contentType ?? "", parsesMediaTypes);
  if (kind === undefined) return bad("the answer is neither JSON nor a form");
  if (body.length === 0) return bad("the answer is empty");
  const text = decodeUtf8(body);
  if (text === undefined) return bad("the answer is not UTF-8");
  if (kind === "form") return readForm(text);
  const reading = parseJson(text);
  if (!reading.ok) return bad("the answer is not JSON");
  return isJsonObject(reading.value)
    ? { ok: true, fields: reading.value }
    : bad("the answer is not an object");
}

function kindOf(contentType: string, parsesMediaTypes: boolean): "json" | "form" | undefined {
  const type = parsesMediaTypes ? mediaType(contentType) : contentType;
  const isType = (name: string): boolean =>
    parsesMediaTypes ? type === name : type.startsWith(name);
  if (isType("application/json")) return "json";
  return isType("application/x-www-form-urlencoded") ? "form" : undefined;
}

/** All values are texts; a name without `=` is true. Of equal names the last counts. */
function readForm(text: string): FieldsReading {
  const fields: Record<string, JsonValue> = Object.create(null);
  try {
    for (const pair of text.split("&")) {
      const equals = pair.indexOf("=");
      const name = decode(equals < 0 ? pair : pair.slice(0, equals));
      fields[name] = equals < 0 ? true : decode(pair.slice(equals + 1));
    }
    return { ok: true, fields };
  } catch {
    return bad("the answer is a broken form");
  }
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function bad(problem: string): FieldsReading {
  return { ok: false, problem };
}
