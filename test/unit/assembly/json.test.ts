import { describe, expect, it } from "vitest";
import {
  ERR_EXPR_INVALID_JWT_TOKEN,
  ERR_EXPR_JWT_DECODE,
  ERR_EXPR_LIST_LENGTH,
  ERR_EXPR_MEMORY,
  ERR_EXPR_NESTING,
  ERR_INPUT,
  INPUT_BYTES_MAX,
  JSON_DEPTH_MAX,
  JSON_VALUE_DEPTH_MAX,
  LIST_LENGTH_MAX,
} from "../../../assembly/abi.ts";
import { packImage } from "../../../src/compile/image.ts";
import { instantiate } from "../../../src/core/wasm.ts";
import { loadModuleSync } from "../../../src/core/wasm-inline.gen.ts";
import { base64Url, createJsonCore, JsonStatus } from "../../support/json-core.ts";

const core = createJsonCore();
const value = (text: string | Uint8Array, path = "a") => core.jsonValue(text, path);
const bytes = (...values: number[]) => Uint8Array.from(values);
/** `{"a":"…"}` around raw bytes. */
const quoted = (...raw: number[]) => bytes(0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, ...raw, 0x22, 0x7d);

describe("json_value: paths", () => {
  it.each([
    ['{"a":{"b":{"c":7}}}', "a.b.c", 7n],
    ['{"a":{"":5}}', "a.", 5n],
    ['{"":{"":5}}', ".", 5n],
    ['{"":5}', ".", undefined],
    ['{"a":{"":{"b":1}}}', "a..b", 1n],
    ['{"a.b":1}', "a.b", undefined],
    ['{"a\\u002eb":1}', "a.b", undefined],
    ['{"\\u0061":1}', "a", 1n],
    ['{"\\u00e9":1}', "é", 1n],
    ['{"\\ud83d\\ude00":1}', "😀", 1n],
    ['{"ab":1}', "a", undefined],
    ['{"a":1}', "ab", undefined],
    ['{"a":{"b":1}}', "a.bc", undefined],
    ['{"a":[{"b":1}]}', "a.b", undefined],
    ['{"a":[1,2]}', "a.0", undefined],
    ['{"x":{"a":1}}', "a", undefined],
    ['{"x":[{"a":1}],"a":2}', "a", 2n],
    ['[{"a":1}]', "a", undefined],
    ['{"a":"{}"}', "a.b", undefined],
    ['{"a":{"x":{"b":1},"b":2}}', "a.b", 2n],
    ['{"a":{"b":1},"b":2}', "b", 2n],
    ['{"a":{"x":1},"c":{"b":3}}', "c.b", 3n],
    ['{"a":{"b":{"c":1}},"a":{"b":{"c":2}}}', "a.b.c", 2n],
    ['{"A":1}', "a", undefined],
  ])("%s at `%s`", (text, path, expected) => {
    expect(value(text, path)).toStrictEqual(expected);
  });

  it("takes the last of equal keys, even where the path then leads nowhere", () => {
    expect(value('{"a":1,"a":2}')).toBe(2n);
    expect(value('{"a":{"b":1},"a":{"c":2}}', "a.b")).toBeUndefined();
    expect(value('{"a":{"b":1},"a":3}', "a.b")).toBeUndefined();
    expect(value('{"a":{"b":1,"b":[]},"z":0}', "a.b")).toStrictEqual([]);
  });
});

