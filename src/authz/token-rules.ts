/** The rules a token brought along, and their form as a rule set for the core. */
import { ACTION_ANY } from "../../assembly/abi.ts";
import type { Rule } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import type { Switches } from "../config/compatibility.ts";
import { CoreError } from "../errors.ts";

/** The client's private rules. */
export interface TokenRules {
  readonly rules: readonly Rule[];
  /** What follows when none applies: refuse, or ask the sources. */
  readonly denyOtherwise: boolean;
  /** Last ms since the epoch at which they hold; -Infinity: never; undefined: for ever. */
  readonly expireAtMs: number | undefined;
}

/** The rules cannot be compiled, so the client cannot be judged by them. */
export class TokenRulesError extends CoreError {}

const DENY_ALL: Rule = {
  permission: "deny",
  who: { type: "all" },
  actions: ACTION_ANY,
  topics: "all",
};

/**
 * The rules as a rule set; a map-form ACL ends in a refusal of everything. Throws TokenRulesError for
 * what the policy cannot compile: leaving a rule out could leave out a refusal.
 */
export function compileTokenRules(tokenRules: TokenRules, switches: Switches): Uint8Array {
  const { rules, denyOtherwise } = tokenRules;
  const all = denyOtherwise ? [...rules, DENY_ALL] : rules;
  const { blob, issues } = compileRules(all, { switches });
  const error = issues.find(({ severity }) => severity === "error");
  // The message of the issue may quote the claim, which is nobody's business but the client's.
  if (error)
    throw new TokenRulesError("ERR_TOKEN_RULES", `the acl claim is refused: ${error.code}`);
  return blob;
}
