/** The authentication chains of a policy: the global one, and those that listeners bring. */
import type { Authenticator, AuthnRequest, ReadAcl } from "../authn/authenticator.ts";
import {
  type AuthnChain,
  type ChainMember,
  type ChainPolicy,
  createChain,
} from "../authn/chain.ts";
import { createCinfoAuthenticator } from "../authn/cinfo.ts";
import { createJwtAuthenticator } from "../authn/jwt.ts";
import type { AuthnMode, AuthnPorts, Creation } from "../authn/registry.ts";
import { readTokenAcl } from "../compile/acl/index.ts";
import { validatePattern } from "../compile/rule/pattern.ts";
import type { Switches } from "../config/compatibility.ts";
import type { AuthenticatorConfig, Config, JwtKeySource } from "../config/config.ts";
import { evaluatesToTrue } from "../core/expressions.ts";
import { encodeRequest, type RequestFields } from "../core/request.ts";
import type { CoreMemory } from "../core/wasm.ts";
import type { Crypto } from "../crypto/crypto.ts";
import type { KeySetStore } from "../crypto/jwks-store.ts";
import { CoreError, type Issue } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";

/** The core of a policy, as far as authenticators evaluate expressions in it. */
export interface ChainCore {
  /** The instance in force. */
  readonly memory: CoreMemory;
  /** Number of the expression at a configuration path. */
  program(path: string): number;
}

export interface ChainsOptions {
  readonly config: Config;
  readonly crypto: Crypto;
  readonly ports: Ports;
  /** Key sets of policies before, and how often they may be asked for. */
  readonly keySets: KeySetStore;
  readonly core: ChainCore;
  /** Secrets by configuration path; they win over those in the configuration. */
  readonly secrets: Readonly<Record<string, string>>;
}

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
export async function createChains(options: ChainsOptions): Promise<ChainsCreation> {
  const made: Authenticator[] = [];
  let isKept = false;
  try {
    const creation = await createAll(options, made);
    isKept = creation.ok;
    return creation;
  } finally {
    // What could be made before something could not may have begun to fetch keys.
    if (!isKept) for (const authenticator of made) authenticator.close?.();
  }
}

/** Adds to `made` what it makes. */
async function createAll(options: ChainsOptions, made: Authenticator[]): Promise<ChainsCreation> {
  const { config } = options;
  const issues: Issue[] = [];
  const all = await createMembers(config.authentication, options, issues, made);
  const own = new Map<string, AuthnChain>();
  for (const { type, name, authentication } of config.listeners) {
    if (!authentication) continue;
    const members = await createMembers(authentication, options, issues, made);
    // A listener's chain of which nothing could be made does not exist.
    if (members.length > 0) own.set(`${type}:${name}`, chainOver(members, options));
  }
  const global = chainOver(all, options);
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
  configs: readonly AuthenticatorConfig[],
  options: ChainsOptions,
  issues: Issue[],
  made: Authenticator[],
): Promise<PlacedMember[]> {
  const { switches } = options.config;
  const members: PlacedMember[] = [];
  // At a time, because key sets are waited for.
  const outcomes = await Promise.allSettled(
    configs.map((config) => createAuthenticator(config, options)),
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
      path: config.path,
    });
  }
  return members;
}

function leftOut(issue: Issue): Issue {
  const message = `${issue.message}; the authenticator is left out, as EMQX does`;
  return { ...issue, severity: "warning", message };
}

async function createAuthenticator(
  config: AuthenticatorConfig,
  {
    config: { switches, securityProfile },
    crypto,
    ports: host,
    keySets,
    core,
    secrets,
  }: ChainsOptions,
): Promise<Creation> {
  const mode: AuthnMode = { switches, securityProfile };
  const { fetch, setTimer } = host;
  const random = (): number => host.randomBytes(1)[0]! / 256;
  const remote = { fetch, setTimer, random, store: keySets };
  const ports: AuthnPorts = { crypto, clock: host, readAcl: aclReader(switches), remote };
  switch (config.mechanism) {
    case "cinfo": {
      const checks = config.checks.map(({ isMatch, result }, index) => ({
        ids: isMatch.map((_, part) =>
          core.program(`${config.path}.checks[${index + 1}].is_match[${part + 1}]`),
        ),
        result,
      }));
      const bind = ({ fields = {} }: AuthnRequest): CoreMemory => {
        encodeRequest(core.memory, fields);
        return core.memory;
      };
      const cinfo = createCinfoAuthenticator({ id: config.id, checks, bind });
      const authenticator: Authenticator = {
        id: cinfo.id,
        authenticate: (request) => inCore(() => cinfo.authenticate(request)),
      };
      return { ok: true, authenticator, issues: [] };
    }
    case "jwt": {
      const keys = withSecrets(config.keys, config.path, secrets);
      if (typeof keys === "string") return { ok: false, issues: [missingSecret(keys)] };
      return createJwtAuthenticator({ ...config, keys }, mode, ports);
    }
  }
}

/** The keys with the secrets that were supplied, or the path of the first that is missing. */
function withSecrets(
  keys: JwtKeySource,
  configPath: string,
  secrets: Readonly<Record<string, string>>,
): JwtKeySource | string {
  const supplied = (path: string): string | undefined =>
    Object.hasOwn(secrets, path) ? secrets[path] : undefined;
  switch (keys.type) {
    case "hmac": {
      const path = `${configPath}.secret`;
      const secret = supplied(path) ?? keys.secret;
      return secret === undefined ? path : { ...keys, secret };
    }
    case "jwks": {
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(keys.headers)) {
        const path = `${configPath}.headers.${name}`;
        const header = supplied(path) ?? value;
        if (header === null) return path;
        headers[name] = header;
      }
      return { ...keys, headers };
    }
    case "public_key":
      return keys;
  }
}

function missingSecret(path: string): Issue {
  return {
    severity: "error",
    code: "ERR_CONFIG_SECRET",
    path,
    message: "the image holds no secrets, and none was supplied",
    hint: `pass secrets: { "${path}": … } to the engine, or compile with --with-secrets`,
  };
}

function chainOver(members: readonly PlacedMember[], options: ChainsOptions): AuthnChain {
  const { config, core } = options;
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

/**
 * What the core could not answer is never a failing authenticator, which some modes skip: the chain
 * lets a CoreError through, and the engine refuses.
 */
function inCore<T>(ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    throw new CoreError("ERR_CORE_TRAP", "the core failed", { cause });
  }
}

/** Is the precondition exactly `true`? Source: authentication §2.4. */
export function checkPrecondition(
  memory: CoreMemory,
  program: number,
  fields: RequestFields,
): boolean | "error" {
  encodeRequest(memory, fields);
  let failed = false;
  const isMet = evaluatesToTrue(memory, program, () => {
    failed = true;
  });
  return failed ? "error" : isMet;
}

/** Reads the `acl` claim at login with the rule reader that acl.conf has. */
export function aclReader(switches: Switches): ReadAcl {
  return (claim) => {
    const acl = readTokenAcl(claim, { switches, validatePattern });
    if (acl.type !== "refused" && acl.type !== "crashed") return { ok: true, rules: acl };
    const kind = acl.type === "refused" ? "rule" : "crash";
    return { ok: false, kind, message: acl.problem.kind };
  };
}
