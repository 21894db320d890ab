import { expect, test } from "vitest";
import { intersectFilters, isFilterSubset } from "../../src/topic/set.ts";
import { readVectors } from "../support/vectors.ts";

interface TopicSetVector {
  readonly id: string;
  readonly a: string;
  readonly b: string;
  readonly intersection: string | false;
  readonly a_subset_of_b: boolean;
  readonly b_subset_of_a: boolean;
}

test.each(readVectors<TopicSetVector>("topic_set"))("$id: `$a` against `$b`", (vector) => {
  const { a, b } = vector;
  expect({
    id: vector.id,
    a,
    b,
    intersection: intersectFilters(a, b) ?? false,
    a_subset_of_b: isFilterSubset(a, b),
    b_subset_of_a: isFilterSubset(b, a),
  }).toEqual(vector);
});
