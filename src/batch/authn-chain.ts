/** `batch authn_chain`: what a chain of scripted authenticators comes to. */
import type { Authenticator, AuthnRequest, AuthnResult } from "../authn/authenticator.ts";
import { NO_DATA } from "../authn/authenticator.ts";
import type { ChainMember } from "../authn/chain.ts";
import { createChain } from "../authn/chain.ts";
import type { Preset } from "../config/compatibility.ts";
import type { JsonObject, JsonValue } from "../json/parse.ts";
import { isJsonArray, isJsonObject, member } from "../json/parse.ts";
import { batchMode, batchRequest, codeOfReason, reasonOfCode } from "./authn.ts";

export interface AuthnChainBatchPorts {
  readonly preset: Preset;
  /** Is the precondition met? `error`: it cannot be evaluated. */
  readonly checkPrecondition: (expression: string, request: AuthnRequest) => boolean | "error";
}

/** Answers one line; `input` is what parseJson made of it. */
export async function answerAuthnChain(
  input: JsonObject,
  ports: AuthnChainBatchPorts,
): Promise<JsonObject> {
  const preconditions = new Map<Authenticator, string>();
  const entries = member(input, "authenticators");
  const members = (isJsonArray(entries) ? entries : []).map((entry, index): ChainMember => {
    const given: JsonObject = isJsonObject(entry) ? entry : {};
    const authenticator = scripted(`scripted:${index}`, given);
    const precondition = member(given, "precondition");
    const hasPrecondition = typeof precondition === "string" && precondition !== "";
    if (hasPrecondition) preconditions.set(authenticator, precondition);
    return { authenticator, enable: member(given, "enable") !== false, hasPrecondition };
  });
  const chain = createChain(members, {
    ...batchMode(input, ports.preset),
    ignoreBackendFailures: false,
    allowAnonymous: false,
    checkPrecondition: (authenticator, request) =>
      ports.checkPrecondition(preconditions.get(authenticator) ?? "", request),
  });
  const verdict = await chain.authenticate(batchRequest(input));
  switch (verdict.verdict) {
    case "allow":
      return { result: "ok", superuser: verdict.data.isSuperuser };
    case "continue":
      return { result: "continue" };
    case "deny":
      return { result: `error:${reasonOfCode(verdict.code)}` };
  }
}

/** An authenticator that answers what the line says. */
function scripted(id: string, given: JsonObject): Authenticator {
  const script = member(given, "r");
  const isSuperuser = member(given, "superuser") === true;
  return { id, authenticate: () => play(script, isSuperuser) };
}

function play(script: JsonValue | undefined, isSuperuser: boolean): AuthnResult {
  switch (script) {
    case "ok":
      return { type: "ok", data: { ...NO_DATA, isSuperuser } };
    case "ignore":
      return { type: "ignore", reason: "all_ignored" };
    case "continue":
      return { type: "continue" };
    default: {
      const [kind, reason] = typeof script === "string" ? script.split(":") : [];
      if (kind !== "error" || reason === undefined) throw new Error("scripted failure");
      const code = codeOfReason(reason);
      return { type: "deny", reason: "check_denied", code };
    }
  }
}
