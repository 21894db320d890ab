import { describe, expect, it, test } from "vitest";
import {
  ERR_INPUT,
  ERR_MEMORY,
  ERR_REGEX_BLOB,
  ERR_REGEX_OUTPUT,
  ERR_REGEX_REPLACEMENT,
  EXPR_OUTPUT_BYTES_MAX,
  INPUT_BYTES_MAX,
  REGEX_ANCHORED,
  REGEX_AT_BEFORE,
  REGEX_HEADER_BYTES,
  REGEX_INSTRUCTION_BYTES,
  REGEX_NOT_EMPTY_AT_START,
  REGEX_OP_ASSERT,
  REGEX_OP_SPLIT,
  REGEX_PARALLEL,
  REGEX_SET_BYTES,
} from "../../../assembly/abi.ts";
import { debugCore, instructions, latin1, programOf, releaseCore } from "../../support/regex.ts";

const core = releaseCore();
const replaced = (pattern: string, text: string, replacement: string): string =>
  new TextDecoder("latin1").decode(
    core.replace(programOf(latin1(pattern)), latin1(text), latin1(replacement)),
  );
const spanOf = (pattern: string, text: string, start = 0, flags = 0) =>
  core.exec(programOf(pattern), latin1(text), start, flags)?.[0];

describe("replacement text", () => {
  test.each([
    ["[&]", "a[b]c"],
    ["\\&", "a&c"],
    ["\\0", "a0c"],
    ["\\1\\1", "abbc"],
    ["\\2", "ac"],
    ["\\12", "ac"],
    ["\\g1x", "abxc"],
    ["\\g{1}2", "ab2c"],
    ["\\g0\\g{0}", "abbc"],
    ["\\g{99999999999}", "ac"],
    ["\\g", "agc"],
    ["\\", "a\\c"],
    ["\\\\", "a\\c"],
    ["\\n", "anc"],
    ["$1", "a$1c"],
    ["", "ac"],
    ["\xe9", "a\xe9c"],
  ])("`%s` makes `%s` of abc", (replacement, expected) => {
    expect(replaced("(b)", "abc", replacement)).toBe(expected);
  });

  test.each(["\\gx", "\\g{", "\\g{}", "\\g{1", "\\g{x}", "\\g-1", "a\\g&", "\\\\\\g "])(
    "`%s` is malformed, once there is a match",
    (replacement) => {
      const program = programOf("b");
      const status = (text: string) => core.replaceRaw(program, latin1(text), latin1(replacement));
      expect(status("abc")).toBe(ERR_REGEX_REPLACEMENT);
      expect(status("ac")).toBeGreaterThan(0);
    },
  );
});

describe("replacing every match", () => {
  test.each([
    ["b*", "abc", "-", "-a--c-"],
    ["", "abc", "-", "-a-b-c-"],
    ["a*", "aaa", "X", "XX"],
    ["$", "a\n", "!", "a!\n!"],
    ["(?m)^", "a\nb", ">", ">a\n>b"],
    ["a|", "ab", "x", "xxbx"],
    ["a??", "aa", "x", "xxxxx"],
    ["(?=a)|a", "ab", "x", "xxb"],
    ["(?=b)|b", "ab", "x", "axb"],
    ["(?=b)|b", "bbab", "x", "xxxxaxb"],
    ["(?m)$|\\n", "a\nb\n", "x", "ax\nbx\nx"],
    ["(ab)+?", "abab", "<&>", "<ab><ab>"],
    ["\\b", "ab c", "|", "|ab| |c|"],
    ["^a", "aaa", "-", "-aa"],
    ["x", "abc", "-", "abc"],
    ["b", "", "-", ""],
    ["\\.", "a.b.c", "\\&", "a&b&c"],
  ])("/%s/ in %j with `%s` gives %j", (pattern, text, replacement, expected) => {
    expect(replaced(pattern, text, replacement)).toBe(expected);
  });

  it("stops at EXPR_OUTPUT_BYTES_MAX bytes, and not one before", () => {
    const program = programOf("a");
    const thousand = latin1("b".repeat(1024));
    const text = (count: number, more: number) => latin1("a".repeat(count) + "c".repeat(more));
    const most = EXPR_OUTPUT_BYTES_MAX / 1024;
    expect(core.replace(program, text(most, 0), thousand)).toHaveLength(EXPR_OUTPUT_BYTES_MAX);
    expect(core.replaceRaw(program, text(most, 1), thousand)).toBe(ERR_REGEX_OUTPUT);
    expect(core.replaceRaw(program, text(most + 1, 0), thousand)).toBe(ERR_REGEX_OUTPUT);
    expect(replaced("a", "bab", "-")).toBe("b-b");
  });
});

