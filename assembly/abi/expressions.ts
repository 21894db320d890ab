/**
 * The blob of an expression.
 *
 *  0       4       8       12       16        20             28     32
 *  | magic | flags | codes | consts | stack   | 0 (8)        | length | codes (8 each) | consts (16 each) | data
 *
 * Code, 8 bytes: op u8 · a u8 · b u16 · c u32. Constants are values whose payload is an offset from
 * the blob's first byte. Jumps go forward only, so a program ends by construction.
 */

export const EXPR_MAGIC = 0x31505845; // "EXP1"
export const EXPR_HEADER_BYTES = 32;
export const EXPR_CODE_BYTES = 8;
/** Values an evaluation may have on its stack at once. */
export const EXPR_STACK_MAX = 4096;

/** reverse, pad and ~ts give UTF-8. */
export const EXPR_FLAG_KEEP_UTF8 = 1;
/** Floats of any size print. */
export const EXPR_FLAG_LARGE_FLOATS = 2;

/** Constants only: names of a variable, outermost first. payload: (offset, length) pairs; the first is the name as written. */
export const TAG_PATH = 32;
/** Constants only: a compiled regular expression. */
export const TAG_PROGRAM = 33;
/** A tuple with its elements, as `len` values at payload. Opaque to the language. */
export const TAG_TUPLE = 34;

/** Push constant c. */
export const OP_CONST = 1;
/** Push the variable of path c in slot a; unbound: go to b, or fail when b is 0. */
export const OP_LOAD = 2;
/** The same, but unbound is the empty text. */
export const OP_LOAD_OR_EMPTY = 3;
/** Replace the top b values by the answer of function a; c: its name. */
export const OP_CALL = 4;
/** Replace the top b values by their list. */
export const OP_LIST = 5;
/** Go to c. */
export const OP_JUMP = 6;
/** Pop; go to c unless it counts as true. */
export const OP_JUMP_UNLESS = 7;
/** Go to c when the top is not empty, else pop. */
export const OP_JUMP_FILLED = 8;
/** Where unbound variables go: cut the stack back to b values. */
export const OP_UNWIND = 9;
/** Replace the top by whether it is empty. */
export const OP_IS_EMPTY = 10;
/** Replace the list on top by its first element that is not empty. */
export const OP_COALESCE = 11;
/** Fail with error -(a + 100); c: the name it is about. */
export const OP_FAIL = 12;
/** A variable that this place never binds: as OP_LOAD on an unbound one. */
export const OP_UNBOUND = 13;
