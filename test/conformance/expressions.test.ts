import { describe, expect, it } from "vitest";
import { answerVariform } from "../../src/batch/variform.ts";
import { canonicalTerm, createVectorContext, refusedFeature } from "../support/expression-batch.ts";
import { readVectors } from "../support/vectors.ts";

interface ExpressionVector {
  readonly group: string;
  readonly expr: unknown;
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly mode?: "raw";
  readonly ok?: unknown;
  readonly value?: unknown;
  readonly error?: string;
}

/** Cases that differ on purpose or are left open by the specification, by expression. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  // The digest library has neither; both depend on the crypto library in the reference.
  ["hash('md4','abc')", "unknown_hash_algorithm"],
  ["hash('sm3','abc')", "unknown_hash_algorithm"],
  // Bytes that are not UTF-8 become U+FFFD (§2.3); the reference crashes on this pair of them.
  ["any_to_str([bad])", ""],
  // ltrim of what is no text is a type error (§4.2).
  ["ltrim(x)", "bad_argument"],
]);

/** Stages at which the reference refuses an expression before evaluating it. */
const COMPILE_ERRORS = ["lexical", "syntax", "compile_crash", "invalid_utf8"];
/** Kinds that stand for an unnamed exception, which has any name here. */
const UNNAMED_ERRORS = ["crash"];

const hexToBase64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

/** The notation of these vectors as the terms of `batch`. */
function toTerm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toTerm);
  if (value === null) return { $atom: "null" };
  if (typeof value !== "object") return value;
  const tagged = value as Record<string, string>;
  if ("hex" in tagged) return { $b64: hexToBase64(tagged.hex!) };
  if ("int" in tagged) return { $int: tagged.int };
  if ("float" in tagged) return { $float: tagged.float };
  if ("undefined" in tagged) return { $atom: "undefined" };
  if ("atom" in tagged) return { $atom: tagged.atom };
  if ("ip" in tagged || "opaque" in tagged) return { $tuple: [1] };
  const map = tagged.map as unknown as Record<string, unknown>;
  return Object.fromEntries(Object.entries(map).map(([key, element]) => [key, toTerm(element)]));
}

/** Terms with the same meaning written the same way. */
function normal(term: unknown): unknown {
  if (Array.isArray(term)) return term.map(normal);
  if (term === null) return { $atom: "null" };
  if (typeof term !== "object") return term;
  const tagged = term as Record<string, unknown>;
  if ("$tuple" in tagged) return "a tuple";
  if (typeof tagged.$b64 === "string") {
    const bytes = Buffer.from(tagged.$b64, "base64");
    return Buffer.from(bytes.toString()).equals(bytes) ? bytes.toString() : term;
  }
  return canonicalTerm(term);
}

const context = createVectorContext("emqx", { env: () => undefined });
const vectors = readVectors<ExpressionVector>("expressions");

function answerOf(vector: ExpressionVector): Record<string, unknown> {
  const bindings = Object.fromEntries(
    Object.entries(vector.vars ?? {}).map(([name, value]) => [name, toTerm(value)]),
  );
  const as = vector.mode === "raw" ? "value" : "string";
  return answerVariform({ expr: toTerm(vector.expr), bindings, as }, context)
    .result as unknown as Record<string, unknown>;
}

function patternText(vector: ExpressionVector): string {
  return `${String(vector.expr)} ${JSON.stringify(vector.vars ?? "")}`;
}

describe("expression vectors of the specification", () => {
  const checked = vectors.filter((vector) => {
    if (EXCEPTIONS.has(String(vector.expr)) && isException(vector)) return false;
    if (vector.error !== undefined) return true;
    return !(answerOf(vector).error === "bad_pattern" && refusedFeature(patternText(vector)));
  });

  function isException(vector: ExpressionVector): boolean {
    return vector.expr !== "ltrim(x)" || vector.error === "bad_return";
  }

  it.each([...new Set(checked.map(({ group }) => group))])("agree on %s", (group) => {
    for (const vector of checked.filter((one) => one.group === group)) {
      const answer = answerOf(vector);
      const label = `${String(vector.expr)} ${JSON.stringify(vector.vars ?? {})}`;
      if (vector.error === undefined) {
        const wanted = "ok" in vector ? vector.ok : vector.value;
        expect(normal(answer.ok), label).toEqual(normal(toTerm(wanted)));
        continue;
      }
      expect(answer.error, label).toBeTypeOf("string");
      const isCompile = COMPILE_ERRORS.includes(vector.error);
      expect(answer.stage, label).toBe(isCompile ? "compile" : "eval");
      if (!isCompile && !UNNAMED_ERRORS.includes(vector.error)) {
        expect(answer.error, label).toBe(vector.error);
      }
    }
  });

  it("leave out nothing but refused patterns and the named exceptions", () => {
    expect(vectors.length - checked.length).toBeLessThanOrEqual(27);
    expect(checked.length).toBeGreaterThanOrEqual(1123);
  });
});
