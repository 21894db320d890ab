/** The engine against JavaScript's RegExp, on what both dialects have and mean alike. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { latin1, programOf, releaseCore } from "../support/regex.ts";
import { plainSubject, twinPattern } from "../support/regex-arbitraries.ts";
import { runs } from "../support/runs.ts";

it("finds the match and the groups that RegExp finds", () => {
  fc.assert(
    fc.property(twinPattern, fc.boolean(), plainSubject, (pattern, ignoreCase, subject) => {
      // Beyond ASCII the dialects fold case differently.
      const text = ignoreCase ? subject.replace(/[^\0-\x7f]/g, "c") : subject;
      const program = programOf(latin1((ignoreCase ? "(?i)" : "") + pattern.ours));
      const theirs = new RegExp(pattern.javaScript, ignoreCase ? "di" : "d").exec(text);
      const ours = releaseCore().exec(program, latin1(text));
      expect(ours).toEqual(theirs ? [...theirs.indices!] : undefined);
    }),
    runs(3000),
  );
});

it("replaces what RegExp replaces", () => {
  fc.assert(
    fc.property(twinPattern, plainSubject, (pattern, subject) => {
      // RegExp advances past an empty match without looking for a longer one at the same place.
      fc.pre(pattern.isSolid);
      const program = programOf(latin1(pattern.ours));
      const ours = releaseCore().replace(program, latin1(subject), latin1("<&>"));
      const theirs = subject.replace(new RegExp(pattern.javaScript, "g"), "<$&>");
      expect(new TextDecoder("latin1").decode(ours)).toBe(theirs);
    }),
    runs(1000),
  );
});
