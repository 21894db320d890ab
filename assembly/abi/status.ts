/** Statuses: 0 is ok, negatives are refusals. */

export const OK = 0;
export const ERR_IMAGE_MAGIC = -1;
export const ERR_IMAGE_VERSION = -2;
export const ERR_IMAGE_LENGTH = -3;
export const ERR_IMAGE_CHECKSUM = -4;
export const ERR_IMAGE_SECTION = -5;
export const ERR_EXPRESSION_BLOB = -6;
export const ERR_RULES_BLOB = -7;
export const ERR_REGEX_BLOB = -8;
export const ERR_MEMORY = -9;
export const ERR_INPUT = -10;
export const ERR_HANDLE = -11;
export const ERR_TOPIC = -12;

/** The replacement text is malformed. */
export const ERR_REGEX_REPLACEMENT = -20;
/** The result would be longer than EXPR_OUTPUT_BYTES_MAX. */
export const ERR_REGEX_OUTPUT = -21;

// What a function or an evaluation answers instead of a value (spec: expressions §3.4). OP_FAIL names
// those from -106 on, each by its distance from -100.

/** `jwt_value`: not exactly three parts. */
export const ERR_EXPR_INVALID_JWT_TOKEN = -101;
/** `jwt_value`: the second part is not base64. */
export const ERR_EXPR_JWT_DECODE = -102;
/** Working memory of one evaluation is used up. */
export const ERR_EXPR_MEMORY = -103;
/** A list or map would hold more than LIST_LENGTH_MAX elements. */
export const ERR_EXPR_LIST_LENGTH = -104;
/** A JSON text is nested deeper than JSON_DEPTH_MAX, or a value than JSON_VALUE_DEPTH_MAX. */
export const ERR_EXPR_NESTING = -105;
export const ERR_EXPR_UNBOUND = -106;
export const ERR_EXPR_FUNCTION = -107;
export const ERR_EXPR_MODULE = -108;
export const ERR_EXPR_MODULE_NOT_ALLOWED = -109;
export const ERR_EXPR_REFERENCE = -110;
export const ERR_EXPR_BADARG = -111;
export const ERR_EXPR_COALESCE = -112;
export const ERR_EXPR_INVALID_ARGUMENT = -113;
export const ERR_EXPR_HASH = -114;
export const ERR_EXPR_ESCAPE = -115;
export const ERR_EXPR_CHARACTER = -116;
export const ERR_EXPR_RETURN = -117;
/** What the reference crashes on: a value of a type or form the function cannot take. */
export const ERR_EXPR_ARGUMENT = -118;
/** EXPR_STEPS_MAX is used up. */
export const ERR_EXPR_STEPS = -119;
/** EXPR_OUTPUT_BYTES_MAX is used up. */
export const ERR_EXPR_OUTPUT = -120;
/** A pattern that is not a literal does not compile. */
export const ERR_EXPR_PATTERN = -121;
/** The host could not answer. */
export const ERR_EXPR_HOST = -122;
/** No expression with this id. */
export const ERR_EXPR_MISSING = -123;