describe("json_value: what is JSON", () => {
  it("judges members that a later duplicate replaces like any other", () => {
    expect(value('{"a":1,"b":0.5E309,"b":2}')).toBeUndefined();
    expect(value('{"a":1,"b":"\\ud800","b":2}')).toBeUndefined();
    expect(value('{"a":1,"b":0.5E308,"b":2}')).toBe(1n);
  });

  it.each([
    "",
    " ",
    "{",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{,"a":1}',
    '{"a":1 "b":2}',
    '{"a" 1}',
    "{'a':1}",
    "{a:1}",
    '{"a":1}}',
    '{"a":1}{"b":2}',
    '{"a":1} x',
    '/*c*/{"a":1}',
    '\u{feff}{"a":1}',
    '{"a":1,"b":[1,]}',
    '{"a":1,"b":[,1]}',
    '{"a":1,"b":[1}',
    '{"a":1,"b":{]}',
    '{"a":1,"b":[1 2]}',
    '{"a":1,"b":NaN}',
    '{"a":1,"b":tru}',
    '{"a":1,"b":truE}',
    '{"a":1,"b":nul',
    '{"a":1,"b":falsy}',
    '{"a":1,"b":True}',
    '{"a":1\u000c}',
    '{"a":1\u00a0}',
  ])("refuses %j as a whole", (text) => {
    expect(value(text)).toBeUndefined();
  });

  it("allows blanks wherever the grammar does", () => {
    expect(value(' \t\r\n{ "a" \n:\t[ 1 , 2 ] , "b" : { } } \n')).toStrictEqual([1n, 2n]);
  });

  it.each([
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "1.e1",
    "0x1",
    "1_0",
    "--1",
    "1e400",
    "-1E400",
    "00",
  ])("refuses the number %s", (number) => {
    expect(value(`{"a":1,"b":${number}}`)).toBeUndefined();
  });

  it.each([
    ['"\\ud800"', "high surrogate alone"],
    ['"\\ud800x"', "high surrogate and a letter"],
    ['"\\ud800\\u0041"', "high surrogate and another escape"],
    ['"\\ud800\\ud800"', "two high surrogates"],
    ['"\\udc00"', "low surrogate alone"],
    ['"\\u12g4"', "a letter that is no digit"],
    ['"\\u123"', "three digits"],
    ['"\\x41"', "unknown escape"],
    ['"\\', "escape at the end"],
    ['"a\nb"', "raw line feed"],
    ['"a\u0000b"', "raw NUL"],
    ['"a', "not closed"],
  ])("refuses the string %s: %s", (string) => {
    expect(value(`{"a":1,"b":${string}}`)).toBeUndefined();
    expect(value(`{"a":1,${string}:1}`)).toBeUndefined();
  });

  it.each([
    [[0xff], "a byte that never occurs"],
    [[0xc3], "a lead byte alone"],
    [[0xa9], "a continuation byte alone"],
    [[0xc0, 0x80], "overlong NUL"],
    [[0xc1, 0xbf], "overlong ASCII"],
    [[0xe0, 0x9f, 0xbf], "overlong of two"],
    [[0xed, 0xa0, 0x80], "a surrogate"],
    [[0xf0, 0x8f, 0xbf, 0xbf], "overlong of three"],
    [[0xf4, 0x90, 0x80, 0x80], "beyond the last plane"],
    [[0xf5, 0x80, 0x80, 0x80], "a lead byte too high"],
    [[0xe2, 0x82, 0x41], "a broken sequence"],
  ])("refuses %j in a string: %s", (raw) => {
    expect(value(quoted(...raw))).toBeUndefined();
    expect(value(quoted(...Array(7).fill(0x78), ...raw))).toBeUndefined();
  });

  it.each([
    [[0xc2, 0x80], "\u0080"],
    [[0xe0, 0xa0, 0x80], "\u0800"],
    [[0xed, 0x9f, 0xbf], "\ud7ff"],
    [[0xee, 0x80, 0x80], "\ue000"],
    [[0xef, 0xbf, 0xbf], "\uffff"],
    [[0xf0, 0x90, 0x80, 0x80], "\u{10000}"],
    [[0xf4, 0x8f, 0xbf, 0xbf], "\u{10ffff}"],
  ])("accepts the edge %j", (raw, expected) => {
    expect(value(quoted(...raw))).toBe(expected);
  });
});

