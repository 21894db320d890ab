import fc from "fast-check";
import { expect, it } from "vitest";
import {
  ERR_REGEX_BLOB,
  REGEX_HEADER_BYTES,
  REGEX_PARALLEL,
  REGEX_PROGRAM_MAX,
} from "../../assembly/abi.ts";
import { compileRegex } from "../../src/compile/regex/index.ts";
import { debugCore, instructions, latin1, releaseCore } from "../support/regex.ts";
import { anyPattern, anySubject } from "../support/regex-arbitraries.ts";
import { runs } from "../support/runs.ts";

it("any pattern compiles or is refused at a place within it", () => {
  fc.assert(
    fc.property(anyPattern, fc.boolean(), (pattern, doubledBackslashIsClass) => {
      const compiled = compileRegex(latin1(pattern), { doubledBackslashIsClass });
      if (compiled.ok) {
        expect(instructions(compiled.program)).toBeLessThanOrEqual(REGEX_PROGRAM_MAX);
        expect(releaseCore().testRaw(compiled.program, latin1(""))).toBeGreaterThanOrEqual(0);
      } else {
        expect(compiled.offset).toBeGreaterThanOrEqual(0);
        expect(compiled.offset).toBeLessThanOrEqual(pattern.length);
        expect(compiled.message).not.toMatch(/^[A-Z]|\.$/);
      }
    }),
    runs(3000),
  );
});

it("both engines give the same answer, in linear steps, for any pattern and text", () => {
  fc.assert(
    fc.property(anyPattern, anySubject, (pattern, subject) => {
      const compiled = compileRegex(latin1(pattern));
      fc.pre(compiled.ok);
      const text = latin1(subject);
      const core = debugCore();
      const before = core.steps();
      const spans = core.exec(compiled.program, text);
      const steps = core.steps() - before;
      expect(steps).toBeLessThanOrEqual(3 * instructions(compiled.program) * (text.length + 1));
      expect(core.exec(compiled.program, text, 0, REGEX_PARALLEL)).toEqual(spans);
      expect(core.test(compiled.program, text)).toBe(spans !== undefined);
      expect(releaseCore().exec(compiled.program, text)).toEqual(spans);
    }),
    runs(2000),
  );
});

it("mending a doubled backslash means reading it as the class", () => {
  const piece = fc.constantFrom(
    "a",
    "\\\\d",
    "\\\\w+",
    "[\\\\s-]",
    "\\\\.",
    "b*",
    "(\\\\b|c)",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
      const pattern = pieces.join("");
      const mended = compileRegex(pattern, { doubledBackslashIsClass: true });
      if (!mended.ok) throw new Error(mended.message);
      expect(mended.doubledBackslash !== undefined).toBe(/\\\\[dwsb]/.test(pattern));
      const written = compileRegex(mended.doubledBackslash?.mended ?? pattern);
      if (!written.ok) throw new Error(written.message);
      expect(written.program).toEqual(mended.program);
    }),
    runs(500),
  );
});

it("any bytes as a program are answered or refused, never a trap", () => {
  fc.assert(
    fc.property(
      anyPattern,
      anySubject,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (pattern, subject, changes) => {
        const compiled = compileRegex(latin1(pattern));
        fc.pre(compiled.ok);
        const program = compiled.program.slice();
        for (const [at, byte] of changes) program[at % program.length] = byte;
        for (const core of [releaseCore(), debugCore()]) {
          for (const status of [
            core.testRaw(program, latin1(subject)),
            core.execRaw(program, latin1(subject)),
            core.replaceRaw(program, latin1(subject), latin1("<&\\1>")),
          ]) {
            expect(status >= 0 || status === ERR_REGEX_BLOB).toBe(true);
          }
        }
      },
    ),
    runs(3000),
  );
});

it("random bytes as a program are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: REGEX_HEADER_BYTES * 4 }), (program) => {
      expect(releaseCore().testRaw(program, latin1("abc"))).toBe(ERR_REGEX_BLOB);
    }),
    runs(500),
  );
});
