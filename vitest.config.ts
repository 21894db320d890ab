import { execFileSync } from "node:child_process";
import { defineConfig } from "vitest/config";

const fuzzMinutes = Number(process.env.FUZZ_MINUTES ?? 0);

/** The commit as a number; 0 outside a checkout. */
function commitSeed(): string {
  try {
    const commit = execFileSync("git", ["rev-parse", "--short=7", "HEAD"], { encoding: "utf8" });
    return String(Number.parseInt(commit.slice(0, 7), 16));
  } catch {
    return "0";
  }
}

export default defineConfig({
  resolve: {
    // The `#wasm` import of package.json points into dist/; tests run the sources.
    alias: { "#wasm": new URL("./src/core/wasm-inline.gen.ts", import.meta.url).pathname },
  },
  test: {
    env: { FC_SEED: process.env.FC_SEED ?? commitSeed() },
    setupFiles: ["test/support/seed.ts"],
    include: ["test/**/*.test.ts"],
    exclude: ["test/runtime/**", "**/node_modules/**"],
    // Generous: the machine may be shared. Fuzzing stops by itself.
    testTimeout: fuzzMinutes ? (fuzzMinutes + 5) * 60_000 : 60_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
