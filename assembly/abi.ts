/**
 * Integer constants that both compilers read: AssemblyScript (assembly/) and TypeScript (src/).
 * Untyped on purpose; nothing here may import anything.
 */

/** Bumped whenever an export, a record or a blob changes shape. Checked by the loader. */
export const ABI_VERSION = 3;

// --- Limits (design: each tested at the limit and one past it) -------------------------------

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

/** Bytes the host may put into the input buffer at once. */
export const INPUT_BYTES_MAX = 2097152;
/** Bytes of working memory one call may use. */
export const SCRATCH_BYTES = 6291456;

// --- Status: 0 is ok, negatives are refusals --------------------------------------------------

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

// --- Expression errors: what a function or an evaluation answers instead of a value -------------

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

// --- Image container --------------------------------------------------------------------------
//
//  0      4        8        12         16         20        24       32
//  | magic | version | length | checksum | switches | entries | 0 (8) | entry table … blobs
//
// Entry, 16 bytes: kind u32 · offset u32 (from image start, 8-aligned) · length u32 · id u32.
// Blobs are position-independent: every offset inside one counts from its own first byte.
// The checksum covers every byte but itself, as 32-bit little-endian words in four lanes (see
// src/compile/image.ts).

export const IMAGE_MAGIC = 0x4c435250; // "PRCL"
export const IMAGE_VERSION = 2;
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

// --- Values -----------------------------------------------------------------------------------
//
//  0     4     8                16
//  | tag | len | payload (8)    |
//
// len: bytes of text, elements of a list, pairs of a map. payload: absolute pointer, or the number.

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

// --- Host operations (assembly/host.ts) --------------------------------------------------------

/** One text, a JSON number → the nearest double as TAG_FLOAT, infinite when it is out of range. */
export const HOST_PARSE_FLOAT = 1;

// --- Request record ---------------------------------------------------------------------------
//
// At the start of the input buffer; the same record feeds expressions and client_open.
//
//  0        16            352       368       372 376
//  | slot 0 | slot 1 | …  | slot 22 | written | 0 | bytes the slots point at …
//
// Slots are values, 16 bytes each. written: bit n says that slot n was written for this client. The
// others hold whatever was there before, and are never read: what needs one is refused (ERR_INPUT).

export const SLOT_CLIENTID = 0;
export const SLOT_USERNAME = 1;
export const SLOT_PASSWORD = 2;
/** Address as TAG_OPAQUE with 4 or 16 bytes. */
export const SLOT_PEERHOST = 3;
/** Address as text. */
export const SLOT_PEERHOST_TEXT = 4;
export const SLOT_PEERPORT = 5;
export const SLOT_PEERSNI = 6;
export const SLOT_ZONE = 7;
export const SLOT_LISTENER = 8;
export const SLOT_PROTOCOL = 9;
export const SLOT_CERT_COMMON_NAME = 10;
export const SLOT_CERT_SUBJECT = 11;
export const SLOT_CERT_PEM = 12;
/** Map: attribute name → text. */
export const SLOT_CLIENT_ATTRS = 13;
/** Map: MQTT 5 user property → text. */
export const SLOT_USER_PROPERTY = 14;
export const SLOT_MOUNTPOINT = 15;
export const SLOT_SOCKPORT = 16;
export const SLOT_IS_SUPERUSER = 17;
export const SLOT_IS_BRIDGE = 18;
export const SLOT_ENABLE_AUTHN = 19;
export const SLOT_AUTH_METHOD = 20;
export const SLOT_AUTH_DATA = 21;
/** Map of everything else a caller binds (`portcullis batch` and `explain`). */
export const SLOT_OTHER = 22;
export const SLOT_COUNT = 23;
/** All of them, as bits. */
export const SLOTS_ALL = (1 << SLOT_COUNT) - 1;
/** Those that a client record is made of. */
export const CLIENT_SLOTS =
  (1 << SLOT_CLIENTID) |
  (1 << SLOT_USERNAME) |
  (1 << SLOT_PEERHOST) |
  (1 << SLOT_ZONE) |
  (1 << SLOT_LISTENER) |
  (1 << SLOT_CERT_COMMON_NAME) |
  (1 << SLOT_CLIENT_ATTRS);
export const REQUEST_WRITTEN = 368;
export const REQUEST_HEADER_BYTES = 376;

// --- Expressions ------------------------------------------------------------------------------
//
//  0       4       8       12       16        20             28     32
//  | magic | flags | codes | consts | stack   | 0 (8)        | length | codes (8 each) | consts (16 each) | data
//
// Code, 8 bytes: op u8 · a u8 · b u16 · c u32. Constants are values whose payload is an offset from
// the blob's first byte. Jumps go forward only, so a program ends by construction.

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

// Why an evaluation failed (spec: expressions §3.4); OP_FAIL names each by its distance from -100.
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

