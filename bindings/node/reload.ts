/** Reads a configuration again and puts it in force; says in the log what came of it. */
import type { Engine } from "../../src/engine.ts";
import { ConfigError, EngineError, type Issue } from "../../src/errors.ts";
import type { Logger } from "./broker/log.ts";
import { compileFile, joinIssues, type OpenPolicyOptions, prepareDatabase } from "./open-policy.ts";

/** LIMIT: lines about one configuration; a file of a thousand mistakes says the first of them. */
const ISSUES_LOGGED_MAX = 100;

/**
 * Puts the file's policy in force. Rejects with ConfigError or EngineError when it cannot be used,
 * and then the old policy stays; either way the log has every issue. Returns the warnings.
 */
export async function reloadPolicy(
  engine: Engine,
  file: string,
  options: OpenPolicyOptions,
  log: Logger,
): Promise<readonly Issue[]> {
  try {
    const issues = await load(engine, file, options);
    logIssues(log, issues);
    log.info({ event: "reloaded", file, warnings: issues.length }, "policy reloaded");
    return issues;
  } catch (error) {
    if (error instanceof ConfigError) logIssues(log, error.issues);
    log.error(
      { event: "reload_refused", file, ...describeError(error) },
      "the old policy stays in force",
    );
    throw error;
  }
}

async function load(
  engine: Engine,
  file: string,
  options: OpenPolicyOptions,
): Promise<readonly Issue[]> {
  const compiled = compileFile(file, options);
  let { issues } = compiled;
  try {
    if (options.database) issues = await prepareDatabase(options.database, compiled, file, options);
    await engine.reload(compiled.policy.image);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(joinIssues(issues, error.issues));
  }
  return joinIssues(issues, engine.policy.issues);
}

function logIssues(log: Logger, issues: readonly Issue[]): void {
  for (const { severity, code, path, message, hint, at } of issues.slice(0, ISSUES_LOGGED_MAX)) {
    const place = at && { at: `${at.file}:${at.line}:${at.column}` };
    const line = { event: "configuration_issue", code, path, ...place, ...(hint && { hint }) };
    log[severity === "error" ? "error" : "warn"](line, message);
  }
  const left = issues.length - ISSUES_LOGGED_MAX;
  if (left > 0) log.warn({ event: "configuration_issues_left_out", count: left }, "and more");
}

/** What may be said of an error: our own messages hold no secrets, of others only the kind. */
function describeError(error: unknown): object {
  if (error instanceof ConfigError) return { code: error.code, issues: error.issues.length };
  if (error instanceof EngineError) return { code: error.code, why: error.message };
  return { code: String((error as NodeJS.ErrnoException | undefined)?.code ?? "ERR_UNKNOWN") };
}
