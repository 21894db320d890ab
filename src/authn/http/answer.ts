/** What a server's answer says about a client. Source: authentication §5.3, §8 items 20 and 21. */
import type { BackendAnswer } from "../../http/backend.ts";
import { readFields } from "../../http/fields.ts";
import { isJsonArray, type JsonObject, type JsonValue, member } from "../../json/parse.ts";
import type { Reason } from "../../types.ts";
import {
  type AclClaim,
  type AuthnResult,
  BAD_CREDENTIALS,
  NO_DATA,
  NOT_AUTHORIZED,
  type ReadAcl,
} from "../authenticator.ts";
import { readAttributes, readOverride } from "../jwt/data.ts";
import { readSuperuser } from "../superuser.ts";

export interface AnswerRules {
  /** Switch http_refusals_deny. */
  readonly refusalsDeny: boolean;
  /** Switch media_types_parsed. */
  readonly parsesMediaTypes: boolean;
  /** Attribute names and values are checked exactly. Switch bad_claims_deny. */
  readonly isExact: boolean;
  readonly readAcl: ReadAcl;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** Reads an answer. Never throws: what cannot be understood is a failure. */
export function readAnswer(answer: BackendAnswer, rules: AnswerRules): AuthnResult {
  const { detail } = answer;
  if (answer.type === "failure") {
    return { type: "failure", reason: "backend_unavailable", message: answer.problem, detail };
  }
  return { ...readStatus(answer, rules), detail };
}

type Result = Exclude<AuthnResult, { readonly type: "continue" }>;

function readStatus(answer: BackendAnswer & { type: "answer" }, rules: AnswerRules): Result {
  const { status, contentType, body } = answer;
  switch (status) {
    case 200: {
      const reading = readFields(contentType, body, rules.parsesMediaTypes);
      if (!reading.ok) return failure("bad_answer", reading.problem);
      return readResult(reading.fields, rules);
    }
    case 204:
      return { type: "ok", data: NO_DATA };
    case 401:
      if (rules.refusalsDeny) return deny("backend_denied", BAD_CREDENTIALS);
      break;
    case 403:
      if (rules.refusalsDeny) return deny("backend_denied", NOT_AUTHORIZED);
      break;
  }
  return failure("backend_unavailable", `the answer has status ${status}`);
}

function readResult(fields: JsonObject, rules: AnswerRules): Result {
  switch (member(fields, "result")) {
    case "allow":
      return readData(fields, rules);
    case "deny":
      return deny("backend_denied", NOT_AUTHORIZED);
    case "ignore":
    case undefined:
      return { type: "ignore", reason: "backend_ignored" };
    default:
      return failure("bad_answer", "`result` is none of `allow`, `deny`, `ignore`");
  }
}

function readData(fields: JsonObject, rules: AnswerRules): Result {
  const clientAttrs = readAttributes(member(fields, "client_attrs"), rules.isExact);
  if (clientAttrs === undefined) {
    return failure("bad_attrs_claim", "`client_attrs` is not an object of texts");
  }
  const expiry = readExpiry(member(fields, "expire_at"), rules.now());
  if (typeof expiry === "object") return expiry;
  const acl = readRules(member(fields, "acl"), expiry, rules.readAcl);
  if (acl !== undefined && "type" in acl) return acl;
  return {
    type: "ok",
    data: {
      isSuperuser: readSuperuser(member(fields, "is_superuser")),
      clientAttrs,
      expireAtMs: expiry === undefined ? undefined : expiry * 1000,
      acl,
      clientIdOverride: readOverride(member(fields, "clientid_override")),
      zoneOverride: readOverride(member(fields, "zone_override")),
    },
  };
}

/** Whole seconds since the epoch; undefined when there is no end. */
function readExpiry(value: JsonValue | undefined, nowMs: number): number | Result | undefined {
  if (value === undefined) return undefined;
  // More than half of now in milliseconds: someone sent milliseconds.
  if (typeof value !== "number" || value > nowMs / 2) return deny("bad_expiry", BAD_CREDENTIALS);
  return value < Math.floor(nowMs / 1000) ? deny("expired", BAD_CREDENTIALS) : value;
}

function readRules(
  claim: JsonValue | undefined,
  expireAt: number | undefined,
  readAcl: ReadAcl,
): AclClaim | Result | undefined {
  if (claim === undefined) return undefined;
  if (!isJsonArray(claim)) return failure("bad_acl_claim", "`acl` is not a list of rules");
  const reading = readAcl(claim);
  if (reading.ok) return { form: "list", claim, expireAt, rules: reading.rules };
  if (reading.kind === "crash") return failure("bad_acl_claim", reading.message);
  return deny("bad_acl_claim", BAD_CREDENTIALS);
}

function deny(reason: Reason, code: typeof BAD_CREDENTIALS | typeof NOT_AUTHORIZED): Result {
  return { type: "deny", reason, code };
}

function failure(reason: Reason, message: string): Result {
  return { type: "failure", reason, message };
}
