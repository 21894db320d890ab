import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { intersectFilters, isFilterSubset } from "../../src/topic/set.ts";
import { validateTopicFilter, validateTopicName } from "../../src/topic/validate.ts";
import { filterContains, filtersOverlap, topicMatches } from "../reference/topic.ts";
import { runs } from "../support/runs.ts";

const level = fc.constantFrom("", "a", "b", "$x");
const name = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join("/"))
  .filter((topic) => topic !== "");
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => (rest ? [...levels.slice(1), "#"] : levels).join("/"))
  .filter((text) => text !== "");

describe("filters as sets of topics", () => {
  test("the arbitraries give valid topics and filters", () => {
    fc.assert(
      fc.property(name, filter, (topic, text) => {
        expect(validateTopicName(topic)).toBeUndefined();
        expect(validateTopicFilter(text)).toBeUndefined();
      }),
    );
  });

  test("an intersection selects exactly what both select", () => {
    fc.assert(
      fc.property(filter, filter, name, (a, b, topic) => {
        const shared = intersectFilters(a, b);
        const inShared = shared !== undefined && topicMatches(shared, topic);
        expect(inShared).toBe(topicMatches(a, topic) && topicMatches(b, topic));
        expect(shared !== undefined).toBe(filtersOverlap(a, b));
        expect(intersectFilters(b, a)).toBe(shared);
      }),
      runs(1500),
    );
  });

  test("a contained filter selects nothing else, and a subset is contained", () => {
    fc.assert(
      fc.property(filter, filter, name, (outer, inner, topic) => {
        if (isFilterSubset(inner, outer)) expect(filterContains(outer, inner)).toBe(true);
        if (!filterContains(outer, inner)) return;
        expect(filtersOverlap(outer, inner)).toBe(true);
        if (topicMatches(inner, topic)) expect(topicMatches(outer, topic)).toBe(true);
      }),
      runs(1500),
    );
  });

  test("containment of a name is matching", () => {
    fc.assert(
      fc.property(filter, name, (text, topic) => {
        expect(filterContains(text, topic)).toBe(topicMatches(text, topic));
      }),
    );
  });
});
