/** The rules that a client brings itself, read at its login. */
import type { ReadAcl } from "../authn/authenticator.ts";
import { readTokenAcl } from "../compile/acl/index.ts";
import { validatePattern } from "../compile/rule/pattern.ts";
import type { Switches } from "../config/compatibility.ts";

/** Reads a client's own rules at login with the rule reader that acl.conf has. */
export function aclReader(switches: Switches): ReadAcl {
  return (claim) => {
    const acl = readTokenAcl(claim, { switches, validatePattern });
    if (acl.type !== "refused" && acl.type !== "crashed") return { ok: true, rules: acl };
    const kind = acl.type === "refused" ? "rule" : "crash";
    return { ok: false, kind, message: acl.problem.kind };
  };
}
