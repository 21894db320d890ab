/**
 * Every error class, and the shape of a configuration issue.
 *
 * Refusals are values (see Decision); what is thrown is an operator's mistake (ConfigError), a
 * developer's (UsageError) or a broken core (CoreError).
 */
import type { SourcePosition } from "./types.ts";

/** One thing wrong, or worth knowing, in a configuration. */
export interface Issue {
  readonly severity: "error" | "warning";
  /** `ERR_CONFIG_…` or `WARN_CONFIG_…`; stable. */
  readonly code: string;
  /** Configuration path such as `authentication[1].secret`, or empty for a whole file. */
  readonly path: string;
  /** Lower case, no final stop, user input in backticks. Never a secret. */
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string | undefined;
  readonly at?: SourcePosition | undefined;
}

/** Base of the errors this package throws. `code` is API, the message is not. */
export class EngineError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The configuration cannot be used. Holds all issues, not just the first; a running policy stays. */
export class ConfigError extends EngineError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    const errors = issues.filter((issue) => issue.severity === "error");
    super("ERR_CONFIG", errors.map(formatIssue).join("\n") || "configuration refused");
    this.issues = issues;
  }
}

/** The core refused an image, broke a limit or trapped. The caller denies and loads a fresh one. */
export class CoreError extends EngineError {}

/** The caller broke a contract, e.g. authorize after close. */
export class UsageError extends TypeError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "UsageError";
    this.code = code;
  }
}

/** `file:line:column: path: message (hint)`, leaving out what is not known. */
export function formatIssue(issue: Issue): string {
  const place = issue.at ? `${issue.at.file}:${issue.at.line}:${issue.at.column}: ` : "";
  const path = issue.path ? `${issue.path}: ` : "";
  const hint = issue.hint ? `\n  hint: ${issue.hint}` : "";
  return `${place}${issue.severity}: ${path}${issue.message}${hint}`;
}
