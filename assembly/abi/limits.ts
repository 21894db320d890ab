/**
 * Limits, each tested at the limit and one past it. What is hit is a named error or a denial, never a
 * trap.
 */

export const TOPIC_BYTES_MAX = 65535;
export const TOPIC_LEVELS_MAX = 128;
export const TOKEN_BYTES_MAX = 65535;
export const IMAGE_BYTES_MAX = 268435456; // 256 MiB
export const ATTRS_MAX = 64;
export const ATTR_BYTES_MAX = 65536;
export const TOKEN_RULES_MAX = 1000;
/** Different patterns in them, and bytes of all their programs: they are compiled at login. */
export const TOKEN_PATTERNS_MAX = 64;
export const TOKEN_PATTERN_BYTES_MAX = 32_768;
/** Stored rules of one client, and of everybody. */
export const STORED_RULES_MAX = 10_000;
/**
 * Checks of passwords that wait for their turn, unless the configuration says otherwise. A bcrypt check
 * takes 57 ms, and two at a time are made on two processors: the last one has waited 14 s then, and
 * after 15 (`mqtt.idle_timeout`) nobody waits for its answer.
 */
export const PASSWORD_CHECKS_WAITING_MAX = 500;
/** Bytes of one expression's source text. */
export const EXPR_TEXT_BYTES_MAX = 8192;
export const EXPR_NESTING_MAX = 64;
/** Steps one evaluation may take: one per instruction, plus the work of text functions. */
export const EXPR_STEPS_MAX = 10000;
/** Bytes of text one evaluation may produce, intermediate results included. */
export const EXPR_OUTPUT_BYTES_MAX = 1048576;
export const LIST_LENGTH_MAX = 65536;
export const REGEX_PROGRAM_MAX = 10000;
/** Levels of arrays and objects in a JSON text that is searched. */
export const JSON_DEPTH_MAX = 65536;
/** Levels of arrays and objects in a JSON value that is handed on as lists and maps. */
export const JSON_VALUE_DEPTH_MAX = 512;

/** Conditions in conditions, in rules. */
export const CONDITION_HEIGHT_MAX = 64;
/** Conditions whose answers a client record remembers; the others are evaluated each time. */
export const CACHED_ROOTS_MAX = 1024;
/**
 * Steps of one decision: nodes, rules and conditions looked at, and bytes given to patterns (times
 * one more for every 512 bytes of the pattern's program). Past it the answer is a denial.
 */
export const DECISION_STEPS_MAX = 4194304;

/** Bytes the host may put into the input buffer at once. */
export const INPUT_BYTES_MAX = 2097152;
/** Bytes of working memory one call may use. */
export const SCRATCH_BYTES = 6291456;
