/** Bytes for a broker that is to survive them. */
import fc from "fast-check";

/**
 * One of the packets with up to four bytes changed and up to twenty more behind it, alone or after
 * the bytes of `prefix`, which are left as they are.
 */
export function damagedPackets(
  packets: readonly Uint8Array[],
  prefix: Uint8Array,
): fc.Arbitrary<Buffer> {
  return fc
    .tuple(
      fc.boolean(),
      fc.constantFrom(...packets),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 20 }),
    )
    .map(([hasPrefix, packet, changes, tail]) => {
      const bytes = Buffer.from(packet);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return Buffer.concat([hasPrefix ? prefix : Buffer.alloc(0), bytes, tail]);
    });
}
