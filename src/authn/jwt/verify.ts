/** From a token in a CONNECT to a verdict, in the one order that is safe. */
import type { Crypto, JwsAlgorithm, VerificationKey } from "../../crypto/crypto.ts";
import { algorithmOf } from "../../crypto/crypto.ts";
import type { CompactJws, JwsReader } from "../../crypto/jws.ts";
import { createJwsReader, describeHeader } from "../../crypto/jws.ts";
import type { KeyLookup, KeySource } from "../../crypto/key-source.ts";
import {
  isJsonObject,
  JsonFloat,
  type JsonNumber,
  type JsonObject,
  member,
  parseJson,
} from "../../json/parse.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClientInfo, Reason, Text } from "../../types.ts";
import type { AuthnResult } from "../authenticator.ts";
import { BAD_CREDENTIALS } from "../authenticator.ts";
import type { ClaimRules } from "./claims.ts";
import { checkClaims } from "./claims.ts";
import type { DataRules } from "./data.ts";
import { readTokenData } from "./data.ts";
import type { TokenCache } from "./token-cache.ts";

export interface VerifierOptions {
  readonly crypto: Crypto;
  readonly keys: KeySource;
  readonly clock: Clock;
  readonly claims: ClaimRules;
  readonly data: DataRules;
  /**
   * What does not verify is refused, and what has not even the shape of a token counts as missing;
   * otherwise both are failures. Switch bad_token_denies.
   */
  readonly badTokenDenies: boolean;
  /** `crit` and `b64: false` are refused. Switch crit_rejected. */
  readonly rejectsCrit: boolean;
  /** Whose tokens are its business; undefined: everybody's. */
  readonly issuers?: readonly string[] | undefined;
  /** Signatures that need no second check. */
  readonly cache?: TokenCache | undefined;
}

/** A verdict on a token; `missing`, always at once, when the field holds none. */
export type TokenVerdict = AuthnResult | { readonly type: "missing"; readonly reason: Reason };

export type JwtVerifier = (token: Text, client: ClientInfo) => TokenVerdict | Promise<AuthnResult>;

/** One token on its way through the checks. */
interface Attempt {
  readonly jws: CompactJws;
  readonly algorithm: JwsAlgorithm;
  readonly client: ClientInfo;
  /** The payload, where it had to be read before the signature. */
  readonly claims: JsonObject | undefined;
  /** The key source has looked for newer keys. */
  readonly isSecond: boolean;
  /** What the cache knows the token by; undefined without a cache. */
  readonly digest?: string | undefined;
}

/**
 * A verifier of compact JWTs: structure, issuer, algorithm, signature, payload, claims, data, in this
 * order. `iss` only says whether the token is for this authenticator: nothing in the payload is
 * believed before a signature holds, and no key named or embedded by the token is ever used.
 *
 * Answers at once when the keys are at hand and the signature check is synchronous.
 * Source: authentication §3.3.3; RFC 7515 §5.2, RFC 8725.
 */
