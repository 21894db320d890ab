/** `portcullis batch`: JSON Lines of questions in, one answer a line out, in order. */
import { once } from "node:events";
import { Argument, type Command } from "commander";
import { BATCH_KINDS, type BatchKind, createBatch } from "../../../src/batch/index.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { createNodeCrypto } from "../crypto.ts";
import { readLines } from "../lines.ts";
import { nodePorts } from "../ports.ts";
import { compatibilityOption } from "./options.ts";

/** LIMIT: bytes of a line. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;

const TOO_LONG = JSON.stringify({
  id: null,
  error: { code: "ERR_BATCH_LINE", message: `the line has more than ${LINE_BYTES_MAX} bytes` },
});

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

Examples:
  portcullis batch variform < questions.jsonl > answers.jsonl
  echo '{"id":1,"filter":"a/+","topic":"a/b"}' | portcullis batch topic_match`,
    )
    .action(async (kind: BatchKind, options: { compatibility: Preset }) => {
      const answer = await createBatch(kind, {
        preset: options.compatibility,
        crypto: createNodeCrypto(),
        ports: nodePorts,
      });
      for await (const line of readLines(process.stdin, LINE_BYTES_MAX)) {
        if ("text" in line && line.text.trim() === "") continue;
        const text = "text" in line ? await answer(line.text) : TOO_LONG;
        if (!process.stdout.write(`${text}\n`)) await once(process.stdout, "drain");
      }
    });
}
