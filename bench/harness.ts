/**
 * The bench harness: measures closures in alternation, so that rivals share the machine's moods, and
 * reports medians, 99th percentiles and ratios. Equal answers are the case's job, before timing.
 */
import { cpus, loadavg } from "node:os";

export interface Rival {
  readonly name: string;
  /** One operation, or `batch` of them when `opsPerCall` says so. */
  readonly run: () => unknown | Promise<unknown>;
  /** Operations one call makes; default 1. */
  readonly opsPerCall?: number;
  /** `run` returns a promise that has to be awaited. */
  readonly isAsync?: boolean;
}

export interface Measured {
  readonly name: string;
  /** Nanoseconds an operation. */
  readonly medianNs: number;
  readonly p99Ns: number;
  readonly samples: number;
}

export interface CaseReport {
  readonly case: string;
  /** What one operation is, and what it cannot do without: bytes copied, calls made. */
  readonly about: string;
  /** The first one is ours. */
  readonly rivals: readonly Measured[];
  /** Median of each rival over ours: above 1 we are faster. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly notes?: readonly string[];
}

/**
 * What a module in cases/ exports: the cases by their names. A case makes what it needs, asserts that
 * ours and the rivals answer the same, then measures them side by side, alone in a process.
 */
export interface BenchModule {
  readonly cases: Readonly<Record<string, BenchCase>>;
}

/** Gets its own name. */
export type BenchCase = (name: string) => Promise<CaseReport>;

export interface MeasureOptions {
  /** Time spent on each rival, in ms, after warming up. Default 400. */
  readonly timeMs?: number | undefined;
  readonly notes?: readonly string[] | undefined;
}

const SAMPLE_NS_MIN = 200_000;

/** Measures rivals side by side; the first is ours. */
export async function measureCase(
  name: string,
  about: string,
  rivals: readonly Rival[],
  options: MeasureOptions = {},
): Promise<CaseReport> {
  const timeNs = (options.timeMs ?? quickFactor() * 400) * 1e6;
  const plans: { rival: Rival; calls: number; samples: number[] }[] = [];
  for (const rival of rivals) {
    plans.push({ rival, calls: await callsForSample(rival), samples: [] });
  }
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    for (const plan of plans) {
      const end = process.hrtime.bigint() + BigInt(Math.round(timeNs / rounds));
      do plan.samples.push(await sample(plan.rival, plan.calls));
      while (process.hrtime.bigint() < end);
    }
  }
  const measured = plans.map(({ rival, samples }) => summarize(rival.name, samples));
  const ours = measured[0]!.medianNs;
  const ratios = Object.fromEntries(
    measured.slice(1).map((one) => [one.name, one.medianNs / ours]),
  );
  const report: CaseReport = { case: name, about, rivals: measured, ratios };
  return options.notes ? { ...report, notes: options.notes } : report;
}

/** A report of samples (ns) that were taken elsewhere, of ours alone. */
export function reportSamples(
  name: string,
  about: string,
  who: string,
  samples: readonly number[],
): CaseReport {
  return { case: name, about, rivals: [summarize(who, samples)], ratios: {} };
}

/** A tenth of the time when BENCH_QUICK is set: for trying a change, not for quoting. */
function quickFactor(): number {
  return process.env.BENCH_QUICK ? 0.1 : 1;
}

/** How many calls make a sample long enough for the clock; warms the rival up on the way. */
async function callsForSample(rival: Rival): Promise<number> {
  let calls = 1;
  for (;;) {
    const ns = (await sample(rival, calls)) * calls * (rival.opsPerCall ?? 1);
    if (ns >= SAMPLE_NS_MIN) break;
    calls = Math.ceil(calls * Math.min(10, Math.max(1.5, SAMPLE_NS_MIN / Math.max(ns, 1))));
  }
  const warm = process.hrtime.bigint() + BigInt(Math.round(quickFactor() * 100e6));
  do await sample(rival, calls);
  while (process.hrtime.bigint() < warm);
  return calls;
}

/** Nanoseconds an operation, averaged over `calls`. */
async function sample({ run, isAsync, opsPerCall = 1 }: Rival, calls: number): Promise<number> {
  const start = process.hrtime.bigint();
  if (isAsync) for (let i = 0; i < calls; i++) await run();
  else for (let i = 0; i < calls; i++) run();
  return Number(process.hrtime.bigint() - start) / (calls * opsPerCall);
}

function summarize(name: string, samples: readonly number[]): Measured {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { name, medianNs: at(0.5), p99Ns: at(0.99), samples: sorted.length };
}

/** The case as lines for a terminal. */
export function renderCase(report: CaseReport): string {
  const lines = [`${report.case}  (${report.about})`];
  for (const { name, medianNs, p99Ns } of report.rivals) {
    const ratio = report.ratios[name];
    const versus = ratio === undefined ? "" : `   ${ratio.toFixed(2)} × ours`;
    lines.push(
      `  ${name.padEnd(28)} ${duration(medianNs).padStart(10)}  p99 ${duration(p99Ns).padStart(10)}  ${rate(medianNs).padStart(12)}${versus}`,
    );
  }
  for (const line of report.notes ?? []) lines.push(`  ${line}`);
  return lines.join("\n");
}

function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(2)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

function rate(ns: number): string {
  return `${Math.round(1e9 / ns).toLocaleString("en-US")}/s`;
}

/** What figures mean nothing without. */
export function describeMachine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    runtime: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    os: `${process.platform} ${process.arch}`,
    // Above the number of cores, absolute figures are those of a shared machine.
    load: `load ${loadavg()[0]!.toFixed(1)}`,
  };
}
