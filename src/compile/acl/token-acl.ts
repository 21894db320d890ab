/** The `acl` claim of a token → the client's own rules, or why the login fails. */
import {
  ACTION_ANY,
  ACTION_PUBLISH_ANY,
  ACTION_SUBSCRIBE_ANY,
  TOKEN_RULES_MAX,
} from "../../../assembly/abi.ts";
import type { Rule } from "../rule/ast.ts";
import {
  isRecord,
  type JsonRuleErrorKind,
  type JsonRuleOptions,
  readJsonRule,
  readJsonTopics,
} from "./json-rules.ts";

export type TokenAclOptions = JsonRuleOptions;

export type TokenAcl =
  /** No claim, or an undefined one: the sources decide alone. */
  | { readonly type: "none" }
  | {
      readonly type: "rules";
      readonly form: "map" | "list";
      /** Tried in order, before every source. */
      readonly rules: readonly Rule[];
      /**
       * What follows when no rule applies. `deny`: the map form ends the chain. `no_match`: the
       * list form lets the sources decide. `failure`: the check reaches the malformed part of a map,
       * which is a source failure (skipped, or denied with `source_failure_denies`).
       */
      readonly otherwise: "deny" | "no_match" | "failure";
    }
  /** The login is refused: `bad_username_or_password` (0x86). */
  | { readonly type: "refused"; readonly problem: TokenAclProblem }
  /** The authenticator fails: ignored or refused, as its failures are. Only without `bad_claims_deny`. */
  | { readonly type: "crashed"; readonly problem: TokenAclProblem };

export interface TokenAclProblem {
  readonly kind: JsonRuleErrorKind | "invalid_acl" | "too_many_rules";
  /** The list element (from 0) or the map's key it was found in. */
  readonly where?: number | string | undefined;
}

/** For the operator; names the place and never a value. */
export function describeTokenAclProblem({ kind, where }: TokenAclProblem): string {
  const place =
    typeof where === "number" ? `rule ${where + 1} of ` : where ? `\`${where}\` of ` : "";
  return `${place}the acl claim: ${kind}`;
}

/** The keys of the map form, in the order they are tried. */
const MAP_KEYS = [
  { key: "pub", actions: ACTION_PUBLISH_ANY },
  { key: "sub", actions: ACTION_SUBSCRIBE_ANY },
  { key: "all", actions: ACTION_ANY },
] as const;

/**
 * Reads the claim's value, as parseJson gave it. `undefined` means that the token has no such
 * claim. Expiry is not looked at. Never throws. Cost: linear in the claim.
 *
 * Source: authorization §5.2, §5.3; §9 item 10.
 */
export function readTokenAcl(claim: unknown, options: TokenAclOptions): TokenAcl {
  if (claim === undefined) return { type: "none" };
  if (Array.isArray(claim)) return readList(claim, options);
  if (isRecord(claim)) return readMap(claim, options);
  return fail({ kind: "invalid_acl" }, options);
}

function readList(list: readonly unknown[], options: TokenAclOptions): TokenAcl {
  if (list.length > TOKEN_RULES_MAX) {
    return { type: "refused", problem: { kind: "too_many_rules" } };
  }
  const rules: Rule[] = [];
  for (const [where, value] of list.entries()) {
    const reading = readJsonRule(value, options);
    if (reading.ok) {
      rules.push(reading.rule);
      continue;
    }
    const problem = { kind: reading.kind, where };
    return reading.crashes ? fail(problem, options) : { type: "refused", problem };
  }
  return { type: "rules", form: "list", rules, otherwise: "no_match" };
}

function readMap(map: Readonly<Record<string, unknown>>, options: TokenAclOptions): TokenAcl {
  const rules: Rule[] = [];
  for (const { key, actions } of MAP_KEYS) {
    if (!Object.hasOwn(map, key)) continue;
    const value = map[key];
    const reading = Array.isArray(value) ? readJsonTopics(value, options.switches) : undefined;
    if (!reading?.ok) {
      if (options.switches.token_acl_checked_at_login) {
        return { type: "refused", problem: { kind: "invalid_topic", where: key } };
      }
      // What stands before the malformed key still counts.
      return { type: "rules", form: "map", rules, otherwise: "failure" };
    }
    if (reading.entries.length === 0) continue;
    rules.push({ permission: "allow", who: { type: "all" }, actions, topics: reading.entries });
  }
  return { type: "rules", form: "map", rules, otherwise: "deny" };
}

function fail(problem: TokenAclProblem, options: TokenAclOptions): TokenAcl {
  return { type: options.switches.bad_claims_deny ? "refused" : "crashed", problem };
}
