/**
 * Compiled regular expressions.
 *
 * A program is position-independent: offsets count from its first byte.
 *
 *  0        4       8              12     16       20     24      28      32      36       40
 *  | length | magic | instructions | sets | groups | rows | start | flags | first | prefix | shortest | required |
 *  48: sets (32 bytes each: bit b of the set is bit b & 7 of byte b >> 3)
 *      instructions (16 bytes each)
 *      prefix bytes, required bytes, then zero to a multiple of 8
 *
 * first: offset of the set of bytes a match can begin with, or 0. prefix: number of literal bytes
 * every match begins with. shortest: bytes of the shortest match. required: number of literal bytes
 * every match contains. rows: visited bits a position.
 *
 * Instruction: op u8 · arg u8 · row u16 · next u32 · operand u32 · nextFirst u16 · operandFirst u16
 * row: 1-based number of the visited bit, 0 for none. nextFirst, operandFirst: offset / 16 (which is
 * odd) of the set of bytes the way can go on with, with bit 0 cleared if it can also go on at the end
 * of the subject; 0 if it can go on with anything.
 */

export const REGEX_MAGIC = 0x31585250; // "PRX1"
export const REGEX_HEADER_BYTES = 48;
export const REGEX_SET_BYTES = 32;
export const REGEX_INSTRUCTION_BYTES = 16;
/** Sets start below this offset, so that offset / 16 fits in 16 bits. */
export const REGEX_SETS_MAX = 32000;
/** Working memory of the widest engine (see assembly/regex/pike.ts) for any accepted program. */
export const REGEX_WORK_BYTES_MAX = 2097152;

/** A match has been found. */
export const REGEX_OP_MATCH = 0;
/** Consumes the byte `arg`. */
export const REGEX_OP_BYTE = 1;
/** Consumes a byte of the set at `operand`. */
export const REGEX_OP_SET = 2;
/** Consumes bytes of the set at `operand`, as many as possible, then fewer. */
export const REGEX_OP_LOOP = 3;
/** Goes on at `next`, or else at `operand`. */
export const REGEX_OP_SPLIT = 4;
/** Puts the position into slot `operand`. */
export const REGEX_OP_SAVE = 5;
/** Goes on if the position is as `arg` (REGEX_AT_…) says; nextFirst is an i16: how many bytes further on. */
export const REGEX_OP_ASSERT = 6;

export const REGEX_AT_START = 0;
export const REGEX_AT_LINE_START = 1;
export const REGEX_AT_END = 2;
/** At the end, or before a line feed that ends the subject. */
export const REGEX_AT_LAST_LINE_END = 3;
export const REGEX_AT_LINE_END = 4;
export const REGEX_AT_BOUNDARY = 5;
export const REGEX_AT_NOT_BOUNDARY = 6;
export const REGEX_AT_WORD_START = 7;
export const REGEX_AT_WORD_END = 8;
/** A byte of the set at `operand` comes next. */
export const REGEX_AT_BEFORE = 9;
/** Added to one of these: if it is not so, or if there is no such position. */
export const REGEX_AT_NOT = 128;

/** Every match begins at the subject's start. */
export const REGEX_FLAG_ANCHORED = 1;
/** The prefix is the whole pattern. */
export const REGEX_FLAG_LITERAL = 2;

/** regexExec: match only at `start`. */
export const REGEX_ANCHORED = 1;
/** regexExec: an empty match at `start` does not count. */
export const REGEX_NOT_EMPTY_AT_START = 2;
/** regexExec: use the engine whose memory does not grow with the text. The answer is the same. */
export const REGEX_PARALLEL = 4;
