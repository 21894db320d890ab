import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { answerJwtVerify } from "../../src/batch/jwt-verify.ts";
import { createJoseCrypto } from "../../src/crypto/jose.ts";
import { pick, readVectorObjects } from "../support/vector-objects.ts";

const ANSWERS = [
  "result",
  "superuser",
  "expire_at",
  "client_attrs",
  "clientid_override",
  "acl",
] as const;
/** Logins that a rule of the list form decides; the rules are another module's. */
const NEEDS_RULES = [
  "jv-48e2d030170b",
  "jv-7685d08d6484",
  "jv-eab7aea549d1",
  "jv-e343f1e8851f",
  "jv-3872696d5e89",
];
const vectors = readVectorObjects("jwt_verify.jsonl").filter(
  (vector) => !NEEDS_RULES.includes(vector.id as string),
);
const readAcl = () => ({ ok: true, rules: undefined }) as const;

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