describe("searching from a position", () => {
  it("sees what stands before it, and finds nothing earlier", () => {
    expect(spanOf("a", "aba", 1)).toEqual([2, 3]);
    expect(spanOf("^a", "aba", 1)).toBeUndefined();
    expect(spanOf("\\ba", "aa", 1)).toBeUndefined();
    expect(spanOf("", "ab", 2)).toEqual([2, 2]);
    expect(spanOf("", "ab", 3)).toBeUndefined();
  });

  test.each([0, REGEX_PARALLEL])("matches only there when anchored (engine %i)", (engine) => {
    expect(spanOf("a", "ba", 0, engine | REGEX_ANCHORED)).toBeUndefined();
    expect(spanOf("a+", "baa", 1, engine | REGEX_ANCHORED)).toEqual([1, 3]);
    expect(spanOf("ba", "aba", 0, engine | REGEX_ANCHORED)).toBeUndefined();
    expect(spanOf("ba", "aba", 1, engine | REGEX_ANCHORED)).toEqual([1, 3]);
  });

  test.each([0, REGEX_PARALLEL])("can refuse an empty match there (engine %i)", (engine) => {
    const flags = engine | REGEX_NOT_EMPTY_AT_START;
    expect(spanOf("a*", "aab", 0, flags)).toEqual([0, 2]);
    expect(spanOf("a*?", "aab", 0, flags)).toEqual([0, 1]);
    expect(spanOf("a*", "baa", 0, flags)).toEqual([1, 3]);
    expect(spanOf("a*", "baa", 0, flags | REGEX_ANCHORED)).toBeUndefined();
    expect(spanOf("|b", "ba", 0, flags)).toEqual([0, 1]);
  });
});

/**
 * Patterns that make backtracking engines explode, with texts that almost match. (They end in a class
 * because a text without a literal that every match contains is not searched at all.)
 */
const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["(a+)+$", "a", "b"],
  ["(a|aa)+$", "a", "b"],
  ["(a|a)*$", "a", "b"],
  ["(.*)*[xy]", "a", ""],
  ["(a*)*[bc]", "a", ""],
  ["((a*)*)*[bc]", "a", ""],
  ["^(([a-z])+.)+[A-Z]([a-z])+$", "a", ""],
  ["(x+x+)+[yz]", "x", ""],
  ["([a-z]+)*[=+]", "a", ""],
  ["(\\w+\\s?)*$", "a", "!"],
  [".*.*.*=[xy]", "=", ""],
  ["a.*[bc]", "a", ""],
  ["(?:a|b|ab)*[cd]", "ab", ""],
  ["(a|b)*?[cd]", "ab", ""],
  ["[^,]+,[^,]+[;.]", "a,", ""],
  ["(a?){20}a{20}[bc]", "a", ""],
  ["(a{1,9}){1,9}[bc]", "a", ""],
];

describe("time", () => {
  test.each(HOSTILE)("/%s/ takes steps in proportion to the text", (pattern, unit, tail) => {
    const program = programOf(pattern);
    const stepsOf = (bytes: number, flags: number): number => {
      const text = latin1((unit.repeat(bytes).slice(0, bytes - tail.length) || "") + tail);
      const before = debugCore().steps();
      debugCore().exec(program, text, 0, flags);
      return debugCore().steps() - before;
    };
    for (const flags of [0, REGEX_PARALLEL]) {
      const [small, large] = [stepsOf(512, flags), stepsOf(8192, flags)];
      expect(large).toBeLessThanOrEqual(small * 16 * 1.1 + 100);
      // At each position: a step a state, one for each of two ways on, one for a byte in a loop.
      expect(large).toBeLessThanOrEqual(3 * instructions(program) * 8193);
    }
  });

  it("is not spent on a text without the bytes that every match contains", () => {
    const stepsOf = (text: string): number => {
      const before = debugCore().steps();
      debugCore().exec(programOf("(\\w+\\s?)*(key)(=|:)\\d"), latin1(text));
      return debugCore().steps() - before;
    };
    expect(stepsOf("a word ".repeat(100))).toBe(0);
    expect(stepsOf(`${"a word ".repeat(100)}key`)).toBeGreaterThan(700);
  });

  it("is linear for a whole replacement, even where each search looks to the end", () => {
    const program = programOf("a.*?[bc]|a");
    const stepsOf = (bytes: number): number => {
      const before = debugCore().steps();
      debugCore().replace(program, latin1("a".repeat(bytes)), latin1("-"));
      return debugCore().steps() - before;
    };
    expect(stepsOf(8192)).toBeLessThanOrEqual(stepsOf(512) * 16 * 1.1);
  });
});

