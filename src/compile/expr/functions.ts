/**
 * Every function an expression may call: its number in the core, how many arguments it takes and
 * what each of them can be. Source: expressions §4.
 */
import * as abi from "../../../assembly/abi.ts";

/** What a parameter accepts; `options` are its only legal words. */
export type Parameter =
  /** Bytes or an atom. */
  | "text"
  /** Bytes only. */
  | "bytes"
  | "integer"
  | "number"
  | "list"
  | "any"
  /** An integer, or bytes that hold one. */
  | "index"
  /** Bytes, or a list of them. */
  | "pieces"
  /** A regular expression. */
  | "pattern"
  /** Name of a digest. */
  | "digest"
  /** A boolean, or one of the texts `true` and `false`. */
  | "truth"
  | { readonly options: readonly string[] };

export interface FunctionSpec {
  readonly id: number;
  /** Legal argument counts. */
  readonly arities: readonly number[];
  /** By position, for the longest argument list; `concat(L)` and the like are checked by hand. */
  readonly parameters: readonly Parameter[];
  /** The form to show when a call is wrong. */
  readonly usage: string;
}

const ends = { options: ["trailing", "leading"] } as const;

function row(
  id: number,
  usage: string,
  arities: readonly number[],
  ...parameters: Parameter[]
): FunctionSpec {
  return { id, usage, arities, parameters };
}

/** Both families number their functions in this order. */
const COMPARISONS = ["comp", "eq", "neq", "lt", "lte", "gt", "gte"];

function comparisons(
  prefix: string,
  first: number,
  parameter: Parameter,
): Readonly<Record<string, FunctionSpec>> {
  return Object.fromEntries(
    COMPARISONS.map((name, index) => [
      prefix + name,
      row(first + index, `${prefix}${name}(a, b)`, [2], parameter, parameter),
    ]),
  );
}