// Functions.
export const FN_LOWER = 1;
export const FN_UPPER = 2;
export const FN_TRIM = 3;
export const FN_LTRIM = 4;
export const FN_RTRIM = 5;
export const FN_STRLEN = 6;
export const FN_SUBSTR = 7;
export const FN_REVERSE = 8;
export const FN_PAD = 9;
export const FN_RM_PREFIX = 10;
export const FN_FIND = 11;
export const FN_REPLACE = 12;
export const FN_ASCII = 13;
export const FN_ANY_TO_STR = 14;
export const FN_SPLIT = 15;
export const FN_TOKENS = 16;
export const FN_NTH = 17;
export const FN_CONCAT = 18;
export const FN_JOIN_TO_STRING = 19;
export const FN_UNESCAPE = 20;
export const FN_SPRINTF_S = 21;
export const FN_REGEX_MATCH = 22;
export const FN_REGEX_EXTRACT = 23;
export const FN_REGEX_REPLACE = 24;
export const FN_BIN2HEXSTR = 25;
export const FN_HEXSTR2BIN = 26;
export const FN_INT2HEXSTR = 27;
export const FN_BASE64_ENCODE = 28;
export const FN_BASE64_DECODE = 29;
export const FN_JSON_VALUE = 30;
export const FN_JWT_VALUE = 31;
export const FN_IS_JWT = 32;
export const FN_HASH = 33;
export const FN_HASH_TO_RANGE = 34;
export const FN_MAP_TO_RANGE = 35;
export const FN_STR_COMP = 36;
export const FN_STR_EQ = 37;
export const FN_STR_NEQ = 38;
export const FN_STR_LT = 39;
export const FN_STR_LTE = 40;
export const FN_STR_GT = 41;
export const FN_STR_GTE = 42;
export const FN_NUM_COMP = 43;
export const FN_NUM_EQ = 44;
export const FN_NUM_NEQ = 45;
export const FN_NUM_LT = 46;
export const FN_NUM_LTE = 47;
export const FN_NUM_GT = 48;
export const FN_NUM_GTE = 49;
export const FN_NOT = 50;
export const FN_IS_EMPTY_VAL = 51;
export const FN_RAND_STR = 52;
export const FN_RAND_INT = 53;
export const FN_GETENV = 54;
export const FN_TIMESTAMP_S = 55;
export const FN_TIMESTAMP_MS = 56;
export const FN_LISTS_NTH = 57;
export const FN_LISTS_LAST = 58;
export const FN_LISTS_REVERSE = 59;
export const FN_LISTS_MEMBER = 60;
export const FN_LISTS_APPEND = 61;
export const FN_LISTS_JOIN = 62;
export const FN_LISTS_FLATTEN = 63;
export const FN_LISTS_SORT = 64;
export const FN_LISTS_SUBLIST = 65;
export const FN_LISTS_SUBTRACT = 66;
export const FN_LISTS_SUM = 67;
export const FN_LISTS_MAX = 68;
export const FN_LISTS_MIN = 69;
export const FN_LISTS_KEYFIND = 70;
export const FN_LISTS_NTHTAIL = 71;
export const FN_LISTS_DROPLAST = 72;
export const FN_LISTS_PREFIX = 73;
export const FN_LISTS_SUFFIX = 74;
export const FN_LISTS_USORT = 75;
export const FN_LISTS_DELETE = 76;
export const FN_LISTS_ZIP = 77;
export const FN_LISTS_DUPLICATE = 78;
export const FN_LISTS_SEQ = 79;
export const FN_MAPS_GET = 80;
export const FN_MAPS_KEYS = 81;
export const FN_MAPS_VALUES = 82;
export const FN_MAPS_SIZE = 83;
export const FN_MAPS_IS_KEY = 84;
export const FN_MAPS_MERGE = 85;
export const FN_MAPS_REMOVE = 86;
export const FN_MAPS_PUT = 87;
export const FN_MAPS_NEW = 88;
export const FN_MAPS_TO_LIST = 89;
export const FN_JSON_ENCODE = 90;
export const FN_LISTS_FLATLENGTH = 91;
export const FN_LISTS_UNIQ = 92;
export const FN_LISTS_SPLIT = 93;
export const FN_LISTS_UNZIP = 94;
export const FN_LISTS_CONCAT = 95;
export const FN_MAPS_FIND = 96;
export const FN_MAPS_WITH = 97;
export const FN_MAPS_WITHOUT = 98;
export const FN_MAPS_TAKE = 99;
export const FN_MAPS_UPDATE = 100;
export const FN_MAPS_FROM_LIST = 101;
export const FN_MAPS_FROM_KEYS = 102;
export const FN_COUNT = 103;

