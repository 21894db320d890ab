/** The authentication chains of a policy: the global one, and those that listeners bring. */
import type { Authenticator } from "../authn/authenticator.ts";
import {
  type AuthnChain,
  type ChainMember,
  type ChainPolicy,
  createChain,
} from "../authn/chain.ts";
import type { AuthenticatorConfig } from "../config/config.ts";
import { evaluatesToTrue, slotsRead } from "../core/expressions.ts";
import { encodeRequest, type RequestFields } from "../core/request.ts";
import type { CoreMemory } from "../core/wasm.ts";
import type { Issue } from "../errors.ts";
import { type AuthenticatorHost, createAuthenticator } from "./authenticators.ts";
import { inCore } from "./in-core.ts";

export interface Chains {
  /** The chain of a listener (`tcp:default`): its own where it has one, else the global one. */
  chainOf(listener: string | undefined): AuthnChain;
  close(): void;
}

export type ChainsCreation =
  | { readonly ok: true; readonly chains: Chains; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Makes every authenticator. One that cannot be made refuses the policy, or with
 * `broken_authenticator_is_fatal` off is left out with a warning, as the reference does.
 *
 * Source: authentication §2.1, §2.2; §8 item 2.
 */
export async function createChains(host: AuthenticatorHost): Promise<ChainsCreation> {
  const made: Authenticator[] = [];
  let isKept = false;
  try {
    const creation = await createAll(host, made);
    isKept = creation.ok;
    return creation;
  } finally {
    // What could be made before something could not may have begun to fetch keys.
    if (!isKept) for (const authenticator of made) authenticator.close?.();
  }
}

/** Adds to `made` what it makes. */
async function createAll(host: AuthenticatorHost, made: Authenticator[]): Promise<ChainsCreation> {
  const { config } = host;
  const issues: Issue[] = [];
  const all = await createMembers("global", config.authentication, host, issues, made);
  const own = new Map<string, AuthnChain>();
  for (const { type, name, authentication } of config.listeners) {
    if (!authentication) continue;
    const chain = `${type}:${name}`;
    const members = await createMembers(chain, authentication, host, issues, made);
    // A listener's chain of which nothing could be made does not exist.
    if (members.length > 0) own.set(chain, chainOver(members, host));
  }
  const global = chainOver(all, host);
  if (issues.some((issue) => issue.severity === "error")) return { ok: false, issues };
  return {
    ok: true,
    issues,
    chains: {
      chainOf: (listener) => (listener === undefined ? undefined : own.get(listener)) ?? global,
      close: () => {
        for (const chain of [global, ...own.values()]) chain.close();
      },
    },
  };
}

interface PlacedMember extends ChainMember {
  readonly path: string;
}

async function createMembers(
  chain: string,
  configs: readonly AuthenticatorConfig[],
  host: AuthenticatorHost,
  issues: Issue[],
  made: Authenticator[],
): Promise<PlacedMember[]> {
  const { switches } = host.config;
  const members: PlacedMember[] = [];
  const last = configs.findLastIndex(({ enable }) => enable);
  // At a time, because key sets are waited for.
  const outcomes = await Promise.allSettled(
    configs.map((config, index) =>
      createAuthenticator(config, host, { chain, isLast: index >= last }),
    ),
  );
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled" && outcome.value.ok) made.push(outcome.value.authenticator);
  }
  const creations = outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  for (const [index, creation] of creations.entries()) {
    const config = configs[index]!;
    if (switches.broken_authenticator_is_fatal || creation.ok) issues.push(...creation.issues);
    else issues.push(...creation.issues.map(leftOut));
    if (!creation.ok) continue;
    members.push({
      authenticator: creation.authenticator,
      enable: config.enable,
      hasPrecondition: config.precondition !== undefined,
      onFailure: config.onFailure,
      path: config.path,
    });
  }
  return members;
}

function leftOut(issue: Issue): Issue {
  const message = `${issue.message}; the authenticator is left out, as EMQX does`;
  return { ...issue, severity: "warning", message };
}

function chainOver(members: readonly PlacedMember[], host: AuthenticatorHost): AuthnChain {
  const { config, core } = host;
  const preconditions = new Map<Authenticator, number>();
  for (const { authenticator, hasPrecondition, path } of members) {
    if (hasPrecondition) preconditions.set(authenticator, core.program(`${path}.precondition`));
  }
  const policy: ChainPolicy = {
    switches: config.switches,
    securityProfile: config.securityProfile,
    ignoreBackendFailures: config.authenticationSettings.ignoreBackendFailures,
    allowAnonymous: config.allowAnonymous,
    checkPrecondition: (authenticator, { fields = {} }) =>
      inCore(() => checkPrecondition(core.memory, preconditions.get(authenticator)!, fields)),
  };
  return createChain(members, policy);
}

/** Is the precondition exactly `true`? Source: authentication §2.4. */
export function checkPrecondition(
  memory: CoreMemory,
  program: number,
  fields: RequestFields,
): boolean | "error" {
  encodeRequest(memory, fields, slotsRead(memory, [program]));
  let failed = false;
  const isMet = evaluatesToTrue(memory, program, () => {
    failed = true;
  });
  return failed ? "error" : isMet;
}
