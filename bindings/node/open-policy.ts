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

export interface PolicyFileOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly preset?: Preset | undefined;
  /** Changes the configuration before it is compiled. */
  readonly adjust?: ((config: Config) => Config) | undefined;
  /** Called with the path of each file before it is read. */
  readonly onRead?: ((path: string) => void) | undefined;
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
}

/** The same, with every key imported and every authenticator created. The caller closes the engine. */
export async function openPolicy(
  file: string,
  options: PolicyFileOptions = {},
): Promise<OpenPolicy> {
  const compiled = compileFile(file, options);
  try {
    const engine = await createEngine({
      image: compiled.policy.image,
      crypto: createNodeCrypto(),
      ports: nodePorts,
    });
    return { ...compiled, engine, issues: joinIssues(compiled.issues, engine.policy.issues) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(joinIssues(compiled.issues, error.issues));
  }
}

/** Both lists, without what creating an authenticator says again of a setting read before. */
export function joinIssues(earlier: readonly Issue[], created: readonly Issue[]): Issue[] {
  const said = new Set(earlier.map(({ severity, path }) => `${severity} ${path}`));
  return [...earlier, ...created.filter(({ severity, path }) => !said.has(`${severity} ${path}`))];
}
