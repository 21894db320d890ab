/** Variables: from the request record, along a path. Source: expressions §3.2. */
import { TAG_TUPLE } from "../abi/expressions";
import { INPUT_BYTES_MAX } from "../abi/limits";
import { REQUEST_WRITTEN, SLOT_COUNT } from "../abi/request";
import { ERR_EXPR_ARGUMENT, ERR_INPUT, OK } from "../abi/status";
import {
  TAG_BYTES,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_OPAQUE,
  TAG_UNBOUND,
  TAG_FLOAT,
  TAG_TRUE,
  VALUE_BYTES,
} from "../abi/values";
import { inputBase } from "../arena";
import { bytesEqual } from "../bytes";
import { copyValue, isEmpty, lenOf, ptrOf, setBytes, tagOf } from "./value";

/** What `loadVariable` answers for a name that is not bound. */
export const NOT_BOUND: i32 = 1;

/**
 * Writes the variable in `slot` along `path` (a TAG_PATH constant of `blob`; its first name is the
 * variable as written) to `out`. An empty value is the empty text. Returns 0, NOT_BOUND or an error.
 */
export function loadVariable(blob: usize, slot: u32, path: usize, out: usize): i32 {
  let value = inputBase + slot * VALUE_BYTES;
  if (slot >= <u32>SLOT_COUNT || !isWritten(slot) || !isInside(value)) return ERR_INPUT;
  const pieces = lenOf(path);
  const pairs = blob + ptrOf(path);
  for (let i: u32 = 1; i < pieces; i++) {
    const pair = pairs + (<usize>i << 3);
    const tag = tagOf(value);
    if (tag == TAG_OPAQUE || tag == TAG_TUPLE) return ERR_EXPR_ARGUMENT;
    if (tag != TAG_MAP) return NOT_BOUND;
    value = memberOf(value, blob + load<u32>(pair), load<u32>(pair, 4));
    if (!value) return NOT_BOUND;
  }
  if (tagOf(value) == TAG_UNBOUND) return NOT_BOUND;
  if (isEmpty(value)) setBytes(out, 0, 0);
  else copyValue(out, value);
  return OK;
}

/** Is this slot about the client at hand, and not left over from another one? */
@inline
function isWritten(slot: u32): bool {
  return ((load<u32>(inputBase, REQUEST_WRITTEN) >> slot) & 1) != 0;
}

/** The element under this key; of equal keys the last. 0 when there is none. */
function memberOf(map: usize, key: usize, keyLen: u32): usize {
  let pair = ptrOf(map) + <usize>lenOf(map) * (2 * VALUE_BYTES);
  for (let i = lenOf(map); i > 0; i--) {
    pair -= 2 * VALUE_BYTES;
    if (tagOf(pair) != TAG_BYTES || !bytesEqual(ptrOf(pair), lenOf(pair), key, keyLen)) continue;
    return pair + VALUE_BYTES;
  }
  return 0;
}

/** Does what a value of the record points at lie in the input buffer? */
function isInside(value: usize): bool {
  const tag = tagOf(value);
  if (tag == TAG_UNBOUND || tag == TAG_INT || tag == TAG_FLOAT) return true;
  if (tag != TAG_BYTES && tag >= <u32>TAG_TRUE && tag < <u32>TAG_LIST) return true;
  const size: u64 = tag == TAG_LIST ? VALUE_BYTES : tag == TAG_MAP ? 2 * VALUE_BYTES : 1;
  const at = <u64>ptrOf(value);
  return at >= inputBase && at + lenOf(value) * size <= <u64>inputBase + INPUT_BYTES_MAX;
}
