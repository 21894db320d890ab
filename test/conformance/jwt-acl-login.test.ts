import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { answerJwtAcl } from "../../src/batch/jwt-acl.ts";
import { readVectorObjects } from "../support/vector-objects.ts";

/** A non-empty list is read rule by rule, which is another module's work. */
const vectors = readVectorObjects("jwt_acl.jsonl").filter(
  (vector) => !(Array.isArray(vector.acl_claim) && vector.acl_claim.length > 0),
);
const ports = {
  preset: "emqx",
  crypto: createNodeCrypto(),
  readAcl: () => ({ ok: true, rules: undefined }) as const,
  authorize: () => "not asked",
} as const;

describe("a login with an acl claim", () => {
  it.each(vectors.map((vector) => [vector.id, vector]))(
    "answers %s as recorded",
    async (_id, vector) => {
      expect((await answerJwtAcl(vector, ports)).authn).toBe(vector.authn);
    },
  );
});
