/** `portcullis bench`: the benchmark, from a clone of the repository. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { EXIT_NO, EXIT_USAGE, note } from "../terminal.ts";

const RUNNER = fileURLToPath(new URL("../../../bench/run.js", import.meta.url));

export function registerBench(program: Command): void {
  program
    .command("bench")
    .argument("[names...]", "cases whose names start so; all when left out")
    .description("measure decisions, side by side with what people use today")
    .option("--quick", "a tenth of the time; for trying a change, not for quoting")
    .addHelpText("after", "\nExample:\n  portcullis bench --quick authorize")
    .action((names: string[], options: { quick?: boolean }) => {
      if (!existsSync(RUNNER)) {
        note("portcullis: the benchmark and its rivals are in the repository: clone it, npm start");
        process.exitCode = EXIT_USAGE;
        return;
      }
      const env = options.quick ? { ...process.env, BENCH_QUICK: "1" } : process.env;
      const { status } = spawnSync(process.execPath, [RUNNER, ...names], { env, stdio: "inherit" });
      process.exitCode = status ?? EXIT_NO;
    });
}
