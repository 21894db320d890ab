import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeBase64url,
  encodeBase64url,
  isCanonicalBase64url,
} from "../../../src/crypto/base64url.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const decode = (text: string) => decodeBase64url(bytesOf(text));

describe("base64url", () => {
  it("decodes what it encodes, padded or not, for all bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(encodeBase64url(bytes)).toString();
        expect(text).toBe(Buffer.from(bytes).toString("base64url"));
        expect(decode(text)).toEqual(bytes);
        expect(decode(text + "=".repeat((4 - (text.length % 4)) % 4))).toEqual(bytes);
        expect(isCanonicalBase64url(bytesOf(text), 0, text.length)).toBe(true);
      }),
    );
  });

  it("refuses the other alphabet, blanks, and characters beyond ASCII", () => {
    for (const text of ["AA+A", "AA/A", "AA A", " AAA", "AAA\n", "AA.A", "AAé", "AA\u0000A"]) {
      expect(decode(text)).toBeUndefined();
    }
    expect(decode("AA-_")).toEqual(Uint8Array.of(0, 15, 191));
  });

  it("refuses a left-over character and padding in the wrong place", () => {
    for (const text of ["A", "AAAAA", "A===", "AA=", "AAA==", "AAAA====", "=", "==", "AA=A"]) {
      expect(decode(text)).toBeUndefined();
    }
  });

  it("takes stray bits in the last character and says that they are there", () => {
    expect(decode("AB")).toEqual(decode("AA"));
    expect(isCanonicalBase64url(bytesOf("AA"), 0, 2)).toBe(true);
    expect(isCanonicalBase64url(bytesOf("AB"), 0, 2)).toBe(false);
    expect(isCanonicalBase64url(bytesOf("AAB"), 0, 3)).toBe(false);
    expect(isCanonicalBase64url(bytesOf("AA=="), 0, 4)).toBe(false);
    expect(isCanonicalBase64url(bytesOf(""), 0, 0)).toBe(true);
  });

  it("decodes a part in the middle of a text", () => {
    expect(decodeBase64url(bytesOf("!!QUJD!!"), 2, 6)).toEqual(bytesOf("ABC"));
  });
});
