/** `portcullis compile`: configuration → policy image. */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { missingSecrets } from "../../../src/policy-meta.ts";
import { openPolicy } from "../open-policy.ts";
import { BuiltInDatabase } from "../store/built-in-database.ts";
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
    .addHelpText(
      "after",
      `
An image holds everything a verifier at the edge needs, but no HMAC secrets unless asked for: the
host supplies them by the names that this prints.

Examples:
  portcullis compile portcullis.conf -o policy.image
  portcullis compile portcullis.conf -o policy.image --with-secrets`,
    )
    .action(async (file: string, options: CompileCommandOptions) => {
      const { config, engine, policy, issues } = await openPolicy(file, {
        preset: options.compatibility,
        database: new BuiltInDatabase({ mode: "check" }),
      });
      engine.close();
      reportIssues(issues);
      // Never the image of this process: it holds the private keys of listeners.
      const { image } = compilePolicy(config, { withSecrets: options.withSecrets });
      write(options.output, image, options.withSecrets === true);
      const secrets = missingSecrets(image);
      if (options.json) {
        print(JSON.stringify({ output: options.output, bytes: image.length, secrets }));
        return;
      }
      const { length } = policy.rules;
      print(`${options.output}: ${image.length} bytes, ${length} rule${length === 1 ? "" : "s"}`);
      for (const path of secrets) note(`the host has to supply: secrets["${path}"]`);
      if (options.withSecrets) note("the image holds secrets: keep it as one");
    });
}

/** The image in its file; one with secrets is readable by its owner alone, whatever was there. */
function write(output: string, image: Uint8Array, isSecret: boolean): void {
  const temporary = `${output}.${process.pid}.tmp`;
  try {
    if (statSync(output, { throwIfNoEntry: false })?.isFile() === false) {
      writeFileSync(output, image); // a device or a pipe
      return;
    }
    writeFileSync(temporary, image, { flag: "wx", ...(isSecret ? { mode: 0o600 } : {}) });
    renameSync(temporary, output);
  } catch (error) {
    rmSync(temporary, { force: true });
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new Error(`cannot write \`${output}\`: ${reason}`);
  }
}
