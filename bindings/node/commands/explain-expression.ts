/** `portcullis explain expression`: the value of every part of an expression. */
import { type Command, InvalidArgumentError } from "commander";
import { createBatchContext } from "../../../src/batch/context.ts";
import { type Preset, resolveSwitches } from "../../../src/config/compatibility.ts";
import { nearest } from "../../../src/config/nearest.ts";
import { connectFields } from "../../../src/connect/fields.ts";
import { loadModule } from "../../../src/core/module.ts";
import type { RequestFields } from "../../../src/core/request.ts";
import { traceExpression } from "../../../src/observe/expression-trace.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { nodePorts } from "../ports.ts";
import { EXIT_NO, EXIT_OK, EXIT_USAGE, note, print, renderIssue } from "../terminal.ts";
import { treeLines } from "./explain-text.ts";
import { compatibilityOption, parsePair, readSecretFile } from "./options.ts";

interface ExpressionOptions {
  readonly with?: readonly [string, string][];
  readonly passwordFile?: string;
  readonly compatibility?: Preset;
  readonly json?: boolean;
}

export function registerExplainExpression(explain: Command): void {
  explain
    .command("expression")
    .argument("<text>", "the expression, as in `is_match`")
    .description("evaluate an expression and show the value of each of its parts")
    .option(
      "-w, --with <name=value>",
      "a variable it sees, e.g. clientid=dev-1 or client_attrs.site=a; repeatable",
      (text: string, before: [string, string][] = []) => [...before, parsePair(text)],
    )
    .option("--password-file <file>", "file that holds the password or token, `-` for stdin")
    .addOption(compatibilityOption().default("strict"))
    .option("--json", "print the parts as JSON")
    .addHelpText(
      "after",
      `
Exits with 0 when it has a value, 1 when evaluating it fails, 2 when it is no expression.

Examples:
  portcullis explain expression "nth(2, tokens(clientid, '-'))" --with clientid=dev-1
  portcullis explain expression "jwt_value(password, 'sub')" --password-file token.txt`,
    )
    .action(run);
}

const FILE = "expression";

async function run(text: string, options: ExpressionOptions): Promise<void> {
  const switches = resolveSwitches(options.compatibility ?? "strict");
  const module = await loadModule();
  const { memory } = createBatchContext({ module, switches, ports: nodePorts });
  const { issues, root, result, steps } = traceExpression(
    { value: text, at: { file: FILE, line: 1, column: 1 } },
    { memory, switches, place: "cinfo", fields: fieldsOf(options, switches) },
  );
  if (options.json) print(JSON.stringify({ issues, root, result, steps }));
  else {
    for (const issue of issues) note(`${renderIssue(issue, () => text)}\n`);
    for (const line of root ? treeLines(root) : []) print(line);
    if (root) print(`\nresult ${result}, in ${steps} step${steps === 1 ? "" : "s"}`);
  }
  process.exitCode = !root ? EXIT_USAGE : root.outcome === "error" ? EXIT_NO : EXIT_OK;
}

/** Variable → the part of a client it stands for. */
const VARIABLES: Readonly<Record<string, keyof ClientInfo>> = {
  clientid: "clientId",
  username: "username",
  password: "password",
  peerhost: "peerHost",
  peersni: "peerSni",
  zone: "zone",
  listener: "listener",
  cert_common_name: "certCommonName",
  cert_subject: "certSubject",
};

/** Variables with names below them. */
const MAPS = ["client_attrs", "user_property"];

function fieldsOf(
  { with: given = [], passwordFile }: ExpressionOptions,
  switches: ReturnType<typeof resolveSwitches>,
): RequestFields {
  const client: Record<string, string> = { clientId: "" };
  const maps: Record<string, Record<string, string>> = {};
  for (const [name, value] of given) {
    const [map = "", ...rest] = name.split(".");
    if (Object.hasOwn(VARIABLES, name)) client[VARIABLES[name]!] = value;
    else if (MAPS.includes(map) && rest.length > 0) {
      maps[map] ??= Object.create(null) as Record<string, string>;
      maps[map][rest.join(".")] = value;
    } else throw new InvalidArgumentError(unknownVariable(name));
  }
  if (passwordFile !== undefined) {
    client.password = readSecretFile(passwordFile, "--password-file");
  }
  const info = client as unknown as ClientInfo;
  const identity = { clientId: info.clientId, username: info.username, isGenerated: false };
  return {
    ...connectFields(
      { ...info, userProperties: maps.user_property },
      identity,
      undefined,
      switches,
    ),
    clientAttrs: maps.client_attrs,
  };
}

function unknownVariable(name: string): string {
  const names = [...Object.keys(VARIABLES), ...MAPS.map((map) => `${map}.NAME`)];
  const guess = nearest(name, names);
  const hint = guess ? `did you mean ${guess}?` : `known are ${names.join(", ")}`;
  return `--with: \`${name.slice(0, 60)}\` is no variable; ${hint}`;
}
