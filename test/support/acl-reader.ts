/** Reads `acl` claims with the reader of rules, patterns judged by JavaScript's own engine. */
import type { ReadAcl } from "../../src/authn/authenticator.ts";
import { readTokenAcl } from "../../src/compile/acl/index.ts";
import type { Switches } from "../../src/config/compatibility.ts";
import type { Text } from "../../src/types.ts";
import { byteString } from "../reference/client.ts";
import { patternFinds } from "../reference/who.ts";

/** What is wrong with a pattern, as the reference finds out. */
export function referencePattern(pattern: Text): string | undefined {
  try {
    patternFinds(byteString(pattern), "");
    return undefined;
  } catch {
    return "does not compile";
  }
}

export function aclReader(switches: Switches): ReadAcl {
  return (claim) => {
    const acl = readTokenAcl(claim, {
      switches,
      validatePattern: referencePattern,
    });
    if (acl.type === "none" || acl.type === "rules") return { ok: true, rules: acl };
    const kind = acl.type === "refused" ? "rule" : "crash";
    return { ok: false, kind, message: acl.problem.kind };
  };
}