describe("json_value: values", () => {
  it.each([
    ["0", 0n],
    ["-0", 0n],
    ["9223372036854775807", 9223372036854775807n],
    ["9223372036854775808", 9223372036854775808n],
    ["-9223372036854775808", -9223372036854775808n],
    ["-9223372036854775809", -9223372036854775809n],
    ["18446744073709551616", 18446744073709551616n],
    ["12345678901234567890123", 12345678901234567890123n],
    ["1.0", 1],
    ["-0.0", -0],
    ["0e999", 0],
    ["1e2", 100],
    ["1E+2", 100],
    ["1.5e-3", 0.0015],
    ["1e-400", 0],
    ["4.9e-324", 5e-324],
    ["2.2250738585072011e-308", 2.225073858507201e-308],
    ["9007199254740993.0", 9007199254740992],
    ["0.1", 0.1],
    ["123456789.123456789", 123456789.12345679],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["1.797693134862315807e308", Number.MAX_VALUE],
    ["1.79769313486231580793e308", Number.MAX_VALUE],
    ["1.79769313486231580794e308", undefined],
    ["-1.797693134862315808e308", undefined],
    ["1.7976931348623159e308", undefined],
    [`${"1".repeat(400)}`, BigInt("1".repeat(400))],
    [`${"1".repeat(400)}.0`, undefined],
    [`0.${"0".repeat(400)}1e401`, 1],
    ["true", true],
    ["false", false],
    ["null", null],
    ['""', ""],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD83D\\uDE00é"', '"\\/\b\f\n\r\t\u0000😀é'],
    ["[]", []],
    ["{}", Object.create(null)],
    ['[1,"x",null,[true,[]],{}]', [1n, "x", null, [true, []], Object.create(null)]],
  ])("%s", (text, expected) => {
    expect(value(`{"a":${text}}`)).toStrictEqual(expected);
  });

  it("sorts the keys of a map and keeps the last of equal ones", () => {
    const map = value('{"a":{"z":1,"\\u0062":2,"z":3,"aa":4,"a":5,"":6,"é":7}}');
    expect(Object.entries(map as object)).toStrictEqual([
      ["", 6n],
      ["a", 5n],
      ["aa", 4n],
      ["b", 2n],
      ["z", 3n],
      ["é", 7n],
    ]);
  });

  it("does not ask the host for everyday numbers", () => {
    const before = core.hostCalls;
    expect(value('{"a":1.5,"b":123456.789012,"c":1e22,"d":99999999999999999999}')).toBe(1.5);
    expect(core.hostCalls).toBe(before);
  });
});

describe("json_value: limits", () => {
  const nested = (levels: number) => `{"b":${"[".repeat(levels)}${"]".repeat(levels)},"a":1}`;
  const list = (length: number) => `{"a":[${Array(length).fill(1)}]}`;

  it("validates nesting up to JSON_DEPTH_MAX and refuses one level more", () => {
    expect(value(nested(JSON_DEPTH_MAX - 1))).toBe(1n);
    expect(value(nested(JSON_DEPTH_MAX))).toStrictEqual(new JsonStatus(ERR_EXPR_NESTING));
  });

  it("hands on values nested up to JSON_VALUE_DEPTH_MAX and refuses one level more", () => {
    let depth = 0;
    let inner = value(nested(JSON_VALUE_DEPTH_MAX), "b");
    while (Array.isArray(inner)) {
      depth++;
      inner = inner[0];
    }
    expect(depth).toBe(JSON_VALUE_DEPTH_MAX);
    expect(value(nested(JSON_VALUE_DEPTH_MAX + 1), "b")).toStrictEqual(
      new JsonStatus(ERR_EXPR_NESTING),
    );
  });

  it("hands on lists up to LIST_LENGTH_MAX and refuses one element more", () => {
    expect(value(list(LIST_LENGTH_MAX))).toHaveLength(LIST_LENGTH_MAX);
    expect(value(list(LIST_LENGTH_MAX + 1))).toStrictEqual(new JsonStatus(ERR_EXPR_LIST_LENGTH));
  });

  it("answers with an error when a value does not fit into working memory", () => {
    expect(value(list(300000))).toStrictEqual(new JsonStatus(ERR_EXPR_MEMORY));
    expect(value(list(100000))).toStrictEqual(new JsonStatus(ERR_EXPR_LIST_LENGTH));
    expect(value('{"a":1}')).toBe(1n);
  });

  it("refuses lengths that leave the input buffer", () => {
    const { exports } = instantiate(loadModuleSync(), () => -1, packImage([], 0));
    expect(exports.json_lookup(INPUT_BYTES_MAX, 1)).toBe(ERR_INPUT);
    expect(exports.json_lookup(1, -1)).toBe(ERR_INPUT);
    expect(exports.jwt_lookup(-1, 2)).toBe(ERR_INPUT);
    expect(exports.is_jwt(INPUT_BYTES_MAX + 1)).toBe(ERR_INPUT);
    expect(exports.is_jwt(INPUT_BYTES_MAX)).toBe(0);
  });
});

