/**
 * One case in a process of its own: `run-case MODULE-URL CASE-NAME`. Its report is one line of JSON on
 * the standard output; a failure is an uncaught error.
 */
import type { BenchModule } from "./harness.ts";

const [url, name] = process.argv.slice(2) as [string, string];
const { cases } = (await import(url)) as BenchModule;
const report = await cases[name]!(name);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
