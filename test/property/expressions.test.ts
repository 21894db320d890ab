import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENTRY_EXPRESSION, EXPR_STEPS_MAX } from "../../assembly/abi.ts";
import { compileExpression } from "../../src/compile/expr/index.ts";
import { packImage } from "../../src/compile/image.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { Value } from "../../src/core/core.ts";
import { evaluateExpression } from "../../src/core/expressions.ts";
import * as host from "../../src/core/host/text.ts";
import type { HostFunction } from "../../src/core/host/types.ts";
import { encodeRequest } from "../../src/core/request.ts";
import { loadImage } from "../../src/core/wasm.ts";
import { CoreError } from "../../src/errors.ts";
import { createVectorContext } from "../support/expression-batch.ts";
import { createExpressionCore } from "../support/expression-core.ts";
import { runs } from "../support/runs.ts";

const core = createExpressionCore();
const { memory } = createVectorContext();

const NAMES = [
  ..."lower upper trim ltrim rtrim strlen substr reverse pad rm_prefix find replace ascii".split(
    " ",
  ),
  ..."any_to_str split tokens nth concat join_to_string unescape sprintf_s iif coalesce".split(" "),
  ..."is_empty is_empty_val not regex_match regex_extract regex_replace bin2hexstr".split(" "),
  ..."hexstr2bin int2hexstr base64_encode base64_decode json_value jwt_value is_jwt".split(" "),
  ..."hash hash_to_range map_to_range str_comp str_eq str_lt num_comp num_eq num_gt".split(" "),
  ..."getenv timestamp_s rand_int lists.nth lists.sort lists.flatten maps.get maps.keys".split(" "),
  ..."emqx_message_transformation_bif.json_encode nosuch lists.nosuch os.cmd".split(" "),
];

const LITERALS = [
  ..."'' 'a' 'a-b-c' 'é' 'trailing' 'leading' 'both' 'all' 'notrim' 'nocrlf' 'sha256'".split(" "),
  ..."'a.b' '(a)|b' '~s' '~8.16.0b~f~p' '\\x41' 0 1 -1 2 1.5 -0.0 99999999999999999999".split(" "),
  ..."true false a b m l u nope m.k m.x".split(" "),
];

