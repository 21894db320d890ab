/** The ordered list of authenticators: who is asked, and when the answer is final. */

import type { Switches } from "../config/compatibility.ts";
import type { OnFailure, SecurityProfile } from "../config/config.ts";
import { CoreError, EngineError } from "../errors.ts";
import type { ConnectCode, Fault, Reason } from "../types.ts";
import type {
  Authenticator,
  AuthnContinue,
  AuthnData,
  AuthnRequest,
  AuthnResult,
} from "./authenticator.ts";
import {
  BAD_AUTHENTICATION_METHOD,
  NO_DATA,
  NOT_AUTHORIZED,
  SERVER_UNAVAILABLE,
} from "./authenticator.ts";

/** One place in the chain. */
export interface ChainMember {
  readonly authenticator: Authenticator;
  /** A disabled member is skipped but still makes the chain exist. */
  readonly enable: boolean;
  /** Has a precondition; `ChainPolicy.checkPrecondition` is asked only then. */
  readonly hasPrecondition: boolean;
  /** `on_failure`: goes before what holds for the chain. */
  readonly onFailure?: OnFailure | undefined;
}

/** What holds for the chain as a whole. */
export interface ChainPolicy {
  readonly switches: Switches;
  readonly securityProfile: SecurityProfile;
  /** `authentication_settings.ignore_backend_failures`. */
  readonly ignoreBackendFailures: boolean;
  /** Ours: let clients in when no authenticator is enabled, also where that is refused by default. */
  readonly allowAnonymous: boolean;
  /** May this authenticator be asked? `error`: the precondition cannot be evaluated. */
  readonly checkPrecondition?: (
    authenticator: Authenticator,
    request: AuthnRequest,
  ) => boolean | "error";
}

/** What one authenticator said, for explanations. */
export interface ChainStep {
  readonly by: string;
  readonly outcome: AuthnResult["type"] | "disabled" | "precondition_not_met";
  readonly reason?: Reason | undefined;
  /** Of a failure. */
  readonly message?: string | undefined;
  /** What it was found out with. */
  readonly detail?: string | undefined;
}

interface ChainVerdictCommon {
  /** The authenticator that decided; `anonymous` or `chain` when none did. */
  readonly by: string;
  readonly faults: readonly Fault[];
  /** In the order they were asked. */
  readonly steps: readonly ChainStep[];
}

export type ChainVerdict =
  | (ChainVerdictCommon & {
      readonly verdict: "allow";
      readonly reason: Reason;
      readonly data: AuthnData;
      /** `Authenticator.verifies` of the one that accepted. */
      readonly verifies?: Authenticator["verifies"];
    })
  | (ChainVerdictCommon & {
      readonly verdict: "deny";
      readonly reason: Reason;
      readonly code: ConnectCode;
    })
  | (ChainVerdictCommon & {
      readonly verdict: "continue";
      readonly data: Uint8Array | undefined;
      /** The next step: the same client, with the data that came back. */
      readonly resume: (request: AuthnRequest) => ChainVerdict | Promise<ChainVerdict>;
    });

export interface AuthnChain {
  /**
   * Answers at once when every authenticator asked does. Throws or rejects with CoreError alone:
   * what the core could not answer is refused in every mode.
   */
  authenticate(request: AuthnRequest): ChainVerdict | Promise<ChainVerdict>;
  /** Closes every authenticator. */
  close(): void;
}

/** What a run of the chain has gathered so far. */
interface Run {
  readonly request: AuthnRequest;
  /** How to go on should nobody have an opinion, and with whom. */
  otherwise?: { readonly member: ChainMember; readonly answer: AuthnContinue } | undefined;
  readonly faults: Fault[];
  readonly steps: ChainStep[];
}

/**
 * A chain over `members`, in this order.
 *
 * The first `ok`, `deny` or `continue` is final. `ignore` and an unmet precondition ask the next one. A
 * failure, a throw and a precondition that cannot be evaluated count as `ignore` or refuse, as the
 * member or else the policy says. Nobody decided: refused, or the exchange that someone offered for
 * this case goes on.
 *
 * Source: authentication §2.2, §2.3, §6.1, §8 items 1, 3, 31 and 32; appendix A.
 */
