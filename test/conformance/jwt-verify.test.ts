import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { answerJwtVerify } from "../../src/batch/jwt-verify.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { createJoseCrypto } from "../../src/crypto/jose.ts";
import { aclReader } from "../support/acl-reader.ts";
import { pick, readVectorObjects } from "../support/vector-objects.ts";

const ANSWERS = [
  "result",
  "superuser",
  "expire_at",
  "client_attrs",
  "clientid_override",
  "acl",
] as const;
const vectors = readVectorObjects("jwt_verify.jsonl");
const readAcl = aclReader(resolveSwitches("emqx"));

// On a platform whose WebCrypto has no Ed448, jv-7180cbaf6042 is `ignore` instead of `ok`.
describe.each([
  ["node:crypto", createNodeCrypto()],
  ["WebCrypto", createJoseCrypto()],
])("a JWT authenticator on %s", (_name, crypto) => {
  it.each(vectors.map((vector) => [vector.id, vector]))(
    "answers %s as recorded",
    async (_id, vector) => {
      const answer = await answerJwtVerify(vector, { preset: "emqx", crypto, readAcl });
      // Which words a creation error has is ours to choose.
      if ("config_error" in vector) expect(answer).toHaveProperty("config_error");
      else expect(answer).toEqual(pick(vector, ANSWERS));
    },
  );
});
