/** A JWK set document → keys. */
import type { JsonObject, JsonValue } from "../json/parse.ts";
import { isJsonArray, isJsonObject, member } from "../json/parse.ts";
import { encodeUtf8 } from "../text.ts";
import { decodeBase64url } from "./base64url.ts";
import type { Crypto, PublicJwk, VerificationKey } from "./crypto.ts";

export interface KeySetOptions {
  /** Skip unusable keys with a warning instead of refusing the document. */
  readonly skipBadKeys: boolean;
  /** Keys of the document before. One that is in both stays the same object. */
  readonly known?: readonly VerificationKey[] | undefined;
}

export type KeySetReading =
  | {
      readonly ok: true;
      /** In document order. Symmetric keys are never among them. */
      readonly keys: readonly VerificationKey[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

type JwkReading =
  | { readonly type: "public"; readonly jwk: PublicJwk }
  | { readonly type: "skipped"; readonly problem: string }
  | { readonly type: "malformed"; readonly problem: string };

/**
 * The keys of a JWK set.
 *
 * Keys of unknown `kty` and symmetric keys are skipped. A key of a known `kty` with missing or
 * undecodable parameters makes the document unusable, unless `skipBadKeys`.
 *
 * Source: authentication §3.3.6, §8 item 13; RFC 7517 §5.
 */
export async function readKeySet(
  document: JsonValue,
  crypto: Crypto,
  options: KeySetOptions,
): Promise<KeySetReading> {
  const entries = isJsonObject(document) ? member(document, "keys") : undefined;
  if (!isJsonArray(entries)) return { ok: false, problem: "the document has no array `keys`" };
  const keys: VerificationKey[] = [];
  const warnings: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const reading = readJwk(entry);
    if (reading.type === "malformed" && !options.skipBadKeys) {
      return { ok: false, problem: `keys[${index}]: ${reading.problem}` };
    }
    if (reading.type !== "public") {
      warnings.push(`keys[${index}]: ${reading.problem}`);
      continue;
    }
    const labels = labelsOf(entry as JsonObject);
    const jwk = JSON.stringify([reading.jwk, labels]);
    const known = options.known?.find((key) => key.jwk === jwk);
    if (known) {
      keys.push(known);
      continue;
    }
    const imported = await crypto.importJwk(reading.jwk);
    if (imported.ok) keys.push({ ...imported.key, ...labels, jwk });
    else warnings.push(`keys[${index}]: ${imported.problem}`);
  }
  return { ok: true, keys, warnings };
}

function readJwk(entry: JsonValue): JwkReading {
  if (!isJsonObject(entry)) return { type: "malformed", problem: "not an object" };
  const kty = member(entry, "kty");
  if (kty === "oct") {
    return isBase64url(member(entry, "k"))
      ? { type: "skipped", problem: "a symmetric key verifies nothing here" }
      : { type: "malformed", problem: "`k` is not base64url" };
  }
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") {
    return { type: "skipped", problem: "the key type is unknown" };
  }
  const names = kty === "RSA" ? ["n", "e"] : kty === "EC" ? ["x", "y"] : ["x"];
  for (const name of names) {
    if (!isBase64url(member(entry, name))) {
      return { type: "malformed", problem: `\`${name}\` is not base64url` };
    }
  }
  if (kty !== "RSA" && typeof member(entry, "crv") !== "string") {
    return { type: "malformed", problem: "`crv` is missing" };
  }
  const jwk: Record<string, JsonValue | undefined> = { kty };
  for (const name of kty === "RSA" ? names : [...names, "crv"]) jwk[name] = member(entry, name);
  return { type: "public", jwk: jwk as unknown as PublicJwk };
}

function labelsOf(entry: JsonObject): Pick<VerificationKey, "kid" | "use" | "alg" | "keyOps"> {
  const text = (name: string): string | undefined => {
    const value = member(entry, name);
    return typeof value === "string" ? value : undefined;
  };
  const operations = member(entry, "key_ops");
  return {
    kid: text("kid"),
    use: text("use"),
    alg: text("alg"),
    keyOps: isJsonArray(operations)
      ? operations.filter((operation) => typeof operation === "string")
      : undefined,
  };
}

function isBase64url(value: JsonValue | undefined): value is string {
  return typeof value === "string" && decodeBase64url(encodeUtf8(value)) !== undefined;
}
