import { describe, expect, it } from "vitest";
import { validatePattern } from "../../../../src/compile/rule/pattern.ts";

describe("the place in a pattern", () => {
  it.each([
    ["a(", 2],
    ["é\u{1f600}(", 3],
    // A byte-order mark in front is a character like others.
    ["\ufeffa(", 3],
  ])("counts characters, not bytes or units: %j", (pattern, character) => {
    expect(validatePattern(pattern)).toMatch(
      new RegExp(`, at character ${character} of the pattern$`),
    );
    expect(validatePattern(new TextEncoder().encode(pattern))).toBe(validatePattern(pattern));
  });

  it("is not asked for where there is nothing wrong", () => {
    expect(validatePattern("\ufeffa()")).toBeUndefined();
  });
});
