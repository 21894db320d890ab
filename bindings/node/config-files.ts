/** Reads configurations from disk: the ports that src/config asks for. */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { Preset } from "../../src/config/compatibility.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { EngineError, type Issue } from "../../src/errors.ts";

/** Text of a file, or undefined when there is none. Other failures throw. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** `path` as seen from the file that mentions it. */
export function besideFile(path: string, fromFile: string): string {
  return isAbsolute(path) ? path : resolve(dirname(fromFile), path);
}

/**
 * Loads and checks a configuration file with its includes, rule files and `EMQX_…` environment.
 * Throws ConfigError with every issue, or EngineError ERR_CONFIG_FILE when it cannot be read.
 */
export function loadConfigFile(
  file: string,
  options: {
    preset?: Preset | undefined;
    env?: NodeJS.ProcessEnv;
    /** Called with the path of each file before it is read, whether it exists or not. */
    onRead?: ((path: string) => void) | undefined;
  } = {},
): { config: Config; issues: Issue[] } {
  let text: string | undefined;
  const read = (path: string): string | undefined => {
    options.onRead?.(path);
    return readTextFile(path);
  };
  try {
    text = read(file);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new EngineError("ERR_CONFIG_FILE", `cannot read \`${file}\`: ${reason}`);
  }
  if (text === undefined) {
    throw new EngineError("ERR_CONFIG_FILE", `no such file: \`${file}\``);
  }
  return loadConfig({
    text,
    file,
    env: definedOnly(options.env ?? process.env),
    readInclude: (path, fromFile) => read(besideFile(path, fromFile)),
    readFile: (path, fromFile) => read(besideFile(path, fromFile)),
    ...(options.preset ? { preset: options.preset } : {}),
  });
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) out[name] = value;
  }
  return out;
}