export function createChain(members: readonly ChainMember[], policy: ChainPolicy): AuthnChain {
  const isConfigured = members.some((member) => member.enable);

  function authenticate(request: AuthnRequest): ChainVerdict | Promise<ChainVerdict> {
    const run: Run = { request, faults: [], steps: [] };
    const { authMethod } = request.client;
    if (authMethod !== undefined && !isKnown(authMethod)) {
      return deny("chain", "unknown_auth_method", BAD_AUTHENTICATION_METHOD, run);
    }
    return isConfigured ? askFrom(0, run) : withoutChain(policy, run);
  }

  /** Source: authentication §8 item 32. */
  function isKnown(method: string): boolean {
    if (!policy.switches.unknown_method_refused) return true;
    return members.some((one) => one.enable && one.authenticator.methods?.includes(method));
  }

  function askFrom(start: number, run: Run): ChainVerdict | Promise<ChainVerdict> {
    for (let index = start; index < members.length; index += 1) {
      const member = members[index]!;
      const answer = ask(member, run);
      if (answer instanceof Promise) {
        return answer.then(
          (result) => take(member, result, run) ?? askFrom(index + 1, run),
          (error) => take(member, crashed(error), run) ?? askFrom(index + 1, run),
        );
      }
      const verdict = answer && take(member, answer, run);
      if (verdict !== undefined) return verdict;
    }
    const { otherwise } = run;
    if (otherwise) return proceed(otherwise.member, otherwise.answer, run);
    return deny("chain", "all_ignored", NOT_AUTHORIZED, run);
  }

  /** The member owns the exchange from here on, or the whole chain is asked again at every step. */
  function proceed(member: ChainMember, answer: AuthnContinue, run: Run): ChainVerdict {
    const { data, cache } = answer;
    const resume = (request: AuthnRequest): ChainVerdict | Promise<ChainVerdict> => {
      const next: Run = { request: { ...request, cache }, faults: [], steps: [] };
      return policy.switches.exchange_has_owner ? askOwner(member, next) : askFrom(0, next);
    };
    return { verdict: "continue", by: member.authenticator.id, data, resume, ...gathered(run) };
  }

  /** Its precondition was met when it took the exchange on. Source: authentication §8 item 31. */
  function askOwner(member: ChainMember, run: Run): ChainVerdict | Promise<ChainVerdict> {
    const conclude = (result: AuthnResult): ChainVerdict =>
      take(member, result, run) ?? deny("chain", "all_ignored", NOT_AUTHORIZED, run);
    const answer = ask({ ...member, hasPrecondition: false }, run)!;
    return answer instanceof Promise
      ? answer.then(conclude, (error) => conclude(crashed(error)))
      : conclude(answer);
  }

  /** Undefined when the member is not asked. */
  function ask(member: ChainMember, run: Run): AuthnResult | Promise<AuthnResult> | undefined {
    const { authenticator } = member;
    if (!member.enable) {
      run.steps.push({ by: authenticator.id, outcome: "disabled" });
      return undefined;
    }
    try {
      const isMet = !member.hasPrecondition || meetsPrecondition(authenticator, run.request);
      if (isMet === "error") {
        const message = "the precondition cannot be evaluated";
        return { type: "failure", reason: "precondition_error", message };
      }
      if (isMet) return authenticator.authenticate(run.request);
      run.steps.push({ by: authenticator.id, outcome: "precondition_not_met" });
      return undefined;
    } catch (error) {
      return crashed(error);
    }
  }

  function meetsPrecondition(
    authenticator: Authenticator,
    request: AuthnRequest,
  ): boolean | "error" {
    // A precondition that nobody can check is not met by hope.
    return policy.checkPrecondition?.(authenticator, request) ?? "error";
  }

  /** The final verdict, or undefined when the next member is to be asked. */
  function take(member: ChainMember, result: AuthnResult, run: Run): ChainVerdict | undefined {
    const by = member.authenticator.id;
    run.steps.push(stepOf(member, result));
    switch (result.type) {
      case "ok":
        return accepted(member.authenticator, result.data, run);
      case "continue":
        return proceed(member, result, run);
      case "deny":
        return deny(by, result.reason, result.code, run);
      case "ignore":
        if (result.otherwise) run.otherwise ??= { member, answer: result.otherwise };
        return undefined;
      case "failure": {
        run.faults.push({ code: "ERR_AUTHN_FAILED", at: by, message: result.message });
        const code = failureCode(member, policy);
        return code === undefined ? undefined : deny(by, result.reason, code, run);
      }
    }
  }

  function close(): void {
    for (const member of members) member.authenticator.close?.();
  }

  return { authenticate, close };
}

/** The refusal a failure means, or undefined when it counts as `ignore`. */
function failureCode({ onFailure }: ChainMember, policy: ChainPolicy): ConnectCode | undefined {
  if (onFailure === "ignore") return undefined;
  const { switches, securityProfile, ignoreBackendFailures } = policy;
  const code = switches.failure_denies ? SERVER_UNAVAILABLE : NOT_AUTHORIZED;
  if (onFailure !== undefined) return code;
  if (ignoreBackendFailures) return undefined;
  return switches.failure_denies || securityProfile === "hardened" ? code : undefined;
}

/** No chain, or every member of it disabled. */
function withoutChain(policy: ChainPolicy, run: Run): ChainVerdict {
  const isOpen = policy.securityProfile === "legacy" && !policy.switches.anonymous_refused;
  if (!isOpen && !policy.allowAnonymous)
    return deny("chain", "not_configured", NOT_AUTHORIZED, run);
  const by = "anonymous";
  return { verdict: "allow", reason: "anonymous", by, data: NO_DATA, ...gathered(run) };
}

function accepted({ id, verifies }: Authenticator, data: AuthnData, run: Run): ChainVerdict {
  return { verdict: "allow", reason: "ok", by: id, data, verifies, ...gathered(run) };
}

function deny(by: string, reason: Reason, code: ConnectCode, run: Run): ChainVerdict {
  return { verdict: "deny", reason, by, code, ...gathered(run) };
}

function gathered({ faults, steps }: Run): Pick<ChainVerdictCommon, "faults" | "steps"> {
  return { faults, steps };
}

function stepOf({ authenticator, onFailure }: ChainMember, result: AuthnResult): ChainStep {
  const by = authenticator.id;
  switch (result.type) {
    case "ok":
      return { by, outcome: "ok", detail: result.detail };
    case "continue":
      return { by, outcome: "continue" };
    case "failure": {
      const { reason, message } = result;
      const written = onFailure && `on_failure = ${onFailure}`;
      const detail = [result.detail, written].filter(Boolean).join("; ") || undefined;
      return { by, outcome: "failure", reason, message, detail };
    }
    default:
      return { by, outcome: result.type, reason: result.reason, detail: result.detail };
  }
}

/** An exception as a failure; a CoreError goes on. Its text may quote a secret, so only its kind is kept. */
function crashed(error: unknown): AuthnResult {
  if (error instanceof CoreError) throw error;
  const kind = error instanceof EngineError ? error.code : error instanceof Error ? error.name : "";
  return {
    type: "failure",
    reason: "backend_unavailable",
    message: `the authenticator raised ${kind || "an unknown error"}`,
  };
}
