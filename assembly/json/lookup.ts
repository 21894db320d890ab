/** `json_value` on bytes already in memory. Source: expressions §4.7. */
import { OK } from "../abi/status";
import { TAG_UNDEFINED } from "../abi/values";
import { buildValue } from "./build";
import { findValue, foundAt } from "./find";

/**
 * Writes the value that `path` leads to in a JSON text to `out` (16 bytes).
 *
 * TAG_UNDEFINED when the text is not strictly JSON as a whole, its top level is no object, or the
 * path leads nowhere. The path is split at dots, empty pieces being keys; an empty path is one
 * empty key (callers refuse it). The value may point into the text and into scratch. Returns 0, or
 * ERR_EXPR_MEMORY, ERR_EXPR_LIST_LENGTH, ERR_EXPR_NESTING. Cost: linear in the text.
 */
export function jsonLookup(text: usize, len: u32, path: usize, pathLen: u32, out: usize): i32 {
  const status = findValue(text, len, path, pathLen);
  if (status < 0) return status;
  if (foundAt) return buildValue(foundAt, text + len, out);
  store<u32>(out, TAG_UNDEFINED);
  store<u32>(out, 0, 4);
  store<u64>(out, 0, 8);
  return OK;
}
