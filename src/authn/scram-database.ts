/** `mechanism = scram`, `backend = built_in_database`: SCRAM with accounts of our own store. */
import type { ScramConfig } from "../config/config.ts";
import type { Issue } from "../errors.ts";
import type { UserDatabase } from "../ports/user-database.ts";
import { tenantOf } from "../tenant.ts";
import { toText } from "../text.ts";
import type { AuthnRequest } from "./authenticator.ts";
import type { AuthnMode, Creation } from "./registry.ts";
import { createScramAuthenticator, type Found } from "./scram.ts";

export interface ScramDatabaseOptions {
  readonly mode: AuthnMode;
  readonly users: UserDatabase | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Of this process alone. */
  readonly decoySecret: Uint8Array;
}

/** Makes the authenticator. A host without a store is an issue. */
export function createScramDatabaseAuthenticator(
  config: ScramConfig,
  options: ScramDatabaseOptions,
): Creation {
  const { users, mode, randomBytes, decoySecret } = options;
  const { id, algorithm, path, at } = config;
  if (!users) {
    const issue: Issue = {
      severity: "error",
      code: "ERR_CONFIG_UNSUPPORTED",
      path,
      message: `\`${id}\` cannot be used: this host has no built-in database`,
      hint: "`portcullis broker` has one; elsewhere give the engine a `users` port",
      at,
    };
    return { ok: false, issues: [issue] };
  }
  const { switches } = mode;
  const lookUp = (user: string, request: AuthnRequest): Found => {
    try {
      return find(users, config, user, request);
    } catch {
      // What the store says may name files.
      const message = "the built-in database cannot be read";
      // The reference looks no further into what a store has to say.
      if (!switches.failure_denies) return { type: "ignore", reason: "backend_unavailable" };
      return { type: "failure", reason: "backend_unavailable", message };
    }
  };
  const authenticator = createScramAuthenticator({
    id,
    algorithm,
    iterations: config.iterationCount,
    bindsIdentity: config.bindsIdentity,
    takesAccountIterations: switches.scram_iterations_from_user,
    decoySecret: switches.unknown_scram_user_hidden ? decoySecret : undefined,
    randomBytes,
    lookUp,
  });
  return { ok: true, authenticator, issues: [] };
}

/** A client of a tenant is looked up among the tenant's users. */
function find(
  users: UserDatabase,
  { algorithm }: ScramConfig,
  userId: string,
  { clientAttrs }: AuthnRequest,
): Found {
  const tenant = tenantOf(clientAttrs);
  const namespace = tenant === undefined ? undefined : toText(tenant);
  // What is no UTF-8 is nobody's.
  if (tenant !== undefined && namespace === undefined) return "unknown";
  const user = users.scramUser(algorithm, userId, namespace);
  if (!user) return "unknown";
  const { isSuperuser, ...account } = user;
  return { ...account, data: { isSuperuser, clientAttrs: {} } };
}
