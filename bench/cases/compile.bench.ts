/** Configuration and 100,000 acl.conf rules → image, each time in a fresh process. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { RULE_FAMILIES, type RuleFamily } from "../data/rules.ts";
import { type BenchCase, type CaseReport, reportSamples } from "../harness.ts";
import type { CompileAnswer, CompileRequest } from "./compile-child.ts";

const RULES = 100_000;
const RUNS = 3;

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries(
  RULE_FAMILIES.map((family) => [
    `compile: ${family}, 100,000 rules`,
    (name) => familyCase(name, family),
  ]),
);

async function familyCase(name: string, family: RuleFamily): Promise<CaseReport> {
  const answers: CompileAnswer[] = [];
  for (let run = 0; run < (process.env.BENCH_QUICK ? 1 : RUNS); run++) {
    answers.push(await compileOnce(family));
  }
  const least = (pick: (answer: CompileAnswer) => number): number => Math.min(...answers.map(pick));
  const report = reportSamples(
    name,
    `acl.conf of ${mebibytes(answers[0]!.textBytes)} → image of ${mebibytes(answers[0]!.imageBytes)}, cold process`,
    "portcullis",
    answers.map(({ wallMs }) => wallMs * 1e6),
  );
  return {
    ...report,
    notes: [
      `CPU ${least(({ cpuMs }) => cpuMs).toFixed(0)} ms with garbage collection; budget 2,000 ms`,
      `peak memory ${mebibytes(least(({ peakBytes }) => peakBytes))} over what the process had before; budget 200 MiB`,
    ],
  };
}

async function compileOnce(family: RuleFamily): Promise<CompileAnswer> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const child = fork(fileURLToPath(new URL(`./compile-child.${extension}`, import.meta.url)));
  const request: CompileRequest = { family, rules: RULES };
  child.send(request);
  const [answer] = (await once(child, "message")) as [CompileAnswer];
  child.kill();
  return answer;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
