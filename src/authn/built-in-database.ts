/**
 * `mechanism = password_based`, `backend = built_in_database`: accounts of our own store.
 * Source: authentication §3.4.
 */
import type { BuiltInDatabaseConfig } from "../config/config.ts";
import { isSupported } from "../crypto/password.ts";
import type { Issue } from "../errors.ts";
import type { PasswordPrimitives } from "../ports/password-primitives.ts";
import type { PasswordUser, UserDatabase } from "../ports/user-database.ts";
import { tenantOf } from "../tenant.ts";
import { toBytes, toText } from "../text.ts";
import type { Text } from "../types.ts";
import type { WorkQueue } from "../work-queue.ts";
import {
  type Authenticator,
  type AuthnRequest,
  type AuthnResult,
  BAD_CREDENTIALS,
  SERVER_BUSY,
} from "./authenticator.ts";
import { type CheckAnswer, PasswordCheck } from "./password-check.ts";
import type { AuthnMode, Creation } from "./registry.ts";

export interface BuiltInDatabaseOptions {
  readonly mode: AuthnMode;
  /** `global`, or the listener whose chain it is: `tcp:default`. */
  readonly chain: string;
  /** No enabled authenticator comes after it. */
  readonly isLast: boolean;
  readonly users: UserDatabase | undefined;
  readonly passwords: PasswordPrimitives | undefined;
  /** Where passwords wait to be checked, for all authenticators, and how many may. */
  readonly passwordQueue: WorkQueue;
  readonly passwordChecksWaitingMax: number;
}

const UNKNOWN_USER = "no such account";

/** In every mode: to ask the next authenticator would be to skip this one, which might have refused. */
const TOO_MANY: AuthnResult = {
  type: "deny",
  reason: "too_many_password_checks",
  code: SERVER_BUSY,
  detail: "more passwords wait to be checked than `portcullis.max_waiting_password_checks` allows",
};

/** Makes the authenticator. A host without a store, or without bcrypt where it is asked for, is an issue. */
export function createBuiltInDatabaseAuthenticator(
  config: BuiltInDatabaseConfig,
  options: BuiltInDatabaseOptions,
): Creation {
  const { users, passwords, mode } = options;
  const { algorithm, enable } = config;
  if (!users) return refuse(config, "this host has no built-in database", NO_STORE_HINT);
  // In emqx mode a derivation that cannot be used fails when it is needed, as the reference does.
  const mustWork = algorithm.name === "bcrypt" || mode.switches.broken_macs_refused;
  if (enable && mustWork && !isSupported(algorithm, passwords)) {
    return refuse(config, `this host cannot make \`${algorithm.name}\` hashes`, NO_BCRYPT_HINT);
  }
  const authenticator = new BuiltInDatabase(config, { ...options, users });
  return { ok: true, authenticator, issues: [] };
}

const NO_STORE_HINT = "`portcullis broker` has one; elsewhere give the engine a `users` port";
const NO_BCRYPT_HINT = "`portcullis broker` can; elsewhere give the engine a `passwords` port";

function refuse({ id, path, at }: BuiltInDatabaseConfig, problem: string, hint: string): Creation {
  const issue: Issue = {
    severity: "error",
    code: "ERR_CONFIG_UNSUPPORTED",
    path,
    message: `\`${id}\` cannot be used: ${problem}`,
    hint,
    at,
  };
  return { ok: false, issues: [issue] };
}

class BuiltInDatabase implements Authenticator {
  readonly id: string;
  readonly #config: BuiltInDatabaseConfig;
  readonly #chain: string;
  readonly #users: UserDatabase;
  readonly #check: PasswordCheck;
  readonly #hidesUnknown: boolean;
  readonly #emptySaltIsText: boolean;

