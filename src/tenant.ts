/** Whose client is this? Source: authorization §8.1. */
import { type FieldMap, type FieldValue, isPairs } from "./core/request.ts";
import type { Text } from "./types.ts";

/**
 * The tenant of a client: its attribute `tns`, a namespace of the built-in database. Undefined when
 * it has none, or an empty one; it may be no UTF-8, which no namespace is.
 */
export function tenantOf(attrs: FieldMap | null | undefined): Text | undefined {
  const value = attributeOf(attrs ?? [], "tns");
  const isText = typeof value === "string" || value instanceof Uint8Array;
  return isText && value.length > 0 ? value : undefined;
}

function attributeOf(attrs: FieldMap, name: string): FieldValue {
  if (isPairs(attrs)) return attrs.findLast(([one]) => one === name)?.[1];
  return Object.hasOwn(attrs, name) ? attrs[name] : undefined;
}
