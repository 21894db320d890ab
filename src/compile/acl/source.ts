/** The text of a rule file and where things stand in it. */
import type { SourcePosition, Text } from "../../types.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

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
  try {
    return { text: utf8.decode(content), badUtf8At: undefined };
  } catch {
    const text = lenient.decode(content);
    return { text, badUtf8At: firstReplacement(text, content) };
  }
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

/** Turns offsets into line and column. Offsets that ascend cost one pass over the text in all. */
export class Positions {
  readonly #file: string;
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  /** The column found last, to count on from on the same line. */
  #last = { line: 0, offset: 0, column: 1 };

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  at(offset: number): SourcePosition {
    const line = this.#lineOf(offset);
    const last = this.#last;
    const from =
      last.line === line && last.offset <= offset
        ? last
        : { offset: this.#lineStarts[line] as number, column: 1 };
    const column = from.column + countCharacters(this.#text, from.offset, offset);
    this.#last = { line, offset, column };
    return { file: this.#file, line: line + 1, column };
  }

  /** Index of the last line that starts at or before the offset. */
  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function countCharacters(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 0xdc00 || code > 0xdfff) count += 1;
  }
  return count;
}
