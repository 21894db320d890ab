/** From a token in a CONNECT to a verdict, in the one order that is safe. */
import type { Crypto, JwsAlgorithm, VerificationKey } from "../../crypto/crypto.ts";
import { algorithmOf } from "../../crypto/crypto.ts";
import type { CompactJws, JwsReader } from "../../crypto/jws.ts";
import { createJwsReader, describeHeader } from "../../crypto/jws.ts";
import type { KeyLookup, KeySource } from "../../crypto/key-source.ts";
import { isJsonObject, parseJson } from "../../json/parse.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClientInfo, Reason, Text } from "../../types.ts";
import type { AuthnResult } from "../authenticator.ts";
import { BAD_CREDENTIALS } from "../authenticator.ts";
import type { ClaimRules } from "./claims.ts";
import { checkClaims } from "./claims.ts";
import type { DataRules } from "./data.ts";
import { readTokenData } from "./data.ts";

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
}

/** A verdict on a token; `missing`, always at once, when the field holds none. */
export type TokenVerdict = AuthnResult | { readonly type: "missing"; readonly reason: Reason };

export type JwtVerifier = (token: Text, client: ClientInfo) => TokenVerdict | Promise<AuthnResult>;

/**
 * A verifier of compact JWTs: structure, algorithm, signature, payload, claims, data, in this order.
 * Nothing in the payload is looked at before a signature holds, and no key named or embedded by
 * the token is ever used.
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
    const { header } = jws;
    const isExtended = header.hasCrit || header.b64 !== true;
    if (header.b64 === "invalid" || (options.rejectsCrit && isExtended)) {
      return refuse(jws, "malformed_token", "the header asks for an extension");
    }
    const algorithm = algorithmOf(options.keys.family, header.alg);
    if (algorithm === undefined) {
      return refuse(jws, "alg_not_allowed", "the algorithm is not allowed");
    }
    const lookup = options.keys.find(header, algorithm);
    return lookup instanceof Promise
      ? lookup.then((found) => explained(found, checkSignature(jws, algorithm, found, client)))
      : explained(lookup, checkSignature(jws, algorithm, lookup, client));
  };

  /** The answer with the keys it was found with, where the source has something to say of them. */
  function explained(
    { detail }: KeyLookup,
    answer: AuthnResult | Promise<AuthnResult>,
  ): AuthnResult | Promise<AuthnResult> {
    if (detail === undefined) return answer;
    const explain = (result: AuthnResult): AuthnResult =>
      result.type === "continue" ? result : { ...result, detail };
    return answer instanceof Promise ? answer.then(explain) : explain(answer);
  }

  function checkSignature(
    jws: CompactJws,
    algorithm: JwsAlgorithm,
    lookup: KeyLookup,
    client: ClientInfo,
  ): AuthnResult | Promise<AuthnResult> {
    if (!lookup.ok) {
      return { type: "failure", reason: "backend_unavailable", message: lookup.problem };
    }
    if (lookup.keys.length === 0) return refuse(jws, "no_key", "there is no key for the token");
    return tryKeys(jws, algorithm, lookup.keys, 0, client);
  }

  /** The first key that verifies decides. */
  function tryKeys(
    jws: CompactJws,
    algorithm: JwsAlgorithm,
    keys: readonly VerificationKey[],
    from: number,
    client: ClientInfo,
  ): AuthnResult | Promise<AuthnResult> {
    for (let index = from; index < keys.length; index += 1) {
      const { signingInput, signature } = jws;
      const isValid = options.crypto.verify(algorithm, keys[index]!, signingInput, signature);
      if (isValid === true) return checkPayload(jws, client);
      if (isValid === false) continue;
      return isValid.then((holds) =>
        holds ? checkPayload(jws, client) : tryKeys(jws, algorithm, keys, index + 1, client),
      );
    }
    return refuse(jws, "bad_signature", "no key verifies the signature");
  }

  function checkPayload(jws: CompactJws, client: ClientInfo): AuthnResult {
    const { payload, isPlainPayload } = jws;
    const reading = payload === undefined ? undefined : parseJson(payload, isPlainPayload);
    if (!reading?.ok || !isJsonObject(reading.value)) {
      const reason = "bad_payload";
      if (options.data.badClaimsDeny) return { type: "deny", reason, code: BAD_CREDENTIALS };
      return { type: "failure", reason, message: "the payload is not a JSON object" };
    }
    const nowSeconds = Math.floor(options.clock.now() / 1000);
    const claims = checkClaims(reading.value, options.claims, client, nowSeconds);
    if (!claims.ok) return { type: "deny", reason: claims.reason, code: BAD_CREDENTIALS };
    return readTokenData(reading.value, claims.exp, options.data);
  }

  function refuse(jws: CompactJws, reason: Reason, message: string): AuthnResult {
    return options.badTokenDenies
      ? { type: "deny", reason, code: BAD_CREDENTIALS }
      : { type: "failure", reason, message: `${message} (${describeHeader(jws.header)})` };
  }
}
