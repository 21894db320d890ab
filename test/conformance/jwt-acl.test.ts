import { describe, expect, test } from "vitest";
import { readTokenAcl, type TokenAcl } from "../../src/compile/acl/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { referenceDecide } from "../reference/decide.ts";
import { referencePattern } from "../support/acl-reader.ts";
import { type AuthzQuestion, referenceClient } from "../support/authz-vectors.ts";
import { readVectors, vectorText } from "../support/vectors.ts";

interface JwtAclVector extends AuthzQuestion {
  readonly acl_claim?: unknown;
  readonly exp?: unknown;
  readonly authn: string;
  readonly result?: string;
}

const switches = resolveSwitches("emqx");
/** Expiry is the authenticator's business, so vectors about it are its tests'. */
const vectors = readVectors<JwtAclVector>("jwt_acl").filter(({ exp }) => exp === undefined);

function read(vector: JwtAclVector): TokenAcl {
  return readTokenAcl(vector.acl_claim, {
    switches,
    validatePattern: referencePattern,
  });
}

function loginOutcome(acl: TokenAcl): string {
  if (acl.type === "refused") return "error:bad_username_or_password";
  return acl.type === "crashed" ? "exception" : "ok";
}

function decide(acl: TokenAcl, vector: JwtAclVector): string | undefined {
  if (acl.type === "none") return "ignore";
  if (acl.type !== "rules") return undefined;
  const client = referenceClient(vector.client);
  const topic = vectorText(vector.topic);
  const { verdict } = referenceDecide(acl.rules, client, vector.action, topic, switches);
  if (verdict !== "nomatch") return verdict;
  if (acl.otherwise === "failure") {
    return vector.security_profile === "hardened" ? "deny" : "ignore";
  }
  return acl.otherwise === "deny" ? "deny" : "nomatch";
}

describe("acl claims in emqx mode", () => {
  test("there are enough of them to mean something", () => {
    expect(vectors.length).toBeGreaterThan(600);
  });

  test("let the login go on, refuse it or fail it as recorded", () => {
    const wrong = vectors.filter((vector) => loginOutcome(read(vector)) !== vector.authn);
    expect(wrong).toEqual([]);
  });

  test("decide as recorded", () => {
    const wrong = vectors.filter((vector) => decide(read(vector), vector) !== vector.result);
    expect(wrong).toEqual([]);
  });
});
