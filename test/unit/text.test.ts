import { describe, expect, it } from "vitest";
import {
  decodeDocument,
  decodeUtf8,
  encodeUtf8,
  isUtf8,
  joinBytes,
  latin1,
  showText,
  toBytes,
  toHex,
  toText,
} from "../../src/text.ts";

const BOM = "\ufeff";

describe("texts that are UTF-8", () => {
  it.each<[name: string, text: string, bytes: readonly number[]]>([
    ["nothing", "", []],
    ["ASCII with a NUL", "a\0b", [0x61, 0, 0x62]],
    ["two bytes, the first and the last", "\u0080\u07ff", [0xc2, 0x80, 0xdf, 0xbf]],
    ["three bytes, the first and the last", "\u0800\uffff", [0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf]],
    ["the neighbours of surrogates", "\ud7ff\ue000", [0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80]],
    [
      "four bytes, the first and the last",
      "\u{10000}\u{10ffff}",
      [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf],
    ],
    ["a replacement character that somebody wrote", "\ufffd", [0xef, 0xbf, 0xbd]],
    ["a byte-order mark alone", BOM, [0xef, 0xbb, 0xbf]],
    ["a byte-order mark in front", `${BOM}a`, [0xef, 0xbb, 0xbf, 0x61]],
    [
      "byte-order marks in front and within",
      `${BOM}${BOM}a${BOM}`,
      [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf, 0x61, 0xef, 0xbb, 0xbf],
    ],
  ])("go there and back: %s", (_, text, spelled) => {
    const bytes = Uint8Array.from(spelled);
    expect(encodeUtf8(text)).toEqual(bytes);
    expect(toBytes(text)).toEqual(bytes);
    expect(decodeUtf8(bytes)).toBe(text);
    for (const form of [text, bytes]) {
      expect(toText(form)).toBe(text);
      expect(showText(form)).toBe(text);
      expect(isUtf8(form)).toBe(true);
    }
  });
});

describe("bytes that are not UTF-8", () => {
  it.each<[name: string, bytes: readonly number[], shown: string]>([
    ["a byte that no character has", [0xff], "\ufffd"],
    ["a continuation without a beginning", [0x61, 0x80], "a\ufffd"],
    ["a character of two bytes cut short", [0xc3], "\ufffd"],
    ["a character of three bytes cut short", [0xe2, 0x82], "\ufffd"],
    ["a character of four bytes cut short", [0xf0, 0x9f, 0x98], "\ufffd"],
    ["half a byte-order mark", [0xef, 0xbb], "\ufffd"],
    ["a beginning that no continuation follows", [0xc3, 0x28], "\ufffd("],
    ["a slash in two bytes", [0xc0, 0xaf], "\ufffd\ufffd"],
    ["a NUL in two bytes", [0xc0, 0x80], "\ufffd\ufffd"],
    ["two bytes' worth in three", [0xe0, 0x9f, 0xbf], "\ufffd\ufffd\ufffd"],
    ["three bytes' worth in four", [0xf0, 0x8f, 0xbf, 0xbf], "\ufffd\ufffd\ufffd\ufffd"],
    ["half a surrogate pair", [0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    [
      "a surrogate pair",
      [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
      "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd",
    ],
    ["above the last character", [0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    ["a bad byte behind a byte-order mark", [0xef, 0xbb, 0xbf, 0xff], `${BOM}\ufffd`],
  ])("are no text, and are shown with marks: %s", (_, spelled, shown) => {
    const bytes = Uint8Array.from(spelled);
    expect(decodeUtf8(bytes)).toBeUndefined();
    expect(toText(bytes)).toBeUndefined();
    expect(isUtf8(bytes)).toBe(false);
    expect(showText(bytes)).toBe(shown);
    expect(toBytes(bytes)).toBe(bytes);
  });

  it("leave nothing behind for the next text", () => {
    expect(decodeUtf8(Uint8Array.of(0xf0, 0x9f))).toBeUndefined();
    expect(decodeUtf8(Uint8Array.of(0x61))).toBe("a");
    expect(showText(Uint8Array.of(0xf0, 0x9f))).toBe("\ufffd");
    expect(showText(Uint8Array.of(0x98, 0x80))).toBe("\ufffd\ufffd");
  });
});

describe("a document from elsewhere", () => {
  it("is read without a byte-order mark in front, and with any other", () => {
    expect(decodeDocument(encodeUtf8(`${BOM}{}`))).toBe("{}");
    expect(decodeDocument(encodeUtf8(`${BOM}${BOM}a${BOM}`))).toBe(`${BOM}a${BOM}`);
    expect(decodeDocument(encodeUtf8(BOM))).toBe("");
    expect(decodeDocument(encodeUtf8("a"))).toBe("a");
    expect(decodeDocument(Uint8Array.of(0xef, 0xbb, 0xbf, 0xff))).toBeUndefined();
  });
});

describe("strings with half a surrogate pair", () => {
  it.each(["\ud800", "\udfff", "a\udbff", "\udc00\ud800", "\u{1f600}\ud83d"])(
    "are no text, and share their bytes with others: %j",
    (text) => {
      expect(toText(text)).toBeUndefined();
      expect(isUtf8(text)).toBe(false);
      expect(showText(text)).toBe(text);
      expect(decodeUtf8(toBytes(text))).toContain("\ufffd");
    },
  );

  it("are not those with a whole one", () => {
    expect(toText("\u{1f600}")).toBe("\u{1f600}");
  });
});

describe("bytes", () => {
  it("are decoded where they stand in a larger buffer", () => {
    const bytes = Uint8Array.of(0xff, 0xc3, 0xa9, 0xff);
    expect(decodeUtf8(bytes.subarray(1, 3))).toBe("é");
  });

  it.each([0, 1, 256, 4095, 4096, 4097, 100_000])("make one character each: %i", (length) => {
    const bytes = Uint8Array.from({ length }, (_, at) => (at % 251) + (at % 5));
    const text = latin1(bytes);
    expect(text).toHaveLength(length);
    expect(Uint8Array.from(text, (character) => character.charCodeAt(0))).toEqual(bytes);
  });

  it("make two hexadecimal digits each", () => {
    expect(toHex(Uint8Array.of(0, 1, 0x0f, 0x10, 0xff))).toBe("00010f10ff");
    expect(toHex(new Uint8Array())).toBe("");
  });

  it("are joined in their order", () => {
    const parts = [[1, 2], [], [3]].map((part) => Uint8Array.from(part));
    expect(joinBytes(parts)).toEqual(Uint8Array.of(1, 2, 3));
    expect(joinBytes([])).toHaveLength(0);
  });
});
