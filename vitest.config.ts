import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    // The `#wasm` import of package.json points into dist/; tests run the sources.
    alias: { "#wasm": new URL("./src/core/wasm-inline.gen.ts", import.meta.url).pathname },
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/runtime/**", "**/node_modules/**"],
    testTimeout: 20_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
