/**
 * The `cinfo` mechanism: checks on what is known of the client, in order.
 * Source: authentication §3.7, expressions §6.1.
 */
import type { ExpressionError } from "../core/core.ts";
import { evaluatesToTrue } from "../core/expressions.ts";
import type { CoreMemory } from "../core/wasm.ts";
import {
  type Authenticator,
  type AuthnRequest,
  type AuthnResult,
  BAD_CREDENTIALS,
  NO_DATA,
} from "./authenticator.ts";

/** One check, compiled: all the expressions of the image have to be `true`. */
export interface CompiledCheck {
  readonly ids: readonly number[];
  readonly result: "allow" | "deny" | "ignore";
}

export interface CinfoAnswer {
  /** `no_match`: no check held. */
  readonly result: "allow" | "deny" | "ignore" | "no_match";
  /** Position of the check that decided, from 0. */
  readonly check?: number;
}

/** An expression that failed; its check does not hold. */
export type CheckError = (check: number, error: ExpressionError) => void;

/**
 * The first check whose expressions all render to exactly `true`, over the request record in the input
 * buffer. An error or another value is "does not hold".
 */
export function evaluateChecks(
  memory: CoreMemory,
  checks: readonly CompiledCheck[],
  onError?: CheckError,
): CinfoAnswer {
  for (const [index, { ids, result }] of checks.entries()) {
    const holds = ids.every((id) =>
      evaluatesToTrue(memory, id, onError && ((error) => onError(index, error))),
    );
    if (holds) return { result, check: index };
  }
  return { result: "no_match" };
}

export interface CinfoOptions {
  readonly id: string;
  readonly checks: readonly CompiledCheck[];
  /** Writes the client's request record and hands out the core that holds the expressions. */
  readonly bind: (request: AuthnRequest) => CoreMemory;
  readonly onError?: CheckError | undefined;
}

/** An authenticator of compiled checks. Answers at once. */
export function createCinfoAuthenticator(options: CinfoOptions): Authenticator {
  return {
    id: options.id,
    authenticate: (request) => authenticate(request, options),
  };
}

function authenticate(request: AuthnRequest, { checks, bind, onError }: CinfoOptions): AuthnResult {
  // Enhanced authentication is for mechanisms that know its method.
  if (request.client.authMethod !== undefined) return { type: "ignore", reason: "all_ignored" };
  switch (evaluateChecks(bind(request), checks, onError).result) {
    case "allow":
      return { type: "ok", data: NO_DATA };
    case "deny":
      return { type: "deny", reason: "check_denied", code: BAD_CREDENTIALS };
    default:
      return { type: "ignore", reason: "all_ignored" };
  }
}
