/** A cursor over a pattern's bytes, and the small readers everything else shares. */
import { refuse } from "./refusal.ts";

/** The code of an ASCII character. */
export function code(char: string): number {
  return char.charCodeAt(0);
}

export const BACKSLASH = 92;
/** PCRE2's upper bound for a counter in braces. */
const COUNTER_MAX = 65535;

/** What a doubled backslash may stand before to be noticed. `\b` means a position outside brackets only. */
const CLASS_LETTERS = "dDsSwWhHvV";
const POSITION_LETTERS = "bB";

export class PatternReader {
  readonly bytes: Uint8Array;
  at = 0;
  /** Inside \Q…\E, where everything but \E is literal. */
  isQuoting = false;
  /** Capture groups opened so far. */
  groups = 0;
  /** Offsets of doubled backslashes directly before a class letter. */
  readonly doubled: number[] = [];
  readonly #isDoubledClass: boolean;

  constructor(bytes: Uint8Array, isDoubledClass: boolean) {
    this.bytes = bytes;
    this.#isDoubledClass = isDoubledClass;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The byte `ahead` of the cursor; -1 past the end. */
  peek(ahead = 0): number {
    return this.bytes[this.at + ahead] ?? -1;
  }

  startsWith(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.peek(i) !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Takes the text if it stands here. */
  accept(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  /**
   * With the cursor on a backslash: is it the first of exactly two before a class letter? Notes
   * it, and steps over the first one when the pair is to be read as the class.
   */
  mendDoubledBackslash(inClass: boolean): void {
    if (this.peek(1) !== BACKSLASH || this.bytes[this.at - 1] === BACKSLASH) return;
    const letter = String.fromCharCode(this.peek(2));
    if (!CLASS_LETTERS.includes(letter) && (inClass || !POSITION_LETTERS.includes(letter))) return;
    if (this.peek(2) < 0) return;
    this.doubled.push(this.at);
    if (this.#isDoubledClass) this.at += 1;
  }

  /** The digits here as a number (capped well above every limit), or -1 when there are none. */
  digits(): number {
    if (!isDigit(this.peek())) return -1;
    let value = 0;
    while (isDigit(this.peek())) value = Math.min(value * 10 + this.bytes[this.at++]! - 48, 1e9);
    return value;
  }

  skipBlanks(): void {
    while (this.peek() === 32 || this.peek() === 9) this.at += 1;
  }

  /**
   * `{n}`, `{n,}`, `{,n}` or `{n,m}` with the cursor on the brace, blanks allowed inside; undefined
   * (and an unmoved cursor) when this is a literal brace.
   */
  counter(): { readonly min: number; readonly max: number } | undefined {
    const start = this.at;
    this.at += 1;
    this.skipBlanks();
    const min = this.digits();
    this.skipBlanks();
    let max = min;
    if (this.peek() === code(",")) {
      this.at += 1;
      this.skipBlanks();
      max = this.digits();
      this.skipBlanks();
      if (max < 0) max = min < 0 ? -1 : Number.POSITIVE_INFINITY;
    }
    if (this.peek() !== code("}") || max < 0) {
      this.at = start;
      return undefined;
    }
    this.at += 1;
    if (min > COUNTER_MAX || (max > COUNTER_MAX && max !== Number.POSITIVE_INFINITY)) {
      refuse(`a counter is over ${COUNTER_MAX}`, start);
    }
    if (max < min) refuse("the counter's bounds are out of order", start, "write {low,high}");
    return { min: Math.max(min, 0), max };
  }

  /** A group name up to and including `terminator`. */
  groupName(terminator: string): string {
    const start = this.at;
    if (isDigit(this.peek())) refuse("a group name cannot start with a digit", start);
    while (isWord(this.peek())) this.at += 1;
    const name = String.fromCharCode(...this.bytes.subarray(start, Math.min(this.at, start + 200)));
    if (name === "") refuse("a group name is missing", start, `write (?<name>…)`);
    if (name.length > 128) refuse("a group name is over 128 bytes", start);
    if (!this.accept(terminator)) {
      refuse(`\`${terminator}\` is missing after the group name`, this.at);
    }
    return name;
  }
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

export function isOctal(byte: number): boolean {
  return byte >= 48 && byte <= 55;
}

function isWord(byte: number): boolean {
  const lower = byte | 32;
  return isDigit(byte) || (lower >= 97 && lower <= 122 && byte < 128) || byte === 95;
}

export function hexValue(byte: number): number {
  if (isDigit(byte)) return byte - 48;
  const lower = byte | 32;
  return byte < 128 && lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