const BUILTINS: Readonly<Record<string, FunctionSpec>> = {
  lower: row(abi.FN_LOWER, "lower(text)", [1], "text"),
  upper: row(abi.FN_UPPER, "upper(text)", [1], "text"),
  trim: row(abi.FN_TRIM, "trim(text) or trim(text, characters)", [1, 2], "text", "pieces"),
  ltrim: row(abi.FN_LTRIM, "ltrim(text) or ltrim(text, characters)", [1, 2], "text", "pieces"),
  rtrim: row(abi.FN_RTRIM, "rtrim(text) or rtrim(text, characters)", [1, 2], "text", "pieces"),
  strlen: row(abi.FN_STRLEN, "strlen(text)", [1], "text"),
  substr: row(
    abi.FN_SUBSTR,
    "substr(text, start) or substr(text, start, length)",
    [2, 3],
    "text",
    "integer",
    "integer",
  ),
  reverse: row(abi.FN_REVERSE, "reverse(text)", [1], "text"),
  pad: row(
    abi.FN_PAD,
    "pad(text, length, 'trailing'|'leading'|'both', padding)",
    [2, 3, 4],
    "text",
    "integer",
    { options: ["trailing", "leading", "both"] },
    "bytes",
  ),
  rm_prefix: row(abi.FN_RM_PREFIX, "rm_prefix(text, prefix)", [2], "any", "bytes"),
  find: row(abi.FN_FIND, "find(text, wanted, 'leading'|'trailing')", [2, 3], "text", "bytes", ends),
  replace: row(
    abi.FN_REPLACE,
    "replace(text, wanted, replacement, 'all'|'leading'|'trailing')",
    [3, 4],
    "text",
    "bytes",
    "bytes",
    { options: ["all", "leading", "trailing"] },
  ),
  ascii: row(abi.FN_ASCII, "ascii(text)", [1], "text"),
  any_to_str: row(abi.FN_ANY_TO_STR, "any_to_str(value)", [1], "any"),
  split: row(abi.FN_SPLIT, "split(text, separator, option)", [2, 3], "text", "bytes", {
    options: ["notrim", "leading", "leading_notrim", "trailing", "trailing_notrim"],
  }),
  tokens: row(
    abi.FN_TOKENS,
    "tokens(text, separators) or tokens(text, separators, 'nocrlf')",
    [2, 3],
    "text",
    "bytes",
    { options: ["nocrlf"] },
  ),
  nth: row(abi.FN_NTH, "nth(position, list)", [2], "index", "list"),
  concat: row(abi.FN_CONCAT, "concat(a, b) or concat([a, b, …])", [1, 2], "any", "any"),
  join_to_string: row(
    abi.FN_JOIN_TO_STRING,
    "join_to_string(list) or join_to_string(separator, list)",
    [1, 2],
    "any",
    "list",
  ),
  unescape: row(abi.FN_UNESCAPE, "unescape(text)", [1], "text"),
  sprintf_s: row(abi.FN_SPRINTF_S, "sprintf_s(format, [value, …])", [2], "bytes", "list"),
  regex_match: row(abi.FN_REGEX_MATCH, "regex_match(text, pattern)", [2], "pieces", "pattern"),
  regex_extract: row(
    abi.FN_REGEX_EXTRACT,
    "regex_extract(text, pattern)",
    [2],
    "pieces",
    "pattern",
  ),
  regex_replace: row(
    abi.FN_REGEX_REPLACE,
    "regex_replace(text, pattern, replacement)",
    [3],
    "pieces",
    "pattern",
    "pieces",
  ),
  bin2hexstr: row(abi.FN_BIN2HEXSTR, "bin2hexstr(bytes)", [1], "bytes"),
  hexstr2bin: row(abi.FN_HEXSTR2BIN, "hexstr2bin(hex digits)", [1], "bytes"),
  int2hexstr: row(abi.FN_INT2HEXSTR, "int2hexstr(integer)", [1], "integer"),
  base64_encode: row(
    abi.FN_BASE64_ENCODE,
    "base64_encode(bytes, 'no_padding', 'urlsafe')",
    [1, 2, 3],
    "bytes",
    "any",
    "any",
  ),
  base64_decode: row(
    abi.FN_BASE64_DECODE,
    "base64_decode(text, 'no_padding', 'urlsafe')",
    [1, 2, 3],
    "bytes",
    "any",
    "any",
  ),
  json_value: row(abi.FN_JSON_VALUE, "json_value(json, path)", [2], "any", "any"),
  jwt_value: row(abi.FN_JWT_VALUE, "jwt_value(token, path)", [2], "bytes", "any"),
  is_jwt: row(abi.FN_IS_JWT, "is_jwt(value)", [1], "any"),
  hash: row(abi.FN_HASH, "hash(algorithm, text)", [2], "digest", "pieces"),
  hash_to_range: row(
    abi.FN_HASH_TO_RANGE,
    "hash_to_range(text, min, max)",
    [3],
    "text",
    "integer",
    "integer",
  ),
  map_to_range: row(
    abi.FN_MAP_TO_RANGE,
    "map_to_range(value, min, max)",
    [3],
    "any",
    "integer",
    "integer",
  ),
  ...comparisons("str_", abi.FN_STR_COMP, "any"),
  ...comparisons("num_", abi.FN_NUM_COMP, "number"),
  not: row(abi.FN_NOT, "not(condition)", [1], "truth"),
  is_empty_val: row(abi.FN_IS_EMPTY_VAL, "is_empty_val(value)", [1], "any"),
  rand_str: row(abi.FN_RAND_STR, "rand_str(length)", [1], "integer"),
  rand_int: row(abi.FN_RAND_INT, "rand_int(max)", [1], "integer"),
  getenv: row(abi.FN_GETENV, "getenv(name)", [1], "bytes"),
  timestamp_s: row(abi.FN_TIMESTAMP_S, "timestamp_s()", [0]),
  timestamp_ms: row(abi.FN_TIMESTAMP_MS, "timestamp_ms()", [0]),
};