// What the core asks the host for: HOST_FUNCTION + a function's number, or one of these. The flags
// of the running expression are added from bit HOST_FLAGS_SHIFT on.
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

// --- Decisions --------------------------------------------------------------------------------
//
// decide() returns verdict | origin << 2 | rule << 4, or a negative status.

export const VERDICT_NO_MATCH = 0;
export const VERDICT_ALLOW = 1;
export const VERDICT_DENY = 2;
/** A condition raised: the source's failure result. */
export const VERDICT_FAILED = 3;
/** In place of the rule's number: the decision took too many steps, and no rule decided. */
export const RULE_NONE = 134217727;
/**
 * Where the deciding rule stands: in the image, in the token's own ACL, in the stored rules of this
 * client alone, or in those that it shares with others.
 */
export const ORIGIN_IMAGE = 0;
export const ORIGIN_TOKEN = 1;
export const ORIGIN_OWN = 2;
export const ORIGIN_SHARED = 3;

// How a client's stored rules are asked, for client_stored.
/** Behind the image's rules instead of in front of them. */
export const STORED_BEHIND = 1;
/** What cannot be evaluated, there or in an image in front of them, is passed over. */
export const STORED_SKIPS_FAILURES = 2;

// Request bits: exactly one is set in a request, any number in a rule's mask.
// publish: 1 << (qos * 2 + retain)   subscribe: 64 << qos
export const ACTION_PUBLISH_ANY = 63;
export const ACTION_SUBSCRIBE_QOS0 = 64;
export const ACTION_SUBSCRIBE_ANY = 448;
/** Both: what a rule without an action of its own speaks about. */
export const ACTION_ANY = 511;

// --- Regular expressions ----------------------------------------------------------------------
//
// A program is position-independent: offsets count from its first byte.
//
//  0        4       8              12     16       20     24      28      32      36       40
//  | length | magic | instructions | sets | groups | rows | start | flags | first | prefix | shortest | required |
//  48: sets (32 bytes each: bit b of the set is bit b & 7 of byte b >> 3)
//      instructions (16 bytes each)
//      prefix bytes, required bytes, then zero to a multiple of 8
//
// first: offset of the set of bytes a match can begin with, or 0. prefix: number of literal bytes
// every match begins with. shortest: bytes of the shortest match. required: number of literal bytes
// every match contains. rows: visited bits a position.
//
// Instruction: op u8 · arg u8 · row u16 · next u32 · operand u32 · nextFirst u16 · operandFirst u16
// row: 1-based number of the visited bit, 0 for none. nextFirst, operandFirst: offset / 16 (which is
// odd) of the set of bytes the way can go on with, with bit 0 cleared if it can also go on at the end
// of the subject; 0 if it can go on with anything.

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
/** Goes on if the position is as `arg` (REGEX_AT_…) says. */
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
export const REGEX_AT_NOT_BEFORE_LF = 9;

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

/** The replacement text is malformed. */
export const ERR_REGEX_REPLACEMENT = -20;
/** The result would be longer than EXPR_OUTPUT_BYTES_MAX. */
export const ERR_REGEX_OUTPUT = -21;

// --- Rule-set blob ----------------------------------------------------------------------------
//
//  0      4        8        12      16      20             24      28    32
//  | magic | version | length | flags | roots | cached roots | all | 0 | section table … sections …
//
// Section table: offset u32 (from blob start, 8-aligned) · count u32, for each of the sections
// below. roots: conditions that rules name; the first `cached roots` of them have cached answers.
// all: terminal (+1) of the rules for every topic. Written by src/compile/rule/, checked by
// assembly/rule/verify.ts. Texts are (offset in the text section, length).

export const RULES_MAGIC = 0x4c525250; // "PRRL"
export const RULES_VERSION = 2;
export const RULES_HEADER_BYTES = 32;
/** An IPv4-mapped IPv6 peer counts as the IPv4 address it stands for. */
export const RULES_FOLD_MAPPED = 1;

/** bits u32: actions | RULE_ALLOW · who u32: condition root + 1, 0 for everyone. */
export const SECTION_RULES = 0;
/** rule · kind (ENTRY_TOPIC_…) · text, or first piece and piece count. Ascending by rule. */
export const SECTION_ENTRIES = 1;
/** Entry indexes of deny rules, ascending. */
export const SECTION_DENIES = 2;
/** Entry indexes of templates that the index holds, ascending. */
export const SECTION_TEMPLATES = 3;
/** Entry indexes of templates that only a scan can answer, ascending. */
export const SECTION_SCANS = 4;
/** kind (CONDITION_…) · three words; children follow their parent, breadth first. */
export const SECTION_CONDITIONS = 5;
/** address bytes (4 or 16) u32 · prefix length u32 · network, 16 bytes. */
export const SECTION_RANGES = 6;
/** kind (VARIABLE_…) · name text (2 words) · 0. */
export const SECTION_VARIABLES = 7;
/** variable + 1, or 0 and a text · text (2 words). */
export const SECTION_PIECES = 8;
/**
 * Trie node, NODE_…: lowest rule and united actions of the subtree, `+` child, terminals, template
 * edges, and for literal children the label: its first NODE_TEXT_BYTES here, zeros behind, and where
 * all of it lies. A node fills a cache line. Every child's index is above its parent's.
 */
