/** The claims of a verified token: time, audience, and what the configuration asks for. */

import type { Template } from "../../compile/template.ts";
import type { JsonArray, JsonNumber, JsonObject, JsonValue } from "../../json/parse.ts";
import { isJsonArray, JsonFloat, member } from "../../json/parse.ts";
import type { ClientInfo, Reason } from "../../types.ts";
import { renderClaimTemplate } from "./claim-template.ts";

export interface ClaimRules {
  readonly checks: readonly { readonly name: string; readonly expected: Template }[];
  /** Clock difference to tolerate for `exp` and `nbf`. */
  readonly leewaySeconds: number;
  /** A token from the future is refused. */
  readonly checksIat?: boolean | undefined;
  /** A check whose placeholder has no value fails. Switch absent_placeholder_fails_claim. */
  readonly absentPlaceholderFails: boolean;
  /** Numbers and booleans compare as their JSON text. Switch json_claims. */
  readonly comparesScalars: boolean;
}

/** The first claim that is not as it has to be, or `exp` as a number when all are. */
export type ClaimsVerdict =
  | { readonly ok: true; readonly exp: JsonNumber | undefined }
  | { readonly ok: false; readonly reason: Reason };

const INTEGER = /^[+-]?[0-9]+$/;
const FLOAT = /^[+-]?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?$/;
/** LIMIT: a time of more digits than this is no time. */
const DIGITS_MAX = 64;

/**
 * Checks the claims of a token whose signature is good, in the order `aud`, `exp`, `nbf`, the rest.
 *
 * `nowSeconds` is whole seconds since the epoch. Times may be numeric texts; `iat` is looked at only
 * with `checksIat`, right after `nbf`. A time claim that is looked at, present and no number fails.
 *
 * Source: authentication §3.3.4, §8 items 8–11; RFC 7519 §4.1.
 */
export function checkClaims(
  claims: JsonObject,
  rules: ClaimRules,
  client: ClientInfo,
  nowSeconds: number,
): ClaimsVerdict {
  for (const check of rules.checks) {
    const reason = check.name === "aud" ? checkClaim(claims, check, rules, client) : undefined;
    if (reason !== undefined) return { ok: false, reason };
  }
  const exp = readTime(member(claims, "exp"));
  if (exp === "invalid" || (exp !== undefined && !isAfter(exp, nowSeconds - rules.leewaySeconds))) {
    return { ok: false, reason: "expired" };
  }
  for (const name of rules.checksIat ? ["nbf", "iat"] : ["nbf"]) {
    const start = readTime(member(claims, name));
    const isAhead =
      start !== undefined &&
      start !== "invalid" &&
      isAfter(start, nowSeconds + rules.leewaySeconds);
    if (start === "invalid" || isAhead) return { ok: false, reason: "not_yet_valid" };
  }
  for (const check of rules.checks) {
    const reason = check.name === "aud" ? undefined : checkClaim(claims, check, rules, client);
    if (reason !== undefined) return { ok: false, reason };
  }
  return { ok: true, exp };
}

function checkClaim(
  claims: JsonObject,
  check: ClaimRules["checks"][number],
  rules: ClaimRules,
  client: ClientInfo,
): Reason | undefined {
  const claim = member(claims, check.name);
  if (claim === undefined) return `claim_missing:${check.name}`;
  const expected = renderClaimTemplate(check.expected, client);
  const fits =
    expected.ok &&
    !(expected.hasAbsent && rules.absentPlaceholderFails) &&
    (check.name === "aud"
      ? audienceFits(claim, expected.text, rules)
      : textOf(claim, check.name, rules) === expected.text);
  return fits ? undefined : `claim_mismatch:${check.name}`;
}

/** Text: not empty and equal. Array: contains it, where even the empty text counts. */
function audienceFits(claim: JsonValue, expected: string, rules: ClaimRules): boolean {
  if (isJsonArray(claim)) {
    return (claim as JsonArray).some((entry) => textOf(entry, "aud", rules) === expected);
  }
  return claim !== "" && textOf(claim, "aud", rules) === expected;
}

/** What a claim compares as; undefined never matches. */
function textOf(claim: JsonValue, name: string, rules: ClaimRules): string | undefined {
  // Numeric texts in these two count as numbers, and anything else has failed before.
  if (name === "exp" || name === "nbf") return undefined;
  if (typeof claim === "string") return claim;
  if (!rules.comparesScalars) return undefined;
  if (typeof claim === "boolean" || typeof claim === "number" || typeof claim === "bigint") {
    return String(claim);
  }
  return claim instanceof JsonFloat ? claim.source : undefined;
}

/** A time claim as a number, `invalid` when it is there and is none. */
function readTime(value: JsonValue | undefined): JsonNumber | "invalid" | undefined {
  if (value === undefined || value instanceof JsonFloat) return value;
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string" || value.length > DIGITS_MAX) return "invalid";
  if (INTEGER.test(value)) {
    const seconds = Number(value);
    return Number.isSafeInteger(seconds) ? seconds : BigInt(value.replace("+", ""));
  }
  const seconds = Number(value);
  return FLOAT.test(value) && Number.isFinite(seconds) ? new JsonFloat(seconds, value) : "invalid";
}

function isAfter(time: JsonNumber, seconds: number): boolean {
  return (time instanceof JsonFloat ? time.value : time) > seconds;
}