export function createJwtVerifier(options: VerifierOptions): JwtVerifier {
  const read: JwsReader = createJwsReader();

  return (token, client) => {
    const jws = read(token);
    if (jws === undefined) {
      const reason = "malformed_token";
      if (options.badTokenDenies) return { type: "missing", reason };
      return { type: "failure", reason, message: "the token is not a compact JWS" };
    }
    const claims = options.issuers && readClaims(jws);
    if (options.issuers && !options.issuers.includes(member(claims ?? {}, "iss") as string)) {
      const detail = `\`iss\` is not ${namesOf(options.issuers)}`;
      return { type: "ignore", reason: "other_issuer", detail };
    }
    const { header } = jws;
    const isExtended = header.hasCrit || header.b64 !== true;
    if (header.b64 === "invalid" || (options.rejectsCrit && isExtended)) {
      return refuse(jws, "malformed_token", "the header asks for an extension");
    }
    const algorithm = algorithmOf(options.keys.family, header.alg);
    if (algorithm === undefined) {
      return refuse(jws, "alg_not_allowed", "the algorithm is not allowed");
    }
    const attempt: Attempt = { jws, algorithm, client, claims, isSecond: false };
    const lookup = options.keys.find(header, algorithm);
    return lookup instanceof Promise
      ? lookup.then((found) => explained(found, checkSignature(attempt, found)))
      : explained(lookup, checkSignature(attempt, lookup));
  };

  /** The answer with the keys it was found with, where the source has something to say of them. */
  function explained(
    { detail }: KeyLookup,
    answer: AuthnResult | Promise<AuthnResult>,
  ): AuthnResult | Promise<AuthnResult> {
    if (detail === undefined) return answer;
    const explain = (result: AuthnResult): AuthnResult => withDetail(result, detail);
    return answer instanceof Promise ? answer.then(explain) : explain(answer);
  }

  function checkSignature(attempt: Attempt, lookup: KeyLookup): AuthnResult | Promise<AuthnResult> {
    if (!lookup.ok) {
      return { type: "failure", reason: "backend_unavailable", message: lookup.problem };
    }
    const { cache } = options;
    if (cache === undefined || lookup.keys.length === 0) return tryKeys(attempt, lookup.keys, 0);
    const digest = options.crypto.digest(attempt.jws.token);
    if (cache.holds(digest, lookup.keys, options.clock.now())) {
      return withDetail(checkPayload(attempt), "the signature was verified before");
    }
    return tryKeys({ ...attempt, digest }, lookup.keys, 0);
  }

  /** The first key that verifies decides. */
  function tryKeys(
    attempt: Attempt,
    keys: readonly VerificationKey[],
    from: number,
  ): AuthnResult | Promise<AuthnResult> {
    const { signingInput, signature } = attempt.jws;
    for (let index = from; index < keys.length; index += 1) {
      const key = keys[index]!;
      const isValid = options.crypto.verify(attempt.algorithm, key, signingInput, signature);
      if (isValid === true) return checkPayload(attempt, key);
      if (isValid === false) continue;
      return isValid.then((holds) =>
        holds ? checkPayload(attempt, key) : tryKeys(attempt, keys, index + 1),
      );
    }
    return lookAgain(attempt, keys);
  }

  /** No key of these verifies; there may be newer ones. */
  function lookAgain(
    attempt: Attempt,
    tried: readonly VerificationKey[],
  ): AuthnResult | Promise<AuthnResult> {
    const { jws, algorithm, isSecond } = attempt;
    const refused = (): AuthnResult =>
      tried.length === 0
        ? refuse(jws, "no_key", "there is no key for the token")
        : refuse(jws, "bad_signature", "no key verifies the signature");
    const again = isSecond ? undefined : options.keys.findAgain?.(jws.header, algorithm, tried);
    if (again === undefined) return refused();
    const conclude = (lookup: KeyLookup): AuthnResult | Promise<AuthnResult> => {
      const isWorthIt = lookup.ok && lookup.keys.length > 0;
      const second = { ...attempt, isSecond: true };
      return explained(lookup, isWorthIt ? tryKeys(second, lookup.keys, 0) : refused());
    };
    return again instanceof Promise ? again.then(conclude) : conclude(again);
  }

  /** `verifiedBy` has just been found to have signed the token. */
  function checkPayload(
    { jws, client, claims: known, digest }: Attempt,
    verifiedBy?: VerificationKey,
  ): AuthnResult {
    const payload = known ?? readClaims(jws);
    if (payload === undefined) {
      const reason = "bad_payload";
      if (options.data.badClaimsDeny) return { type: "deny", reason, code: BAD_CREDENTIALS };
      return { type: "failure", reason, message: "the payload is not a JSON object" };
    }
    const nowSeconds = Math.floor(options.clock.now() / 1000);
    const claims = checkClaims(payload, options.claims, client, nowSeconds);
    if (!claims.ok) return { type: "deny", reason: claims.reason, code: BAD_CREDENTIALS };
    const result = readTokenData(payload, claims.exp, options.data);
    // Remembered only where it let somebody in: what is refused is of no use again.
    if (result.type === "ok" && digest !== undefined && verifiedBy !== undefined) {
      const untilMs = claims.exp === undefined ? Number.POSITIVE_INFINITY : endMs(claims.exp);
      options.cache?.add(digest, verifiedBy, untilMs);
    }
    return result;
  }

  function endMs(exp: JsonNumber): number {
    const seconds = Number(exp instanceof JsonFloat ? exp.value : exp);
    return (seconds + options.claims.leewaySeconds) * 1000;
  }

  function refuse(jws: CompactJws, reason: Reason, message: string): AuthnResult {
    return options.badTokenDenies
      ? { type: "deny", reason, code: BAD_CREDENTIALS }
      : { type: "failure", reason, message: `${message} (${describeHeader(jws.header)})` };
  }
}

/** The payload, when it is a JSON object. */
function readClaims({ payload, isPlainPayload }: CompactJws): JsonObject | undefined {
  const reading = payload === undefined ? undefined : parseJson(payload, isPlainPayload);
  return reading?.ok && isJsonObject(reading.value) ? reading.value : undefined;
}

/** Configured names, never what a token says. */
function namesOf(issuers: readonly string[]): string {
  return issuers.map((issuer) => `\`${issuer}\``).join(" or ");
}

/** The answer with something more to explain it, in front of what it says already. */
function withDetail(result: AuthnResult, detail: string): AuthnResult {
  if (result.type === "continue") return result;
  return { ...result, detail: result.detail ? `${detail}; ${result.detail}` : detail };
}
