/**
 * Topic text as a string that level and prefix rules can work on. Both views keep the ASCII
 * characters that carry meaning (`/ + # $`) where they stand, so one set of rules serves both.
 */
import { TOPIC_BYTES_MAX } from "../../assembly/abi.ts";
import { decodeUtf8, encodeUtf8, isUtf8, latin1 } from "../text.ts";
import type { Text } from "../types.ts";

export interface TopicText {
  /** The text; one character per byte when it is not UTF-8. */
  readonly string: string;
  readonly isUtf8: boolean;
  /** Length in bytes. */
  readonly bytes: number;
}

/** Views a text without losing a byte. */
export function viewTopic(text: Text): TopicText {
  if (typeof text === "string") {
    const bytes = text.length > TOPIC_BYTES_MAX ? text.length : encodeUtf8(text).length;
    return { string: text, isUtf8: isUtf8(text), bytes };
  }
  const string = decodeUtf8(text);
  return { string: string ?? latin1(text), isUtf8: string !== undefined, bytes: text.length };
}

/** Turns a part of `view.string` back into text of the kind `source` was. */
export function restoreText(part: string, view: TopicText, source: Text): Text {
  if (typeof source === "string" || view.isUtf8) return part;
  return Uint8Array.from(part, (character) => character.charCodeAt(0));
}

/** Levels of a topic name or filter; empty ones are kept, so there is always at least one. */
export function splitLevels(topic: string): string[] {
  return topic.split("/");
}
