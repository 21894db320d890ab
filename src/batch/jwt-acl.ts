/** `batch jwt_acl`: a token with an `acl` claim logs in, then its rules judge one action. */
import type { AclClaim, AuthnRequest } from "../authn/authenticator.ts";
import { createJwtAuthenticator } from "../authn/jwt.ts";
import type { AuthnMode } from "../authn/registry.ts";
import { signHs256 } from "../crypto/sign.ts";
import type { JsonObject, JsonValue } from "../json/parse.ts";
import { isJsonObject, JsonFloat, member } from "../json/parse.ts";
import { stringifyJson } from "../json/stringify.ts";
import { encodeUtf8 } from "../text.ts";
import type { AuthnBatchPorts } from "./authn.ts";
import { batchMode, batchRequest } from "./authn.ts";
import { readConfig, resultOf, runAlone } from "./jwt-verify.ts";

export interface JwtAclBatchPorts extends AuthnBatchPorts {
  /** Judges `action` on `topic` at `nowMs` by the rules a login left behind, and by nothing else. */
  readonly authorize: (question: JwtAclQuestion) => string | Promise<string>;
}

export interface JwtAclQuestion {
  /** Absent when the token had no `acl` claim. */
  readonly acl: AclClaim | undefined;
  readonly request: AuthnRequest;
  readonly mode: AuthnMode;
  readonly action: JsonObject;
  readonly topic: string;
  readonly nowMs: number;
}

/** When every recorded login happened, in seconds. */
const LOGIN_SECONDS = 1_750_000_000;
const SECRET = "a secret that only this run knows";

/** Answers one line; `input` is what parseJson made of it, so that `1` and `1.0` stay apart. */
export async function answerJwtAcl(
  input: JsonObject,
  ports: JwtAclBatchPorts,
): Promise<JsonObject> {
  const mode = batchMode(input, ports.preset);
  const config = readConfig(
    { secret: SECRET, disconnect_after_expire: member(input, "disconnect_after_expire") ?? true },
    mode,
  );
  const clock = { now: () => LOGIN_SECONDS * 1000 };
  const creation = await createJwtAuthenticator(config, mode, { ...ports, clock });
  if (!creation.ok) throw new Error("the batch authenticator cannot be created");
  const token = await signHs256(encodeUtf8(SECRET), payloadOf(input));
  const request = batchRequest(input);
  const login = { ...request, client: { ...request.client, password: token } };
  const verdict = await runAlone(creation.authenticator, login, mode);
  if (verdict.verdict !== "allow") {
    const isException = verdict.steps.some((step) => step.outcome === "failure");
    return { authn: isException ? "exception" : resultOf(verdict) };
  }
  const action = member(input, "action");
  const topic = member(input, "topic");
  const now = member(input, "now");
  const result = await ports.authorize({
    acl: verdict.data.acl,
    request,
    mode,
    action: isJsonObject(action) ? action : {},
    topic: typeof topic === "string" ? topic : "",
    nowMs: (typeof now === "number" ? now : LOGIN_SECONDS) * 1000,
  });
  return { authn: "ok", result };
}

/** The payload with the claims the line has. */
function payloadOf(input: JsonObject): string {
  const claims: Record<string, JsonValue> = {};
  const acl = member(input, "acl_claim");
  const exp = member(input, "exp");
  if (acl !== undefined) claims.acl = acl;
  if (exp !== undefined) claims.exp = floatTerm(exp);
  return stringifyJson(claims);
}

/** `{"$float": "1.0"}` is a float that a JSON reader would take for an integer. */
function floatTerm(value: JsonValue): JsonValue {
  const text = isJsonObject(value) ? member(value, "$float") : undefined;
  return typeof text === "string" ? new JsonFloat(Number(text), text) : value;
}
