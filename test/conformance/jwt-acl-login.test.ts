import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { answerJwtAcl } from "../../src/batch/jwt-acl.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { aclReader } from "../support/acl-reader.ts";
import { readVectorObjects } from "../support/vector-objects.ts";

const ports = {
  preset: "emqx",
  crypto: createNodeCrypto(),
  readAcl: aclReader(resolveSwitches("emqx")),
  // What the rules say once the client is in is the business of other tests.
  authorize: () => "not asked",
} as const;

describe("a login with an acl claim", () => {
  it.each(readVectorObjects("jwt_acl.jsonl").map((vector) => [vector.id, vector]))(
    "answers %s as recorded",
    async (_id, vector) => {
      expect((await answerJwtAcl(vector, ports)).authn).toBe(vector.authn);
    },
  );
});
