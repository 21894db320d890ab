/**
 * The built-in database of a configuration: found, opened when one of its authenticators or sources
 * needs it, given the users of bootstrap files, and kept across reloads.
 */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { BuiltInDatabaseConfig, Config } from "../../../src/config/config.ts";
import { EngineError, type Issue } from "../../../src/errors.ts";
import type { RuleChanges, RuleDatabase, StoredRules } from "../../../src/ports/rule-database.ts";
import type { PasswordUser, ScramUser, UserDatabase } from "../../../src/ports/user-database.ts";
import { besideFile } from "../config-files.ts";
import { nodePasswords } from "../passwords.ts";
import { readUsers } from "./import/read-file.ts";
import { importUsers, refusalsOf } from "./import/users.ts";
import { openStore, openStoreIfThere, type Store } from "./store.ts";

export interface BuiltInDatabaseOptions {
  /**
   * `serve` makes the store where there is none, and adds the users of bootstrap files. `look` reads
   * what is there. `check` opens nothing, and only says what is wrong with bootstrap files.
   */
  readonly mode: "serve" | "look" | "check";
  /** Instead of `portcullis.data_dir`; as seen from the working directory. */
  readonly dataDir?: string | undefined;
}

const NO_RULES: StoredRules = {
  version: 0,
  namespace: "",
  ofClientId: [],
  ofUsername: [],
  ofAll: [],
};

/** A store that may not be there: then it is empty. */
export class BuiltInDatabase implements UserDatabase, RuleDatabase {
  readonly #options: BuiltInDatabaseOptions;
  #store: Store | undefined;
  #directory: string | undefined;

  constructor(options: BuiltInDatabaseOptions) {
    this.#options = options;
  }

  passwordUser(
    chain: string,
    userId: string,
    namespace?: string | undefined,
  ): PasswordUser | undefined {
    return this.#store?.passwordUser(chain, userId, namespace);
  }

  scramUser(
    algorithm: "sha256" | "sha512",
    userId: string,
    namespace?: string | undefined,
  ): ScramUser | undefined {
    return this.#store?.scramUser(algorithm, userId, namespace);
  }

  rulesVersion(): number {
    return this.#store?.rulesVersion() ?? NO_RULES.version;
  }

  rulesChangedSince(version: number): RuleChanges {
    const nothing = { version: NO_RULES.version, owners: undefined };
    return this.#store?.rulesChangedSince(version) ?? nothing;
  }

  rulesFor(
    clientId: string | undefined,
    username: string | undefined,
    namespace?: string | undefined,
  ): StoredRules {
    return this.#store?.rulesFor(clientId, username, namespace) ?? NO_RULES;
  }

  /**
   * Gets ready for a configuration that was read from `file`, before authenticators are created for
   * it. Gives what is wrong with bootstrap files. Rejects with EngineError ERR_STORE… when the store
   * cannot be opened. `onRead` hears of each file before it is read.
   */
  async prepare(
    config: Config,
    file: string,
    onRead?: ((path: string) => void) | undefined,
  ): Promise<Issue[]> {
    if (!needsStore(config)) return [];
    const moved = await this.#open(directoryOf(config, file, this.#options.dataDir));
    const issues: Issue[] = moved ? [moved] : [];
    if (this.#options.mode === "look") return issues;
    for (const { chain, authenticator } of databasesOf(config)) {
      const path = besideFile(authenticator.bootstrap.path, file);
      onRead?.(path);
      if (authenticator.bootstrap.isDefault && !existsSync(path)) continue;
      try {
        await this.#bootstrap(chain, authenticator, path, config);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        issues.push(refusalOf(error, authenticator, config));
      }
    }
    return issues;
  }

  /** May be called twice. */
  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  /** A store that is open stays, whatever a reload says: gives a warning then. */
  async #open(directory: string): Promise<Issue | undefined> {
    const { mode } = this.#options;
    if (this.#store && directory !== this.#directory) {
      return {
        severity: "warning",
        code: "WARN_CONFIG_RESTART",
        path: "portcullis.data_dir",
        message: `the built-in database stays in \`${this.#directory}\` until the next start`,
      };
    }
    if (!this.#store && mode !== "check") {
      this.#store = await (mode === "serve" ? openStore(directory) : openStoreIfThere(directory));
      this.#directory = directory;
    }
    return undefined;
  }

  async #bootstrap(
    chain: string,
    { bootstrap, algorithm }: BuiltInDatabaseConfig,
    file: string,
    { switches }: Config,
  ): Promise<void> {
    const { type } = bootstrap;
    const strict = switches.strict_user_imports;
    const store = this.#store;
    if (!store) {
      const refusePassword = refusalsOf(algorithm);
      for await (const _ of readUsers(file, { type, strict, refusePassword }));
      return;
    }
    const source = { store, file, type, chain, algorithm, strict };
    await importUsers({ ...source, existing: "keep", passwords: nodePasswords, randomBytes });
  }
}

/** Where the store of a configuration is. */
export function directoryOf(config: Config, file: string, dataDir?: string | undefined): string {
  return dataDir === undefined ? resolve(besideFile(config.dataDir, file)) : resolve(dataDir);
}

/** Every enabled authenticator with passwords of its own, with the chain it stands in. */
export function databasesOf(
  config: Config,
): { readonly chain: string; readonly authenticator: BuiltInDatabaseConfig }[] {
  const chains = [
    { chain: "global", members: config.authentication },
    ...config.listeners.map(({ type, name, authentication = [] }) => ({
      chain: `${type}:${name}`,
      members: authentication,
    })),
  ];
  return chains.flatMap(({ chain, members }) =>
    members.flatMap((one) =>
      one.enable && one.mechanism === "password_based" && one.backend === "built_in_database"
        ? [{ chain, authenticator: one }]
        : [],
    ),
  );
}

/** Does anything in it ask the built-in database? */
function needsStore({ authentication, listeners, authorization }: Config): boolean {
  const members = [...authentication, ...listeners.flatMap((one) => one.authentication ?? [])];
  const sources: readonly { readonly enable: boolean; readonly type: string }[] =
    authorization.sources;
  return (
    members.some((one) => one.enable && "backend" in one && one.backend === "built_in_database") ||
    sources.some((one) => one.enable && one.type === "built_in_database")
  );
}

/** EMQX leaves out what it cannot make; here the users that are there already stay usable. */
function refusalOf(
  { message }: EngineError,
  { path, bootstrap }: BuiltInDatabaseConfig,
  { switches }: Config,
): Issue {
  return {
    severity: switches.broken_authenticator_is_fatal ? "error" : "warning",
    code: switches.broken_authenticator_is_fatal ? "ERR_CONFIG_FILE" : "WARN_CONFIG_FILE",
    path: `${path}.bootstrap_file`,
    message: `no user was added: ${message.replaceAll("\n", "; ")}`,
    hint: `the file is read as \`bootstrap_type = ${bootstrap.type}\``,
    at: bootstrap.at,
  };
}
