/** The position tests of the pattern language, by name. */
import {
  REGEX_AT_BOUNDARY,
  REGEX_AT_END,
  REGEX_AT_LAST_LINE_END,
  REGEX_AT_LINE_END,
  REGEX_AT_LINE_START,
  REGEX_AT_NOT_BEFORE_LF,
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
  notBeforeLf: REGEX_AT_NOT_BEFORE_LF,
} as const;
