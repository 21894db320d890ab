/** A source line with a caret under the place that an issue is about. Secrets in it are masked. */
import type { SourcePosition } from "../../src/types.ts";

/** LIMIT: characters of a source line that are shown. */
const SHOWN_MAX = 160;

/** Characters that stay in front of the caret when a long line is cut. */
const LEAD = 60;

export interface SourceView {
  readonly source: string;
  /** Blanks that put the caret under its character, tabs and wide characters included. */
  readonly lead: string;
}

/** The line of `text` that `at` is in; undefined when there is none. */
export function viewSource(text: string, at: SourcePosition, path: string): SourceView | undefined {
  const line = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/)[at.line - 1];
  if (line === undefined) return undefined;
  const characters = [...maskSecrets(line, path)];
  const column = Math.min(at.column - 1, characters.length);
  const start = characters.length > SHOWN_MAX ? Math.max(0, column - LEAD) : 0;
  const shown = characters.slice(start, start + SHOWN_MAX);
  const before = shown.slice(0, column - start);
  const cutLeft = start > 0 ? "…" : "";
  const cutRight = start + SHOWN_MAX < characters.length ? "…" : "";
  return {
    source: `${cutLeft}${shown.map(visible).join("")}${cutRight}`,
    lead: `${cutLeft && " "}${before.map(blankFor).join("")}`,
  };
}

const SECRET_WORD = "secret|passw|passphrase|token|credential|authorization|cookie|private";

/** `key = value` where the key sounds like a secret, misspelt ones included. */
const SECRET_SETTING = new RegExp(
  `([\\w.-]*(?:${SECRET_WORD})[\\w.-]*"?\\s*(?:\\+?=|:)\\s*)("""(?:(?!""").)*(?:"""|$)|"(?:[^"\\\\]|\\\\.)*"?|[^\\s,}\\]{["][^\\s,}\\]]*)`,
  "giu",
);
const SECRET_PATH = new RegExp(`(?:${SECRET_WORD})[^.]*(?:\\[\\d+\\])?$`, "i");

/** Settings whose names sound like secrets and that are none. */
const NOT_SECRET = /(?:secret_base64_encoded|token_[\w]*)"?\s*[=:]/i;

/** The line with secret values as stars, one for each character so that columns stay. */
function maskSecrets(line: string, path: string): string {
  let hasKey = false;
  const masked = line.replace(SECRET_SETTING, (whole, key: string, value: string) => {
    hasKey = true;
    return NOT_SECRET.test(key) ? whole : `${key}${stars(value)}`;
  });
  if (hasKey || !SECRET_PATH.test(path)) return masked;
  // The value stands on a line of its own, away from its key.
  return masked.replace(/"[^"]*"|^\s*[^\s{}[\]=:]+\s*$/gu, stars);
}

function stars(value: string): string {
  return [...value].map((character) => (/["\s]/.test(character) ? character : "*")).join("");
}

/** Control characters would move the cursor. */
function visible(character: string): string {
  return character !== "\t" && /\p{Cc}|\p{Cf}/u.test(character) ? "\ufffd" : character;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** As wide as the character on a terminal; a tab stays a tab. */
function blankFor(character: string): string {
  if (character === "\t") return "\t";
  if (/\p{Mn}/u.test(character)) return "";
  return WIDE.test(character) ? "\u3000" : " ";
}
