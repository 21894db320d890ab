/** UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

const HIGH_BITS: u64 = 0x8080808080808080;

/** Are these bytes valid UTF-8? Cost: one pass, eight bytes a step over ASCII. */
export function utf8Valid(at: usize, len: u32): bool {
  const end = at + len;
  while (at < end) {
    if (at + 8 <= end && !(load<u64>(at) & HIGH_BITS)) {
      at += 8;
      continue;
    }
    if (load<u8>(at) < 0x80) {
      at++;
      continue;
    }
    const size = utf8Sequence(at, end);
    if (!size) return false;
    at += size;
  }
  return true;
}

/** Bytes of the multi-byte sequence at `at` (2 to 4), or 0 when it is not a valid one. `at` < `end`. */
export function utf8Sequence(at: usize, end: usize): u32 {
  const lead: u32 = load<u8>(at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size: u32 = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + size > end) return 0;
  const second: u32 = load<u8>(at, 1);
  if ((second & 0xc0) != 0x80) return 0;
  if (size == 2) return 2;
  // The second byte alone tells overlong forms, surrogates and code points beyond the last plane.
  if (lead == 0xe0 && second < 0xa0) return 0;
  if (lead == 0xed && second > 0x9f) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second > 0x8f) return 0;
  if ((load<u8>(at, 2) & 0xc0) != 0x80) return 0;
  if (size == 3) return 3;
  return (load<u8>(at, 3) & 0xc0) == 0x80 ? 4 : 0;
}

/** Writes a code point (a scalar value up to U+10FFFF) and returns its 1 to 4 bytes. */
export function utf8Encode(codePoint: u32, out: usize): u32 {
  if (codePoint < 0x80) {
    store<u8>(out, codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(out, 0xc0 | (codePoint >> 6));
    store<u8>(out, 0x80 | (codePoint & 0x3f), 1);
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(out, 0xe0 | (codePoint >> 12));
    store<u8>(out, 0x80 | ((codePoint >> 6) & 0x3f), 1);
    store<u8>(out, 0x80 | (codePoint & 0x3f), 2);
    return 3;
  }
  store<u8>(out, 0xf0 | (codePoint >> 18));
  store<u8>(out, 0x80 | ((codePoint >> 12) & 0x3f), 1);
  store<u8>(out, 0x80 | ((codePoint >> 6) & 0x3f), 2);
  store<u8>(out, 0x80 | (codePoint & 0x3f), 3);
  return 4;
}
