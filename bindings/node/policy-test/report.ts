/** Results of policy tests for a person, as TAP 14 and as JUnit XML. */
import { paint, print } from "../terminal.ts";
import { type Coverage, coveragePercent } from "./coverage.ts";
import type { CaseResult, Difference, FileResult } from "./run.ts";

const out = process.stdout;

export function isPassed(result: CaseResult): boolean {
  return result.differences.length === 0;
}

/** The failures, each with what was expected and what came out; then the count. */
export function reportForPeople(files: readonly FileResult[]): void {
  for (const { file, results } of files) {
    const failed = results.filter((one) => !isPassed(one));
    const mark = failed.length === 0 ? paint("green", "ok", out) : paint("red", "failed", out);
    print(`${mark} ${file.file} (${results.length - failed.length} of ${results.length} passed)`);
    for (const { case: test, differences } of failed) {
      print(`  ${paint("bold", test.name, out)}  ${test.at.file}:${test.at.line}`);
      for (const one of differences) for (const line of differenceLines(one)) print(`    ${line}`);
    }
  }
  const all = files.flatMap(({ results }) => results);
  const passed = all.filter(isPassed).length;
  print(`${passed} passed, ${all.length - passed} failed`);
}

function differenceLines(difference: Difference): string[] {
  const { question, expected, got, decidedBy, closest = [] } = difference;
  return [
    question,
    paint("green", `- expected  ${expected}`, out),
    paint("red", `+ got       ${got}`, out),
    ...(decidedBy === undefined ? [] : [`  decided by ${decidedBy}`]),
    ...closest.map((one, at) => `  ${at === 0 ? "closest:  " : "          "} ${one}`),
  ];
}

/** Rules that no test reached. */
export function reportCoverage(
  coverages: readonly Coverage[],
  write: (line: string) => void,
): void {
  for (const coverage of coverages) {
    const { policy, rules, missed, missedRules } = coverage;
    const percent = coveragePercent([coverage]).toFixed(0);
    write(`${policy}: ${rules - missed.length} of ${rules} rules reached (${percent} %)`);
    for (const [index, { at, text }] of missedRules.entries()) {
      const place = at ? `${at.file}:${at.line}` : `rule ${missed[index]}`;
      write(`  not reached: ${place}: ${text ?? ""}`);
    }
  }
}

/** Test Anything Protocol, version 14. */
export function reportTap(files: readonly FileResult[]): void {
  const all = files.flatMap(({ results }) => results);
  print("TAP version 14");
  print(`1..${all.length}`);
  for (const [index, result] of all.entries()) {
    const { name, at } = result.case;
    const mark = isPassed(result) ? "ok" : "not ok";
    // `#` would begin a directive.
    print(`${mark} ${index + 1} - ${name.replace(/[\\#]/g, "\\$&").replace(/\s+/g, " ")}`);
    if (isPassed(result)) continue;
    print("  ---");
    print(`  at: ${JSON.stringify(`${at.file}:${at.line}`)}`);
    print("  differences:");
    for (const { question, expected, got, decidedBy } of result.differences) {
      print(`    - question: ${JSON.stringify(question)}`);
      print(`      expected: ${JSON.stringify(expected)}`);
      print(`      got: ${JSON.stringify(got)}`);
      if (decidedBy !== undefined) print(`      decided_by: ${JSON.stringify(decidedBy)}`);
    }
    print("  ...");
  }
}

/** JUnit XML as CI systems read it: a suite for each file. */
export function junitXml(files: readonly FileResult[]): string {
  const suites = files.map(({ file, results }) => {
    const cases = results.map((result) => {
      const { name, at } = result.case;
      const head = `    <testcase name="${xml(name)}" classname="${xml(file.file)}" file="${xml(at.file)}" line="${at.line}" time="${seconds(result.durationMs)}"`;
      if (isPassed(result)) return `${head}/>`;
      const [first] = result.differences;
      const text = result.differences
        .map(({ question, expected, got, decidedBy }) =>
          [
            question,
            `expected ${expected}`,
            `got ${got}`,
            ...(decidedBy ? [`decided by ${decidedBy}`] : []),
          ].join("\n"),
        )
        .join("\n\n");
      const message = first
        ? `${first.question}: expected ${first.expected}, got ${first.got}`
        : "";
      return `${head}>\n      <failure message="${xml(message)}">${xml(text)}</failure>\n    </testcase>`;
    });
    const failures = results.filter((one) => !isPassed(one)).length;
    const time = seconds(results.reduce((sum, one) => sum + one.durationMs, 0));
    const head = `  <testsuite name="${xml(file.file)}" tests="${results.length}" failures="${failures}" errors="0" time="${time}">`;
    return [head, ...cases, "  </testsuite>"].join("\n");
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** XML 1.0 has no way to write most control characters. */
function xml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}