describe("jwt_value and is_jwt", () => {
  const header = base64Url('{"alg":"none"}');
  const token = (payload: string) => `${header}.${base64Url(payload)}.c2ln`;

  it("reads the payload and nothing else", () => {
    expect(core.jwtValue(token('{"sub":"u","o":{"p":[1]}}'), "sub")).toBe("u");
    expect(core.jwtValue(token('{"o":{"p":[1]}}'), "o.p")).toStrictEqual([1n]);
    expect(core.jwtValue(`!!.${base64Url('{"sub":1}')}.!!`, "sub")).toBe(1n);
    expect(core.jwtValue(token("hello"), "sub")).toBeUndefined();
    expect(core.jwtValue("a..c", "sub")).toBeUndefined();
  });

  it.each(["", "abc", "a.b", "a.b.c.d", ".".repeat(10000), `${"a".repeat(100)}...`])(
    "needs three parts: %#",
    (text) => {
      expect(core.jwtValue(text, "sub")).toStrictEqual(new JsonStatus(ERR_EXPR_INVALID_JWT_TOKEN));
      expect(core.isJwt(text)).toBe(0);
    },
  );

  it.each(["!", "a", "ab=c", "YWJj=", "YR===", "YQ==YQ==", "+/++", "=", "é", "Y=Q="])(
    "refuses the payload %s",
    (part) => {
      expect(core.jwtValue(`a.${part}.c`, "sub")).toStrictEqual(
        new JsonStatus(ERR_EXPR_JWT_DECODE),
      );
      expect(core.isJwt(`${header}.${part}.`)).toBe(0);
      expect(core.isJwt(`${header}..${part}`)).toBe(0);
    },
  );

  it.each(["eyJhIjoxMX0", "eyJhIjoxMX0=", "eyJhI joxMX0", "\r\neyJhIjoxMX0\t", "eyJhIjoxMX0= "])(
    "tolerates padding and blanks: %j",
    (part) => {
      expect(core.jwtValue(`h.${part}.s`, "a")).toBe(11n);
      expect(core.isJwt(`${header}.${part}.${part}`)).toBe(1);
    },
  );

  it.each([
    ["e30", 0],
    [base64Url('{"typ":"JWT"}'), 0],
    [base64Url('{"alg":null}'), 1],
    [base64Url('{"alg":{"deep":[1]}}'), 1],
    [base64Url('{"ALG":1}'), 0],
    [base64Url('{"x":{"alg":1}}'), 0],
    [base64Url('["alg"]'), 0],
    [base64Url('{"alg":1} x'), 0],
    ["", 0],
  ])("is_jwt with the header %s is %d", (part, expected) => {
    expect(core.isJwt(`${part}..`)).toBe(expected);
  });
});

describe("what stands behind a text", () => {
  it("never completes it: no part of a JSON text is one, followed by its rest", () => {
    const text = `{"a":"0123456789abcdef","b":{"c":[-10,2.5e3,true,null]},"d\\u00e9":"é${"x".repeat(20)}"}`;
    expect(core.jsonValue(text, "b.c")).not.toBe(undefined);
    for (let cut = 0; cut < text.length; cut++) {
      expect(core.jsonValue(text.slice(0, cut), text.slice(cut)), String(cut)).toBe(undefined);
    }
    for (const number of ["1", "12", "-3", "1234567890123456"]) {
      expect(core.jsonValue(`{"a":${number}`, "}}}")).toBe(undefined);
      expect(core.jsonValue(`[${number}]`, "2")).toBe(undefined);
    }
  });

  it("adds no part to a token", () => {
    const invalid = new JsonStatus(ERR_EXPR_INVALID_JWT_TOKEN);
    expect(core.jwtValue("a.e30", ".a")).toEqual(invalid);
    expect(core.jwtValue(`${"a".repeat(16)}.e30`, `.${"a".repeat(16)}`)).toEqual(invalid);
    expect(core.jwtValue("a.e30.", ".a")).toBe(undefined);
    expect(core.jwtValue("a.eyJ4IjoxfQ.b", "x")).toBe(1n);
  });
});