const LISTS: Readonly<Record<string, FunctionSpec>> = {
  nth: row(abi.FN_LISTS_NTH, "lists.nth(position, list)", [2], "integer", "list"),
  last: row(abi.FN_LISTS_LAST, "lists.last(list)", [1], "list"),
  reverse: row(abi.FN_LISTS_REVERSE, "lists.reverse(list)", [1, 2], "list", "any"),
  member: row(abi.FN_LISTS_MEMBER, "lists.member(value, list)", [2], "any", "list"),
  append: row(abi.FN_LISTS_APPEND, "lists.append(a, b)", [1, 2], "list", "any"),
  join: row(abi.FN_LISTS_JOIN, "lists.join(separator, list)", [2], "any", "list"),
  flatten: row(abi.FN_LISTS_FLATTEN, "lists.flatten(list)", [1, 2], "list", "list"),
  sort: row(abi.FN_LISTS_SORT, "lists.sort(list)", [1], "list"),
  usort: row(abi.FN_LISTS_USORT, "lists.usort(list)", [1], "list"),
  sublist: row(
    abi.FN_LISTS_SUBLIST,
    "lists.sublist(list, length) or lists.sublist(list, start, length)",
    [2, 3],
    "list",
    "integer",
    "integer",
  ),
  subtract: row(abi.FN_LISTS_SUBTRACT, "lists.subtract(a, b)", [2], "list", "list"),
  sum: row(abi.FN_LISTS_SUM, "lists.sum(list)", [1], "list"),
  max: row(abi.FN_LISTS_MAX, "lists.max(list)", [1], "list"),
  min: row(abi.FN_LISTS_MIN, "lists.min(list)", [1], "list"),
  keyfind: row(abi.FN_LISTS_KEYFIND, "lists.keyfind(key, position, list)", [3], "any", "integer"),
  nthtail: row(abi.FN_LISTS_NTHTAIL, "lists.nthtail(count, list)", [2], "integer", "list"),
  droplast: row(abi.FN_LISTS_DROPLAST, "lists.droplast(list)", [1], "list"),
  prefix: row(abi.FN_LISTS_PREFIX, "lists.prefix(a, b)", [2], "list", "list"),
  suffix: row(abi.FN_LISTS_SUFFIX, "lists.suffix(a, b)", [2], "list", "list"),
  delete: row(abi.FN_LISTS_DELETE, "lists.delete(value, list)", [2], "any", "list"),
  zip: row(abi.FN_LISTS_ZIP, "lists.zip(a, b)", [2], "list", "list"),
  duplicate: row(abi.FN_LISTS_DUPLICATE, "lists.duplicate(count, value)", [2], "integer", "any"),
  seq: row(abi.FN_LISTS_SEQ, "lists.seq(from, to)", [2, 3], "integer", "integer", "integer"),
  flatlength: row(abi.FN_LISTS_FLATLENGTH, "lists.flatlength(list)", [1], "list"),
  uniq: row(abi.FN_LISTS_UNIQ, "lists.uniq(list)", [1], "list"),
  split: row(abi.FN_LISTS_SPLIT, "lists.split(count, list)", [2], "integer", "list"),
  unzip: row(abi.FN_LISTS_UNZIP, "lists.unzip(list)", [1], "list"),
  concat: row(abi.FN_LISTS_CONCAT, "lists.concat(list)", [1], "list"),
};

