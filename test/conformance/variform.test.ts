import { describe, expect, it } from "vitest";
import { answerVariform } from "../../src/batch/variform.ts";
import { compileExpression } from "../../src/compile/expr/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { canonicalTerm, createVectorContext, refusedFeature } from "../support/expression-batch.ts";
import { readVectors } from "../support/vectors.ts";

interface VariformVector {
  readonly id: string;
  readonly cat: string;
  readonly expr: string | { readonly $b64: string };
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly as: "string" | "value";
  readonly result:
    | { readonly ok: unknown }
    | { readonly error: string; readonly stage: "compile" | "eval" };
}

/** Vectors that differ on purpose, with what we answer instead (expressions §8.2, §9). */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  // hash('md4', …): the digest library has no MD4.
  "vf-d0711a2f5e6b": "unknown_hash_algorithm",
  // The reference's backtracking limit turned a match into "no match" (expressions §8.2 item 19).
  "vf-e0654ecaec3a": "match",
};

/** The pattern a vector is about: a variable or a literal. */
function patternOf(vector: VariformVector): string | undefined {
  if (typeof vector.expr !== "string" || !vector.expr.includes("regex_")) return undefined;
  const { p } = vector.bindings;
  return typeof p === "string" ? p : vector.expr;
}

const context = createVectorContext();
const vectors = readVectors<VariformVector>("variform");

function answerOf(vector: VariformVector): Record<string, unknown> {
  return answerVariform(vector, context).result as unknown as Record<string, unknown>;
}

const isRefused = (vector: VariformVector): boolean =>
  "ok" in vector.result &&
  answerOf(vector).error === "bad_pattern" &&
  refusedFeature(patternOf(vector) ?? "") !== undefined;

describe("variform vectors", () => {
  const checked = vectors.filter((vector) => !(vector.id in EXCEPTIONS) && !isRefused(vector));

  it.each([...new Set(checked.map(({ cat }) => cat))])("agree with the reference on %s", (cat) => {
    for (const vector of checked.filter((one) => one.cat === cat)) {
      const answer = answerOf(vector);
      if ("ok" in vector.result) {
        expect(canonicalTerm(answer.ok), vector.id).toEqual(canonicalTerm(vector.result.ok));
      } else {
        expect(answer, vector.id).toMatchObject({
          error: expect.any(String),
          stage: vector.result.stage,
        });
      }
    }
  });

  it("leave out nothing but patterns the engine refuses and the named exceptions", () => {
    expect(vectors.length - checked.length).toBeLessThanOrEqual(25);
    expect(checked.length).toBeGreaterThanOrEqual(1890);
  });

  it("answer MD4 with an error of its own", () => {
    const vector = vectors.find(({ id }) => id === "vf-d0711a2f5e6b")!;
    expect(answerOf(vector)).toMatchObject({ error: "unknown_hash_algorithm", stage: "eval" });
  });

  it("find the match that the reference gave up on", () => {
    const vector = vectors.find(({ id }) => id === "vf-e0654ecaec3a")!;
    expect(answerOf(vector)).toEqual({ ok: [""] });
  });

  it("refuse at load, with a reason, every refused pattern that is written as a literal", () => {
    const patterns = new Set(
      vectors
        .filter(isRefused)
        .flatMap(({ bindings: { p } }) => (typeof p === "string" ? [p] : [])),
    );
    expect(patterns.size).toBeGreaterThan(10);
    for (const pattern of patterns) {
      const quote = pattern.includes("'") ? '"' : "'";
      const { blob, issues } = compileExpression(
        { value: `regex_match(clientid,${quote}${pattern}${quote})` },
        { switches: resolveSwitches("strict"), place: "cinfo" },
      );
      expect(blob, pattern).toBeUndefined();
      expect(issues[0], pattern).toMatchObject({
        severity: "error",
        code: "ERR_CONFIG_PATTERN",
        message: expect.stringContaining("bad regular expression: "),
      });
    }
  });
});
