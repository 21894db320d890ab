/** `portcullis check`: every error and warning of a configuration, with place and fix. */
import { type Command, Option } from "commander";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { ConfigError, type Issue } from "../../../src/errors.ts";
import { loadConfigFile } from "../config-files.ts";
import { EXIT_OK, EXIT_USAGE, paint, print } from "../terminal.ts";
import { countIssues, reportIssues } from "./report.ts";

interface CheckOptions {
  readonly compatibility?: Preset;
  readonly json?: boolean;
}

export function registerCheck(program: Command): void {
  program
    .command("check")
    .argument("<file>", "configuration in EMQX's HOCON")
    .description("load a configuration, its rules and expressions; print what is wrong with them")
    .addOption(compatibilityOption())
    .option("--json", "print the issues as JSON")
    .addHelpText("after", "\nExits with 0 when it can be used (warnings included), 2 when not.")
    .action((file: string, options: CheckOptions) => {
      const { issues, summary } = checkFile(file, options.compatibility);
      if (options.json) print(JSON.stringify({ ok: summary !== undefined, issues }, null, 2));
      else {
        reportIssues(issues);
        const verdict = summary
          ? `${paint("green", "ok", process.stdout)}: ${summary}`
          : paint("red", "cannot be used", process.stdout);
        print(`${file}: ${verdict} (${countIssues(issues)})`);
      }
      process.exitCode = summary ? EXIT_OK : EXIT_USAGE;
    });
}

/** `--compatibility`, shared by every command that reads a configuration. */
export function compatibilityOption(): Option {
  return new Option(
    "--compatibility <preset>",
    "override portcullis.compatibility: strict is safe, emqx does as EMQX 6.2 does",
  ).choices(["strict", "emqx"]);
}

/** All issues of a file; the summary is absent when the file cannot be used. */
export function checkFile(
  file: string,
  preset?: Preset,
): { issues: readonly Issue[]; summary: string | undefined } {
  try {
    const { config, issues } = loadConfigFile(file, { preset });
    try {
      const policy = compilePolicy(config);
      const chain = config.authentication.map(({ id }) => id).join(" → ") || "none";
      return {
        issues: [...issues, ...policy.issues],
        summary: `${config.preset} mode, authentication ${chain}, ${policy.rules.length} rules, image ${policy.image.length} bytes`,
      };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { issues: [...issues, ...error.issues], summary: undefined };
    }
  } catch (error) {
    if (error instanceof ConfigError) return { issues: error.issues, summary: undefined };
    throw error;
  }
}
