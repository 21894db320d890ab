import { describe, expect, it } from "vitest";
import {
  EXPR_NESTING_MAX,
  EXPR_OUTPUT_BYTES_MAX,
  EXPR_STEPS_MAX,
  EXPR_TEXT_BYTES_MAX,
  LIST_LENGTH_MAX,
  SLOT_CLIENTID,
  SLOT_USER_PROPERTY,
  SLOT_USERNAME,
} from "../../../assembly/abi.ts";
import { compileExpression } from "../../../src/compile/expr/index.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { evaluatesToTrue, evaluateToBytes, slotsRead } from "../../../src/core/expressions.ts";
import { encodeRequest } from "../../../src/core/request.ts";
import {
  createExpressionCore,
  loadExpression,
  textOfResult,
} from "../../support/expression-core.ts";

const core = createExpressionCore();
const strict = createExpressionCore("strict");

const textOf = (text: string, bindings = {}): string =>
  textOfResult(core.evaluate(text, { bindings, asText: true }));

describe("limits of an expression, at the limit and one past it", () => {
  const compiles = (value: string): boolean =>
    compileExpression({ value }, { switches: resolveSwitches("emqx"), place: "batch" }).blob !==
    undefined;

  it("text", () => {
    const padded = (length: number): string => `'${"é".repeat(5)}${"x".repeat(length - 12)}'`;
    expect(compiles(padded(EXPR_TEXT_BYTES_MAX))).toBe(true);
    expect(compiles(padded(EXPR_TEXT_BYTES_MAX + 1))).toBe(false);
  });

  it("nesting, of calls and of arrays", () => {
    const calls = (depth: number): string => `${"lower(".repeat(depth)}'A'${")".repeat(depth)}`;
    expect(textOf(calls(EXPR_NESTING_MAX))).toBe("a");
    expect(compiles(calls(EXPR_NESTING_MAX + 1))).toBe(false);
    const arrays = (depth: number): string => `f(${"[".repeat(depth)}'A'${"]".repeat(depth)})`;
    expect(compiles(arrays(EXPR_NESTING_MAX - 1))).toBe(true);
    expect(compiles(arrays(EXPR_NESTING_MAX))).toBe(false);
  });

  it("steps", () => {
    // An instruction each; a step for every 256 bytes a function reads; and, for a search, one for
    // every 1,024 bytes × instructions of the pattern (`^x` has 3): 3 + 7 × 1427 and the nots.
    const s = "a".repeat(1024 * 1427);
    const nots = (count: number): string =>
      `${"not(".repeat(count)}regex_match(s,'^x')${")".repeat(count)}`;
    expect(textOf(nots(8), { s })).toBe("false");
    expect(core.memory.exports.expression_steps()).toBe(EXPR_STEPS_MAX);
    expect(textOf(nots(9), { s })).toBe("<budget_steps>");
  });

  it("produced text", () => {
    expect(textOf(`pad('', ${EXPR_OUTPUT_BYTES_MAX})`)).toHaveLength(EXPR_OUTPUT_BYTES_MAX);
    expect(textOf(`pad('', ${EXPR_OUTPUT_BYTES_MAX + 1})`)).toBe("<budget_output>");
    const half = EXPR_OUTPUT_BYTES_MAX / 2;
    expect(textOf(`strlen(concat(pad('', ${half - 8}), 'x'))`)).toBe(String(half - 7));
    expect(textOf(`strlen(concat(pad('', ${half}), 'x'))`)).toBe("<budget_output>");
    expect(textOf(`pad('é', ${EXPR_OUTPUT_BYTES_MAX})`)).toBe("<budget_output>");
    expect(textOf(`rand_str(${EXPR_OUTPUT_BYTES_MAX + 1})`)).toBe("<budget_output>");
    expect(textOf("sprintf_s('~1048577s', ['a'])")).toBe("<budget_output>");
  });

  it("list length", () => {
    const s = ",a".repeat(LIST_LENGTH_MAX);
    for (const split of ["tokens(s,',')", "split(s,',')"]) {
      expect(textOf(`nth(${LIST_LENGTH_MAX}, ${split})`, { s }), split).toBe("a");
      expect(textOf(`nth(1, ${split})`, { s: `${s},a` }), split).toBe("<budget_list>");
    }
    expect(textOf(`nth(1, lists.duplicate(${LIST_LENGTH_MAX}, 'a'))`)).toBe("a");
    expect(textOf(`nth(1, lists.duplicate(${LIST_LENGTH_MAX + 1}, 'a'))`)).toBe("<budget_list>");
    expect(textOf(`nth(1, lists.seq(1, 1000000000))`)).toBe("<budget_list>");
  });

  it("numbers of any length do not overflow anything", () => {
    const digits = "9".repeat(8000);
    expect(textOf(`num_gt(${digits}, 1)`)).toBe("true");
    expect(textOf(`nth(${digits}, ['a'])`)).toBe("");
    expect(textOf(`nth('${digits}', ['a'])`)).toBe("");
    expect(textOf(`substr('abc', ${digits})`)).toBe("");
    expect(textOf(`map_to_range(${digits}, 1, 10)`)).toBe("10");
  });
});

