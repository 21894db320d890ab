/**
 * `npm run bench [-- name …]`: runs the cases, each in a process of its own, prints them, writes the
 * results as JSON. Names select files of cases, or cases, by prefix; BENCH_QUICK=1 takes a tenth of
 * the time.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WASM_SHA256 } from "../src/core/wasm-inline.gen.ts";
import { type BenchModule, type CaseReport, describeMachine, renderCase } from "./harness.ts";

interface PlannedCase {
  /** The module that has it. */
  readonly url: string;
  readonly name: string;
}

const folder = new URL("./cases/", import.meta.url);
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

const planned = await planCases(process.argv.slice(2));
const machine = { ...describeMachine(), core_wasm_sha256: WASM_SHA256 };
console.log(Object.values(machine).join(" · "));
const reports: CaseReport[] = [];
for (const [at, one] of planned.entries()) {
  const clear = showProgress(`${at + 1} of ${planned.length}: ${one.name} …`);
  const report = await runAlone(one).finally(clear);
  if (!report) {
    console.error(`bench: \`${one.name}\` failed: see the error above`);
    process.exit(1);
  }
  reports.push(report);
  console.log(`\n${renderCase(report)}`);
}
const results = fileURLToPath(new URL("../results/", folder));
mkdirSync(results, { recursive: true });
const file = `${results}latest.json`;
writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), machine, reports })}\n`);
console.log(`\n${reports.length} cases; results in ${file}`);

/** The cases whose own name or file name starts with one of `wanted`; all for none. */
async function planCases(wanted: readonly string[]): Promise<PlannedCase[]> {
  const found: PlannedCase[] = [];
  const modules = readdirSync(folder)
    .filter((name) => name.endsWith(`.bench.${extension}`))
    .sort();
  for (const file of modules) {
    const url = new URL(file, folder).href;
    const { cases } = (await import(url)) as BenchModule;
    for (const name of Object.keys(cases)) {
      const isWanted = wanted.some((one) => file.startsWith(one) || name.startsWith(one));
      if (isWanted || wanted.length === 0) found.push({ url, name });
    }
  }
  return found;
}

/**
 * Runs a case in a fresh process, so that what V8 has learnt at a call site is learnt from this case
 * alone. Undefined when it fails; what it says about that has gone to the standard error output.
 */
async function runAlone({ url, name }: PlannedCase): Promise<CaseReport | undefined> {
  const runner = fileURLToPath(new URL(`./run-case.${extension}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, runner, url, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const [status] = (await once(child, "close")) as [number | null];
  return status === 0 ? (JSON.parse(output) as CaseReport) : undefined;
}

/** Says on a terminal what is being measured; the answer takes that back. */
function showProgress(text: string): () => void {
  if (!process.stderr.isTTY) return () => {};
  process.stderr.write(text);
  return () => process.stderr.write("\r\x1b[2K");
}
