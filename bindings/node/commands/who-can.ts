/** `portcullis who-can`: the rules that admit a request, and for whom. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Admission, whoCan } from "../../../src/analyze/who-can.ts";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { Action, SourcePosition } from "../../../src/types.ts";
import { loadConfigFile } from "../config-files.ts";
import { EXIT_NO, EXIT_OK, note, paint, print } from "../terminal.ts";
import { compatibilityOption } from "./options.ts";

interface WhoCanOptions {
  readonly config: string;
  readonly compatibility?: Preset;
  readonly qos: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  portcullis who-can publish plant/7/temp -c portcullis.conf
  portcullis who-can publish plant/7/status -c portcullis.conf --qos 1 --retain
  portcullis who-can subscribe 'plant/#' -c portcullis.conf --json`;

export function registerWhoCan(program: Command): void {
  const whoCanCommand = program
    .command("who-can")
    .description("list the rules that admit a packet, for whom, and what narrows them")
    .addHelpText("after", EXAMPLES);
  for (const type of ["publish", "subscribe"] as const) {
    const command = whoCanCommand
      .command(type)
      .argument(type === "publish" ? "<topic>" : "<filter>", "as a client would ask for it")
      .description(`who may ${type} there, by the rules of the policy`)
      .requiredOption("-c, --config <file>", "configuration in EMQX's HOCON")
      .addOption(compatibilityOption())
      .addOption(new Option("--qos <0|1|2>", "QoS").default(0).argParser(parseQos))
      .option("--json", "print the answer as JSON")
      .addHelpText(
        "after",
        "\nSuperusers, rules inside tokens and those of the built-in database are not in the files and so not in the answer.\nWith authorization.include_mountpoint, write the topic with its mountpoint in front.\nExits with 0 when anybody can, 1 when nobody, 2 when the configuration cannot be used.",
      );
    if (type === "publish") command.option("--retain", "with the retain flag");
    command.action((topic: string, options: WhoCanOptions) => run(type, topic, options));
  }
}

function run(type: Action["type"], topic: string, options: WhoCanOptions): void {
  const { config } = loadConfigFile(options.config, { preset: options.compatibility });
  const { rules } = compilePolicy(config);
  const { qos, retain = false } = options;
  const action: Action = type === "publish" ? { type, qos, retain } : { type, qos };
  const { switches, authorization } = config;
  const answer = whoCan(rules, { action, topic, switches, noMatch: authorization.noMatch });
  const isAnybody =
    answer.refused === undefined && (answer.admissions.length > 0 || answer.otherwise);
  const isStored = authorization.sources.some(
    (source) => source.enable && source.type === "built_in_database",
  );
  if (options.json) {
    const place = (number: number): object => ({
      number,
      at: rules[number - 1]?.at,
      text: rules[number - 1]?.text,
    });
    const admissions = answer.admissions.map(({ rule, except, ...rest }) => ({
      ...rest,
      rule: place(rule),
      except: except.map((one) => ({ ...one, rule: place(one.rule) })),
    }));
    const said = { action, topic, anybody: isAnybody, ...answer, admissions };
    print(JSON.stringify(isStored ? { ...said, notAsked: ["built_in_database"] } : said));
  } else {
    show(type, topic, answer, (number) => rules[number - 1]);
    if (isStored) {
      note("the rules of the built-in database have a say too: see `portcullis rules list`");
    }
  }
  process.exitCode = isAnybody ? EXIT_OK : EXIT_NO;
}

function show(
  type: Action["type"],
  topic: string,
  { admissions, otherwise, refused }: ReturnType<typeof whoCan>,
  ruleOf: (
    number: number,
  ) => { at?: SourcePosition | undefined; text?: string | undefined } | undefined,
): void {
  const question = `${type} ${JSON.stringify(topic)}`;
  if (refused) {
    print(`nobody can ${question}: ${refused}`);
    return;
  }
  if (admissions.length === 0 && !otherwise) {
    print(`nobody can ${question}: no allow rule is left for it`);
    return;
  }
  const place = (number: number): string => {
    const at = ruleOf(number)?.at;
    return at ? `${at.file}:${at.line}` : `rule ${number}`;
  };
  const showOne = ({ rule, who, except }: Admission): void => {
    print(`${paint("green", "ALLOW", process.stdout)} ${who}`);
    print(`      ${place(rule)}: ${ruleOf(rule)?.text ?? ""}`);
    for (const one of except) {
      const verb = one.isDelivery ? "but is not delivered" : "except";
      const what = one.isDelivery ? `\`${one.filter}\` (${one.who})` : one.who;
      print(`      ${paint("red", verb, process.stdout)} ${what}: ${place(one.rule)}`);
    }
  };
  print(`who can ${question}:`);
  for (const one of admissions) showOne(one);
  if (otherwise)
    print(
      `${paint("green", "ALLOW", process.stdout)} everyone whom no rule decides: authorization.no_match = allow`,
    );
}

function parseQos(text: string): number {
  if (!/^[012]$/.test(text)) throw new InvalidArgumentError("0, 1 or 2");
  return Number(text);
}
