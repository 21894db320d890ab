/**
 * `mqtt.client_attrs_init`: attributes a client starts with, each the text of an expression.
 * Source: authentication §1.4 item 5, expressions §6.1.
 */
import type { ExpressionError } from "../core/core.ts";
import { evaluateToBytes } from "../core/expressions.ts";
import type { CoreMemory } from "../core/wasm.ts";
import { decodeUtf8 } from "../text.ts";
import type { Text } from "../types.ts";

/** One entry, compiled: expression `id` of the image gives attribute `name`. */
export interface AttributeEntry {
  readonly name: string;
  readonly id: number;
}

/** The same in a policy. */
export interface AttributeInit extends AttributeEntry {
  /** The fields it reads that may hold a token, which nobody has verified by then. */
  readonly reads: readonly TokenField[];
}

export type TokenField = "password" | "username";

/** No attributes at all; shared. */
export const NO_ATTRS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** Why an entry set nothing. An empty text is no reason to complain. */
export type AttributeDrop =
  | { readonly reason: "error"; readonly error: ExpressionError }
  /** Not UTF-8, or with control characters. */
  | { readonly reason: "unprintable" };

/** A legal attribute name; a single line feed at the end slips through, as in the reference. */
const ATTRIBUTE_NAME = /^[A-Za-z0-9]+[A-Za-z0-9_-]*\n?$/;

export function isAttributeName(name: string): boolean {
  return ATTRIBUTE_NAME.test(name);
}

/**
 * Evaluates the entries over the request record in the input buffer. All of them see the same
 * record: none sees what an earlier one set. Of equal names the later result that is not dropped
 * wins. `onDrop` hears of entries that failed; the connection goes on without them.
 */
export function initClientAttrs(
  memory: CoreMemory,
  entries: readonly AttributeEntry[],
  onDrop?: (entry: AttributeEntry, drop: AttributeDrop) => void,
): Record<string, string> {
  const attrs: Record<string, string> = Object.create(null);
  for (const entry of entries) {
    const result = evaluateToBytes(memory, entry.id);
    if (!(result instanceof Uint8Array)) {
      onDrop?.(entry, { reason: "error", error: result });
      continue;
    }
    if (result.length === 0) continue;
    const text = attributeText(result);
    if (text === undefined) onDrop?.(entry, { reason: "unprintable" });
    else attrs[entry.name] = text;
  }
  return attrs;
}

/**
 * The names of attributes that may come of a token which nobody verified; `verified` is the field whose
 * token was. Of entries with one name all count. Source: authentication §8 item 38.
 */
export function unverifiedNames(
  entries: readonly AttributeInit[],
  verified: TokenField | undefined,
): ReadonlySet<string> {
  const unverified = entries.filter(({ reads }) => reads.some((field) => field !== verified));
  return new Set(unverified.map(({ name }) => name));
}

/** The attributes without these; the same object when it has none of them. */
export function withoutAttrs(
  attrs: Readonly<Record<string, Text>>,
  names: ReadonlySet<string>,
): Readonly<Record<string, Text>> {
  const kept = Object.entries(attrs).filter(([name]) => !names.has(name));
  if (kept.length === Object.keys(attrs).length) return attrs;
  return Object.assign(Object.create(null), Object.fromEntries(kept));
}

/** Attributes of before authentication with those an authenticator gave: the latter win. */
export function mergeClientAttrs(
  attrs: Readonly<Record<string, Text>>,
  given: Readonly<Record<string, Text>>,
): Readonly<Record<string, Text>> {
  for (const name in given) {
    if (Object.hasOwn(given, name)) return Object.assign(Object.create(null), attrs, given);
  }
  return attrs;
}

/** Up to here building a string by hand beats the decoder. */
const SHORT_BYTES_MAX = 12;

/** Text without U+0000–001F and U+007F–009F; undefined for anything else. */
export function attributeText(bytes: Uint8Array): string | undefined {
  return (bytes.length <= SHORT_BYTES_MAX ? asciiText(bytes) : undefined) ?? decodeText(bytes);
}

/** Undefined unless all of it is printable ASCII. */
function asciiText(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte > 0x7e) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeText(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  return text === undefined || /[\x00-\x1f\x7f-\x9f]/.test(text) ? undefined : text;
}
