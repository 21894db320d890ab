/** One compilation, in a process whose memory nobody else uses. */
import { readFileSync } from "node:fs";
import { compileTexts, RULES_ONLY } from "../data/policy.ts";
import { aclText, makeRules, type RuleFamily } from "../data/rules.ts";

/** Parent to child. */
export interface CompileRequest {
  readonly family: RuleFamily;
  readonly rules: number;
}

/** Child to parent. */
export interface CompileAnswer {
  readonly textBytes: number;
  readonly imageBytes: number;
  readonly wallMs: number;
  /** Of all threads, the collector's too. */
  readonly cpuMs: number;
  /** Highest resident size during the compilation, over the one just before it. */
  readonly peakBytes: number;
}

process.on("message", ({ family, rules }: CompileRequest) => {
  // Flat, as a file is read.
  const acl = Buffer.from(aclText(makeRules(family, rules, 1).rules)).toString();
  const before = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  const from = performance.now();
  const image = compileTexts(RULES_ONLY, acl);
  const wallMs = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  const answer: CompileAnswer = {
    textBytes: acl.length,
    imageBytes: image.length,
    wallMs,
    cpuMs: (user + system) / 1000,
    peakBytes: peakResident() - before,
  };
  process.send!(answer);
});

function peakResident(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
