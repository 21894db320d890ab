/** `portcullis compile`: configuration → policy image. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { missingSecrets } from "../../../src/policy-meta.ts";
import { loadConfigFile } from "../config-files.ts";
import { note, print } from "../terminal.ts";
import { compatibilityOption } from "./options.ts";
import { reportIssues } from "./report.ts";

interface CompileCommandOptions {
  readonly output: string;
  readonly withSecrets?: boolean;
  readonly compatibility?: Preset;
  readonly json?: boolean;
}

export function registerCompile(program: Command): void {
  program
    .command("compile")
    .argument("<file>", "configuration in EMQX's HOCON")
    .requiredOption("-o, --output <image>", "where to write the policy image")
    .option("--with-secrets", "put HMAC secrets into the image; treat it as a secret then")
    .addOption(compatibilityOption())
    .option("--json", "print a summary as JSON")
    .description("compile a configuration to the image that edge hosts load")
    .action((file: string, options: CompileCommandOptions) => {
      const { config, issues } = loadConfigFile(file, { preset: options.compatibility });
      const policy = compilePolicy(config, { withSecrets: options.withSecrets === true });
      reportIssues([...issues, ...policy.issues]);
      writeFileSync(options.output, policy.image, options.withSecrets ? { mode: 0o600 } : {});
      const secrets = options.withSecrets ? [] : missingSecrets(policy.image);
      if (options.json) {
        print(JSON.stringify({ output: options.output, bytes: policy.image.length, secrets }));
        return;
      }
      print(`${options.output}: ${policy.image.length} bytes, ${policy.rules.length} rules`);
      for (const path of secrets) note(`the host has to supply: secrets["${path}"]`);
    });
}
