/**
 * The core's one import (assembly/host.ts): what it asks the host for. HOST_FUNCTION + a function's
 * number, or one of the others; the flags of the running expression are added from bit
 * HOST_FLAGS_SHIFT on.
 */

/** One text, a JSON number → the nearest double as TAG_FLOAT, infinite when it is out of range. */
export const HOST_PARSE_FLOAT = 1;
/** Text of a list, map, large integer or large float. */
export const HOST_TO_TEXT = 2;
/** Order of two numbers: -1, 0 or 1 as integer. */
export const HOST_COMPARE = 3;
/** Bytes of a pattern → its program as TAG_PROGRAM. */
export const HOST_PATTERN = 4;
/** What `concat` gives for pieces that are not UTF-8 together. */
export const HOST_NOT_UTF8 = 5;
export const HOST_FUNCTION = 16;
export const HOST_FLAGS_SHIFT = 8;
