import { describe, expect, it } from "vitest";
import type { AuthnRequest } from "../../src/authn/authenticator.ts";
import { answerAuthnChain } from "../../src/batch/authn-chain.ts";
import { pick, readVectorObjects } from "../support/vector-objects.ts";

const vectors = readVectorObjects("authn_chain.jsonl");

/** The preconditions of the vectors, by hand: what is tested here is the chain around them. */
function checkPrecondition(expression: string, { client }: AuthnRequest): boolean | "error" {
  const isJwt = typeof client.password === "string" && client.password.split(".").length === 3;
  switch (expression) {
    case "true":
    case "'true'":
      return true;
    case "is_jwt(password)":
      return isJwt;
    case "not(is_jwt(password))":
      return !isJwt;
    case "str_eq(username,'alice')":
      return client.username === "alice";
    case "str_eq(cert_common_name,'x')":
      return client.certCommonName === undefined ? "error" : client.certCommonName === "x";
    case "lower(nosuch)":
      return "error";
    case "is_empty(username)":
    case "iif(is_empty(username),true,false)":
      return (client.username ?? "") === "";
    default:
      return false;
  }
}

describe("an authentication chain", () => {
  it.each(vectors.map((vector) => [vector.id, vector]))(
    "answers %s as recorded",
    async (_id, vector) => {
      const answer = await answerAuthnChain(vector, { preset: "emqx", checkPrecondition });
      expect(answer).toEqual(pick(vector, ["result", "superuser"]));
    },
  );
});
