import { defineConfig } from "vitest/config";

const fuzzMinutes = Number(process.env.FUZZ_MINUTES ?? 0);

export default defineConfig({
  resolve: {
    // The `#wasm` import of package.json points into dist/; tests run the sources.
    alias: { "#wasm": new URL("./src/core/wasm-inline.gen.ts", import.meta.url).pathname },
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/runtime/**", "**/node_modules/**"],
    // Generous: the machine may be shared. Fuzzing stops by itself.
    testTimeout: fuzzMinutes ? (fuzzMinutes + 5) * 60_000 : 60_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
