/** From the configuration of an authenticator to the authenticator. The one list of what there is. */
import type { Authenticator, AuthnRequest } from "../authn/authenticator.ts";
import { createBuiltInDatabaseAuthenticator } from "../authn/built-in-database.ts";
import { createCinfoAuthenticator } from "../authn/cinfo.ts";
import { createHttpAuthenticator } from "../authn/http.ts";
import { createJwtAuthenticator } from "../authn/jwt.ts";
import type { AuthnMode, AuthnPorts, Creation } from "../authn/registry.ts";
import { createScramDatabaseAuthenticator } from "../authn/scram-database.ts";
import type { AuthenticatorConfig, CinfoConfig, Config } from "../config/config.ts";
import { missingSecretsOf, withSecrets } from "../config/secrets.ts";
import { slotsRead } from "../core/expressions.ts";
import { encodeRequest } from "../core/request.ts";
import type { CoreMemory } from "../core/wasm.ts";
import type { Crypto } from "../crypto/crypto.ts";
import type { KeySetStore } from "../crypto/jwks-store.ts";
import type { Issue } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";
import type { WorkQueue } from "../work-queue.ts";
import { aclReader } from "./acl-reader.ts";
import { inCore } from "./in-core.ts";

/** The core of a policy, as far as authenticators evaluate expressions in it. */
export interface ChainCore {
  /** The instance in force. */
  readonly memory: CoreMemory;
  /** Number of the expression at a configuration path. */
  program(path: string): number;
}

/** What authenticators are made with. */
export interface AuthenticatorHost {
  readonly config: Config;
  readonly crypto: Crypto;
  readonly ports: Ports;
  /** Key sets of policies before, and how often they may be asked for. */
  readonly keySets: KeySetStore;
  readonly core: ChainCore;
  /** Secrets by configuration path; they win over those in the configuration. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What unknown users are hidden with; the same as long as the process runs. */
  readonly decoySecret: Uint8Array;
  /** Where passwords wait to be checked, under whichever policy. */
  readonly passwordQueue: WorkQueue;
}

/** Where in which chain an authenticator stands. */
export interface ChainPlace {
  /** `global`, or the listener that brings the chain: `tcp:default`. */
  readonly chain: string;
  /** No enabled authenticator comes after it. */
  readonly isLast: boolean;
}

/** Makes one authenticator. A secret that nobody supplied is an issue. */
export async function createAuthenticator(
  written: AuthenticatorConfig,
  host: AuthenticatorHost,
  place: ChainPlace,
): Promise<Creation> {
  const config = withSecrets(written, host.secrets);
  const missing = missingSecretsOf(config);
  if (missing.length > 0) return { ok: false, issues: missing.map(missingSecret) };
  switch (config.mechanism) {
    case "cinfo":
      return createCinfo(config, host);
    case "jwt":
      return createJwtAuthenticator(config, modeOf(host), portsOf(host));
    case "password_based": {
      if (config.backend === "http") {
        return createHttpAuthenticator(config, modeOf(host), portsOf(host));
      }
      const { users, passwords } = host.ports;
      const { passwordQueue } = host;
      const { passwordChecksWaitingMax } = host.config;
      const checks = { passwords, passwordQueue, passwordChecksWaitingMax };
      const options = { ...place, mode: modeOf(host), users, ...checks };
      return createBuiltInDatabaseAuthenticator(config, options);
    }
    case "scram": {
      const { users, randomBytes } = host.ports;
      const { decoySecret } = host;
      const options = { mode: modeOf(host), users, randomBytes, decoySecret };
      return createScramDatabaseAuthenticator(config, options);
    }
  }
}

function modeOf({ config: { switches, securityProfile } }: AuthenticatorHost): AuthnMode {
  return { switches, securityProfile };
}

function portsOf({ config, crypto, ports, keySets }: AuthenticatorHost): AuthnPorts {
  const { fetch, openHttp, setTimer } = ports;
  const random = (): number => ports.randomBytes(1)[0]! / 256;
  const remote = { fetch, openHttp, setTimer, random, store: keySets };
  return { crypto, clock: ports, readAcl: aclReader(config.switches), remote };
}

function createCinfo(config: CinfoConfig, { core }: AuthenticatorHost): Creation {
  const checks = config.checks.map(({ isMatch, result }, index) => ({
    ids: isMatch.map((_, part) =>
      core.program(`${config.path}.checks[${index + 1}].is_match[${part + 1}]`),
    ),
    result,
  }));
  const slots = slotsRead(
    core.memory,
    checks.flatMap(({ ids }) => ids),
  );
  const bind = ({ fields = {} }: AuthnRequest): CoreMemory => {
    const { memory } = core;
    encodeRequest(memory, fields, slots);
    return memory;
  };
  const cinfo = createCinfoAuthenticator({ id: config.id, checks, bind });
  const authenticator: Authenticator = {
    id: cinfo.id,
    authenticate: (request) => inCore(() => cinfo.authenticate(request)),
  };
  return { ok: true, authenticator, issues: [] };
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
