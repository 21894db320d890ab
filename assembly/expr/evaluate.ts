/** Evaluating an expression of the open image by its id. */
import { OP_LOAD, OP_LOAD_OR_EMPTY } from "../abi/expressions";
import { ENTRY_EXPRESSION } from "../abi/image";
import { ERR_EXPR_MISSING, OK } from "../abi/status";
import { mark, restore } from "../arena";
import { blobOf, findEntry } from "../image";
import { finalText } from "./convert";
import { codeAt, codeCount, operandA, opOf } from "./program";
import { lenOf, ptrOf, setBytes } from "./value";
import { failedLen, failedPtr, run } from "./vm";

/** Entries found before, by the low bits of their id; 0: none. Forgotten with the image. */
const CACHE_MASK: u32 = 63;
const found = memory.data(64 * 8, 8);

export function forgetExpressions(): void {
  memory.fill(found, 0, 64 * 8);
}

/**
 * Evaluates expression `id` over the request record in the input buffer. The value (or its text, see
 * expressions §2.3) is written to `out` and valid until the next call; on an error `out` holds the
 * name of the function or variable it arose in. Scratch is as before afterwards.
 */
export function evaluate(id: u32, asText: bool, out: usize): i32 {
  const blob = blobById(id);
  setBytes(out, 0, 0);
  if (!blob) return ERR_EXPR_MISSING;
  const before = mark();
  let status = run(blob, out);
  if (status == OK && asText) status = finalText(out);
  if (status < 0) setBytes(out, failedPtr, failedLen);
  restore(before);
  return status;
}

const TRUE: u32 = 0x65757274; // "true", little-endian

/** Is the final text of expression `id` exactly `true`? 1, 0 or an error, for which `evaluate` says what `out` holds. */
export function isTrue(id: u32, out: usize): i32 {
  const status = evaluate(id, true, out);
  if (status < 0) return status;
  return lenOf(out) == 4 && load<u32>(ptrOf(out)) == TRUE ? 1 : 0;
}

/** The request's slots that expression `id` reads, as bits; ERR_EXPR_MISSING without one. */
export function slotsRead(id: u32): i32 {
  const blob = blobById(id);
  if (!blob) return ERR_EXPR_MISSING;
  let slots: i32 = 0;
  for (let i: u32 = 0, n = codeCount(blob); i < n; i++) {
    const code = codeAt(blob, i);
    if (opOf(code) == OP_LOAD || opOf(code) == OP_LOAD_OR_EMPTY) slots |= 1 << operandA(code);
  }
  return slots;
}

function blobById(id: u32): usize {
  const slot = found + (<usize>(id & CACHE_MASK) << 3);
  const known = <usize>load<u32>(slot, 4);
  if (known && load<u32>(slot) == id) return known;
  const entry = findEntry(ENTRY_EXPRESSION, id);
  if (!entry) return 0;
  store<u32>(slot, id);
  store<u32>(slot, <u32>blobOf(entry), 4);
  return blobOf(entry);
}
