/** `portcullis`: its commands, one per file in commands/, and what its errors come to. */
import { createRequire } from "node:module";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { registerBatch } from "./commands/batch.ts";
import { registerBench } from "./commands/bench.ts";
import { registerBroker } from "./commands/broker.ts";
import { registerCheck } from "./commands/check.ts";
import { registerCompile } from "./commands/compile.ts";
import { registerExplain } from "./commands/explain.ts";
import { reportConfigError } from "./commands/report.ts";
import { registerRules } from "./commands/rules.ts";
import { registerPolicyTest } from "./commands/test.ts";
import { registerToken } from "./commands/token.ts";
import { registerTry } from "./commands/try.ts";
import { registerUsers } from "./commands/users.ts";
import { registerWhoCan } from "./commands/who-can.ts";
import { EXIT_NO, EXIT_OK, EXIT_USAGE, note } from "./terminal.ts";

const { version } = createRequire(import.meta.url)("portcullis/package.json") as {
  version: string;
};

const HELP = `
Start here:
  portcullis broker --quick-start          try it: a broker, a policy and ready-made tokens
  portcullis check portcullis.conf         every error and warning, with the place and the fix
  portcullis explain connect --help        why a client gets in, or does not

Exit codes: 0 yes or ok, 1 no or failed, 2 wrong usage or configuration.`;

/**
 * Runs a command line (without `node` and the script) and sets process.exitCode. Resolves when the
 * command is done; the broker's has started by then and keeps the process.
 */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Tells what went wrong, without a stack trace, and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has written its message, but for what an action throws.
    if (error instanceof InvalidArgumentError) note(`portcullis: ${error.message}`);
    return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  }
  if (reportConfigError(error)) return EXIT_USAGE;
  note(`portcullis: ${error instanceof Error ? error.message : String(error)}`);
  if (process.env.PORTCULLIS_DEBUG) console.error(error);
  return EXIT_NO;
}

function createProgram(): Command {
  const program = new Command("portcullis")
    .description("One MQTT access policy, enforced everywhere.")
    .version(version)
    .showHelpAfterError("(add --help for what this command takes)")
    .exitOverride()
    .addHelpText("after", HELP);
  registerBroker(program);
  registerCheck(program);
  registerCompile(program);
  registerTry(program);
  registerExplain(program);
  registerToken(program);
  registerWhoCan(program);
  registerUsers(program);
  registerRules(program);
  registerPolicyTest(program);
  registerBatch(program);
  registerBench(program);
  return program;
}
