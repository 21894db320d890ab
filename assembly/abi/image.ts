/**
 * The image: the container, the source map in it, and the switches that the core itself consults.
 *
 *  0      4        8        12         16         20        24       32
 *  | magic | version | length | checksum | switches | entries | 0 (8) | entry table … blobs
 *
 * Entry, 16 bytes: kind u32 · offset u32 (from image start, 8-aligned) · length u32 · id u32.
 * Blobs are position-independent: every offset inside one counts from its own first byte.
 * The checksum covers every byte but itself, as 32-bit little-endian words in four lanes (see
 * src/compile/image.ts).
 */

export const IMAGE_MAGIC = 0x4c435250; // "PRCL"
export const IMAGE_VERSION = 3;
export const IMAGE_CHECKSUM_SEED = 0x9e3779b1;
export const IMAGE_HEADER_BYTES = 32;
export const IMAGE_ENTRY_BYTES = 16;

/** Bytecode of one expression; `id` is the number the run time evaluates it by. */
export const ENTRY_EXPRESSION = 1;
/** One rule set: rules, conditions and topic index. `id` is the source's position. */
export const ENTRY_RULES = 2;
/** Run-time configuration as JSON, read by src/ only. */
export const ENTRY_META = 3;
/** Where the rules stand in their files: a source map, see below. Read by src/ only. */
export const ENTRY_SOURCE_MAP = 4;

// Source map: where each rule stands and how it is written, for explanations. Read in place, one rule
// at a time, and never verified as a whole: damage costs explanations their place and no decision.
//
//  0         4       8       12           16
//  | version | rules | files | text bytes | rules (20 each) | files (8 each) | texts (UTF-8)
//
// Rule: text offset · text length · line · column · file. File: name offset · name length. Offsets
// count from the first text.

export const SOURCE_MAP_VERSION = 1;
export const SOURCE_MAP_HEADER_BYTES = 16;
export const SOURCE_RULE_BYTES = 20;
export const SOURCE_FILE_BYTES = 8;

// Switches the core itself consults (bits of the image header).
export const SWITCH_SUBSCRIBE_CONTAINMENT = 1;
export const SWITCH_SAFE_PLACEHOLDERS = 2;
export const SWITCH_ABSENT_NEVER_MATCHES = 4;
export const SWITCH_SEPARATOR_IN_PLACEHOLDER = 8;
export const SWITCH_OVERLAP_DENIES = 16;