describe("memory", () => {
  it("goes on without backtracking where the stack would overflow", () => {
    // Every iteration leaves a choice and two captures to undo: 24 bytes a byte of text.
    const text = latin1("ab".repeat(250_000));
    const spans = core.exec(programOf("(?:(a)|(b)|(ab))*?$|x"), text);
    expect(spans?.[0]).toEqual([0, 500_000]);
    expect(core.exec(programOf("(?:(a|ab)(b?))*[cd]"), text)).toBeUndefined();
  });

  it("goes on without backtracking where the visited bits would not fit", () => {
    const program = programOf("^(?:(?:a|aa)?){400}b");
    const text = latin1(`${"a".repeat(700)}b${"a".repeat(60_000)}`);
    expect(core.exec(program, text)?.[0]).toEqual([0, 701]);
    expect(core.test(program, latin1("a".repeat(60_000)))).toBe(false);
  });

  it("refuses a replacement that would look at the text again and again for want of room", () => {
    // 300 visited bits a position are too many for this text, so failures are not remembered.
    const wide = "(?:(?:x|xx)?){300}y";
    const text = latin1("a".repeat(60_000));
    const statusOf = (pattern: string) => core.replaceRaw(programOf(pattern), text, latin1("-"));
    expect(statusOf(`a.*?[bc]|a|${wide}`)).toBe(ERR_MEMORY);
    expect(statusOf("a.*?[bc]|a")).toBeGreaterThan(0);
    const replacedText = core.replace(programOf(`a|${wide}`), text, latin1("-"));
    expect(replacedText).toEqual(latin1("-".repeat(60_000)));
  });

  test.each(["b*", "a|", "(a)(b)?", "\\b", "[ab]+?c", "^a|c$", "(?:a|ab)(?:c|bcd)?"])(
    "replaces /%s/ alike with and without visited bits",
    (pattern) => {
      const text = latin1("abc aab\n".repeat(7500));
      const wide = `(?:${pattern})|(?:(?:x|xx)?){300}y`;
      const [plain, parallel] = [pattern, wide].map((each) =>
        core.replace(programOf(each), text, latin1("<&\\1>")),
      );
      expect(parallel).toEqual(plain);
    },
  );

  it("gives scratch back: a hundred thousand calls need no more of it", () => {
    const program = programOf("(a|b)+(c)?");
    for (let i = 0; i < 100_000; i++) core.testRaw(program, latin1("xxabab"));
    expect(core.test(program, latin1("xxabab"))).toBe(true);
    expect(replaced("(a|b)+(c)?", "xxabab", "<\\1>")).toBe("xx<b>");
  });

  it("takes a text that fills the input buffer", () => {
    const program = programOf("(a|b)+c");
    expect(core.testRaw(program, new Uint8Array(INPUT_BYTES_MAX - program.length))).toBe(0);
  });
});

