/** The position tests of the pattern language, by name. */
import {
  REGEX_AT_BEFORE,
  REGEX_AT_BOUNDARY,
  REGEX_AT_END,
  REGEX_AT_LAST_LINE_END,
  REGEX_AT_LINE_END,
  REGEX_AT_LINE_START,
  REGEX_AT_NOT,
  REGEX_AT_NOT_BOUNDARY,
  REGEX_AT_START,
  REGEX_AT_WORD_END,
  REGEX_AT_WORD_START,
} from "../../../assembly/abi.ts";

export const REGEX_AT = {
  start: REGEX_AT_START,
  lineStart: REGEX_AT_LINE_START,
  end: REGEX_AT_END,
  lastLineEnd: REGEX_AT_LAST_LINE_END,
  lineEnd: REGEX_AT_LINE_END,
  boundary: REGEX_AT_BOUNDARY,
  notBoundary: REGEX_AT_NOT_BOUNDARY,
  wordStart: REGEX_AT_WORD_START,
  wordEnd: REGEX_AT_WORD_END,
  /** The one that is about a set of bytes. */
  before: REGEX_AT_BEFORE,
} as const;

/** A position test as a number: REGEX_AT_… and REGEX_AT_NOT in the low byte, above it the bytes further on. */
export function positionTest(test: number, options: { isNot: boolean; shift: number }): number {
  return (test ^ (options.isNot ? REGEX_AT_NOT : 0)) + (options.shift << 8);
}
