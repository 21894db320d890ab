/** `portcullis explain`: what would happen and why, step by step. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PolicySession } from "../../../src/authz/session.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { withoutExchange } from "../../../src/connect/exchange.ts";
import { type PlacedTrace, traceConnect } from "../../../src/observe/connect-trace.ts";
import { explainRules } from "../../../src/observe/rule-trace.ts";
import { Secrets } from "../../../src/observe/secrets.ts";
import type { Trace, TraceStep } from "../../../src/observe/trace.ts";
import type {
  Action,
  ClientInfo,
  ConnectAnswer,
  ConnectDecision,
  Decision,
} from "../../../src/types.ts";
import { askedTopic } from "../asked-topic.ts";
import { type AuthClient, authClientFor, converse } from "../auth-client.ts";
import { openPolicy } from "../open-policy.ts";
import { BuiltInDatabase } from "../store/built-in-database.ts";
import { EXIT_NO, EXIT_OK, print } from "../terminal.ts";
import { registerExplainExpression } from "./explain-expression.ts";
import { type Explanation, HIDDEN, showExplanation } from "./explain-text.ts";
import {
  addCredentialOptions,
  authMethodOption,
  type CredentialOptions,
  compatibilityOption,
  dataDirOption,
  parsePair,
  readPassword,
} from "./options.ts";

interface ClientOptions extends CredentialOptions {
  readonly config: string;
  readonly compatibility?: Preset;
  readonly dataDir?: string;
  readonly peerhost: string;
  readonly listener: string;
  readonly cn?: string;
  readonly dn?: string;
  readonly userProperty?: readonly [string, string][];
  readonly json?: boolean;
  readonly authMethod?: string;
}

interface ActionOptions extends ClientOptions {
  readonly qos: 0 | 1 | 2;
  readonly retain?: boolean;
}

export function registerExplain(program: Command): void {
  const explain = program
    .command("explain")
    .description("show what would happen to a client, a packet or an expression, and why")
    .addHelpText(
      "after",
      `
Examples:
  portcullis explain connect -c portcullis.conf -i dev-1 --password-file token.txt
  portcullis explain subscribe 'myorg/#' -c portcullis.conf -i dev-1 --password-file token.txt
  portcullis explain expression "nth(2, tokens(clientid, '-'))" --with clientid=dev-1`,
    );
  withClientOptions(explain.command("connect"))
    .description("who gets in, and who said so")
    .addHelpText(
      "after",
      `
Example:
  portcullis explain connect -c portcullis.conf -i dev-1 -u alice --password-file token.txt`,
    )
    .action((options: ClientOptions) => run(options, undefined));
  for (const type of ["publish", "subscribe"] as const) {
    const command = explain
      .command(type)
      .argument(
        type === "publish" ? "<topic>" : "<filter>",
        `topic ${type === "publish" ? "name" : "filter"}`,
      )
      .description(`may this client ${type} there, and which rule says so`)
      .addOption(new Option("--qos <0|1|2>", "QoS").default(0).argParser(parseQos));
    if (type === "publish") command.option("--retain", "with the retain flag");
    withClientOptions(command)
      .addHelpText(
        "after",
        `
Example:
  portcullis explain ${type} ${type === "publish" ? "myorg/a" : "'myorg/#'"} -c portcullis.conf -i dev-1 --password-file token.txt`,
      )
      .action((topic: string, options: ActionOptions) => {
        const { qos, retain = false } = options;
        const action: Action =
          type === "publish" ? { type, qos, retain } : { type: "subscribe", qos };
        return run(options, { action, topic });
      });
  }
  registerExplainExpression(explain);
}

function withClientOptions(command: Command): Command {
  command
    .requiredOption("-c, --config <file>", "configuration in EMQX's HOCON")
    .addOption(compatibilityOption())
    .addOption(dataDirOption())
    .requiredOption("-i, --client-id <id>", "Client Identifier");
  return addCredentialOptions(command)
    .addOption(authMethodOption())
    .option("--peerhost <address>", "address of the client", "127.0.0.1")
    .option("--listener <id>", "listener it comes through", "tcp:default")
    .option("--cn <name>", "common name of its certificate")
    .option("--dn <name>", "subject of its certificate")
    .option(
      "--user-property <name=value>",
      "MQTT 5 user property; repeatable",
      (text: string, before: [string, string][] = []) => [...before, parsePair(text)],
    )
    .option("--json", "print the steps and the answer as JSON");
}

async function run(options: ClientOptions, question: Explanation["question"]): Promise<void> {
  const { authMethod, username } = options;
  const password = readPassword(options);
  const auth = authMethod === undefined ? undefined : authClientFor(authMethod, username, password);
  const client = clientOf(options, auth ? { authMethod, authData: auth.first } : { password });
  const database = new BuiltInDatabase({ mode: "look", dataDir: options.dataDir });
  const { engine, policy } = await openPolicy(options.config, {
    preset: options.compatibility,
    database,
  });
  const steps: TraceStep[] = [];
  const trace = (step: TraceStep): void => void steps.push(step);
  const connect = await decide(await engine.connect(client, { trace }), trace, auth);
  const expressions = await traceConnect(engine, client);
  const hidden = hiddenAttributes(expressions);
  let decision: Decision | undefined;
  let closest: readonly string[] = [];
  if (question && connect.verdict === "allow") {
    const { action } = question;
    const asked = askedTopic(action, question.topic);
    decision =
      "refused" in asked ? asked.refused : await connect.session.authorize(action, asked.topic);
    const isByRules = ["file", "built_in_database", "default", "client_info"].includes(decision.by);
    if ("topic" in asked && isByRules && decision.reason !== "token_acl_expired") {
      const { topic } = asked;
      const rules = await explainRules(engine, policy.rules, connect.session, { action, topic });
      steps.push(...rules.steps);
      if (decision.verdict === "deny") closest = rules.closest;
    }
  }
  const secrets = secretsOf(password, connect, hidden);
  const shown = steps.map((step) => {
    if (step.detail === undefined) return step;
    const isHidden = step.stage === "client_attrs" && hidden.has(step.at);
    return { ...step, detail: isHidden ? HIDDEN : secrets.mask(step.detail) };
  });
  const nearest = closest.map((line) => secrets.mask(line));
  if (options.json) {
    const { verdict } = decision ?? connect;
    const answer = { verdict, connect: publicParts(connect, hidden, secrets), decision };
    print(JSON.stringify({ ...answer, closest: nearest, steps: shown, expressions }));
  } else {
    showExplanation({ steps: shown, expressions, connect, question, decision, closest: nearest });
  }
  process.exitCode = (decision ?? connect).verdict === "allow" ? EXIT_OK : EXIT_NO;
  if (connect.verdict === "allow") connect.session.close();
  engine.close();
  await database.close();
}

/**
 * Rules are shown with the client's values in them, so what was made of a password is a secret too.
 */
