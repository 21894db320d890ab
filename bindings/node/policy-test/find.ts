/** Which files hold policy tests. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { EngineError } from "../../../src/errors.ts";

/** `tests.conf` and whatever ends in `.test.conf`; `.hocon`, `.json`, `.yaml` and `.yml` as well. */
const TEST_FILE = /^(?:tests|.+\.test)\.(?:conf|hocon|json|ya?ml)$/;
/** Below `node_modules` and directories with a dot nothing is looked for. */
const HIDDEN = /(^|[/\\])(node_modules|\.[^/\\.][^/\\]*)[/\\]/;
/** Taken where a test file and the command line name no policy. */
const POLICY_FILE = "portcullis.conf";

/**
 * Files as given, and the test files below directories, in order. `onRead` is told the directories:
 * they change when a file is added.
 */
export function findTestFiles(paths: readonly string[], onRead: (path: string) => void): string[] {
  return paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new EngineError("ERR_CONFIG_FILE", `no such file: \`${path}\``);
    if (!found.isDirectory()) return [path];
    onRead(path);
    const files: string[] = [];
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      const place = join(entry.parentPath, entry.name);
      if (HIDDEN.test(`${place.slice(path.length)}/`)) continue;
      if (entry.isDirectory()) onRead(place);
      else if (entry.isFile() && TEST_FILE.test(entry.name)) files.push(place);
    }
    files.sort();
    if (files.length > 0) return files;
    throw new EngineError(
      "ERR_CONFIG_FILE",
      `no tests below \`${path}\`: they are in files named \`tests.yaml\` or \`….test.yaml\` (.yml, .conf, .hocon, .json)`,
    );
  });
}

/** The policy that a test file is about. */
export function policyOf(
  testFile: string,
  named: string | undefined,
  fallback: string | undefined,
): string {
  if (named !== undefined) return named;
  if (fallback !== undefined) return fallback;
  const beside = join(dirname(testFile), POLICY_FILE);
  if (existsSync(beside)) return beside;
  throw new EngineError(
    "ERR_CONFIG_FILE",
    `\`${testFile}\` names no policy: write policy = "FILE" in it, or give --config FILE`,
  );
}
