/**
 * What the core may ask its host for: the table from operation numbers to functions. Everything here
 * is a function of its arguments and the ports; nothing throws into the core.
 */
import * as abi from "../../assembly/abi.ts";
import { latin1 } from "../text.ts";
import type { Value } from "./core.ts";
import { hash, hashToRange } from "./host/digest.ts";
import { sprintf } from "./host/format.ts";
import { jsonEncode, toText } from "./host/json.ts";
import { compare, int2hexstr, mapToRange } from "./host/numbers.ts";
import { getenv, randInt, randStr, timestampMs, timestampS } from "./host/system.ts";
import { LISTS, MAPS } from "./host/terms.ts";
import * as text from "./host/text.ts";
import { decodeStrict, type HostFunction, type HostPorts, HostRefusal } from "./host/types.ts";
import { readValue, readValues, writeValue } from "./values.ts";
import type { CoreMemory, HostCall } from "./wasm.ts";

export type { HostPorts } from "./host/types.ts";

const OPERATIONS: ReadonlyMap<number, HostFunction> = new Map<number, HostFunction>([
  [abi.HOST_PARSE_FLOAT, parseNumber],
  [abi.HOST_TO_TEXT, toText],
  [abi.HOST_COMPARE, compare],
  [abi.HOST_NOT_UTF8, text.notUtf8],
  ...functions({
    LOWER: text.lower,
    UPPER: text.upper,
    TRIM: text.trim,
    LTRIM: text.ltrim,
    RTRIM: text.rtrim,
    STRLEN: text.strlen,
    SUBSTR: text.substr,
    REVERSE: text.reverse,
    PAD: text.pad,
    FIND: text.find,
    REPLACE: text.replace,
    SPLIT: text.split,
    SPRINTF_S: sprintf,
    INT2HEXSTR: int2hexstr,
    HASH: hash,
    HASH_TO_RANGE: hashToRange,
    MAP_TO_RANGE: mapToRange,
    RAND_STR: randStr,
    RAND_INT: randInt,
    GETENV: getenv,
    TIMESTAMP_S: timestampS,
    TIMESTAMP_MS: timestampMs,
    JSON_ENCODE: jsonEncode,
    ...prefixed("LISTS_", LISTS),
    ...prefixed("MAPS_", MAPS),
  }),
]);

/** The host call of a core instance (see HostCall), over these ports. */
export function createHost(given: HostPorts): HostCall {
  const ports = rememberPatterns(given);
  return (memory, op, args, argc, out) => {
    try {
      const number = op & ((1 << abi.HOST_FLAGS_SHIFT) - 1);
      if (number === abi.HOST_PATTERN) return writeProgram(memory, args, out, ports);
      const operation = OPERATIONS.get(number);
      if (operation === undefined) return abi.ERR_EXPR_HOST;
      const flags = op >> abi.HOST_FLAGS_SHIFT;
      const answer = operation(readValues(memory, args, argc), {
        ports,
        keepsUtf8: (flags & abi.EXPR_FLAG_KEEP_UTF8) !== 0,
        printsLargeFloats: (flags & abi.EXPR_FLAG_LARGE_FLOATS) !== 0,
      });
      return typeof answer === "number" ? answer : writeValue(memory, out, answer);
    } catch (error) {
      return error instanceof HostRefusal ? error.status : abi.ERR_EXPR_HOST;
    }
  };
}

/** A JSON number → the nearest double, infinite when it is out of range. */
function parseNumber(args: readonly Value[]): Value | number {
  const [digits] = args;
  if (digits?.type !== "bytes") return abi.ERR_EXPR_ARGUMENT;
  return { type: "float", value: Number(decodeStrict(digits.value)) };
}

/** Patterns that are kept compiled, and the bytes one may have to be kept. */
const PATTERNS_MAX = 64;
const PATTERN_BYTES_MAX = 256;

/** The port with a memory of what it was asked last: the pattern of a place rarely changes. */
function rememberPatterns(ports: HostPorts): HostPorts {
  const { compilePattern } = ports;
  if (compilePattern === undefined) return ports;
  const known = new Map<string, Uint8Array | undefined>();
  return {
    ...ports,
    compilePattern: (pattern) => {
      if (pattern.length > PATTERN_BYTES_MAX) return compilePattern(pattern);
      const key = latin1(pattern);
      if (known.has(key)) return known.get(key);
      const program = compilePattern(pattern);
      if (known.size === PATTERNS_MAX) known.delete(known.keys().next().value!);
      known.set(key, program);
      return program;
    },
  };
}

/** Compiles the pattern at `args` and writes its program, as a value only the core knows. */
function writeProgram(memory: CoreMemory, args: number, out: number, ports: HostPorts): number {
  const pattern = readValue(memory, args);
  const program = pattern.type === "bytes" ? ports.compilePattern?.(pattern.value) : undefined;
  if (program === undefined) return abi.ERR_EXPR_PATTERN;
  const status = writeValue(memory, out, { type: "bytes", value: program });
  if (status === abi.OK) memory.view.setUint32(out, abi.TAG_PROGRAM, true);
  return status;
}

function functions(table: Readonly<Record<string, HostFunction>>): [number, HostFunction][] {
  const ids = abi as unknown as Readonly<Record<string, number>>;
  return Object.entries(table).map(([name, run]) => [abi.HOST_FUNCTION + ids[`FN_${name}`]!, run]);
}

function prefixed(
  prefix: string,
  table: Readonly<Record<string, HostFunction>>,
): Record<string, HostFunction> {
  return Object.fromEntries(
    Object.entries(table).map(([name, run]) => [prefix + name.toUpperCase(), run]),
  );
}
