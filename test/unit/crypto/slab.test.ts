import { expect, it } from "vitest";
import { Slab } from "../../../src/crypto/slab.ts";

it("hands out zeroed arrays of any length that share no byte", () => {
  const slab = new Slab();
  const lengths = Array.from({ length: 600 }, (_, index) => (index * 37) % 1100);
  const pieces = lengths.map((length) => slab.take(length));
  pieces.forEach((piece, index) => {
    expect(piece.length).toBe(lengths[index]);
    expect(piece.every((byte) => byte === 0)).toBe(true);
    piece.fill((index % 255) + 1);
  });
  pieces.forEach((piece, index) => {
    expect(piece.every((byte) => byte === (index % 255) + 1)).toBe(true);
  });
});
