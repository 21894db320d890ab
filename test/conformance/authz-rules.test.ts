import { describe, expect, test } from "vitest";
import { ACL_LOAD_ERRORS, type AclErrorCode, readAcl } from "../../src/compile/acl/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { referenceDecide } from "../reference/decide.ts";
import { referencePattern } from "../support/acl-reader.ts";
import { type AuthzQuestion, referenceClient } from "../support/authz-vectors.ts";
import { readVectors, type VectorText, vectorText } from "../support/vectors.ts";

interface AuthzRulesVector extends AuthzQuestion {
  readonly acl: VectorText;
  readonly result?: string;
  readonly load_error?: string;
}

const vectors = readVectors<AuthzRulesVector>("authz_rules");
const switches = resolveSwitches("emqx");

function read(vector: AuthzRulesVector) {
  return readAcl(vectorText(vector.acl), {
    file: "acl.conf",
    switches,
    securityProfile: vector.security_profile ?? "legacy",
    validatePattern: referencePattern,
  });
}

describe("rule files in emqx mode", () => {
  test("are decided by the reference as recorded", () => {
    const wrong = vectors.filter((vector) => {
      const { rules, issues } = read(vector);
      const client = referenceClient(vector.client);
      const topic = vectorText(vector.topic);
      const isRefused = issues.some(({ severity }) => severity === "error");
      const result = isRefused
        ? undefined
        : referenceDecide(rules, client, vector.action, topic, switches).verdict;
      return result !== vector.result;
    });
    expect(wrong).toEqual([]);
  });

  test("are refused for the recorded reason, where it has a name", () => {
    const wrong = vectors.flatMap((vector) => {
      if (vector.load_error === undefined) return [];
      const error = read(vector).issues.find(({ severity }) => severity === "error");
      const name = error && ACL_LOAD_ERRORS[error.code as AclErrorCode];
      const isCrash = vector.load_error.startsWith("error:");
      return (isCrash ? name !== undefined : name === vector.load_error) ? [] : [vector];
    });
    expect(wrong).toEqual([]);
  });
});
