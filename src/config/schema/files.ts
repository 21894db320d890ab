/** Files that settings name. Source: authentication §7.4. */
import type { SourcePosition } from "../../types.ts";
import type { Place } from "./spec.ts";

/**
 * A path with `${NAME}` taken from the environment. Without `EMQX_ETC_DIR` in it, the folder of
 * the configuration file stands in, which is where that variable points in an EMQX installation.
 * Undefined, and reported, when a variable is not set.
 */
export function expandPath(
  path: string,
  at: SourcePosition | undefined,
  place: Place,
): string | undefined {
  const { env, issues } = place.load;
  let isGood = true;
  const expanded = path.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value !== undefined) return value;
    if (name === "EMQX_ETC_DIR") return ".";
    isGood = false;
    issues.error("ERR_CONFIG_FILE", at, `the environment variable \`${name}\` is not set`, {
      path: place.path,
      hint: "set it, or write the path without it",
    });
    return "";
  });
  return isGood ? expanded : undefined;
}

/** The text of a file, relative to the configuration file. Undefined when that was reported. */
export function readTextFile(
  path: string,
  at: SourcePosition | undefined,
  place: Place,
): string | undefined {
  const { issues, readFile, file } = place.load;
  let text: string | undefined;
  let reason = "there is no such file";
  try {
    text = readFile(path, file);
  } catch (error) {
    reason = error instanceof Error ? error.message : "unreadable";
  }
  if (text === undefined) {
    issues.error("ERR_CONFIG_FILE", at, `cannot read \`${path.slice(0, 200)}\`: ${reason}`, {
      path: place.path,
      hint: `the path is relative to \`${file}\``,
    });
  }
  return text;
}
