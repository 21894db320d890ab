/** What a verified token says about its client: superuser, attributes, expiry, private rules. */

import type { JsonNumber, JsonObject, JsonValue } from "../../json/parse.ts";
import { isJsonArray, isJsonObject, JsonFloat, member } from "../../json/parse.ts";
import { decodeUtf8, encodeUtf8 } from "../../text.ts";
import type { ConnectCode, Reason, Text } from "../../types.ts";
import type { AclClaim, AuthnData, ReadAcl } from "../authenticator.ts";
import { BAD_CREDENTIALS } from "../authenticator.ts";
import { readSuperuser } from "../superuser.ts";

export interface DataRules {
  readonly aclClaimName: string;
  readonly disconnectAfterExpire: boolean;
  /** Added to every expiry, as it was to the check of `exp`. */
  readonly leewaySeconds: number;
  /**
   * Malformed claims refuse instead of failing, a fractional `exp` is legal, attribute names and
   * values are checked exactly. Switch bad_claims_deny.
   */
  readonly badClaimsDeny: boolean;
  readonly readAcl: ReadAcl;
}

export type DataVerdict =
  | { readonly type: "ok"; readonly data: AuthnData }
  | { readonly type: "deny"; readonly reason: Reason; readonly code: ConnectCode }
  | { readonly type: "failure"; readonly reason: Reason; readonly message: string };

/** As the reference's byte-wise pattern has it: one line feed may follow. */
const ATTRIBUTE_NAME = /^[A-Za-z0-9]+[A-Za-z0-9_-]*\n?$/;
const ATTRIBUTE_NAME_EXACT = /^[A-Za-z0-9]+[A-Za-z0-9_-]*$/;

/**
 * The data of a token whose signature and claims are good. `exp` is the checked claim as a number.
 *
 * Source: authentication §3.3.5, §8 item 7; authorization §5.1.
 */
export function readTokenData(
  claims: JsonObject,
  exp: JsonNumber | undefined,
  rules: DataRules,
): DataVerdict {
  const attrs = readAttributes(member(claims, "client_attrs"), rules.badClaimsDeny);
  if (attrs === undefined) {
    return malformed(rules, "bad_attrs_claim", "`client_attrs` is not an object of texts");
  }
  const end = plusLeeway(exp, rules.leewaySeconds);
  let expireAtMs: number | bigint | undefined;
  if (rules.disconnectAfterExpire && end !== undefined) {
    expireAtMs = toMilliseconds(end, rules.badClaimsDeny);
    if (expireAtMs === undefined) return malformed(rules, "bad_payload", "`exp` is not an integer");
  }
  const acl = readAclClaim(claims, end, rules);
  if (acl !== undefined && "type" in acl) return acl;
  return {
    type: "ok",
    data: {
      isSuperuser: readSuperuser(member(claims, "is_superuser")),
      clientAttrs: attrs,
      expireAtMs,
      acl,
      clientIdOverride: readOverride(member(claims, "clientid_override")),
    },
  };
}

function readAclClaim(
  claims: JsonObject,
  expireAt: JsonNumber | undefined,
  rules: DataRules,
): AclClaim | DataVerdict | undefined {
  const claim = member(claims, rules.aclClaimName);
  if (claim === undefined) return undefined;
  const isList = isJsonArray(claim);
  if (!isList && !isJsonObject(claim)) {
    return malformed(rules, "bad_acl_claim", "the acl claim is neither an object nor an array");
  }
  const reading = rules.readAcl(claim);
  if (reading.ok) {
    return { form: isList ? "list" : "map", claim, expireAt, rules: reading.rules };
  }
  if (reading.kind === "crash") return malformed(rules, "bad_acl_claim", reading.message);
  return { type: "deny", reason: "bad_acl_claim", code: BAD_CREDENTIALS };
}

function malformed(rules: DataRules, reason: Reason, message: string): DataVerdict {
  return rules.badClaimsDeny
    ? { type: "deny", reason, code: BAD_CREDENTIALS }
    : { type: "failure", reason, message };
}

/** A text that is not empty; whatever else is disregarded. */
export function readOverride(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Attributes with a legal name; undefined when the claim or one of their values is malformed. */
export function readAttributes(
  claim: JsonValue | undefined,
  isExact: boolean,
): Readonly<Record<string, Text>> | undefined {
  const attrs: Record<string, Text> = Object.create(null);
  if (claim === undefined) return attrs;
  if (!isJsonObject(claim)) return undefined;
  const pattern = isExact ? ATTRIBUTE_NAME_EXACT : ATTRIBUTE_NAME;
  for (const name of Object.keys(claim)) {
    if (!pattern.test(name)) continue;
    const value = attributeValue(claim[name]!, isExact);
    if (value === undefined) return undefined;
    attrs[name] = value;
  }
  return attrs;
}

/** A text, or a list of texts put together; the reference takes bytes and nested lists as well. */
function attributeValue(value: JsonValue, isExact: boolean): Text | undefined {
  if (typeof value === "string") return value;
  if (!isJsonArray(value)) return undefined;
  if (value.every((entry) => typeof entry === "string")) return value.join("");
  return isExact ? undefined : joinBytes(value);
}

/** The bytes of texts, small integers and lists of them, in order; undefined for anything else. */
function joinBytes(value: JsonValue): Text | undefined {
  const bytes: number[] = [];
  const pending: JsonValue[] = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (isJsonArray(next)) {
      for (let index = next.length - 1; index >= 0; index -= 1) pending.push(next[index]!);
    } else if (typeof next === "string") {
      for (const byte of encodeUtf8(next)) bytes.push(byte);
    } else if (typeof next === "number" && next >= 0 && next <= 255) {
      bytes.push(next);
    } else {
      return undefined;
    }
  }
  const joined = Uint8Array.from(bytes);
  return decodeUtf8(joined) ?? joined;
}

function plusLeeway(exp: JsonNumber | undefined, seconds: number): JsonNumber | undefined {
  if (exp === undefined || seconds === 0) return exp;
  if (exp instanceof JsonFloat) return new JsonFloat(exp.value + seconds, exp.source);
  return typeof exp === "bigint" ? exp + BigInt(seconds) : exp + seconds;
}

/** Seconds → ms. A fraction is cut to whole ms where it is legal, else undefined. */
function toMilliseconds(seconds: JsonNumber, takesFractions: boolean): number | bigint | undefined {
  if (seconds instanceof JsonFloat) {
    return takesFractions ? Math.floor(seconds.value * 1000) : undefined;
  }
  const ms = Number(seconds) * 1000;
  return Number.isSafeInteger(ms) ? ms : BigInt(seconds) * 1000n;
}
