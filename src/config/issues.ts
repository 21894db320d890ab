import type { Issue } from "../errors.ts";
import type { SourcePosition } from "../types.ts";
import { ISSUES_MAX } from "./hocon/limits.ts";

export interface IssueDetails {
  readonly path?: string | undefined;
  readonly hint?: string | undefined;
}

/** Collects what is wrong with a configuration; keeps the first ISSUES_MAX and counts the rest. */
export class IssueList {
  readonly #issues: Issue[] = [];
  #dropped = 0;
  #errors = 0;

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  error(
    code: string,
    at: SourcePosition | undefined,
    message: string,
    details: IssueDetails = {},
  ): void {
    this.#errors += 1;
    this.add({
      severity: "error",
      code,
      path: details.path ?? "",
      message,
      hint: details.hint,
      at,
    });
  }

  warning(
    code: string,
    at: SourcePosition | undefined,
    message: string,
    details: IssueDetails = {},
  ): void {
    this.add({
      severity: "warning",
      code,
      path: details.path ?? "",
      message,
      hint: details.hint,
      at,
    });
  }

  /** Everything found, with a last line that counts what did not fit. */
  all(): Issue[] {
    if (this.#dropped === 0) return [...this.#issues];
    return [
      ...this.#issues,
      {
        severity: this.hasErrors ? "error" : "warning",
        code: this.hasErrors ? "ERR_CONFIG_TOO_MANY" : "WARN_CONFIG_TOO_MANY",
        path: "",
        message: `${this.#dropped} more are not shown`,
      },
    ];
  }

  private add(issue: Issue): void {
    if (this.#issues.length < ISSUES_MAX) this.#issues.push(issue);
    else this.#dropped += 1;
  }
}