describe("programs from outside", () => {
  const good = programOf("(a|b)*c[d-f]{2}\\b");
  const setsEnd =
    REGEX_HEADER_BYTES + new DataView(good.buffer).getUint32(12, true) * REGEX_SET_BYTES;
  const splitAt = Array.from(
    { length: instructions(good) },
    (_, i) => setsEnd + i * REGEX_INSTRUCTION_BYTES,
  ).find((at) => good[at] === REGEX_OP_SPLIT)!;
  const damaged = (change: (view: DataView) => void): Uint8Array => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };

  it("are taken when nothing is wrong with them", () => {
    expect(core.testRaw(good, latin1("abcde "))).toBe(1);
    expect(
      core.testRaw(
        damaged(() => {}),
        latin1("abcd"),
      ),
    ).toBe(0);
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["a header cut short", good.slice(0, REGEX_HEADER_BYTES - 1)],
    ["another magic", damaged((view) => view.setUint32(4, 1, true))],
    ["a length past the end", damaged((view) => view.setUint32(0, good.length + 8, true))],
    [
      "a length that is no multiple of 8",
      damaged((view) => view.setUint32(0, good.length - 4, true)),
    ],
    ["no instructions", damaged((view) => view.setUint32(8, 0, true))],
    ["too many instructions", damaged((view) => view.setUint32(8, 0x10000001, true))],
    ["too many sets", damaged((view) => view.setUint32(12, 0x08000000, true))],
    ["too many groups", damaged((view) => view.setUint32(16, 0x10000000, true))],
    ["more rows than instructions", damaged((view) => view.setUint32(20, 1000, true))],
    ["a start between instructions", damaged((view) => view.setUint32(24, setsEnd + 4, true))],
    ["a start among the sets", damaged((view) => view.setUint32(24, REGEX_HEADER_BYTES, true))],
    ["a first set that is none", damaged((view) => view.setUint32(32, setsEnd, true))],
    ["a prefix past the end", damaged((view) => view.setUint32(36, 0xffffffff, true))],
    ["required bytes past the end", damaged((view) => view.setUint32(44, 0x7fffffff, true))],
    ["a literal without bytes", damaged((view) => view.setUint32(28, 2, true))],
    ["an unknown operation", damaged((view) => view.setUint8(splitAt, 7))],
    ["a row past the last", damaged((view) => view.setUint16(splitAt + 2, 999, true))],
    ["no row where ways meet", damaged((view) => view.setUint16(splitAt + 2, 0, true))],
    ["a target past the end", damaged((view) => view.setUint32(splitAt + 4, good.length, true))],
    ["a second target past the end", damaged((view) => view.setUint32(splitAt + 8, 1 << 30, true))],
    [
      "a first byte set past the end",
      damaged((view) => view.setUint16(splitAt + 12, 0xffff, true)),
    ],
  ])("are refused with %s", (_, program) => {
    expect(core.testRaw(program, latin1("abc"))).toBe(ERR_REGEX_BLOB);
    expect(core.execRaw(program, latin1("abc"))).toBe(ERR_REGEX_BLOB);
  });

  describe("with a position test", () => {
    const test = programOf("a(?!b)");
    const base =
      REGEX_HEADER_BYTES + new DataView(test.buffer).getUint32(12, true) * REGEX_SET_BYTES;
    const at = [0, 1, 2]
      .map((index) => base + index * REGEX_INSTRUCTION_BYTES)
      .find((offset) => test[offset] === REGEX_OP_ASSERT)!;
    const changed = (change: (view: DataView) => void): number => {
      const bytes = test.slice();
      change(new DataView(bytes.buffer));
      return core.testRaw(bytes, latin1("ab"));
    };

    it("are refused when the test is unknown or about no set", () => {
      expect(changed(() => {})).toBe(0);
      expect(changed((view) => view.setUint8(at + 1, REGEX_AT_BEFORE + 1))).toBe(ERR_REGEX_BLOB);
      expect(changed((view) => view.setUint8(at + 1, 255))).toBe(ERR_REGEX_BLOB);
      expect(changed((view) => view.setUint32(at + 8, base, true))).toBe(ERR_REGEX_BLOB);
      expect(changed((view) => view.setUint32(at + 8, 0, true))).toBe(ERR_REGEX_BLOB);
    });

    it("look at nothing outside of the text, however far it reaches", () => {
      for (const shift of [-0x8000, -2, 1, 2, 0x7fff]) {
        expect(changed((view) => view.setInt16(at + 12, shift, true))).toBe(1);
      }
    });
  });

  it("are refused with lengths past the input buffer", () => {
    expect(core.execLengths(INPUT_BYTES_MAX, 1)).toBe(ERR_INPUT);
    expect(core.execLengths(0xffffffff, 0xffffffff)).toBe(ERR_INPUT);
  });
});
