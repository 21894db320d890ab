/**
 * Regular expressions against recorded answers: of PCRE2 10.45 in byte mode (regex_pcre2; texts are
 * Latin-1), and of the expression functions whose arguments are all known (variform).
 */
import { describe, expect, it, test } from "vitest";
import { REGEX_PARALLEL } from "../../assembly/abi.ts";
import { compileRegex } from "../../src/compile/regex/index.ts";
import { debugCore, latin1, programOf, releaseCore, type Span, utf8 } from "../support/regex.ts";
import { readVectors } from "../support/vectors.ts";

type Spans = readonly (readonly [number, number] | null)[] | null;

interface PcreVector {
  readonly pattern: string;
  readonly refused?: true;
  readonly subjects: readonly string[];
  readonly matches: readonly Spans[];
}

const recorded = readVectors<PcreVector>("regex_pcre2");
const asRecorded = (spans: readonly Span[] | undefined): Spans =>
  spans ? spans.map((span) => span ?? null) : null;

describe("patterns recorded from PCRE2", () => {
  it("accepts and refuses the same ones", () => {
    const differing = recorded.filter(
      ({ pattern, refused }) => compileRegex(latin1(pattern)).ok === (refused === true),
    );
    expect(differing.map(({ pattern }) => pattern)).toEqual([]);
    expect(recorded.filter(({ refused }) => refused).length).toBeGreaterThan(300);
  });

  test.each([
    ["the release core", () => releaseCore(), 0],
    ["the debug core", () => debugCore(), 0],
    ["the engine without growing memory", () => releaseCore(), REGEX_PARALLEL],
  ])("finds the same matches and groups with %s", (_, core, flags) => {
    const differing: unknown[] = [];
    for (const { pattern, refused, subjects, matches } of recorded) {
      if (refused) continue;
      const program = programOf(latin1(pattern));
      subjects.forEach((subject, index) => {
        const ours = asRecorded(core().exec(program, latin1(subject), 0, flags));
        const theirs = matches[index]!;
        const isFound = core().test(program, latin1(subject));
        if (JSON.stringify(ours) !== JSON.stringify(theirs) || isFound !== (theirs !== null)) {
          differing.push({ pattern, subject, ours, theirs, isFound });
        }
      });
    }
    expect(differing).toEqual([]);
  });
});

interface VariformVector {
  readonly id: string;
  readonly cat: string;
  readonly expr: string;
  readonly bindings: Readonly<Record<string, unknown>>;
  readonly result: { readonly ok?: unknown; readonly error?: string };
}

/** Features the engine refuses by design, where the reference answers (spec: expressions §8.3). */
const REFUSED_BY_DESIGN =
  /\(\?=(\(|.*\*)|\(\?<=a\*|\(\?[(R]|\(\*(UTF8|UCP|CRLF)\)|\\[1-9](?!\d)|\\[kKGpP]|\\g\{|\(\?P=|\(\?\d/;

/** Where the reference runs into its backtracking limit and says "no match", and we answer. */
const REFERENCE_GAVE_UP = "^(a?){30}a{30}$";

/** `regex_…(s, p)` and `regex_replace(s, p, r)` over text bindings. */
const direct = readVectors<VariformVector>("variform").filter(
  ({ cat, expr, bindings }) =>
    /^regex_(match|extract|replace)$/.test(cat) &&
    /^regex_\w+\(s, p(, r)?\)$/.test(expr) &&
    [bindings.s, bindings.p, bindings.r ?? ""].every((value) => typeof value === "string"),
);

describe("regex functions over bound texts", () => {
  const text = (name: string, { bindings }: VariformVector) => utf8(bindings[name] as string);
  const answer = (vector: VariformVector): unknown => {
    const compiled = compileRegex(text("p", vector));
    if (!compiled.ok) return compiled.feature ? `refused: ${compiled.feature}` : "error";
    const core = releaseCore();
    const subject = text("s", vector);
    if (vector.cat === "regex_match") return core.test(compiled.program, subject);
    if (vector.cat === "regex_replace") {
      return core.replace(compiled.program, subject, text("r", vector));
    }
    const spans = core.exec(compiled.program, subject)?.slice(1) ?? [];
    const last = spans.findLastIndex((span) => span !== undefined);
    return spans.slice(0, last + 1).map((span) => subject.slice(...(span ?? [0, 0])));
  };
  const asBytes = (value: unknown): unknown => {
    if (typeof value === "string") return utf8(value);
    if (Array.isArray(value)) return value.map(asBytes);
    if (typeof value === "object" && value !== null && "$b64" in value) {
      return Uint8Array.from(atob(value.$b64 as string), (char) => char.charCodeAt(0));
    }
    return value;
  };

  it("are there", () => {
    expect(direct.length).toBeGreaterThan(250);
  });

  test.each(direct)("$id: $expr with `$bindings.p`", (vector) => {
    const { result } = vector;
    if (REFUSED_BY_DESIGN.test(vector.bindings.p as string)) {
      expect(compileRegex(text("p", vector)).ok).toBe(false);
      return;
    }
    if (vector.bindings.p === REFERENCE_GAVE_UP) {
      expect(result.ok).toEqual([]);
      expect(answer(vector)).toEqual([utf8("")]);
      return;
    }
    expect(answer(vector)).toEqual(result.error === undefined ? asBytes(result.ok) : "error");
  });
});
