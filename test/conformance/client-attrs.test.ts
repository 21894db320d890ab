import { describe, expect, it } from "vitest";
import { answerClientAttrs } from "../../src/batch/client-attrs.ts";
import { createVectorContext } from "../support/expression-batch.ts";
import { readVectors } from "../support/vectors.ts";

interface ClientAttrsVector {
  readonly id: string;
  readonly attrs?: object;
  readonly merged?: object;
  readonly config_error?: true;
}

describe("client_attrs vectors", () => {
  const context = createVectorContext();
  const vectors = readVectors<ClientAttrsVector>("client_attrs");

  it("all agree with the reference", () => {
    expect(vectors.length).toBe(133);
    for (const vector of vectors) {
      const { id, attrs, merged, config_error } = vector;
      const wanted = config_error ? { config_error } : { attrs, ...(merged && { merged }) };
      expect(answerClientAttrs(vector, context), id).toEqual(wanted);
    }
  });
});
