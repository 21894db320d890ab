/** `portcullis explain`: what would happen and why, step by step. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { createEngine } from "../../../src/engine.ts";
import { explainRules } from "../../../src/observe/rule-trace.ts";
import type { TraceStep } from "../../../src/observe/trace.ts";
import type { Action, ClientInfo, ConnectDecision, Decision } from "../../../src/types.ts";
import { loadConfigFile } from "../config-files.ts";
import { createNodeCrypto } from "../crypto.ts";
import { nodePorts } from "../ports.ts";
import { EXIT_NO, EXIT_OK, paint, print } from "../terminal.ts";
import { compatibilityOption } from "./options.ts";

interface ClientOptions {
  readonly config: string;
  readonly compatibility?: Preset;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly peerhost: string;
  readonly listener: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly userProperty: readonly [string, string][];
  readonly json?: boolean;
}

interface ActionOptions extends ClientOptions {
  readonly qos: 0 | 1 | 2;
  readonly retain?: boolean;
}

export function registerExplain(program: Command): void {
  const explain = program
    .command("explain")
    .description("show what would happen to a client or a packet, and why");
  withClientOptions(explain.command("connect").description("who gets in, and who said so")).action(
    (options: ClientOptions) => run(options, undefined),
  );
  for (const type of ["publish", "subscribe"] as const) {
    const what = type === "publish" ? "<topic>" : "<filter>";
    const command = explain
      .command(type)
      .argument(what, type === "publish" ? "topic name" : "topic filter")
      .description(`may this client ${type} there, and which rule says so`)
      .addOption(new Option("--qos <0|1|2>", "QoS").default(0).argParser(parseQos));
    if (type === "publish") command.option("--retain", "with the retain flag");
    withClientOptions(command).action((topic: string, options: ActionOptions) => {
      const { qos, retain = false } = options;
      const action: Action =
        type === "publish" ? { type, qos, retain } : { type: "subscribe", qos };
      return run(options, { action, topic });
    });
  }
}

function withClientOptions(command: Command): Command {
  return command
    .requiredOption("-c, --config <file>", "configuration in EMQX's HOCON")
    .addOption(compatibilityOption())
    .requiredOption("-i, --client-id <id>", "Client Identifier")
    .option("-u, --username <name>", "username")
    .option("-P, --password <text>", "password or token; never shown")
    .option("--peerhost <address>", "address of the client", "127.0.0.1")
    .option("--listener <id>", "listener it comes through", "tcp:default")
    .option("--cn <name>", "common name of its certificate")
    .option("--dn <name>", "subject of its certificate")
    .option(
      "--user-property <name=value>",
      "MQTT 5 user property; repeatable",
      (text: string, before: [string, string][]) => [...before, parseProperty(text)],
      [],
    )
    .option("--json", "print the steps and the answer as JSON");
}

interface Question {
  readonly action: Action;
  readonly topic: string;
}

async function run(options: ClientOptions, question: Question | undefined): Promise<void> {
  const { config } = loadConfigFile(options.config, { preset: options.compatibility });
  const { image, rules } = compilePolicy(config, { withSecrets: true });
  const engine = await createEngine({ image, crypto: createNodeCrypto(), ports: nodePorts });
  const steps: TraceStep[] = [];
  const connect = await engine.connect(clientOf(options), { trace: (step) => steps.push(step) });
  let decision: Decision | undefined;
  if (question && connect.verdict === "allow") {
    decision = await connect.session.authorize(question.action, question.topic);
    steps.push(...(await explainRules(engine, rules, connect.session, question)));
  }
  if (options.json) print(JSON.stringify({ steps, connect: publicParts(connect), decision }));
  else show(steps, connect, question, decision);
  process.exitCode = (decision ?? connect).verdict === "allow" ? EXIT_OK : EXIT_NO;
  engine.close();
}

function show(
  steps: readonly TraceStep[],
  connect: ConnectDecision,
  question: Question | undefined,
  decision: Decision | undefined,
): void {
  for (const { stage, at, outcome, detail } of steps) {
    const shown = paint(outcomeColour(outcome), outcome.padEnd(12), process.stdout);
    print(`${stage.padEnd(16)}${at.padEnd(26)} ${shown} ${detail ?? ""}`.trimEnd());
  }
  print();
  const { verdict, reason, by } = connect;
  const code = connect.verdict === "deny" ? `, CONNACK 0x${connect.code.toString(16)}` : "";
  print(`${answer(verdict)} connect: ${reason}, by ${by}${code}`);
  for (const fault of connect.faults) print(`  fault at ${fault.at}: ${fault.message}`);
  if (!question || !decision) return;
  const { action, topic } = question;
  const place = decision.rule?.at;
  const rule = decision.rule ? `, rule ${decision.rule.number}` : "";
  print(
    `${answer(decision.verdict)} ${action.type} ${JSON.stringify(topic)}: ${decision.reason}, by ${decision.by}${rule}`,
  );
  if (place) print(`  ${place.file}:${place.line}:${place.column}: ${decision.rule?.text ?? ""}`);
}

function answer(verdict: "allow" | "deny"): string {
  return paint(
    ["bold", outcomeColour(verdict)],
    verdict === "allow" ? "ALLOW" : "DENY ",
    process.stdout,
  );
}

function outcomeColour(outcome: string): "green" | "red" | "dim" {
  if (["allow", "ok", "set", "applies"].includes(outcome)) return "green";
  return ["deny", "failure", "error"].includes(outcome) ? "red" : "dim";
}

/** The decision without the session's inner life. */
function publicParts(connect: ConnectDecision): object {
  if (connect.verdict === "deny") return connect;
  const { session, ...rest } = connect;
  const { clientId, isSuperuser, clientAttrs, mountpoint, expireAtMs } = session;
  return { ...rest, session: { clientId, isSuperuser, clientAttrs, mountpoint, expireAtMs } };
}

function clientOf(options: ClientOptions): ClientInfo {
  const { clientId, username, password, peerhost, listener, cn, dn, userProperty } = options;
  return {
    clientId,
    username,
    password,
    peerHost: peerhost,
    listener,
    certCommonName: cn,
    certSubject: dn,
    userProperties: Object.fromEntries(userProperty),
    protocolVersion: 5,
    cleanStart: true,
  };
}

function parseQos(text: string): number {
  if (!/^[012]$/.test(text)) throw new InvalidArgumentError("0, 1 or 2");
  return Number(text);
}

function parseProperty(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as name=value");
  return [text.slice(0, at), text.slice(at + 1)];
}
