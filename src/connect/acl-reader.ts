/** The rules that a client brings itself, read at its login. */
import { TOKEN_PATTERN_BYTES_MAX, TOKEN_PATTERNS_MAX } from "../../assembly/abi.ts";
import type { ReadAcl } from "../authn/authenticator.ts";
import { readTokenAcl } from "../compile/acl/index.ts";
import { compileRegex } from "../compile/regex/index.ts";
import type { Switches } from "../config/compatibility.ts";
import type { Text } from "../types.ts";

/** Reads a client's own rules at login with the rule reader that acl.conf has. */
export function aclReader(switches: Switches): ReadAcl {
  return (claim) => {
    const acl = readTokenAcl(claim, { switches, validatePattern: patternBudget() });
    if (acl.type !== "refused" && acl.type !== "crashed") return { ok: true, rules: acl };
    const kind = acl.type === "refused" ? "rule" : "crash";
    return { ok: false, kind, message: acl.problem.kind };
  };
}

/**
 * Says what is wrong with the next pattern of a claim. A pattern costs thousands of times what its
 * text does to send, so one login may bring only so many, and only so large ones.
 */
function patternBudget(): (pattern: Text) => string | undefined {
  const problems = new Map<Text, string | undefined>();
  let bytes = 0;
  return (pattern) => {
    if (problems.has(pattern)) return problems.get(pattern);
    if (problems.size >= TOKEN_PATTERNS_MAX) return "there are too many patterns";
    const compiled = compileRegex(pattern);
    if (compiled.ok) bytes += compiled.program.length;
    const isTooLarge = bytes > TOKEN_PATTERN_BYTES_MAX;
    const problem = compiled.ok
      ? isTooLarge
        ? "the patterns are too large"
        : undefined
      : compiled.message;
    problems.set(pattern, problem);
    return problem;
  };
}
