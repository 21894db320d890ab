/** What functions make of arguments off the beaten track, and the near misses they refuse. */
import { describe, expect, it } from "vitest";
import { decodeTerm } from "../../../src/batch/terms.ts";
import { createExpressionCore, textOfResult } from "../../support/expression-core.ts";

const core = createExpressionCore();

/** Bindings are terms as `portcullis batch` reads them. */
function textOf(text: string, terms: Readonly<Record<string, unknown>> = {}): string {
  const bindings = Object.fromEntries(
    Object.entries(terms).map(([name, term]) => [name, decodeTerm(term)]),
  );
  return textOfResult(core.evaluate(text, { bindings, asText: true }));
}

describe("text functions", () => {
  it("trim takes its characters from a list too", () => {
    expect(textOf("trim('-é-a-é-', ['-', 233])")).toBe("a");
    expect(textOf("ltrim('xya', [120, ['y']])")).toBe("a");
    expect(textOf("rtrim('ax', [120])")).toBe("a");
    expect(textOf("trim('1a1', 1)")).toBe("<bad_argument>");
    expect(textOf("trim('aXa', [55296])")).toBe("<bad_argument>");
    expect(textOf("trim('aXa', [true, 1.5])")).toBe("<bad_argument>");
  });

  it("ltrim trims the first texts of a list, trim and rtrim none", () => {
    const s = [" ", "  a ", "b"];
    expect(textOf("join_to_string('|', ltrim(s))", { s })).toBe("a |b");
    expect(textOf("join_to_string('|', ltrim(s, ''))", { s })).toBe(" |  a |b");
    expect(textOf("join_to_string('|', ltrim([120, 120, 97], 'x'))")).toBe("97");
    expect(textOf("is_empty_val(ltrim([' ', '']))")).toBe("true");
    expect(textOf("join_to_string('|', ltrim(s))", { s: [true, "a"] })).toBe("<bad_argument>");
    expect(textOf("join_to_string('|', trim(s))", { s })).toBe("<bad_argument>");
    expect(textOf("join_to_string('|', rtrim(s))", { s })).toBe("<bad_argument>");
  });

  it("substr takes positions and lengths of any size", () => {
    expect(textOf("substr('abc', 99999999999999999999)")).toBe("");
    expect(textOf("substr('abc', 1, 99999999999999999999)")).toBe("bc");
    expect(textOf("substr('äbc', 1, 99999999999999999999)")).toBe("bc");
    expect(textOf("substr('abc', -99999999999999999999, 0)")).toBe("");
    expect(textOf("substr('abc', -99999999999999999999)")).toBe("<bad_argument>");
    expect(textOf("substr('abc', 0, -99999999999999999999)")).toBe("<bad_argument>");
  });

  it("pad leaves a text alone that is long enough, and refuses what is too long", () => {
    expect(textOf("pad('abc', -99999999999999999999)")).toBe("abc");
    expect(textOf("pad('abc', 99999999999999999999)")).toBe("<budget_output>");
    expect(textOf("pad('abc', 5.0)")).toBe("<bad_argument>");
  });

  it("rm_prefix returns what is no text, but neither nothing nor with a prefix that is none", () => {
    expect(textOf("rm_prefix(12, '1')")).toBe("12");
    expect(textOf("rm_prefix(12, 1)")).toBe("<bad_argument>");
    expect(textOf("rm_prefix('12', 1)")).toBe("<bad_argument>");
    expect(textOf("rm_prefix(json_value('{}','a'), 'x')")).toBe("<badarg>");
    expect(textOf("rm_prefix('abc', 'abcd')")).toBe("abc");
    expect(textOf("rm_prefix('abc', 'abc')")).toBe("");
  });

  it("base64 takes a list of bytes only next to an option", () => {
    expect(textOf("base64_encode(s, 'none')", { s: [97, 98] })).toBe("YWI=");
    expect(textOf("base64_encode(s)", { s: [97, 98] })).toBe("<bad_argument>");
    expect(textOf("base64_decode(s, 'none')", { s: [89, 81, 61, 61] })).toBe("a");
    expect(textOf("base64_decode(s)", { s: [89, 81, 61, 61] })).toBe("<bad_argument>");
  });
});

describe("sprintf_s", () => {
  const print = (format: string, ...values: unknown[]): string =>
    textOf("sprintf_s(f, v)", { f: format, v: values });

  it("repeats tildes and line feeds as often as their width says", () => {
    expect(print("~3~|~s", "a")).toBe("~~~|a");
    expect(print("~4.2~|~s", "a")).toBe("  ~~|a");
    expect(print("~2n~s", "a")).toBe("\n\na");
    expect(print("~-2n~s", "a")).toBe("<bad_argument>");
    expect(print("~1.2~|~s", "a")).toBe("<bad_argument>");
  });

  it("refuses a negative precision", () => {
    expect(print("~.*s|", 1, "abc")).toBe("a|");
    expect(print("~.*s|", -1, "abc")).toBe("<bad_argument>");
  });

  it("keeps the sign of a zero", () => {
    expect(textOf("sprintf_s('~.1f ~.2e', [-0.0, -0.0])")).toBe("-0.0 -0.0e+0");
    expect(textOf("sprintf_s('~.1f ~.2e', [0.0, 0.0])")).toBe("0.0 0.0e+0");
  });

  it("prints bytes that are no UTF-8 as they are, with `t` as without", () => {
    expect(textOf("bin2hexstr(sprintf_s('~ts', [s]))", { s: { $b64: "/w==" } })).toBe("FF");
    expect(textOf("bin2hexstr(sprintf_s('~s', [s]))", { s: { $b64: "/w==" } })).toBe("FF");
  });

  it("shows no text in quotes with `l`, and maps in the order of their keys", () => {
    expect(print("~p ~lp", [97, 98], [97, 98])).toBe('"ab" [97,98]');
    expect(print("~p ~lp", "a", "a")).toBe('<<"a">> <<97>>');
    expect(print("~p", { b: 1, a: 2 })).toBe('#{<<"a">> => 2,<<"b">> => 1}');
  });
});
