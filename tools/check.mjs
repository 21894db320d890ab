/**
 * Everything CI runs, in order, stopping at the first failure. The last line counts the tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const REPORTS = ["build/vitest.json", "build/runtime.json"].map((file) => `${root}${file}`);

const STEPS = [
  ["format and lint", "npx", ["biome", "check", "."]],
  ["types", "npx", ["tsc", "-p", "tsconfig.json"]],
  [
    "tests on Node",
    "npx",
    ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile=${REPORTS[0]}`],
  ],
  ["package shape", "npx", ["publint", "--strict"]],
  ["tests on Deno, Bun and workerd", "node", ["test/runtime/run.mjs", REPORTS[1]]],
];

for (const report of REPORTS) rmSync(report, { force: true });
const started = Date.now();
let failed = "";
for (const [what, command, args] of STEPS) {
  process.stdout.write(`\n== ${what}\n`);
  const run = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (run.status === 0) continue;
  failed = what;
  break;
}

const counts = REPORTS.filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")))
  .reduce(
    (sum, report) => ({
      passed: sum.passed + report.numPassedTests,
      failed: sum.failed + report.numFailedTests,
    }),
    { passed: 0, failed: 0 },
  );
const seconds = Math.round((Date.now() - started) / 1000);
process.stdout.write(`\n${failed ? `FAILED: ${failed}` : "all checks passed"} in ${seconds} s\n`);
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exit(failed ? 1 : 0);
