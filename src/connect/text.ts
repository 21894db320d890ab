/** Names as they arrive, text or bytes: how long are they, what do they say? */
import { encodeUtf8, showText } from "../text.ts";
import type { Text } from "../types.ts";

/** Has the text more bytes than these in UTF-8? */
export function isLonger(text: Text, bytesMax: number): boolean {
  if (typeof text !== "string") return text.length > bytesMax;
  return text.length * 3 > bytesMax && encodeUtf8(text).length > bytesMax;
}

/** Every value as a string. */
export function textRecord(
  attrs: Readonly<Record<string, Text>>,
): Readonly<Record<string, string>> {
  if (areTexts(attrs)) return attrs;
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(attrs)) texts[name] = showText(value);
  return texts;
}

/** As nearly always. They have no prototype, so every name is their own. */
function areTexts(
  attrs: Readonly<Record<string, Text>>,
): attrs is Readonly<Record<string, string>> {
  for (const name in attrs) if (typeof attrs[name] !== "string") return false;
  return true;
}
