/** How every command shows configuration errors. */
import { ConfigError, EngineError, type Issue } from "../../../src/errors.ts";
import { readTextFile } from "../config-files.ts";
import { note, renderIssue } from "../terminal.ts";

/** Prints a configuration error to stderr; false when the error is of another kind. */
export function reportConfigError(error: unknown): boolean {
  if (error instanceof ConfigError) {
    reportIssues(error.issues);
    note(countIssues(error.issues));
    return true;
  }
  if (error instanceof EngineError && error.code === "ERR_CONFIG_FILE") {
    note(`portcullis: ${error.message}`);
    return true;
  }
  return false;
}

/** Prints issues in source order, errors and warnings mixed. */
export function reportIssues(issues: readonly Issue[]): void {
  for (const issue of issues) note(`${renderIssue(issue, sourceOf)}\n`);
}

/** `2 errors, 1 warning`; `no errors, no warnings`. */
export function countIssues(issues: readonly Issue[]): string {
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const warnings = issues.length - errors;
  return `${count(errors, "error")}, ${count(warnings, "warning")}`;
}

function count(n: number, what: string): string {
  return `${n || "no"} ${what}${n === 1 ? "" : "s"}`;
}

function sourceOf(file: string): string | undefined {
  try {
    return readTextFile(file);
  } catch {
    return undefined;
  }
}