const MAPS: Readonly<Record<string, FunctionSpec>> = {
  get: row(abi.FN_MAPS_GET, "maps.get(key, map) or maps.get(key, map, default)", [2, 3]),
  keys: row(abi.FN_MAPS_KEYS, "maps.keys(map)", [1]),
  values: row(abi.FN_MAPS_VALUES, "maps.values(map)", [1]),
  size: row(abi.FN_MAPS_SIZE, "maps.size(map)", [1]),
  is_key: row(abi.FN_MAPS_IS_KEY, "maps.is_key(key, map)", [2]),
  merge: row(abi.FN_MAPS_MERGE, "maps.merge(a, b)", [2]),
  remove: row(abi.FN_MAPS_REMOVE, "maps.remove(key, map)", [2]),
  put: row(abi.FN_MAPS_PUT, "maps.put(key, value, map)", [3]),
  new: row(abi.FN_MAPS_NEW, "maps.new()", [0]),
  to_list: row(abi.FN_MAPS_TO_LIST, "maps.to_list(map)", [1]),
  find: row(abi.FN_MAPS_FIND, "maps.find(key, map)", [2]),
  with: row(abi.FN_MAPS_WITH, "maps.with(keys, map)", [2], "list"),
  without: row(abi.FN_MAPS_WITHOUT, "maps.without(keys, map)", [2], "list"),
  take: row(abi.FN_MAPS_TAKE, "maps.take(key, map)", [2]),
  update: row(abi.FN_MAPS_UPDATE, "maps.update(key, value, map)", [3]),
  from_list: row(abi.FN_MAPS_FROM_LIST, "maps.from_list(list)", [1], "list"),
  from_keys: row(abi.FN_MAPS_FROM_KEYS, "maps.from_keys(keys, value)", [2], "list"),
};

const TRANSFORMATION: Readonly<Record<string, FunctionSpec>> = {
  json_encode: row(abi.FN_JSON_ENCODE, "json_encode(value)", [1], "any"),
};

const BUILTIN_MODULE = "emqx_variform_bif";

/** Modules a qualified name may start with. */
export const MODULES: Readonly<Record<string, Readonly<Record<string, FunctionSpec>>>> = {
  [BUILTIN_MODULE]: BUILTINS,
  lists: LISTS,
  maps: MAPS,
  emqx_message_transformation_bif: TRANSFORMATION,
};

/** Known to the reference's virtual machine but not callable from expressions. */
const OTHER_MODULES = ["erlang", "string", "binary", "os", "io", "file", "crypto", "re", "base64"];

/** Functions that decide which of their arguments are evaluated (expressions §3.1). */
export const SPECIAL_FORMS: Readonly<Record<string, string>> = {
  iif: "iif(condition, then, else)",
  coalesce: "coalesce(a, b, …) or coalesce(list)",
  is_empty: "is_empty(value)",
};

export type FunctionReference =
  | { readonly type: "special"; readonly name: "iif" | "coalesce" | "is_empty" }
  | { readonly type: "function"; readonly spec: FunctionSpec }
  | { readonly type: "unknown_function"; readonly candidates: readonly string[] }
  | { readonly type: "unknown_module"; readonly known: boolean }
  | { readonly type: "invalid_reference" };

/** What a function name means. Empty pieces of a dotted name count for nothing. */
export function resolveFunction(pieces: readonly string[]): FunctionReference {
  if (pieces.length > 2) return { type: "invalid_reference" };
  const module = pieces.length === 2 ? pieces[0]! : BUILTIN_MODULE;
  const name = pieces.at(-1)!;
  const functions = Object.hasOwn(MODULES, module) ? MODULES[module] : undefined;
  if (functions === undefined) {
    return { type: "unknown_module", known: OTHER_MODULES.includes(module) };
  }
  if (module === BUILTIN_MODULE && Object.hasOwn(SPECIAL_FORMS, name)) {
    return { type: "special", name: name as "iif" | "coalesce" | "is_empty" };
  }
  if (Object.hasOwn(functions, name)) return { type: "function", spec: functions[name]! };
  const prefix = pieces.length === 2 ? `${module}.` : "";
  const special = module === BUILTIN_MODULE ? Object.keys(SPECIAL_FORMS) : [];
  const candidates = [...Object.keys(functions), ...special].map((known) => prefix + known);
  return { type: "unknown_function", candidates };
}

/**
 * Digest names `hash` knows. The reference has `md4` and `sm3` too where its crypto library does; ours
 * has neither, and an expression that can only fail is refused at load. Source: expressions §4.8.
 */
export const DIGESTS: readonly string[] = [
  "md5",
  "ripemd160",
  "sha",
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha512_224",
  "sha512_256",
  "sha3_224",
  "sha3_256",
  "sha3_384",
  "sha3_512",
  "shake128",
  "shake256",
  "blake2b",
  "blake2s",
];