/** Expression texts that are mostly well-formed. */
const expression: fc.Arbitrary<string> = fc.letrec<{ expr: string; arg: string }>((tie) => ({
  expr: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...LITERALS),
    fc
      .tuple(fc.constantFrom(...NAMES), fc.array(tie("arg"), { maxLength: 4 }))
      .map(([name, args]) => `${name}(${args.join(",")})`),
  ),
  arg: fc.oneof(
    { depthSize: "small" },
    tie("expr"),
    fc.array(tie("arg"), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(",")}]`),
  ),
})).expr;

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes): Value => ({ type: "bytes", value: bytes })),
  fc
    .string({ unit: "grapheme", maxLength: 20 })
    .map((text): Value => ({ type: "bytes", value: new TextEncoder().encode(text) })),
  fc.bigInt().map((integer): Value => ({ type: "integer", value: integer })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value): Value => ({ type: "float", value })),
  fc.constantFrom<Value>(
    { type: "null" },
    { type: "undefined" },
    { type: "boolean", value: true },
    { type: "atom", name: "default" },
    { type: "tuple", items: [{ type: "null" }] },
    { type: "list", items: [] },
    { type: "list", items: [{ type: "integer", value: 97n }] },
  ),
);

const bindings = fc.record({ a: value, b: value, l: value, u: value }).map((record) => ({
  ...record,
  m: { type: "map", entries: [[{ type: "bytes", value: Uint8Array.of(0x6b) }, record.a]] } as Value,
}));

describe("any expression over any values", () => {
  it("gives a value or a named error, within the step budget", () => {
    fc.assert(
      fc.property(expression, bindings, fc.boolean(), (text, bound, asText) => {
        const result = core.evaluate(text, { bindings: bound, asText });
        if (!result.ok) expect(result.error.kind).toMatch(/^[a-z_]+$/);
        else if (asText) expect(result.value.type).toBe("bytes");
        expect(core.memory.exports.expression_steps()).toBeLessThanOrEqual(EXPR_STEPS_MAX);
      }),
      runs(1500),
    );
  });

  it("answers the same whatever memory held before", () => {
    fc.assert(
      fc.property(expression, expression, bindings, (text, other, bound) => {
        fc.pre(!/rand_/.test(text));
        const first = core.evaluate(text, { bindings: bound });
        core.evaluate(other, { bindings: bound });
        expect(core.evaluate(text, { bindings: bound })).toEqual(first);
      }),
      runs(500),
    );
  });
});

describe("any text", () => {
  it("compiles or is refused with a position in it", () => {
    const noise = fc.string({
      unit: fc.constantFrom(..."ab'\"()[],.-_ \n\t\r1e0\\éé𝒂$"),
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: "binary" })), (text) => {
        const { blob, issues } = compileExpression(
          { value: text, at: { file: "f", line: 1, column: 1 } },
          { switches: resolveSwitches("strict"), place: "cinfo" },
        );
        const errors = issues.filter(({ severity }) => severity === "error");
        expect(blob === undefined).toBe(errors.length > 0);
        for (const { at } of errors) {
          expect(at!.line).toBeLessThanOrEqual(text.split("\n").length);
          expect(at!.column).toBeLessThanOrEqual([...text].length + 1);
        }
      }),
      runs(2000),
    );
  });
});

describe("a damaged blob", () => {
  const texts = [
    "coalesce(iif(is_empty(a), nope, lower(a)), [a, 'b'], nth(1, tokens(a, '-')))",
    "nth(1, regex_extract(a, '^(a|b)*c'))",
    "concat([1, 2.5, 99999999999999999999, m.k, coalesce(l)])",
  ];
  const blobs = texts.map(
    (text) =>
      compileExpression({ value: text }, { switches: resolveSwitches("emqx"), place: "batch" })
        .blob!,
  );

  it("is refused when it is opened, or evaluates to something, but never traps", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...blobs), damage, fc.nat(8), (blob, changes, cut) => {
        const damaged = blob.slice(0, blob.length - (cut === 0 ? 8 : 0));
        for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
        try {
          loadImage(memory, packImage([{ kind: ENTRY_EXPRESSION, id: 0, blob: damaged }], 0));
        } catch (error) {
          expect(error).toBeInstanceOf(CoreError);
          refused += 1;
          return;
        }
        encodeRequest(memory, { other: { a: "ab-c", m: { type: "map", entries: [] } } });
        evaluateExpression(memory, 0, { asText: true });
      }),
      runs(4000),
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe("the core's ASCII functions and the host's functions for all texts agree on ASCII", () => {
  const ascii = fc.string({ unit: fc.constantFrom(..."ab -\r\n\t,X"), maxLength: 24 });
  const needle = fc.string({ unit: fc.constantFrom(..."ab \r\n,"), maxLength: 3 });
  const small = fc.nat(12);
  const end = fc.constantFrom("leading", "trailing");
  const cases: readonly (readonly [
    string,
    HostFunction,
    readonly fc.Arbitrary<string | number>[],
  ])[] = [
    ["lower", host.lower, [ascii]],
    ["upper", host.upper, [ascii]],
    ["trim", host.trim, [ascii]],
    ["ltrim", host.ltrim, [ascii]],
    ["rtrim", host.rtrim, [ascii]],
    ["trim", host.trim, [ascii, needle]],
    ["ltrim", host.ltrim, [ascii, needle]],
    ["rtrim", host.rtrim, [ascii, needle]],
    ["strlen", host.strlen, [ascii]],
    ["substr", host.substr, [ascii, small]],
    ["substr", host.substr, [ascii, small, small]],
    ["reverse", host.reverse, [ascii]],
    ["pad", host.pad, [ascii, small]],
    ["pad", host.pad, [ascii, small, fc.constantFrom("both", "leading", "trailing"), needle]],
    ["find", host.find, [ascii, needle]],
    ["find", host.find, [ascii, needle, end]],
    ["replace", host.replace, [ascii, needle, needle]],
    [
      "replace",
      host.replace,
      [ascii, needle, needle, fc.constantFrom("all", "leading", "trailing")],
    ],
    ["split", host.split, [ascii, needle]],
    [
      "split",
      host.split,
      [
        ascii,
        needle,
        fc.constantFrom("notrim", "leading", "trailing", "leading_notrim", "trailing_notrim"),
      ],
    ],
  ];
  const context = {
    ports: { now: () => 0, env: () => undefined },
    keepsUtf8: false,
    printsLargeFloats: false,
  };

  it.each(cases)("%s %#", (name, hostFunction, parameters) => {
    fc.assert(
      fc.property(fc.tuple(...parameters), (args) => {
        const values = args.map(
          (arg): Value =>
            typeof arg === "number"
              ? { type: "integer", value: BigInt(arg) }
              : { type: "bytes", value: new TextEncoder().encode(arg) },
        );
        const names = values.map((_, i) => `v${i}`);
        const bound = Object.fromEntries(names.map((key, i) => [key, values[i]!]));
        const result = core.evaluate(`${name}(${names.join(",")})`, { bindings: bound });
        expect(result).toEqual({ ok: true, value: hostFunction(values, context) });
      }),
      runs(150),
    );
  });
});
