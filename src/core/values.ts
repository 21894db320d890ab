/** Values in the core's memory (16 bytes each, see assembly/abi/values.ts) as `Value`, and back. */
import {
  ERR_EXPR_LIST_LENGTH,
  ERR_EXPR_MEMORY,
  ERR_EXPR_NESTING,
  JSON_VALUE_DEPTH_MAX,
  LIST_LENGTH_MAX,
  OK,
  TAG_ATOM,
  TAG_BIGINT,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_OPAQUE,
  TAG_TRUE,
  TAG_TUPLE,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../../assembly/abi.ts";
import { encodeUtf8, showText } from "../text.ts";
import type { Value } from "./core.ts";
import type { CoreMemory } from "./wasm.ts";

/** LIMIT: deeper than anything the core builds, so that damaged memory cannot recurse for ever. */
const DEPTH_MAX = JSON_VALUE_DEPTH_MAX + 80;

/** The value at an address, copied out. A tag that is no value of the language is an opaque tuple. */
export function readValue(memory: CoreMemory, at: number, depth = 0): Value {
  const { view } = memory;
  const length = view.getUint32(at + 4, true);
  const pointer = view.getUint32(at + 8, true);
  switch (view.getUint32(at, true)) {
    case TAG_BYTES:
      return { type: "bytes", value: memory.bytes.slice(pointer, pointer + length) };
    case TAG_INT:
      return { type: "integer", value: view.getBigInt64(at + 8, true) };
    case TAG_BIGINT:
      return { type: "integer", value: BigInt(readText(memory, pointer, length)) };
    case TAG_FLOAT:
      return { type: "float", value: view.getFloat64(at + 8, true) };
    case TAG_ATOM:
      return { type: "atom", name: readText(memory, pointer, length) };
    case TAG_TRUE:
      return { type: "boolean", value: true };
    case TAG_FALSE:
      return { type: "boolean", value: false };
    case TAG_NULL:
      return { type: "null" };
    case TAG_UNDEFINED:
      return { type: "undefined" };
    case TAG_LIST:
      return { type: "list", items: readValues(memory, pointer, length, depth) };
    case TAG_TUPLE:
      return { type: "tuple", items: readValues(memory, pointer, length, depth) };
    case TAG_MAP: {
      const flat = readValues(memory, pointer, length * 2, depth);
      const entries = Array.from({ length }, (_, i) => [flat[i * 2]!, flat[i * 2 + 1]!] as const);
      return { type: "map", entries };
    }
    case TAG_OPAQUE:
      return { type: "tuple", bytes: memory.bytes.slice(pointer, pointer + length) };
    default:
      return { type: "tuple" };
  }
}

/** `count` values in a row. */
export function readValues(
  memory: CoreMemory,
  at: number,
  count: number,
  depth = 0,
): readonly Value[] {
  if (depth > DEPTH_MAX) return [];
  return Array.from({ length: count }, (_, i) =>
    readValue(memory, at + i * VALUE_BYTES, depth + 1),
  );
}

function readText(memory: CoreMemory, at: number, length: number): string {
  return showText(memory.bytes.subarray(at, at + length));
}

/**
 * Writes a value to `at`, with what it points at in the core's scratch. For answers to host calls.
 * 0 or an expression error.
 */
export function writeValue(memory: CoreMemory, at: number, value: Value, depth = 0): number {
  if (depth > DEPTH_MAX) return ERR_EXPR_NESTING;
  switch (value.type) {
    case "bytes":
      return writeRange(memory, at, TAG_BYTES, value.value);
    case "integer":
      if (BigInt.asIntN(64, value.value) === value.value) {
        writeHead(memory, at, TAG_INT, 0, 0);
        memory.view.setBigInt64(at + 8, value.value, true);
        return OK;
      }
      return writeRange(memory, at, TAG_BIGINT, encodeUtf8(String(value.value)));
    case "float":
      writeHead(memory, at, TAG_FLOAT, 0, 0);
      memory.view.setFloat64(at + 8, value.value, true);
      return OK;
    case "boolean":
      return writeHead(memory, at, value.value ? TAG_TRUE : TAG_FALSE, 0, 0);
    case "null":
      return writeHead(memory, at, TAG_NULL, 0, 0);
    case "undefined":
      return writeHead(memory, at, TAG_UNDEFINED, 0, 0);
    case "atom":
      return writeRange(memory, at, TAG_ATOM, encodeUtf8(value.name));
    case "list":
      return writeElements(memory, at, TAG_LIST, value.items, value.items.length, depth);
    case "map":
      return writeElements(memory, at, TAG_MAP, value.entries.flat(), value.entries.length, depth);
    case "tuple":
      return value.items
        ? writeElements(memory, at, TAG_TUPLE, value.items, value.items.length, depth)
        : writeRange(memory, at, TAG_OPAQUE, value.bytes ?? new Uint8Array());
  }
}

function writeHead(
  memory: CoreMemory,
  at: number,
  tag: number,
  length: number,
  pointer: number,
): number {
  const { view } = memory;
  view.setUint32(at, tag, true);
  view.setUint32(at + 4, length, true);
  view.setUint32(at + 8, pointer, true);
  view.setUint32(at + 12, 0, true);
  return OK;
}

function writeRange(memory: CoreMemory, at: number, tag: number, bytes: Uint8Array): number {
  const pointer = memory.exports.scratch_alloc(bytes.length);
  if (pointer === 0) return ERR_EXPR_MEMORY;
  memory.bytes.set(bytes, pointer);
  return writeHead(memory, at, tag, bytes.length, pointer);
}

function writeElements(
  memory: CoreMemory,
  at: number,
  tag: number,
  elements: readonly Value[],
  length: number,
  depth: number,
): number {
  if (length > LIST_LENGTH_MAX) return ERR_EXPR_LIST_LENGTH;
  const pointer = memory.exports.scratch_alloc(elements.length * VALUE_BYTES);
  if (pointer === 0) return ERR_EXPR_MEMORY;
  for (const [index, element] of elements.entries()) {
    const status = writeValue(memory, pointer + index * VALUE_BYTES, element, depth + 1);
    if (status < 0) return status;
  }
  return writeHead(memory, at, tag, length, pointer);
}
