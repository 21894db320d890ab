/** The text of a rule file and where things stand in it. */
import { decodeUtf8, showText } from "../../text.ts";
import type { SourcePosition, Text } from "../../types.ts";

export interface AclSource {
  readonly text: string;
  /** Offset of the first byte sequence that is not UTF-8; the text has a mark (U+FFFD) there. */
  readonly badUtf8At: number | undefined;
}

/** Decodes a rule file. A string that came from elsewhere is taken as it is. */
export function decodeAcl(content: Text): AclSource {
  if (typeof content === "string") {
    const lone = content.search(/\p{Surrogate}/u);
    return { text: content, badUtf8At: lone === -1 ? undefined : lone };
  }
  const text = decodeUtf8(content);
  if (text !== undefined) return { text, badUtf8At: undefined };
  const shown = showText(content);
  return { text: shown, badUtf8At: firstReplacement(shown, content) };
}

/** The first U+FFFD that the bytes do not spell out themselves. */
function firstReplacement(text: string, content: Uint8Array): number {
  let byte = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at) as number;
    if (code === 0xfffd && content[byte] !== 0xef) return at;
    if (code === 0xfffd && (content[byte + 1] !== 0xbf || content[byte + 2] !== 0xbd)) return at;
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (code > 0xffff) at += 1;
  }
  return text.length;
}

/**
 * Turns offsets into line and column. Offsets that ascend cost one pass over the text in all; one
 * that goes back costs a pass over the lines, and columns are counted from the start of its line.
 */
export class Positions {
  readonly #file: string;
  readonly #text: string;
  /** Made when the first offset is asked about: most files have no issues. */
  #lineStarts: readonly number[] | undefined;
  /** The place found last, to go on from: index of the line, offset and column. */
  #line = 0;
  #offset = 0;
  #column = 1;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  at(offset: number): SourcePosition {
    this.#lineStarts ??= lineStarts(this.#text);
    const starts = this.#lineStarts;
    let line = offset < starts[this.#line]! ? 0 : this.#line;
    while (line + 1 < starts.length && starts[line + 1]! <= offset) line += 1;
    const isAhead = line === this.#line && offset >= this.#offset;
    const from = isAhead ? this.#offset : starts[line]!;
    this.#column = (isAhead ? this.#column : 1) + countCharacters(this.#text, from, offset);
    this.#line = line;
    this.#offset = offset;
    return { file: this.#file, line: line + 1, column: this.#column };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function countCharacters(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 0xdc00 || code > 0xdfff) count += 1;
  }
  return count;
}
