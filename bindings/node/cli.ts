#!/usr/bin/env node
/** `portcullis`: one command per file in commands/. */
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { EngineError } from "../../src/errors.ts";
import { registerBatch } from "./commands/batch.ts";
import { registerBench } from "./commands/bench.ts";
import { registerBroker } from "./commands/broker.ts";
import { registerCheck } from "./commands/check.ts";
import { registerCompile } from "./commands/compile.ts";
import { registerExplain } from "./commands/explain.ts";
import { reportConfigError } from "./commands/report.ts";
import { registerToken } from "./commands/token.ts";
import { EXIT_NO, EXIT_USAGE, note } from "./terminal.ts";

const { version } = createRequire(import.meta.url)("portcullis/package.json") as {
  version: string;
};

const program = new Command("portcullis")
  .description("One MQTT access policy, enforced everywhere.")
  .version(version)
  .showHelpAfterError("(add --help for what this command takes)")
  .exitOverride()
  .addHelpText(
    "after",
    `
Start here:
  portcullis broker --quick-start          try it: a broker, a policy and ready-made tokens
  portcullis check portcullis.conf         every error and warning, with the place and the fix
  portcullis explain connect --help        why a client gets in, or does not

Exit codes: 0 yes or ok, 1 no or failed, 2 wrong usage or configuration.`,
  );

registerBroker(program);
registerCheck(program);
registerCompile(program);
registerExplain(program);
registerToken(program);
registerBatch(program);
registerBench(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else if (reportConfigError(error)) {
    process.exitCode = EXIT_USAGE;
  } else {
    note(`portcullis: ${error instanceof Error ? error.message : String(error)}`);
    if (!(error instanceof EngineError) && process.env.PORTCULLIS_DEBUG) console.error(error);
    process.exitCode = EXIT_NO;
  }
}
