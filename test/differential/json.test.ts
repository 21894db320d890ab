/**
 * The core's JSON reader against JSON.parse: the same texts are JSON, and the same path leads to
 * the same value. JSON.parse lacks three rules of expressions §4.7, added here: no lone surrogate
 * escapes, no fraction or exponent beyond the range of a double, integers with all their digits.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base64Url, createJsonCore, type JsonAnswer, JsonStatus } from "../support/json-core.ts";
import { runs } from "../support/runs.ts";

const core = createJsonCore();

const keys = fc.oneof(
  fc.constantFrom("a", "b", "", "ab", "é", "__proto__", "x\ny", "😀", '"', "\\"),
  fc.string({ maxLength: 12 }),
);
const numbers = fc.oneof(
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n.toExponential()),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n.toString().replace("+", "")),
  fc.tuple(fc.bigInt(), fc.integer({ min: -340, max: 320 })).map(([m, e]) => `${m}.5E${e}`),
);

/** JSON text of a value, with escapes and blanks where they are optional. */
const { document } = fc.letrec<{ document: string; value: string; string: string; object: string }>(
  (tie) => ({
    string: fc
      .tuple(keys, fc.boolean())
      .map(([text, escaped]) => (escaped ? escapeAll(text) : JSON.stringify(text))),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("true", "false", "null", "0", "-0", "[]", "{}"),
      numbers,
      tie("string"),
      fc.array(tie("value"), { maxLength: 4 }).map((items) => `[ ${items.join(" ,")}]`),
      tie("object"),
    ),
    object: fc
      .array(fc.tuple(tie("string"), tie("value")), { maxLength: 5 })
      .map((pairs) => `{${pairs.map(([key, value]) => `${key}:\t${value}`).join(",\n")} }`),
    document: fc.oneof({ weight: 9, arbitrary: tie("object") }, tie("value")),
  }),
);
const paths = fc.array(
  keys.filter((key) => !key.includes(".")),
  { minLength: 1, maxLength: 3 },
);

/** A text with some bytes replaced, removed, doubled or swapped for a piece of JSON. */
const mutated = fc
  .tuple(
    document,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat(3),
        fc.oneof(
          fc.constantFrom(...'{}[]:,"\\u/.-+eE019tfn \n\u0000\u007f\u00e9'),
          fc.constantFrom("\\u", "\\ud800", "\\udc00", "1e309", "-", "\ufeff", '"a":'),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((result, [place, length, insert]) => {
      const at = place % (result.length + 1);
      return result.slice(0, at) + insert + result.slice(at + length);
    }, text),
  );

describe("json_value against JSON.parse", () => {
  it("finds the same value in well-formed texts", () => {
    fc.assert(
      fc.property(document, paths, (text, path) => {
        expect(core.jsonValue(text, path.join("."))).toStrictEqual(expected(text, path));
      }),
      runs(2000),
    );
  });

  it("agrees on which damaged texts are JSON, and on their values", () => {
    fc.assert(
      fc.property(mutated, paths, (text, path) => {
        // Half a surrogate pair cannot be written as UTF-8.
        fc.pre(isWellFormed(text));
        expect(core.jsonValue(text, path.join("."))).toStrictEqual(expected(text, path));
      }),
      runs(4000),
    );
  });

  it("reads a token's payload as it reads the text", () => {
    fc.assert(
      fc.property(document, paths, (text, path) => {
        const token = `h.${base64Url(text)}.s`;
        expect(core.jwtValue(token, path.join("."))).toStrictEqual(
          core.jsonValue(text, path.join(".")),
        );
      }),
      runs(500),
    );
  });

  it("never answers with anything but a value or an error for arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, path) => {
        const answer = core.jsonValue(bytes, path);
        expect(answer instanceof JsonStatus).toBe(false);
        if (!isUtf8(bytes)) expect(answer).toBeUndefined();
      }),
      runs(1000),
    );
  });
});

describe("is_jwt against a plain reading of its parts", () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map(base64Url),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("base64")),
    fc.string({ unit: fc.constantFrom(..."AZaz09-_+/= \n\t\r!"), maxLength: 12 }),
  );
  const header = base64Url('{"alg":1}');

  it("decodes exactly the parts the rules allow", () => {
    fc.assert(
      fc.property(part, part, (second, third) => {
        expect(core.isJwt(`${header}.${second}.${third}`)).toBe(
          isBase64Url(second) && isBase64Url(third) ? 1 : 0,
        );
      }),
      runs(3000),
    );
  });
});

function isBase64Url(text: string): boolean {
  const match = /^([A-Za-z0-9_-]*)(={0,2})$/.exec(text.replace(/[ \t\r\n]/g, ""));
  if (!match) return false;
  const rest = match[1]!.length % 4;
  return rest !== 1 && match[2]!.length <= (rest === 0 ? 0 : 4 - rest);
}

function expected(text: string, path: readonly string[]): JsonAnswer {
  let at: JsonAnswer;
  try {
    JSON.parse(text);
    at = convert(JSON.parse(tagNumbers(text)));
  } catch {
    return undefined;
  }
  for (const key of path) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    if (at instanceof Uint8Array || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

/**
 * Numbers become `{"␀number": "text"}`, which no generated text contains, to keep their digits. Throws
 * on the tokens that JSON.parse takes and the core must not, also where a later duplicate hides them.
 */
function tagNumbers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => {
    if (token[0] === '"') {
      if (!isWellFormed(JSON.parse(token) as string)) throw new Error("half a surrogate pair");
      return token;
    }
    if (/[.eE]/.test(token) && !Number.isFinite(Number(token))) throw new Error("too large");
    return `{"\u2400number":"${token}"}`;
  });
}

function convert(node: unknown): JsonAnswer {
  if (Array.isArray(node)) return node.map(convert);
  if (typeof node !== "object" || node === null) return node as string | boolean | null;
  const number = (node as Record<string, unknown>)["\u2400number"];
  if (typeof number === "string") return /^-?\d+$/.test(number) ? BigInt(number) : Number(number);
  const map: { [key: string]: JsonAnswer } = Object.create(null);
  for (const [key, element] of Object.entries(node)) map[key] = convert(element);
  return map;
}

function escapeAll(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`;
}

/** Has the text no half surrogate pair? */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
