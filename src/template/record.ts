/** The values a template can reach: one record a client. Source: expressions §5.3, §6.2. */
import type { Value } from "../core/core.ts";
import type { FieldMap, FieldValue, RequestFields } from "../core/request.ts";
import { encodeUtf8, toBytes } from "../text.ts";
import type { Text } from "../types.ts";

/** Values by name, with certificate names and `proto_name` already renamed (expressions §5.3). */
export type TemplateRecord = ReadonlyMap<string, Value>;

/**
 * The record of a client. A field left out is absent; `null` is present without a value. `peerhost` is
 * the address as text.
 */
export function templateRecord(fields: RequestFields): TemplateRecord {
  const record = new Map<string, Value>();
  const put = (name: string, value: FieldValue): void => {
    if (value !== undefined) record.set(name, toValue(value));
  };
  put("clientid", fields.clientId);
  put("username", fields.username);
  put("password", fields.password);
  put("peerhost", fields.peerHostText);
  put("peerport", fields.peerPort);
  put("zone", fields.zone);
  put("listener", fields.listener);
  put("proto_name", fields.protocol);
  put("cert_common_name", fields.certCommonName);
  put("cert_subject", fields.certSubject);
  put("cert_pem", fields.certPem);
  put("mountpoint", fields.mountpoint);
  put("client_attrs", mapValue(fields.clientAttrs));
  for (const [name, value] of entriesOf(fields.other ?? [])) {
    if (typeof name === "string") put(name, value);
  }
  return record;
}

/** The value at a path, or undefined when a key is absent or leads through something else than a map. */
export function lookUp(record: TemplateRecord, path: readonly string[]): Value | undefined {
  let value = record.get(path[0]!);
  for (let i = 1; i < path.length && value !== undefined; i++) {
    value = value.type === "map" ? member(value.entries, path[i]!) : undefined;
  }
  return value;
}

/** The whole record as one map. */
export function recordValue(record: TemplateRecord): Value {
  return { type: "map", entries: [...record].map(([name, value]) => [textValue(name), value]) };
}

function member(entries: readonly (readonly [Value, Value])[], name: string): Value | undefined {
  const bytes = encodeUtf8(name);
  // Of equal names the last counts.
  return entries.findLast(
    ([key]) =>
      key.type === "bytes" &&
      key.value.length === bytes.length &&
      key.value.every((byte, i) => byte === bytes[i]),
  )?.[1];
}

function toValue(value: Exclude<FieldValue, undefined>): Value {
  if (value === null) return { type: "undefined" };
  if (typeof value === "string" || value instanceof Uint8Array) return textValue(value);
  if (typeof value === "boolean") return { type: "boolean", value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value)
      ? { type: "integer", value: BigInt(value) }
      : { type: "float", value };
  }
  return value;
}

function mapValue(map: FieldMap | null | undefined): FieldValue {
  if (map === null || map === undefined) return map;
  const entries = entriesOf(map).flatMap(([name, value]): [Value, Value][] =>
    value === undefined ? [] : [[textValue(name), toValue(value)]],
  );
  return { type: "map", entries };
}

function entriesOf(map: FieldMap): readonly (readonly [Text, FieldValue])[] {
  return Array.isArray(map) ? map : Object.entries(map);
}

function textValue(text: Text): Value {
  return { type: "bytes", value: toBytes(text) };
}
