/** `portcullis batch`: JSON Lines of questions in, one answer a line out, in order. */
import { createInterface } from "node:readline";
import { Argument, type Command } from "commander";
import { BATCH_KINDS, type BatchKind, createBatch } from "../../../src/batch/index.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { createNodeCrypto } from "../crypto.ts";
import { nodePorts } from "../ports.ts";
import { compatibilityOption } from "./options.ts";

export function registerBatch(program: Command): void {
  program
    .command("batch")
    .addArgument(new Argument("<kind>", "what the lines ask").choices(BATCH_KINDS))
    .description("answer JSON Lines from stdin through the same core and code as the broker")
    .addOption(compatibilityOption().default("emqx"))
    .addHelpText(
      "after",
      `
Each input line is an object with an "id" and the fields of its kind; each output line is
{"id":…} plus the answer. A line that cannot be read gives {"id":…,"error":{"code":…}}.

Example:
  echo '{"id":1,"filter":"a/+","topic":"a/b"}' | portcullis batch topic_match`,
    )
    .action(async (kind: BatchKind, options: { compatibility: Preset }) => {
      const answer = await createBatch(kind, {
        preset: options.compatibility,
        crypto: createNodeCrypto(),
        ports: nodePorts,
      });
      for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
        if (line.trim() === "") continue;
        const text = `${await answer(line)}\n`;
        if (!process.stdout.write(text)) {
          await new Promise((resolve) => process.stdout.once("drain", resolve));
        }
      }
    });
}
