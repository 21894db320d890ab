/** The decisions that need no rule, made once. */
import type { Decision, Fault, Reason, StoredListName, Verdict } from "../types.ts";

/** A decision without faults. */
export function decision(
  verdict: Verdict,
  reason: Reason,
  by: string,
  rule?: Decision["rule"],
): Decision {
  return Object.freeze({ verdict, reason, by, ...(rule ? { rule } : {}), faults: [] });
}

/** The source name of stored rules. */
const DATABASE = "built_in_database";

/** The source name of rules that came with the client. */
const CLIENT_INFO = "client_info";

export const ALLOWED_SUPERUSER: Decision = decision("allow", "superuser", "superuser");
export const DENIED_MALFORMED_TOPIC: Decision = decision("deny", "malformed_topic", "default");
export const DENIED_TOKEN_ACL_EXPIRED: Decision = decision(
  "deny",
  "token_acl_expired",
  CLIENT_INFO,
);
export const DENIED_TOKEN_ACL_NO_MATCH: Decision = decision(
  "deny",
  "token_acl_no_match",
  CLIENT_INFO,
);
/** The policy in force cannot compile the token's rules. */
export const DENIED_TOKEN_RULES: Decision = decision("deny", "bad_acl_claim", CLIENT_INFO);
/** The question took DECISION_STEPS_MAX steps, and no rule had decided by then. */
export const DENIED_TOO_MANY_STEPS: Decision = decision("deny", "too_many_steps", "core");
export const DENIED_CLOSED: Decision = decision("deny", "closed", "engine");
export const DENIED_CORE_FAILED: Decision = Object.freeze({
  verdict: "deny",
  reason: "core_failed",
  by: "core",
  faults: [{ code: "ERR_CORE", at: "authorize", message: "the core failed and was replaced" }],
});

/** Decided by the token's own rule, counted from 0. */
export function tokenDecision(verdict: Verdict, rule: number): Decision {
  return decision(verdict, "token_acl", CLIENT_INFO, { number: rule + 1 });
}

/** Decided by a stored rule, counted from 0. */
export function storedDecision(verdict: Verdict, list: StoredListName, rule: number): Decision {
  return decision(verdict, "rule", DATABASE, { number: rule + 1, list });
}

/** A stored rule, counted from 0, that cannot be used, or that is one too many. */
export function deniedByUnusable(list: StoredListName, rule: number): Decision {
  const message = `a rule of the ${list} list cannot be used`;
  return failed(message, { number: rule + 1, list });
}

export const DENIED_DATABASE_FAILED: Decision = failed("the built-in database cannot be read");

function failed(message: string, rule?: Decision["rule"]): Decision {
  const faults: Fault[] = [{ code: "ERR_STORED_RULES", at: DATABASE, message }];
  return Object.freeze({
    verdict: "deny",
    reason: "source_failed",
    by: DATABASE,
    ...(rule && { rule }),
    faults,
  });
}
