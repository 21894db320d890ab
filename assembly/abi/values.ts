/**
 * Values: what expressions compute with, and what a request is made of.
 *
 *  0     4     8                16
 *  | tag | len | payload (8)    |
 *
 * len: bytes of text, elements of a list, pairs of a map. payload: absolute pointer, or the number.
 */

export const VALUE_BYTES = 16;
/** No such variable. Only ever the answer of a lookup. */
export const TAG_UNBOUND = 0;
/** Text: any bytes. */
export const TAG_BYTES = 1;
/** Integer that fits in 64 bits. */
export const TAG_INT = 2;
/** Larger integer, as decimal text. */
export const TAG_BIGINT = 3;
export const TAG_FLOAT = 4;
/** Name other than the four below, as text. */
export const TAG_ATOM = 5;
export const TAG_TRUE = 6;
export const TAG_FALSE = 7;
export const TAG_NULL = 8;
export const TAG_UNDEFINED = 9;
/** `len` values at payload. */
export const TAG_LIST = 10;
/** `len` pairs (key value, then element value) at payload. */
export const TAG_MAP = 11;
/** A tuple the language cannot look into. payload/len may hold its bytes (an IP address: 4 or 16). */
export const TAG_OPAQUE = 12;
