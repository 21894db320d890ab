/**
 * Topic templates of the selected rule set, with the values of the client in use.
 *
 * Source: authorization §3.4, §3.5, §9 items 5 and 6; expressions §5.7.
 */
import { SWITCH_SAFE_PLACEHOLDERS } from "../abi/image";
import { PIECE_BYTES } from "../abi/rules";
import { scratch } from "../arena";
import { bytesEqual } from "../bytes";
import { switches } from "../image";
import { utf8Valid } from "../encoding/utf8";
import { VALUE_LEVEL, VALUE_RAW, VALUE_SLOW } from "./variables";
import { piecesPtr, textPtr } from "./set";
import { spend, variableAt } from "./who";

const DOLLAR: u32 = 0x24;

/** The rendered filter of the last `render`. */
export let rendered: usize = 0;
export let renderedLen: u32 = 0;

/**
 * Do these pieces, which stand for one level, spell the level? Values that may not be inserted, or
 * that could reshape the filter, spell nothing.
 */
export function levelMatches(
  first: u32,
  count: u32,
  level: usize,
  len: u32,
  isFirstLevel: bool,
): bool {
  if (!spend(count)) return false;
  let piece = piecesPtr + <usize>first * PIECE_BYTES;
  if (isFirstLevel && len && load<u8>(level) == DOLLAR && isUnsafeStart(piece, count)) return false;
  for (; count > 0; count--, piece += PIECE_BYTES) {
    let text: usize;
    let textLen: u32;
    const variable = load<u32>(piece);
    if (variable) {
      const value = variableAt(variable - 1);
      if (!(load<u32>(value, 8) & VALUE_LEVEL)) return false;
      text = load<u32>(value);
      textLen = load<u32>(value, 4);
    } else {
      text = textPtr + load<u32>(piece, 4);
      textLen = load<u32>(piece, 8);
    }
    if (textLen > len || !bytesEqual(text, textLen, level, textLen)) return false;
    level += textLen;
    len -= textLen;
  }
  return !len;
}

/** Does a value, not the template's own text, put a `$` at the start? Safe placeholders only. */
function isUnsafeStart(piece: usize, count: u32): bool {
  if (!(switches & SWITCH_SAFE_PLACEHOLDERS)) return false;
  for (; count > 0; count--, piece += PIECE_BYTES) {
    const variable = load<u32>(piece);
    if (!variable) return false;
    const value = variableAt(variable - 1);
    if (load<u32>(value, 4)) return load<u8>(load<u32>(value)) == DOLLAR;
  }
  return false;
}

/** Does one of these pieces insert a value that needs the slow path? Raw ones do for a deny rule. */
export function isSlowTemplate(first: u32, count: u32, isDeny: bool): bool {
  const slow = isDeny ? VALUE_SLOW | VALUE_RAW : VALUE_SLOW;
  let piece = piecesPtr + <usize>first * PIECE_BYTES;
  for (; count > 0; count--, piece += PIECE_BYTES) {
    const variable = load<u32>(piece);
    if (variable && load<u32>(variableAt(variable - 1), 8) & slow) return true;
  }
  return false;
}

/**
 * Writes a whole template to scratch (`rendered`, `renderedLen`), for a deny rule with the values as
 * they are. False when it matches nothing for this client, or when scratch cannot hold it (then the
 * steps are used up too: no answer).
 */
export function render(first: u32, count: u32, isDeny: bool): bool {
  const insertable = VALUE_LEVEL | VALUE_SLOW | (isDeny ? VALUE_RAW : 0);
  let len: u64 = 0;
  const pieces = piecesPtr + <usize>first * PIECE_BYTES;
  for (let i: u32 = 0; i < count; i++) {
    const piece = pieces + <usize>i * PIECE_BYTES;
    const variable = load<u32>(piece);
    if (!variable) {
      len += load<u32>(piece, 8);
      continue;
    }
    const value = variableAt(variable - 1);
    if (!(load<u32>(value, 8) & insertable)) return false;
    len += load<u32>(value, 4);
  }
  if (len > 0x7fffffff || !spend(<u32>len + count)) return spendAll();
  rendered = scratch(<u32>len);
  if (!rendered) return spendAll();
  renderedLen = <u32>len;
  let at = rendered;
  for (let i: u32 = 0; i < count; i++) {
    const piece = pieces + <usize>i * PIECE_BYTES;
    const variable = load<u32>(piece);
    const value = variable ? variableAt(variable - 1) : 0;
    const textLen = variable ? load<u32>(value, 4) : load<u32>(piece, 8);
    const text = variable ? <usize>load<u32>(value) : textPtr + load<u32>(piece, 4);
    memory.copy(at, text, textLen);
    at += textLen;
  }
  const isHidden = len && load<u8>(rendered) == DOLLAR;
  if (isHidden && !isDeny && isUnsafeStart(pieces, count)) return false;
  return utf8Valid(rendered, renderedLen);
}

function spendAll(): bool {
  spend(0x7fffffff);
  return false;
}
