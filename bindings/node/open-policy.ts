/** From a configuration file to an engine: what `broker`, `check` and `explain` have in common. */
import { type CompiledPolicy, compilePolicy } from "../../src/compile/policy.ts";
import type { Preset } from "../../src/config/compatibility.ts";
import type { Config } from "../../src/config/config.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import { ConfigError, type Issue } from "../../src/errors.ts";
import { tlsIssues } from "./broker/tls.ts";
import { loadConfigFile } from "./config-files.ts";
import { createNodeCrypto } from "./crypto.ts";
import { nodePorts } from "./ports.ts";
import { BuiltInDatabase } from "./store/built-in-database.ts";

export interface PolicyFileOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly preset?: Preset | undefined;
  /** Changes the configuration before it is compiled. */
  readonly adjust?: ((config: Config) => Config) | undefined;
  /** Called with the path of each file before it is read. */
  readonly onRead?: ((path: string) => void) | undefined;
}

export interface OpenPolicyOptions extends PolicyFileOptions {
  /** The caller's, who closes it. By default what is there is read. */
  readonly database?: BuiltInDatabase | undefined;
}

export interface CompiledFile {
  readonly config: Config;
  readonly policy: CompiledPolicy;
  /** Warnings so far. */
  readonly issues: readonly Issue[];
}

/**
 * Loads and compiles a file, secrets included: the image is for this process alone. Throws
 * ConfigError with the warnings beside the errors, or EngineError ERR_CONFIG_FILE.
 */
export function compileFile(file: string, options: PolicyFileOptions = {}): CompiledFile {
  const { env, preset, onRead, adjust = (config: Config) => config } = options;
  const loaded = loadConfigFile(file, { preset, onRead, ...(env ? { env } : {}) });
  const config = adjust(loaded.config);
  try {
    const policy = compilePolicy(config, { withSecrets: true, withListenerKeys: true });
    failOnTls(config);
    return { config, policy, issues: [...loaded.issues, ...policy.issues] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([...loaded.issues, ...error.issues]);
  }
}

/** Certificates and keys that OpenSSL does not take. */
function failOnTls({ listeners }: Config): void {
  const issues = listeners.flatMap((listener) => tlsIssues(listener));
  if (issues.length > 0) throw new ConfigError(issues);
}

export interface OpenPolicy extends CompiledFile {
  readonly engine: Engine;
  readonly database: BuiltInDatabase;
}

/**
 * The same, with every key imported, the built-in database open where it is needed, and every
 * authenticator created. The caller closes the engine, and then the database.
 */
export async function openPolicy(
  file: string,
  options: OpenPolicyOptions = {},
): Promise<OpenPolicy> {
  const database = options.database ?? new BuiltInDatabase({ mode: "look" });
  const compiled = compileFile(file, options);
  let { issues } = compiled;
  try {
    issues = await prepareDatabase(database, compiled, file, options);
    const engine = await createEngine({
      image: compiled.policy.image,
      crypto: createNodeCrypto(),
      ports: { ...nodePorts, users: database, rules: database },
    });
    return { ...compiled, engine, database, issues: joinIssues(issues, engine.policy.issues) };
  } catch (error) {
    if (!options.database) await database.close();
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(joinIssues(issues, error.issues));
  }
}

/** The issues of a file and of its bootstrap files; rejects with ConfigError when one is an error. */
export async function prepareDatabase(
  database: BuiltInDatabase,
  { config, issues }: CompiledFile,
  file: string,
  { onRead }: PolicyFileOptions,
): Promise<readonly Issue[]> {
  const found = await database.prepare(config, file, onRead);
  if (found.some(({ severity }) => severity === "error")) throw new ConfigError(found);
  return joinIssues(issues, found);
}

/** Both lists, without what creating an authenticator says again of a setting read before. */
export function joinIssues(earlier: readonly Issue[], created: readonly Issue[]): Issue[] {
  const said = new Set(earlier.map(({ severity, path }) => `${severity} ${path}`));
  return [...earlier, ...created.filter(({ severity, path }) => !said.has(`${severity} ${path}`))];
}
