/** `portcullis check`: every error and warning of a configuration, with place and fix. */
import type { Command } from "commander";
import type { CompiledPolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { Config } from "../../../src/config/config.ts";
import { ConfigError, EngineError, type Issue } from "../../../src/errors.ts";
import { openPolicy } from "../open-policy.ts";
import { BuiltInDatabase } from "../store/built-in-database.ts";
import { EXIT_OK, EXIT_USAGE, paint, print } from "../terminal.ts";
import { analyzePlaced, countFindings, reportFindings } from "./analysis.ts";
import { compatibilityOption } from "./options.ts";
import { countIssues, reportIssues } from "./report.ts";

interface CheckOptions {
  readonly compatibility?: Preset;
  readonly analyze?: boolean;
  readonly json?: boolean;
}

export function registerCheck(program: Command): void {
  program
    .command("check")
    .argument("<file>", "configuration in EMQX's HOCON")
    .description("say everything that is wrong with a configuration, where, and how to fix it")
    .addOption(compatibilityOption())
    .option("--analyze", "also look for rules that never apply, conflicts and wide filters")
    .option("--json", "print the issues as JSON")
    .addHelpText(
      "after",
      `
Reads the file with its includes, rule files, keys and EMQX_… environment, as \`broker\` does.
Exits with 0 when it can be used (warnings included), 2 when not.

Examples:
  portcullis check portcullis.conf
  portcullis check portcullis.conf --compatibility emqx   what EMQX 6.2 would make of it
  portcullis check portcullis.conf --json | jq '.issues[].message'`,
    )
    .action(async (file: string, options: CheckOptions) => {
      const { issues, summary, opened } = await checkFile(file, options.compatibility);
      const findings =
        options.analyze && opened
          ? analyzePlaced(opened.policy.rules, opened.config.switches)
          : undefined;
      if (options.json) {
        print(JSON.stringify({ ok: summary !== undefined, issues, findings }, null, 2));
      } else {
        reportIssues(issues);
        reportFindings(findings ?? []);
        const verdict = summary
          ? `${paint("green", "ok", process.stdout)}: ${summary}`
          : paint("red", "cannot be used", process.stdout);
        print(
          `${file}: ${verdict} (${countIssues(issues)}${findings ? `, ${countFindings(findings)}` : ""})`,
        );
      }
      process.exitCode = summary ? EXIT_OK : EXIT_USAGE;
    });
}

/** All issues of a file; the summary is absent when the file cannot be used. */
export async function checkFile(
  file: string,
  preset?: Preset,
): Promise<{
  issues: readonly Issue[];
  summary: string | undefined;
  opened?: { readonly config: Config; readonly policy: CompiledPolicy };
}> {
  try {
    const { config, policy, engine, issues } = await openPolicy(file, {
      preset,
      database: new BuiltInDatabase({ mode: "check" }),
    });
    engine.close();
    return { issues, summary: summarize(config, policy), opened: { config, policy } };
  } catch (error) {
    if (error instanceof ConfigError) return { issues: error.issues, summary: undefined };
    if (!(error instanceof EngineError)) throw error;
    const { code, message } = error;
    return { issues: [{ severity: "error", code, path: "", message }], summary: undefined };
  }
}

function summarize(config: Config, { rules }: CompiledPolicy): string {
  const enabled = config.authentication.filter(({ enable }) => enable);
  const chain = enabled.map(({ id }) => id).join(" → ") || "none";
  const { sources } = config.authorization;
  const isStored = sources.some(({ type, enable }) => enable && type === "built_in_database");
  const stored = isStored ? " and those of the built-in database" : "";
  const count = `${rules.length} rule${rules.length === 1 ? "" : "s"}${stored}`;
  return `${config.preset} mode, authentication ${chain}, ${count}`;
}
