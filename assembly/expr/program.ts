/** Layout of an expression's blob, see abi/expressions.ts. */
import { EXPR_CODE_BYTES, EXPR_HEADER_BYTES } from "../abi/expressions";
import { VALUE_BYTES } from "../abi/values";

@inline
export function flagsOf(blob: usize): u32 {
  return load<u32>(blob, 4);
}

@inline
export function codeCount(blob: usize): u32 {
  return load<u32>(blob, 8);
}

@inline
export function constCount(blob: usize): u32 {
  return load<u32>(blob, 12);
}

@inline
export function stackNeed(blob: usize): u32 {
  return load<u32>(blob, 16);
}

@inline
export function blobLength(blob: usize): u32 {
  return load<u32>(blob, 28);
}

@inline
export function codeAt(blob: usize, index: u32): usize {
  return blob + EXPR_HEADER_BYTES + <usize>index * EXPR_CODE_BYTES;
}

@inline
export function constAt(blob: usize, index: u32): usize {
  return codeAt(blob, codeCount(blob)) + <usize>index * VALUE_BYTES;
}

@inline
export function opOf(code: usize): u32 {
  return load<u8>(code);
}

@inline
export function operandA(code: usize): u32 {
  return load<u8>(code, 1);
}

@inline
export function operandB(code: usize): u32 {
  return load<u16>(code, 2);
}

@inline
export function operandC(code: usize): u32 {
  return load<u32>(code, 4);
}