function secretsOf(
  password: ClientInfo["password"],
  connect: ConnectDecision,
  hidden: ReadonlySet<string>,
): Secrets {
  const attrs = connect.verdict === "allow" ? connect.session.clientAttrs : {};
  const made = Object.entries(attrs).filter(([name]) => hidden.has(name));
  return new Secrets([password, ...made.map(([, value]) => value)]);
}

/** Attributes made of a secret; their values are not shown. */
function hiddenAttributes(expressions: readonly PlacedTrace[]): ReadonlySet<string> {
  return new Set(
    expressions
      .filter(({ stage, trace }) => stage === "client_attrs" && trace.result === HIDDEN)
      .map(({ at }) => at),
  );
}

/** The decision without the session's inner life. */
function publicParts(
  connect: ConnectDecision,
  hidden: ReadonlySet<string>,
  secrets: Secrets,
): object {
  if (connect.verdict === "deny") return connect;
  const { session, ...rest } = connect;
  const { isSuperuser, expireAtMs } = session;
  const clientId = secrets.mask(session.clientId);
  const mountpoint = secrets.mask(session.mountpoint);
  const clientAttrs = Object.fromEntries(
    Object.entries(session.clientAttrs).map(([name, value]) => [
      name,
      hidden.has(name) ? HIDDEN : value,
    ]),
  );
  return { ...rest, session: { clientId, isSuperuser, clientAttrs, mountpoint, expireAtMs } };
}

/** Plays the client's part of an exchange, and shows where its steps begin. */
async function decide(
  answer: ConnectAnswer<PolicySession>,
  trace: Trace,
  auth: AuthClient | undefined,
): Promise<ConnectDecision<PolicySession>> {
  if (answer.verdict !== "continue" || !auth) return withoutExchange(answer);
  let step = 0;
  const decision = await converse(answer, auth, (by) => {
    step++;
    trace({ stage: "exchange", at: by, outcome: "continue", detail: `AUTH 0x18, step ${step}` });
  });
  return decision ?? withoutExchange<PolicySession>(answer);
}

function clientOf(options: ClientOptions, credentials: Partial<ClientInfo>): ClientInfo {
  const { clientId, username, peerhost, listener, cn, dn, userProperty = [] } = options;
  return {
    clientId,
    username,
    ...credentials,
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
