/**
 * Values on the expression stack and in lists: 16 bytes, see abi/values.ts. A value is known
 * by its address; nothing here allocates.
 */
import {
  TAG_ATOM,
  TAG_BYTES,
  TAG_FALSE,
  TAG_FLOAT,
  TAG_INT,
  TAG_LIST,
  TAG_NULL,
  TAG_TRUE,
  TAG_UNDEFINED,
  VALUE_BYTES,
} from "../abi/values";

@inline
export function tagOf(value: usize): u32 {
  return load<u32>(value);
}

@inline
export function lenOf(value: usize): u32 {
  return load<u32>(value, 4);
}

/** Where the bytes, elements or pairs are. */
@inline
export function ptrOf(value: usize): usize {
  return <usize>load<u32>(value, 8);
}

@inline
export function intOf(value: usize): i64 {
  return load<i64>(value, 8);
}

@inline
export function floatOf(value: usize): f64 {
  return load<f64>(value, 8);
}

/** Address of the element or argument with this number, from 0. */
@inline
export function elementOf(values: usize, index: u32): usize {
  return values + <usize>index * VALUE_BYTES;
}

@inline
export function setRange(value: usize, tag: u32, ptr: usize, len: u32): void {
  store<u32>(value, tag);
  store<u32>(value, len, 4);
  store<u64>(value, <u64>ptr, 8);
}

@inline
export function setBytes(value: usize, ptr: usize, len: u32): void {
  setRange(value, TAG_BYTES, ptr, len);
}

@inline
export function setInt(value: usize, number: i64): void {
  store<u32>(value, TAG_INT);
  store<u32>(value, 0, 4);
  store<i64>(value, number, 8);
}

@inline
export function setFloat(value: usize, number: f64): void {
  store<u32>(value, TAG_FLOAT);
  store<u32>(value, 0, 4);
  store<f64>(value, number, 8);
}

@inline
export function setBool(value: usize, truth: bool): void {
  setRange(value, truth ? TAG_TRUE : TAG_FALSE, 0, 0);
}

@inline
export function copyValue(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}

/** `''`, `undefined`, `null` and the empty list; nothing else. Source: expressions §2.2. */
@inline
export function isEmpty(value: usize): bool {
  const tag = tagOf(value);
  if (tag == TAG_BYTES || tag == TAG_LIST) return lenOf(value) == 0;
  return tag == TAG_NULL || tag == TAG_UNDEFINED;
}

const names = memory.data<u8>([
  0x74, 0x72, 0x75, 0x65, // true
  0x66, 0x61, 0x6c, 0x73, 0x65, // false
  0x6e, 0x75, 0x6c, 0x6c, // null
  0x75, 0x6e, 0x64, 0x65, 0x66, 0x69, 0x6e, 0x65, 0x64, // undefined
]);

/** Set by `atomName`. */
export let namePtr: usize = 0;
export let nameLen: u32 = 0;

/** Leaves the name of an atom in namePtr and nameLen; false when the value is none. */
export function atomName(value: usize): bool {
  switch (tagOf(value)) {
    case TAG_ATOM:
      namePtr = ptrOf(value);
      nameLen = lenOf(value);
      return true;
    case TAG_TRUE:
      namePtr = names;
      nameLen = 4;
      return true;
    case TAG_FALSE:
      namePtr = names + 4;
      nameLen = 5;
      return true;
    case TAG_NULL:
      namePtr = names + 9;
      nameLen = 4;
      return true;
    case TAG_UNDEFINED:
      namePtr = names + 13;
      nameLen = 9;
      return true;
    default:
      return false;
  }
}
