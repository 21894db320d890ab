/**
 * Several JWT authenticators in a chain, told apart by whose tokens they take, and the key sets that
 * an issuer's OpenID provider configuration names. EMQX 6.2 has neither.
 */
import type { AuthenticatorConfig, JwtConfig } from "../config.ts";
import { ours } from "./ours.ts";
import { list, type Place, type Spec, text, wrong } from "./spec.ts";

/** One issuer, or a list of them. */
const names: Spec<readonly string[]> = list(
  text({ pattern: /^.{1,1000}$/s, expects: "the `iss` of tokens" }),
  { orSingle: true, notEmpty: true },
);

export const issuers: Spec<readonly string[]> = {
  ...names,
  read(node, place) {
    if (place.load.preset === "emqx") {
      const hint = "a chain of EMQX has one `jwt` authenticator: use `verify_claims { iss = … }`";
      return wrong(node, place, "no `issuer`, which EMQX 6.2 does not know", hint);
    }
    return ours(names).read(node, place);
  },
};

/** The ids that an authenticator takes in its chain: one for every issuer. */
export function idsOf(one: AuthenticatorConfig): readonly string[] {
  const issuers = one.mechanism === "jwt" ? one.issuers : undefined;
  return issuers?.map(idOf) ?? [one.id];
}

/** The id of the authenticator for an issuer's tokens; without one, for everybody's. */
export function idOf(issuer: string | undefined): string {
  return issuer === undefined ? "jwt" : `jwt:${issuer}`;
}

/** Warns of authenticators for an issuer that stand behind one that takes every token. */
export function checkOrder(all: readonly AuthenticatorConfig[], { load }: Place): void {
  const taker = (one: JwtConfig): JwtConfig | undefined =>
    all
      .slice(0, all.indexOf(one))
      .filter((earlier) => earlier.mechanism === "jwt")
      .find((earlier) => earlier.from === one.from && takesAll(earlier));
  for (const one of all) {
    if (one.mechanism !== "jwt" || !one.enable || one.issuers === undefined) continue;
    const earlier = taker(one);
    if (earlier === undefined) continue;
    const message = `no token gets here: \`${earlier.path}\` decides on those of every issuer`;
    load.issues.warning("WARN_CONFIG_NO_EFFECT", one.at, message, {
      path: one.path,
      hint: `put \`${one.path}\` first, or give the other one an \`issuer\` too`,
    });
  }
}

function takesAll({ enable, issuers, precondition }: JwtConfig): boolean {
  return enable && issuers === undefined && precondition === undefined;
}

/** Where an issuer's provider says where its keys are. Source: OpenID Connect Discovery 1.0 §4. */
export function discoveryEndpoint(issuer: string): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (!isWeb || /[?#\s]/.test(issuer)) return undefined;
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}