export const SECTION_NODES = 9;
/** first piece · piece count · child node. */
export const SECTION_EDGES = 10;
/** hash · child node; open addressing by (parent, level hash), 0 is empty. */
export const SECTION_CHILD_SLOTS = 11;
/** text (2 words) · terminal reference · 0: topics without any wildcard or placeholder. */
export const SECTION_LITERALS = 12;
/** hash · literal + 1. */
export const SECTION_LITERAL_SLOTS = 13;
/** first use · use count · first key variable · key variable count. */
export const SECTION_TERMINALS = 14;
/** Rule numbers; ascending within each range. */
export const SECTION_USES = 15;
/** Variables by which a terminal has keyed rules. */
export const SECTION_KEY_VARIABLES = 16;
/** terminal · variable · text (2 words) · first use · use count. */
export const SECTION_KEYS = 17;
/** hash · key + 1. */
export const SECTION_KEY_SLOTS = 18;
export const SECTION_TEXT = 19;
/** offset in the regex section (8-aligned, ascending) · length, of each program. */
export const SECTION_PATTERNS = 20;
export const SECTION_REGEX = 21;
export const SECTION_COUNT = 22;

export const RULE_BYTES = 8;
export const RULE_ALLOW = 65536;
/** Its condition can raise, so it stands in the terminal of all topics whatever its topics are. */
export const RULE_RAISES = 131072;
/** Its topics are `all`. */
export const RULE_ALL_TOPICS = 262144;
export const ENTRY_BYTES = 16;
export const ENTRY_TOPIC_ALL = 0;
export const ENTRY_TOPIC_EQUAL = 1;
export const ENTRY_TOPIC_FILTER = 2;
export const ENTRY_TOPIC_TEMPLATE = 3;
export const CONDITION_BYTES = 16;
/** variable · text. */
export const CONDITION_EQUAL = 1;
/** variable · pattern · 0. */
export const CONDITION_PATTERN = 2;
/** first range · range count · 0. */
export const CONDITION_ADDRESS = 3;
/** first child condition · child count · height (above each child's; leaves have 0). */
export const CONDITION_AND = 4;
export const CONDITION_OR = 5;
/** Raises when it is reached. */
export const CONDITION_RAISE = 6;
export const CONDITION_HEIGHT_MAX = 64;
export const PATTERN_BYTES = 8;
export const RANGE_BYTES = 24;
export const VARIABLE_BYTES = 16;
export const VARIABLE_CLIENTID = 0;
export const VARIABLE_USERNAME = 1;
export const VARIABLE_CERT_COMMON_NAME = 2;
export const VARIABLE_ZONE = 3;
export const VARIABLE_LISTENER = 4;
export const VARIABLE_ATTR = 5;
/** A name that never has a value. */
export const VARIABLE_NONE = 6;
export const PIECE_BYTES = 12;
export const NODE_BYTES = 64;
export const NODE_RULE = 0;
export const NODE_ACTIONS = 4;
export const NODE_PLUS = 8;
/**
 * Terminal references: terminal + 1, or TERMINAL_DIRECT | rule when the rule is all there is.
 * This one: of filters that end in `#` here.
 */
export const NODE_HASH_TERMINAL = 12;
/** Of filters that end here. */
export const NODE_TERMINAL = 16;
export const NODE_EDGES = 20;
export const NODE_EDGE_COUNT = 24;
/** The only literal child, or LITERALS_MANY, or 0. */
export const NODE_LITERALS = 28;
export const NODE_PARENT = 32;
export const NODE_LABEL = 36; // text, 2 words
export const NODE_TEXT = 44;
export const NODE_TEXT_BYTES = 20;
export const LITERALS_MANY = 0x7fffffff;
export const TERMINAL_DIRECT = 0x40000000;
export const EDGE_BYTES = 12;
export const SLOT_BYTES = 8;
export const LITERAL_BYTES = 16;
export const TERMINAL_BYTES = 16;
export const KEY_BYTES = 24;
/** Conditions whose answers a client record remembers; the others are evaluated each time. */
export const CACHED_ROOTS_MAX = 1024;
/**
 * Steps of one decision: nodes, rules and conditions looked at, and bytes given to patterns (times
 * one more for every 512 bytes of the pattern's program). Past it the answer is a denial.
 */
export const DECISION_STEPS_MAX = 4194304;