describe("the name of a digest", () => {
  it("is exact: a byte-order mark in front makes another name", () => {
    const known = textOf("hash(n, 'x')", { n: "sha256" });
    expect(known).toHaveLength(64);
    expect(textOf("hash(n, 'x')", { n: "\ufeffsha256" })).toBe("<unknown_hash_algorithm>");
  });
});

describe("searching long texts stays linear", () => {
  it("finds nothing in a text that nearly matches everywhere", () => {
    const s = "a".repeat(300_000);
    const p = `${"a".repeat(20_000)}b`;
    expect(textOf("find(s, p)", { s, p })).toBe("");
    expect(textOf("find(s, p, 'trailing')", { s, p })).toBe("");
    expect(textOf("strlen(replace(s, p, 'x'))", { s, p })).toBe("300000");
    expect(textOf("find(s, p)", { s: `é${s}`, p })).toBe("");
    const reversed = `b${"a".repeat(20_000)}`;
    expect(textOf("find(s, p)", { s: `é${s}`, p: reversed })).toBe("");
    expect(textOf("find(s, p)", { s, p: reversed })).toBe("");
  });

  it("trims by a set of any size", () => {
    const s = `${"b".repeat(60_000)}x`;
    expect(textOf("trim(s, p)", { s, p: `${"a".repeat(60_000)}b` })).toBe("x");
    const letters = String.fromCodePoint(...Array.from({ length: 20_000 }, (_, i) => 0x4e00 + i));
    expect(textOf("trim(s, p)", { s: `${letters}x${letters}`, p: letters })).toBe("x");
    expect(textOf("strlen(rtrim(s, p))", { s: "é".repeat(30_000), p: letters })).toBe("30000");
  });

  it("finds what is there, whatever its length", () => {
    const p = `${"ab".repeat(40)}c`;
    const s = `${"ab".repeat(100)}c-${p}`;
    expect(textOf("find(s, p)", { s, p })).toBe(s.slice(s.indexOf(p)));
    expect(textOf("find(s, p, 'trailing')", { s, p })).toBe(p);
    expect(textOf("find(s, p, 'trailing')", { s: "a".repeat(40), p: "a".repeat(20) })).toBe(
      "a".repeat(20),
    );
  });
});

