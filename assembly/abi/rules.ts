/**
 * The rule-set blob.
 *
 *  0      4        8        12      16      20             24      28    32
 *  | magic | version | length | flags | roots | cached roots | all | 0 | section table … sections …
 *
 * Section table: offset u32 (from blob start, 8-aligned) · count u32, for each of the sections
 * below. roots: conditions that rules name; the first `cached roots` of them have cached answers.
 * all: terminal (+1) of the rules for every topic. Written by src/compile/rule/, checked by
 * assembly/rule/verify.ts. Texts are (offset in the text section, length).
 */

export const RULES_MAGIC = 0x4c525250; // "PRRL"
export const RULES_VERSION = 3;
export const RULES_HEADER_BYTES = 32;
/** An IPv4-mapped IPv6 peer counts as the IPv4 address it stands for. */
export const RULES_FOLD_MAPPED = 1;

/**
 * bits u32: actions | RULE_ALLOW · who u32: 0 for everyone; condition root + 1; or, for a single equality,
 * WHO_EQUAL | variable << WHO_VARIABLE_SHIFT | value.
 */
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
/**
 * hash · child node, 0 is empty. In this table and those below the hash's uppermost bits say at which
 * slot to look first; what was taken then is in one of the next ones.
 */
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
/** terminal · variable · value · first use · use count. */
export const SECTION_KEYS = 17;
/** hash · key + 1. */
export const SECTION_KEY_SLOTS = 18;
export const SECTION_TEXT = 19;
/** offset in the regex section (8-aligned, ascending) · length, of each program. */
export const SECTION_PATTERNS = 20;
export const SECTION_REGEX = 21;
/** text (2 words): what conditions and keys want variables to equal, by number from 1. */
export const SECTION_VALUES = 22;
/** hash · value. */
export const SECTION_VALUE_SLOTS = 23;
export const SECTION_COUNT = 24;

export const RULE_BYTES = 8;
export const RULE_ALLOW = 65536;
/** Its condition can raise, so it stands in the terminal of all topics whatever its topics are. */
export const RULE_RAISES = 131072;
/** Its topics are `all`. */
export const RULE_ALL_TOPICS = 262144;
export const WHO_EQUAL = 2147483648;
export const WHO_VARIABLE_SHIFT = 24;
export const WHO_VARIABLE_MAX = 127;
export const WHO_VALUE_MAX = 16777215;
export const ENTRY_BYTES = 16;
export const ENTRY_TOPIC_ALL = 0;
export const ENTRY_TOPIC_EQUAL = 1;
export const ENTRY_TOPIC_FILTER = 2;
export const ENTRY_TOPIC_TEMPLATE = 3;
export const CONDITION_BYTES = 16;
/** variable · value · 0. */
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
export const KEY_BYTES = 20;
export const VALUE_TEXT_BYTES = 8;
