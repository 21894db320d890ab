import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clustersOf } from "../../../src/core/host/text.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const plainly = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment);

/** Characters that join with what stands before or behind them. */
const JOINING = [
  "e",
  "\u0301",
  "\u200d",
  "\r",
  "\n",
  "🇩",
  "🇪",
  "👍",
  "🏽",
  "👩‍👩‍👧",
  "각",
  "ᄀ",
  "ᅡ",
  "ᆨ",
  "क",
  "्",
  "ष",
  "日",
];

describe("grapheme clusters", () => {
  it("are those of the platform, wherever a long text is cut", () => {
    const character = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...JOINING) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
    );
    const text = fc
      .tuple(fc.array(character, { maxLength: 40 }), fc.nat(300), fc.nat(20))
      .map(([characters, filler, times]) => "é".repeat(filler) + characters.join("").repeat(times));
    fc.assert(
      fc.property(text, (one) => {
        expect(clustersOf(one)).toEqual(plainly(one));
      }),
      { numRuns: 400 },
    );
  });

  it.each(JOINING)("of many %j are found", (one) => {
    for (const count of [255, 256, 257, 1000]) {
      expect(clustersOf(one.repeat(count))).toEqual(plainly(one.repeat(count)));
      expect(clustersOf(`x${one.repeat(count)}x`)).toEqual(plainly(`x${one.repeat(count)}x`));
    }
  });
});