describe("results", () => {
  it("name the function and argument, or the variable, an error is about", () => {
    const errorOf = (text: string): unknown => {
      const result = core.evaluate(text);
      return result.ok ? undefined : result.error;
    };
    expect(errorOf("concat(lower(1), 'x')")).toEqual({
      kind: "bad_argument",
      where: "lower, argument 1",
    });
    expect(errorOf("substr('a', 0, -1)")).toEqual({
      kind: "bad_argument",
      where: "substr, argument 3",
    });
    expect(errorOf("lower(a.b)")).toEqual({ kind: "var_unbound", where: "a.b" });
    expect(errorOf("lowr(a.b)")).toEqual({ kind: "unknown_variform_function", where: "lowr" });
  });

  it("never hold the value of an argument in an error", () => {
    const result = core.evaluate("nth(password, 'x')", { bindings: { password: "s3cret" } });
    expect(JSON.stringify(result)).not.toContain("s3cret");
  });

  it("are read without copying on the fast paths", () => {
    loadExpression(core.memory, "str_eq(a, 'x')");
    const onError: unknown[] = [];
    const ask = (a: string): boolean => {
      encodeRequest(core.memory, { other: { a } });
      return evaluatesToTrue(core.memory, 0, (error) => onError.push(error));
    };
    expect(ask("x")).toBe(true);
    expect(ask("y")).toBe(false);
    expect(onError).toEqual([]);
    encodeRequest(core.memory, {});
    expect(evaluatesToTrue(core.memory, 0, (error) => onError.push(error))).toBe(false);
    expect(onError).toEqual([{ kind: "var_unbound", where: "a" }]);
    expect(evaluateToBytes(core.memory, 0)).toEqual({ kind: "var_unbound", where: "a" });
  });

  it("are no answer at all on the fast paths when a limit was exceeded", () => {
    loadExpression(core.memory, `is_empty(pad('', ${EXPR_OUTPUT_BYTES_MAX + 1}))`);
    encodeRequest(core.memory, {});
    const given = { name: "CoreError", code: "ERR_LIMIT_EXPRESSION" };
    expect(() => evaluatesToTrue(core.memory, 0)).toThrow(expect.objectContaining(given));
    expect(() => evaluateToBytes(core.memory, 0)).toThrow("given up: budget_output");
    expect(() => evaluateToBytes(core.memory, 7)).toThrow("given up: no_such_expression");
  });

  it("need the slots that the expression reads, and never see what another client left there", () => {
    const { memory } = core;
    const load = (text: string): number => {
      loadExpression(memory, text, { place: "client_attrs" });
      return slotsRead(memory, [0]);
    };
    expect(load("'a'")).toBe(0);
    expect(load("coalesce(user_property.a, clientid)")).toBe(
      (1 << SLOT_USER_PROPERTY) | (1 << SLOT_CLIENTID),
    );
    expect(load("str_eq(clientid, username)")).toBe((1 << SLOT_CLIENTID) | (1 << SLOT_USERNAME));
    expect(() => slotsRead(memory, [0, 1])).toThrow(expect.objectContaining({ code: "ERR_CORE" }));
    encodeRequest(memory, { clientId: "a", username: "a" });
    expect(evaluatesToTrue(memory, 0)).toBe(true);
    encodeRequest(memory, { clientId: "a", username: "a" }, 1 << SLOT_CLIENTID);
    const given = { code: "ERR_LIMIT_EXPRESSION", message: expect.stringContaining("username") };
    expect(() => evaluatesToTrue(memory, 0)).toThrow(expect.objectContaining(given));
    encodeRequest(memory, { clientId: "a" }, slotsRead(memory, [0]));
    expect(evaluateToBytes(memory, 0)).toEqual({ kind: "var_unbound", where: "username" });
  });

  it("of splitting a text do not depend on the bytes behind it", () => {
    for (const length of [0, 1, 14, 15, 16, 17, 31, 32, 33]) {
      const s = `a:${"b".repeat(length)}`;
      const wanted = length === 0 ? "1" : "2";
      for (const rest of [":", "c", "::::"]) {
        const bindings = { s, rest: rest.repeat(20) };
        expect(textOf("sprintf_s('~w', [lists.flatlength(tokens(s, ':'))])", bindings)).toBe(
          wanted,
        );
      }
    }
  });

  it("are true only for exactly the text `true`", () => {
    for (const [text, truth] of [
      ["'true'", true],
      ["is_empty('')", true],
      ["'True'", false],
      ["'true '", false],
      ["'tru'", false],
      ["1", false],
      ["''", false],
      ["'truetrue'", false],
      ["str_eq('a', 'b')", false],
      ["str_neq('a', 'b')", true],
      ["str_eq(1, '1')", true],
      ["str_neq(1, 'a')", true],
      ["json_value('{\"a\":true}', 'a')", true],
      ["json_value('{\"a\":1.5}', 'a')", false],
      ["json_value('{}', 'a')", false],
      ["['true']", false],
    ] as const) {
      loadExpression(core.memory, text.startsWith("[") ? `any_to_str(${text})` : text);
      expect(evaluatesToTrue(core.memory, 0), text).toBe(truth);
    }
  });
});

