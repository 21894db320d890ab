/** Collecting what is wrong with a configuration. */
import type { Issue } from "../errors.ts";
import type { SourcePosition } from "../types.ts";
import { ISSUES_MAX } from "./hocon/limits.ts";

export interface IssueDetails {
  readonly path?: string | undefined;
  readonly hint?: string | undefined;
}

/** Collects what is wrong with a configuration: ISSUES_MAX errors and as many warnings. */
export class IssueList {
  readonly #issues: Issue[] = [];
  readonly #counts = { error: 0, warning: 0 };

  get hasErrors(): boolean {
    return this.#counts.error > 0;
  }

  /** No further error would be kept. */
  get isFull(): boolean {
    return this.#counts.error >= ISSUES_MAX;
  }

  error(
    code: string,
    at: SourcePosition | undefined,
    message: string,
    details: IssueDetails = {},
  ): void {
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
    const { path = "", hint } = details;
    this.add({ severity: "warning", code, path, message, hint, at });
  }

  add(issue: Issue): void {
    this.#counts[issue.severity] += 1;
    if (this.#counts[issue.severity] <= ISSUES_MAX) this.#issues.push(issue);
  }

  /** Everything found, file by file from top to bottom, with a last line for what did not fit. */
  all(): Issue[] {
    const all = inOrder(this.#issues);
    for (const severity of ["error", "warning"] as const) {
      const dropped = this.#counts[severity] - ISSUES_MAX;
      if (dropped <= 0) continue;
      const code = severity === "error" ? "ERR_CONFIG_TOO_MANY" : "WARN_CONFIG_TOO_MANY";
      all.push({ severity, code, path: "", message: `${dropped} more are not shown` });
    }
    return all;
  }
}

/** Files in the order they were first spoken of; what has no place comes first. */
function inOrder(issues: readonly Issue[]): Issue[] {
  const byFile = new Map<string, Issue[]>([["", []]]);
  for (const issue of issues) {
    const file = issue.at?.file ?? "";
    const group = byFile.get(file) ?? [];
    group.push(issue);
    byFile.set(file, group);
  }
  const groups = [...byFile.values()];
  for (const group of groups) {
    group.sort(
      (a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0),
    );
  }
  return groups.flat();
}
