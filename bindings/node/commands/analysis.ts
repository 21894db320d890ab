/** What `portcullis check --analyze` adds: findings about the rules, each with both places. */
import { analyzeRules, type Finding } from "../../../src/analyze/index.ts";
import type { Rule } from "../../../src/compile/rule/ast.ts";
import type { Switches } from "../../../src/config/compatibility.ts";
import type { SourcePosition } from "../../../src/types.ts";
import { note, Progress, paint } from "../terminal.ts";
import { reportIssues } from "./report.ts";

export interface PlacedFinding extends Finding {
  readonly at?: SourcePosition | undefined;
  /** Where the earlier rules stand. */
  readonly othersAt: readonly SourcePosition[];
}

/** The findings with their places. A terminal is told how far it is. */
export function analyzePlaced(rules: readonly Rule[], switches: Switches): PlacedFinding[] {
  const progress = new Progress(`analyzing ${rules.length} rules`, rules.length, process.stderr);
  const findings = analyzeRules(rules, switches, { onRule: (done) => progress.at(done) });
  progress.end();
  return findings.map((finding) => ({
    ...finding,
    at: rules[finding.rule - 1]?.at,
    othersAt: finding.others.flatMap((number) => rules[number - 1]?.at ?? []),
  }));
}

/** `3 findings`. */
export function countFindings(findings: readonly PlacedFinding[]): string {
  const count = findings.filter(({ severity }) => severity !== "note").length;
  return `${count} finding${count === 1 ? "" : "s"}`;
}

/** Warnings as issues are shown; what needs no mending is one line. */
export function reportFindings(findings: readonly PlacedFinding[]): void {
  for (const { severity, code, message, hint, at } of findings) {
    if (severity === "note") {
      const place = at ? `${at.file}:${at.line}:${at.column}: ` : "";
      note(`${place}${paint("cyan", "note", process.stderr)}: ${message}\n`);
    } else reportIssues([{ severity: "warning", code, path: "", message, hint, at }]);
  }
}
