/** A place in the text, moving forward, that always knows its line and column. */
import type { SourcePosition } from "../../types.ts";

/** A place in a text that knows its line and column. Only moves forward, so it stays linear. */
export class Cursor {
  readonly text: string;
  readonly file: string;
  /** UTF-16 offset. */
  offset = 0;
  line = 1;
  /** In characters, from 1. */
  column = 1;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  position(): SourcePosition {
    return { file: this.file, line: this.line, column: this.column };
  }

  /** UTF-16 unit `ahead` units from here; NaN past the end. */
  unit(ahead = 0): number {
    return this.text.charCodeAt(this.offset + ahead);
  }

  startsWith(prefix: string): boolean {
    return this.text.startsWith(prefix, this.offset);
  }

  moveTo(offset: number): void {
    while (this.offset < offset) {
      const unit = this.text.charCodeAt(this.offset);
      this.offset += 1;
      if (unit === CR && this.text.charCodeAt(this.offset) === LF) continue;
      if (isLineEnd(unit)) {
        this.line += 1;
        this.column = 1;
      } else if (unit < 0xdc00 || unit > 0xdfff) {
        // The second half of a surrogate pair is no character of its own.
        this.column += 1;
      }
    }
  }
}

const LF = 0x0a;
const CR = 0x0d;

export function isLineEnd(unit: number): boolean {
  return unit === LF || unit === CR || unit === 0x2028 || unit === 0x2029;
}

/** Space, tab, VT, FF, NBSP. */
export function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0b || unit === 0x0c || unit === 0xa0;
}