  constructor(
    config: BuiltInDatabaseConfig,
    options: BuiltInDatabaseOptions & { readonly users: UserDatabase },
  ) {
    const { mode, chain, isLast, users } = options;
    this.id = config.id;
    this.#config = config;
    this.#chain = chain;
    this.#users = users;
    this.#check = new PasswordCheck({
      algorithm: config.algorithm,
      primitives: options.passwords,
      queue: options.passwordQueue,
      waitingMax: options.passwordChecksWaitingMax,
    });
    this.#hidesUnknown = isLast || mode.switches.equal_work_for_unknown_users;
    this.#emptySaltIsText = mode.switches.strict_user_imports;
  }

  authenticate({ client, clientAttrs }: AuthnRequest): AuthnResult | Promise<AuthnResult> {
    if (client.authMethod !== undefined) return { type: "ignore", reason: "auth_method_present" };
    if (client.password === undefined) return { type: "ignore", reason: "missing_password" };
    const userId = this.#config.userIdType === "clientid" ? client.clientId : client.username;
    if (userId === undefined) return { type: "ignore", reason: "missing_user_id" };
    const place = this.#placeOf(clientAttrs);
    let user: PasswordUser | undefined;
    try {
      user = this.#find(userId, place.namespace);
    } catch {
      // What the store says may name files; whoever asks for it finds it in its own log.
      const message = "the built-in database cannot be read";
      return { type: "failure", reason: "backend_unavailable", message, detail: place.detail };
    }
    const password = toBytes(client.password);
    return user
      ? this.#verify(user, password, place)
      : this.#conceal(password, `${UNKNOWN_USER} in ${place.detail}`);
  }

  /** Which part of the database is asked: the tenant's, if the client has one. */
  #placeOf(clientAttrs: AuthnRequest["clientAttrs"]): Place {
    const namespace = tenantOf(clientAttrs);
    const chain = `the built-in database, chain \`${this.#chain}\``;
    if (namespace === undefined) return { namespace, detail: chain };
    return { namespace, detail: `${chain}, namespace of the client's \`tns\`` };
  }

  /** Ids and namespaces are stored as texts: what is no UTF-8 is nobody's. */
  #find(userId: Text, namespace: Text | undefined): PasswordUser | undefined {
    const id = toText(userId);
    const tenant = namespace === undefined ? undefined : toText(namespace);
    if (id === undefined || (namespace !== undefined && tenant === undefined)) return undefined;
    return this.#users.passwordUser(this.#chain, id, tenant);
  }

  async #verify(user: PasswordUser, password: Uint8Array, place: Place): Promise<AuthnResult> {
    const { detail } = place;
    const salt = user.salt ?? (this.#emptySaltIsText || !this.#needsSalt() ? "" : undefined);
    if (salt === undefined) {
      const answer = await this.#check.pretend(password);
      if (isBusy(answer)) return TOO_MANY;
      const message = "the account has no salt, and the algorithm needs one";
      return { type: "failure", reason: "backend_unavailable", message, detail };
    }
    const answer = await this.#check.verify({ hash: user.passwordHash, salt }, password);
    if (isBusy(answer)) return TOO_MANY;
    if (!answer.ok) {
      const message = `\`${this.#config.algorithm.name}\` cannot be used with these settings`;
      return { type: "failure", reason: "backend_unavailable", message, detail };
    }
    const found = `account found in ${detail}`;
    if (!answer.value) {
      return { type: "deny", reason: "wrong_password", code: BAD_CREDENTIALS, detail: found };
    }
    const { isSuperuser } = user;
    return { type: "ok", data: { isSuperuser, clientAttrs: {} }, detail: found };
  }

  #needsSalt(): boolean {
    const { algorithm } = this.#config;
    if (algorithm.name === "bcrypt") return false;
    return algorithm.name === "pbkdf2" || algorithm.saltPosition !== "disable";
  }

  /** The answer for somebody who is not there, after the work for somebody who is. */
  #conceal(password: Uint8Array, detail: string): AuthnResult | Promise<AuthnResult> {
    const answer: AuthnResult = { type: "ignore", reason: "unknown_user", detail };
    if (!this.#hidesUnknown) return answer;
    return this.#check.pretend(password).then((done) => (isBusy(done) ? TOO_MANY : answer));
  }
}

function isBusy(answer: CheckAnswer): boolean {
  return !answer.ok && answer.problem === "busy";
}

interface Place {
  readonly namespace: Text | undefined;
  /** For explanations. */
  readonly detail: string;
}
