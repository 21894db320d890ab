/** Hexadecimal digits. Source: expressions §4.6. */

/** What `hexDecode` answers for a byte that is no hexadecimal digit. */
export const HEX_INVALID: i32 = -1;

/** 0 to 15, or -1 when the byte is no hexadecimal digit of either case. */
@inline
export function hexDigit(byte: u32): i32 {
  if (byte - 0x30 < 10) return byte - 0x30;
  const letter = (byte | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : -1;
}

/** Writes two digits a byte to `out` (room for 2 × `len`) and returns how many. */
export function hexEncode(at: usize, len: u32, out: usize, upperCase: bool): u32 {
  const letters: u32 = upperCase ? 0x37 : 0x57; // "A" - 10, "a" - 10
  for (let i: u32 = 0; i < len; i++) {
    const byte: u32 = load<u8>(at + i);
    const high = byte >> 4;
    const low = byte & 15;
    store<u8>(out + (i << 1), high + (high < 10 ? 0x30 : letters));
    store<u8>(out + (i << 1), low + (low < 10 ? 0x30 : letters), 1);
  }
  return len << 1;
}

/**
 * Bytes written to `out` (room for `len` / 2 rounded up), or HEX_INVALID. An odd number of digits
 * is read with a zero in front.
 */
export function hexDecode(at: usize, len: u32, out: usize): i32 {
  const end = at + len;
  let to = out;
  if (len & 1) {
    const digit = hexDigit(load<u8>(at));
    if (digit < 0) return HEX_INVALID;
    store<u8>(to++, digit);
    at++;
  }
  for (; at < end; at += 2) {
    const high = hexDigit(load<u8>(at));
    const low = hexDigit(load<u8>(at, 1));
    if ((high | low) < 0) return HEX_INVALID;
    store<u8>(to++, (high << 4) | low);
  }
  return <i32>(to - out);
}
