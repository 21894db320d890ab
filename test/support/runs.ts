/** How long a property is tried: a number of runs in CI, minutes when fuzzing (`npm run fuzz`). */
import type { Parameters } from "fast-check";

const minutes = Number(process.env.FUZZ_MINUTES ?? 0);

/** `count` runs; with FUZZ_MINUTES set, as many as fit into that time. */
export function runs(count: number): Parameters<unknown> {
  if (!minutes) return { numRuns: count };
  return {
    numRuns: 2 ** 31 - 1,
    interruptAfterTimeLimit: minutes * 60_000,
    markInterruptAsFailure: false,
  };
}
