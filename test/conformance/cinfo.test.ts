import { describe, expect, it } from "vitest";
import { answerCinfo } from "../../src/batch/cinfo.ts";
import { createVectorContext } from "../support/expression-batch.ts";
import { readVectors } from "../support/vectors.ts";

interface CinfoVector {
  readonly id: string;
  readonly result?: string;
  readonly config_error?: true;
}

describe("cinfo vectors", () => {
  const context = createVectorContext();
  const vectors = readVectors<CinfoVector>("cinfo");

  it("all agree with the reference", () => {
    expect(vectors.length).toBe(346);
    for (const vector of vectors) {
      const { id, result, config_error } = vector;
      const wanted = config_error ? { config_error } : { result };
      expect(answerCinfo(vector, context), id).toEqual(wanted);
    }
  });
});
