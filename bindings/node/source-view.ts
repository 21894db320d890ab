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
  const characters = [...maskSecrets(maskNeighbours(line, at.column - 1), path)];
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

const SECRET_WORD =
  "secret|passw|passphrase|token|credential|authorization|oauth2|cookie|private|headers?|body|api_?key|keyfile";

/** `key = value` where the key sounds like a secret, misspelt ones included. */
const SECRET_SETTING = new RegExp(
  `([\\w.-]*(?:${SECRET_WORD})[\\w.-]*"?\\s*(?:\\+?=|:)\\s*)("""(?:(?!""").)*(?:"""|$)|"(?:[^"\\\\]|\\\\.)*"?|[^\\s,}\\]{["][^\\s,}\\]]*)`,
  "giu",
);
const SECRET_PATH = new RegExp(`(?:${SECRET_WORD})[^.]*(?:\\[\\d+\\])?$`, "i");

/** Settings whose names sound like secrets and that are none. */
const NOT_SECRET = /token_[\w]*"?\s*[=:]/i;

/** The line with secret values as stars, one for each character so that columns stay. */
function maskSecrets(line: string, path: string): string {
  let hasKey = false;
  const masked = line
    .replace(URL, maskCredentials)
    .replace(SECRET_SETTING, (whole, key: string, value: string) => {
      hasKey = true;
      return NOT_SECRET.test(key) || isSwitch(value) ? whole : `${key}${stars(value)}`;
    });
  if (hasKey || !SECRET_PATH.test(path)) return masked;
  // The value stands on a line of its own, away from its key.
  return masked.replace(/"[^"]*"|^\s*[^\s{}[\]=:]+\s*$/gu, stars);
}

const URL = /:\/\/[^\s"]+/gu;

/** What stands before an `@` may be a password with anything in it. */
function maskCredentials(url: string): string {
  const end = url.lastIndexOf("@");
  return end < 3 ? url : `://${stars(url.slice(3, end))}${url.slice(end)}`;
}

/** `secret_base64_encoded = true` is no secret. */
function isSwitch(value: string): boolean {
  return value === "true" || value === "false";
}

/** One text in quotes. */
const QUOTED = /"""(?:(?!""").)*(?:"""|$)|"(?:[^"\\]|\\.)*"?/gu;

/** Letters and digits in one long word: a key, a token, a password; no path, address or expression. */
const LOOKS_SECRET = /^"+(?=[^"]*[A-Za-z])(?=[^"]*\d)[^\s"/.:(){}[\]$]{12,}"*$/u;

/**
 * The line with texts as stars that the issue is not about and that may be secrets: the value of a key
 * that nobody knows, and words beside the place that look like one.
 */
function maskNeighbours(line: string, column: number): string {
  return line.replace(QUOTED, (value, at: number) => {
    if (column >= at && column < at + value.length) return value;
    const isOfKey = column < at && /^[\w.-]*"?\s*[=:]\s*$/.test(line.slice(column, at));
    return isOfKey || LOOKS_SECRET.test(value) ? stars(value) : value;
  });
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
