/** Leaf helpers over (pointer, length). No allocation. */

/** Are the two byte strings equal? The last word overlaps the one before instead of byte steps. */
export function bytesEqual(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen != bLen) return false;
  if (aLen >= 8) {
    const last = aLen - 8;
    for (let at: u32 = 0; at < last; at += 8) {
      if (load<u64>(a + at) != load<u64>(b + at)) return false;
    }
    return load<u64>(a + last) == load<u64>(b + last);
  }
  if (aLen >= 4) {
    const last = aLen - 4;
    return load<u32>(a) == load<u32>(b) && load<u32>(a + last) == load<u32>(b + last);
  }
  for (let at: u32 = 0; at < aLen; at++) {
    if (load<u8>(a + at) != load<u8>(b + at)) return false;
  }
  return true;
}

/** Address of the first such byte in [at, end), or `end`. Sixteen bytes a step. */
export function findByte(at: usize, end: usize, byte: u32): usize {
  const wanted = i8x16.splat(<i8>byte);
  for (; at < end; at += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (hits) return min(at + <usize>ctz(hits), end);
  }
  return end;
}

/** FNV-1a, 32 bits. Only ever a way to find: whoever uses it confirms by bytes. */
export function hashBytes(at: usize, len: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < len; i++) {
    hash = (hash ^ load<u8>(at + i)) * 0x01000193;
  }
  return hash;
}
