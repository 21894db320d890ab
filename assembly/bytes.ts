/** Leaf helpers over (pointer, length). No allocation. */

/** Are the two byte strings equal? */
export function bytesEqual(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen != bLen) return false;
  let at: u32 = 0;
  for (; at + 8 <= aLen; at += 8) {
    if (load<u64>(a + at) != load<u64>(b + at)) return false;
  }
  for (; at < aLen; at++) {
    if (load<u8>(a + at) != load<u8>(b + at)) return false;
  }
  return true;
}

/** FNV-1a, 32 bits. Only ever a way to find: whoever uses it confirms by bytes. */
export function hashBytes(at: usize, len: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < len; i++) {
    hash = (hash ^ load<u8>(at + i)) * 0x01000193;
  }
  return hash;
}
