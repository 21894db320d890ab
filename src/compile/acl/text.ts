/** Terms → text. A text may be written as a string, an atom, a binary or a list of those. */
import { decodeUtf8 } from "../../text.ts";
import type { Text } from "../../types.ts";
import type { Term } from "./terms.ts";

/** A string where the bytes are UTF-8, the bytes where they are not: one spelling for each text. */
export function normalizeText(text: Text): Text {
  return typeof text === "string" ? text : (decodeUtf8(text) ?? text);
}

/**
 * The text a term spells: code points of strings as UTF-8, names of atoms, bytes of binaries.
 * `undefined` for a term that is no text.
 *
 * Source: authorization §2.1.
 */
export function termText(term: Term): Text | undefined {
  if (term.kind === "atom") return term.name;
  return characterData(term);
}

/** As termText, for the places where atoms are no texts. */
export function characterData(term: Term): Text | undefined {
  if (term.kind === "string") return term.value;
  if (term.kind === "binary") return normalizeText(term.bytes);
  if (term.kind !== "list") return undefined;
  let text = "";
  for (const item of term.tail ? [...term.items, term.tail] : term.items) {
    const isTail = item === term.tail;
    const part = item.kind === "integer" && !isTail ? character(item.value) : characterData(item);
    // Bytes inside a list have to be UTF-8.
    if (typeof part !== "string") return undefined;
    text += part;
  }
  return text;
}

function character(code: number): string | undefined {
  const isCharacter = Number.isInteger(code) && code >= 0 && code <= 0x10ffff;
  return isCharacter && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : undefined;
}
