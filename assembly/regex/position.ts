/** The tests a pattern can make on a position between two bytes. */
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
} from "../abi/regex";
import { inSet } from "./program";

const LF: u8 = 10;

/** Is position `at` of the text as the ASSERT at `instruction` says? Source: expressions §4.5. */
export function isAt(program: usize, instruction: usize, text: usize, len: u32, at: u32): bool {
  const test = <i32>load<u8>(instruction, 1);
  const isNot = (test & REGEX_AT_NOT) != 0;
  const place = <i32>at + <i32>load<i16>(instruction, 12);
  if (place < 0 || place > <i32>len) return isNot;
  const set = program + load<u32>(instruction, 8);
  return holds(test & ~REGEX_AT_NOT, set, text, len, <u32>place) != isNot;
}

function holds(test: i32, set: usize, text: usize, len: u32, at: u32): bool {
  switch (test) {
    case REGEX_AT_START:
      return at == 0;
    case REGEX_AT_LINE_START:
      // A line feed that ends the subject starts no line.
      return at == 0 || (at < len && load<u8>(text + at - 1) == LF);
    case REGEX_AT_END:
      return at == len;
    case REGEX_AT_LAST_LINE_END:
      return at == len || (at + 1 == len && load<u8>(text + at) == LF);
    case REGEX_AT_LINE_END:
      return at == len || load<u8>(text + at) == LF;
    case REGEX_AT_BOUNDARY:
      return isWordAt(text, len, at) != isWordBefore(text, at);
    case REGEX_AT_NOT_BOUNDARY:
      return isWordAt(text, len, at) == isWordBefore(text, at);
    case REGEX_AT_WORD_START:
      return isWordAt(text, len, at) && !isWordBefore(text, at);
    case REGEX_AT_WORD_END:
      return !isWordAt(text, len, at) && isWordBefore(text, at);
    case REGEX_AT_BEFORE:
      return at < len && inSet(set, load<u8>(text + at));
    default:
      return false;
  }
}

@inline
function isWordAt(text: usize, len: u32, at: u32): bool {
  return at < len && isWord(load<u8>(text + at));
}

@inline
function isWordBefore(text: usize, at: u32): bool {
  return at > 0 && isWord(load<u8>(text + at - 1));
}

@inline
function isWord(byte: u32): bool {
  return (byte | 32) - 97 < 26 || byte - 48 < 10 || byte == 95;
}
