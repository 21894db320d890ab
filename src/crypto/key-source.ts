/** Where the keys of a verifier come from: configured ones now, a fetched key set later. */

import type { AlgorithmFamily, JwsAlgorithm, VerificationKey } from "./crypto.ts";
import { fitsKey, isLongEnough, JWS_ALGORITHMS } from "./crypto.ts";
import type { JwsHeader } from "./jws.ts";

/** Keys to try in order, or why there are none. */
export type KeyLookup =
  | {
      readonly ok: true;
      readonly keys: readonly VerificationKey[];
      /** For explanations: where they are from. Holds nothing of a token but its `alg` and `kid`. */
      readonly detail?: string | undefined;
    }
  | { readonly ok: false; readonly problem: string; readonly detail?: string | undefined };

export interface KeySource {
  readonly family: AlgorithmFamily;
  /** The keys that could have signed a token with this header. Answers at once where it can. */
  find(header: JwsHeader, algorithm: JwsAlgorithm): KeyLookup | Promise<KeyLookup>;
  /**
   * Where none of the keys of `find` verified: keys that were not among them, once the source has
   * looked for newer ones. Undefined when looking again is no use. To be asked once a token.
   */
  findAgain?(
    header: JwsHeader,
    algorithm: JwsAlgorithm,
    tried: readonly VerificationKey[],
  ): KeyLookup | Promise<KeyLookup> | undefined;
  /** Stops what runs in the background. */
  close?(): void;
}

/** Which keys count. */
export interface KeySelection {
  /** Switch kid_selects_key. */
  readonly selectsByKid: boolean;
  /** Keys shorter than the algorithm asks for are left out. */
  readonly refusesShort?: boolean | undefined;
}

/** A source whose keys never change. */
export function createStaticKeySource(
  family: AlgorithmFamily,
  keys: readonly VerificationKey[],
  options: KeySelection,
): KeySource {
  // Without named keys the header's `kid` says nothing, and the answer is the same every time.
  const hasNames = options.selectsByKid && keys.some((key) => key.kid !== undefined);
  const lookups = new Map<JwsAlgorithm, KeyLookup>();
  for (const algorithm of JWS_ALGORITHMS) {
    const unnamed: JwsHeader = { alg: algorithm, kid: undefined, hasCrit: false, b64: true };
    const fitting = selectKeys(keys, unnamed, algorithm, options);
    lookups.set(algorithm, { ok: true, keys: fitting });
  }
  return {
    family,
    find: (header, algorithm) =>
      hasNames && header.kid !== undefined
        ? { ok: true, keys: selectKeys(keys, header, algorithm, options) }
        : lookups.get(algorithm)!,
  };
}

/**
 * The keys of a set that fit a header.
 *
 * `selectsByKid` false: all that fit the algorithm, in document order; `kid`, `use` and `alg` of the
 * keys say nothing. True: keys meant for something else are left out, and a token that names a
 * `kid` is tried with the keys of that name, or, when there is none, with those without a name.
 *
 * Source: authentication §3.3.6, §8 item 12.
 */
export function selectKeys(
  keys: readonly VerificationKey[],
  header: JwsHeader,
  algorithm: JwsAlgorithm,
  { selectsByKid, refusesShort }: KeySelection,
): readonly VerificationKey[] {
  const fitting = keys.filter(
    (key) => fitsKey(algorithm, key.type) && (!refusesShort || isLongEnough(algorithm, key)),
  );
  if (!selectsByKid) return fitting;
  const meant = fitting.filter(
    (key) =>
      (key.use === undefined || key.use === "sig") &&
      // `Ed25519` is the newer name of what headers call EdDSA.
      (key.alg === undefined || key.alg === algorithm || key.alg === key.type) &&
      (key.keyOps === undefined || key.keyOps.includes("verify")),
  );
  if (header.kid === undefined) return meant;
  const named = meant.filter((key) => key.kid === header.kid);
  return named.length > 0 ? named : meant.filter((key) => key.kid === undefined);
}
