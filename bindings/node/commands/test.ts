/** `portcullis test`: files of cases, put to the real engine. */
import { writeFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../broker/clock.ts";
import { FileWatch } from "../file-watch.ts";
import { readTestFile } from "../policy-test/case-file.ts";
import { type Coverage, coveragePercent, RuleCoverage } from "../policy-test/coverage.ts";
import { findTestFiles, policyOf } from "../policy-test/find.ts";
import { loadPolicy } from "../policy-test/policy.ts";
import {
  isPassed,
  junitXml,
  reportCoverage,
  reportForPeople,
  reportTap,
} from "../policy-test/report.ts";
import { type FileResult, runTestFile } from "../policy-test/run.ts";
import { EXIT_NO, EXIT_OK, EXIT_USAGE, note, print } from "../terminal.ts";
import { reportConfigError } from "./report.ts";

interface TestOptions {
  readonly config?: string;
  readonly tap?: boolean;
  readonly junit?: string;
  readonly json?: boolean;
  readonly coverage?: boolean;
  readonly coverageMin?: number;
  readonly watch?: boolean;
}

const HELP = `
A test file is YAML, HOCON or JSON, named tests.yaml or ….test.yaml (.yml, .conf, .hocon, .json):

  policy: portcullis.conf             # or --config, or the portcullis.conf beside this file
  now: 2026-01-31T12:00:00Z           # the clock; the machine's when left out
  clients:
    reader: { clientid: dev-1, token: { sub: dev-1, scp: read, exp: +1h } }
    admin: { clientid: adm, username: admin, peerhost: 10.0.0.1, attrs: { site: a } }
  tests:
    - { name: readers get in, client: reader, connect: allow }
    - { client: reader, subscribe: "myorg/read/#", expect: allow, rule: 1 }
    - { client: admin, publish: [a/b, a/c], qos: 1, expect: deny, reason: rule, line: 3 }

In HOCON and JSON it has the same keys. YAML is read without tags and merges, one document a file.

A client has clientid, username, peerhost, listener, cn, dn, user_properties, and one of
  token: { claims }  signed with HS256 and the policy's secret, or the file's \`secret\`;
                     key sets and public keys are replaced by a secret made for the run;
                     times such as exp: +1h count from the test's clock
  token: ey…         as it is; the same as \`password\`
  attrs: { … }       what authentication would have found out, and superuser: true
A client without token and password, in a test without connect, is taken as accepted.

What may be expected: \`expect\` (allow, deny), and with it reason, by, rule (its number) and line (in
its file); in connect: { expect, reason, by, code, attrs }.

Examples:
  portcullis test policies/ --coverage
  portcullis test policies/ --tap --junit results.xml --coverage-min 90
  portcullis test tests.yaml -c portcullis.conf --watch

Exits with 0 when all is as expected, 1 when not, 2 when a file cannot be used; with --watch, which
Ctrl-C ends, with what the last run came to.`;

export function registerPolicyTest(program: Command): void {
  program
    .command("test")
    .argument("<paths...>", "test files, or directories with them")
    .description("run policy tests: who gets in, who may do what, and which rule says so")
    .option("-c, --config <file>", "policy of test files that name none")
    .option("--tap", "print TAP, version 14")
    .option("--json", "print the results as JSON")
    .option("--junit <file>", "also write JUnit XML")
    .option("--coverage", "print the rules that no test reached")
    .option("--coverage-min <percent>", "fail when fewer rules are reached", parsePercent)
    .option("--watch", "run again whenever a test, policy or rule file changes")
    .addHelpText("after", HELP)
    .action(async (paths: string[], options: TestOptions) => {
      process.exitCode = options.watch
        ? await watch(paths, options)
        : await runOnce(paths, options, () => {});
    });
}

/** Runs everything once and gives the exit code. Throws what makes a file unusable. */
async function runOnce(
  paths: readonly string[],
  options: TestOptions,
  onRead: (path: string) => void,
): Promise<number> {
  const coverage = new RuleCoverage();
  const results: FileResult[] = [];
  for (const path of findTestFiles(paths, onRead)) {
    onRead(path);
    const file = readTestFile(path);
    const policy = await loadPolicy(policyOf(path, file.policy, options.config), file, onRead);
    try {
      results.push(await runTestFile(file, policy, coverage.of(policy.file, policy.rules)));
    } finally {
      policy.engine.close();
    }
  }
  const coverages = coverage.all();
  const percent = coveragePercent(coverages);
  if (options.junit !== undefined) writeFileSync(options.junit, junitXml(results));
  if (options.tap) reportTap(results);
  else if (options.json)
    print(
      JSON.stringify({
        files: results.map(publicResult),
        coverage: coverages.map(publicCoverage),
        percent,
      }),
    );
  else reportForPeople(results);
  if (options.coverage && !options.json) reportCoverage(coverages, options.tap ? note : print);
  const isCovered = percent >= (options.coverageMin ?? 0);
  if (!isCovered) {
    note(
      `tests reach ${percent.toFixed(1)} % of the rules, --coverage-min asks for ${options.coverageMin} %`,
    );
  }
  const isRight = results.every((file) => file.results.every(isPassed));
  return isRight && isCovered ? EXIT_OK : EXIT_NO;
}

function publicResult({ file, policy, results }: FileResult): object {
  return {
    file: file.file,
    policy,
    results: results.map(({ case: { name, at }, differences }) => ({
      name,
      at,
      ok: differences.length === 0,
      differences,
    })),
  };
}

function publicCoverage({ policy, rules, missed, missedRules }: Coverage): object {
  const places = missedRules.map(({ at, text }, index) => ({ rule: missed[index], at, text }));
  return { policy, rules, missed: places };
}

/**
 * Runs until the process is told to stop, and gives the exit code of the last run. Mistakes in files
 * are shown, and mended files run.
 */
function watch(paths: readonly string[], options: TestOptions): Promise<number> {
  let code = EXIT_OK;
  const again = async (): Promise<void> => {
    files.begin();
    try {
      code = await runOnce(paths, options, (path) => files.note(path));
    } catch (error) {
      code = EXIT_USAGE;
      const message = error instanceof Error ? error.message : String(error);
      if (!reportConfigError(error)) note(`portcullis: ${message}`);
    }
    note("watching; stop with Ctrl-C");
  };
  const files = new FileWatch(systemClock, again);
  return new Promise((resolve, reject) => {
    // The watch's own timer does not keep the process.
    const keep = setInterval(() => {}, 3_600_000);
    const stop = (): void => {
      clearInterval(keep);
      files.close();
      resolve(code);
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    again().then(() => files.start(), reject);
  });
}

function parsePercent(text: string): number {
  const value = Number(text);
  if (!/^\d{1,3}(\.\d+)?$/.test(text) || value > 100) throw new InvalidArgumentError("0 to 100");
  return value;
}
