/** The rules a token brought along, as the session needs them. Source: authorization §5.2–5.4. */
import type { AclClaim } from "../authn/authenticator.ts";
import type { TokenRules } from "../authz/token-rules.ts";
import type { TokenAcl } from "../compile/acl/index.ts";
import type { Switches } from "../config/compatibility.ts";
import type { SecurityProfile } from "../config/config.ts";
import { JsonFloat, type JsonNumber } from "../json/parse.ts";

/** The mode, as far as a failing source depends on it. */
export interface FailureMode {
  readonly switches: Switches;
  readonly securityProfile: SecurityProfile;
  /** `authorization.ignore_backend_failures`. */
  readonly ignoreBackendFailures: boolean;
}

/** Does a failing authorization source refuse, or is it skipped? Source: authorization §4.5. */
export function failureDenies(mode: FailureMode): boolean {
  if (mode.switches.source_failure_denies) return true;
  return mode.securityProfile === "hardened" && !mode.ignoreBackendFailures;
}

/** Undefined when the token brought none. */
export function tokenRulesOf(acl: AclClaim | undefined, mode: FailureMode): TokenRules | undefined {
  const read = acl?.rules as TokenAcl | undefined;
  if (!acl || read?.type !== "rules") return undefined;
  return {
    rules: read.rules,
    denyOtherwise:
      read.otherwise === "deny" || (read.otherwise === "failure" && failureDenies(mode)),
    expireAtMs: expiryMs(acl.expireAt, mode.switches),
  };
}

/**
 * The last millisecond at which the rules hold: the whole second of `exp` counts. A fractional `exp`
 * is legal with `bad_claims_deny`; without, it denies everything from the start, as the reference does.
 */
function expiryMs(expireAt: JsonNumber | undefined, switches: Switches): number | undefined {
  if (expireAt === undefined) return undefined;
  if (!(expireAt instanceof JsonFloat)) return Number(expireAt) * 1000 + 999;
  return switches.bad_claims_deny ? Math.floor(expireAt.value * 1000) : Number.NEGATIVE_INFINITY;
}