describe("places decide which variables are bound", () => {
  const fields = {
    clientId: "c",
    password: "p",
    peerHostText: "10.0.0.7",
    peerHost: Uint8Array.of(10, 0, 0, 7),
    certCommonName: "cn",
    certSubject: "CN=cn",
    userProperty: { site: "s" },
  };
  const at = (place: "client_attrs" | "clientid_override" | "precondition" | "cinfo") => {
    return (text: string, which = core): string =>
      textOfResult(which.evaluate(text, { place, fields, asText: true }));
  };

  it("as EMQX has them", () => {
    expect(at("client_attrs")("user_property.site")).toBe("s");
    expect(at("cinfo")("user_property.site")).toBe("<var_unbound>");
    expect(at("clientid_override")("password")).toBe("<var_unbound>");
    expect(at("clientid_override")("cn")).toBe("cn");
    expect(at("clientid_override")("cert_common_name")).toBe("<var_unbound>");
    expect(at("precondition")("cn")).toBe("<var_unbound>");
    expect(at("precondition")("cert_common_name")).toBe("cn");
    expect(at("cinfo")("peerhost")).toBe("10.0.0.7");
    expect(at("client_attrs")("peerhost")).toBe("<bad_return>");
    expect(at("client_attrs")("peerhost.x")).toBe("<bad_argument>");
  });

  it("as strict mode has them", () => {
    expect(at("client_attrs")("peerhost", strict)).toBe("10.0.0.7");
    expect(at("clientid_override")("cert_subject", strict)).toBe("CN=cn");
    expect(at("precondition")("dn", strict)).toBe("CN=cn");
    expect(at("clientid_override")("password", strict)).toBe("<var_unbound>");
  });

  it("absent variables are empty in strict preconditions only", () => {
    expect(at("precondition")("client_attrs.none", strict)).toBe("");
    expect(at("precondition")("is_empty(nope)", strict)).toBe("true");
    expect(at("precondition")("client_attrs.none")).toBe("<var_unbound>");
    expect(at("cinfo")("client_attrs.none", strict)).toBe("<var_unbound>");
  });
});

describe("strict mode keeps texts whole", () => {
  const strictText = (text: string): string =>
    textOfResult(strict.evaluate(text, { asText: true }));

  it.each([
    ["reverse('aéb')", "béa"],
    ["pad('a', 3, 'leading', 'é')", "ééa"],
    ["sprintf_s('~ts', ['日本'])", "日本"],
    ["concat('a', 'b', 'c')", "abc"],
    ["'\u0301a'", "\u0301a"],
    ["any_to_str(1.0e300)", `${BigInt(1e300)}.0`],
    ["regex_match('a1', 'a\\\\d')", "true"],
  ])("%s", (text, wanted) => {
    expect(strictText(text)).toBe(wanted);
    expect(textOf(text.startsWith("concat") ? "concat('a','b')" : text)).not.toBe(wanted);
  });
});

describe("an evaluation leaves nothing behind", () => {
  it("100,000 times: scratch, records and memory are where they were", () => {
    const { memory } = core;
    const texts = [
      "str_eq(nth(2, tokens(s, '-')), upper('é'))",
      "nth(2, regex_extract(s, '(^|-)([a-z]+)'))",
      "lower(nope)",
      "hash_to_range(s, 1, 9)",
    ];
    for (const text of texts) {
      loadExpression(memory, text);
      encodeRequest(memory, { other: { s: "dev-42-x" } });
      const { exports } = memory;
      const before = [exports.scratch_alloc(0), exports.records_used(), memory.bytes.length];
      for (let i = 0; i < 25_000; i++) exports.expression_eval(0, 1);
      const after = [exports.scratch_alloc(0), exports.records_used(), memory.bytes.length];
      expect(after, text).toEqual(before);
    }
  });
});
