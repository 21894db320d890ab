/**
 * `npm run bench [-- name …]`: runs the cases, prints them, writes the results as JSON.
 * Names select cases by prefix; BENCH_QUICK=1 takes a tenth of the time.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WASM_SHA256 } from "../src/core/wasm-inline.gen.ts";
import { type CaseReport, describeMachine, renderCase } from "./harness.ts";

/** A module in cases/ exports one of these; it yields each report as it is measured. */
export interface BenchModule {
  readonly bench: () => AsyncIterable<CaseReport>;
}

const folder = new URL("./cases/", import.meta.url);
const wanted = process.argv.slice(2);
const names = readdirSync(folder)
  .filter((name) => /\.bench\.(js|ts)$/.test(name))
  .map((name) => name.replace(/\.bench\.(js|ts)$/, ""))
  .filter((name) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)))
  .sort();
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

const machine = { ...describeMachine(), core_wasm_sha256: WASM_SHA256 };
console.log(Object.values(machine).join(" · "));
const reports: CaseReport[] = [];
for (const name of names) {
  const module = (await import(new URL(`${name}.bench.${extension}`, folder).href)) as BenchModule;
  for await (const report of module.bench()) {
    reports.push(report);
    console.log(`\n${renderCase(report)}`);
  }
}

const results = fileURLToPath(new URL("../results/", folder));
mkdirSync(results, { recursive: true });
const file = `${results}latest.json`;
writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), machine, reports })}\n`);
console.log(`\n${reports.length} cases; results in ${file}`);
