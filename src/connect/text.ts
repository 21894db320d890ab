/** Names as they arrive, text or bytes: are they UTF-8, how long are they, what do they say? */
import type { Text } from "../types.ts";

const encoder = new TextEncoder();
// A byte-order mark is a character like others: without it one client id could pass for another.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { fatal: true });

/** Can the text be told from every other by its characters? */
export function isUtf8(text: Text): boolean {
  // A string with half a surrogate pair has no UTF-8 either; the encoder would replace it.
  if (typeof text === "string") return !/\p{Surrogate}/u.test(text);
  try {
    strictDecoder.decode(text);
    return true;
  } catch {
    return false;
  }
}

/** Has the text more bytes than these in UTF-8? */
export function isLonger(text: Text, bytesMax: number): boolean {
  if (typeof text !== "string") return text.length > bytesMax;
  return text.length * 3 > bytesMax && encoder.encode(text).length > bytesMax;
}

export function encodeText(text: Text): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}

export function toText(text: Text): string {
  return typeof text === "string" ? text : decoder.decode(text);
}

/** Every value as a string. */
export function textRecord(
  attrs: Readonly<Record<string, Text>>,
): Readonly<Record<string, string>> {
  if (areTexts(attrs)) return attrs;
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(attrs)) texts[name] = toText(value);
  return texts;
}

/** As nearly always. They have no prototype, so every name is their own. */
function areTexts(
  attrs: Readonly<Record<string, Text>>,
): attrs is Readonly<Record<string, string>> {
  for (const name in attrs) if (typeof attrs[name] !== "string") return false;
  return true;
}
