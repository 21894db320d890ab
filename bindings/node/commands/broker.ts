/** `portcullis broker`: the enforcing broker. */
import { relative } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { ListenerAddress } from "../broker/broker.ts";
import { createLog, type Logger } from "../broker/log.ts";
import { stopOnSignal } from "../broker/stop.ts";
import { textDestination } from "../log-text.ts";
import { type RunningBroker, startBroker } from "../start.ts";
import { EXIT_USAGE, note, paint, print } from "../terminal.ts";
import { compatibilityOption, dataDirOption } from "./options.ts";
import { createQuickStart, QUICK_START_FILE, quickStartText } from "./quick-start.ts";
import { reportConfigError, reportIssues } from "./report.ts";

interface BrokerCommandOptions {
  readonly config?: string;
  readonly quickStart?: boolean;
  readonly port?: number;
  readonly watch?: boolean;
  readonly dataDir?: string;
  readonly compatibility?: Preset;
  readonly logLevel: string;
  readonly logFormat?: "json" | "text";
}

export function registerBroker(program: Command): void {
  const command = program
    .command("broker")
    .description("run the enforcing MQTT broker")
    .option("-c, --config <file>", "configuration in EMQX's HOCON")
    .option("--quick-start", "run the shipped example policy with a fresh secret and tokens to try")
    .option("-p, --port <port>", "listen on this port instead of the configured one", parsePort)
    .option("--watch", "load the configuration again whenever one of its files changes")
    .addOption(dataDirOption())
    .addOption(compatibilityOption())
    .addOption(
      new Option("--log-level <level>", "least important lines to write")
        .choices(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .addOption(
      new Option(
        "--log-format <format>",
        "how: text on a terminal and for the quick start, json otherwise",
      ).choices(["json", "text"]),
    )
    .addHelpText(
      "after",
      `
The log goes to stdout, one line for everything that was refused, with the reason.
SIGHUP loads the configuration again: one that cannot be used leaves the old one in force. Live
subscriptions that the new one does not allow are removed (portcullis.on_policy_change). TLS
listeners (listeners.ssl.NAME) take new certificates from then on; connections stay.
SIGTERM and SIGINT stop gracefully.

Examples:
  portcullis broker --quick-start
  portcullis broker --config portcullis.conf
  portcullis broker --config portcullis.conf --port 0 --log-level warn`,
    )
    .action(async (options: BrokerCommandOptions) => {
      if (options.quickStart) return runQuickStart(options);
      if (!options.config) {
        note("portcullis: which policy? --config FILE, or --quick-start to try the shipped one\n");
        command.outputHelp({ error: true });
        process.exitCode = EXIT_USAGE;
        return;
      }
      await run({ ...options, file: options.config, env: process.env });
    });
}

async function runQuickStart(options: BrokerCommandOptions): Promise<void> {
  if (options.config) throw new InvalidArgumentError("--quick-start brings its own --config");
  const quickStart = createQuickStart();
  const url = await run({
    logFormat: "text",
    ...options,
    file: QUICK_START_FILE,
    env: { ...process.env, ...quickStart.env },
  });
  print(quickStartText(url, quickStart));
}

interface RunOptions extends BrokerCommandOptions {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts the broker and keeps the process for it; returns where it listens first. */
async function run(options: RunOptions): Promise<string> {
  const { file, env, port, compatibility, watch, dataDir } = options;
  const log = createCommandLog(options);
  const broker = await startBroker({
    file,
    env,
    log,
    port,
    preset: compatibility,
    watch,
    dataDir,
  }).catch((error: unknown) => {
    throw describeListenError(error, options.quickStart === true);
  });
  process.on("SIGHUP", () => reload(broker));
  void stopOnSignal(broker.broker, process, log).then(() => {
    broker.engine.close();
    return broker.database.close();
  });
  reportIssues(broker.issues);
  const urls = broker.addresses.map(urlOf);
  for (const [index, { listener }] of broker.addresses.entries()) {
    print(`portcullis listens on ${paint("bold", urls[index]!, process.stdout)} (${listener})`);
  }
  print(`policy: ${shortPath(file)}, ${broker.preset} mode`);
  if (urls[0] === undefined) note("portcullis: no listener is enabled, so nobody can connect");
  return urls[0] ?? "";
}

function createCommandLog({ logLevel, logFormat }: BrokerCommandOptions): Logger {
  const format = logFormat ?? (process.stdout.isTTY ? "text" : "json");
  if (format === "json") return createLog({ level: logLevel });
  return createLog({
    level: logLevel,
    destination: textDestination((line) => process.stdout.write(line)),
  });
}

/** As seen from here, where that is shorter. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.length < file.length ? path : file;
}

function urlOf({ listener, host, port }: ListenerAddress): string {
  return `${listener.startsWith("ssl:") ? "mqtts" : "mqtt"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The log says what came of it; the places of mistakes are shown here. */
function reload(broker: RunningBroker): void {
  broker.reload().then(reportIssues, (error: unknown) => {
    if (!reportConfigError(error)) note(`portcullis: ${(error as Error).message}`);
  });
}

/** What to do about a listener that cannot be opened; other errors as they are. */
function describeListenError(error: unknown, isQuickStart: boolean): unknown {
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall !== "listen") return error;
  const place = `${address}:${port}`;
  switch (code) {
    case "EADDRINUSE": {
      const free = isQuickStart
        ? "`npm start -- --port 0`, which takes a free one"
        : "--port (0 takes a free one)";
      return new Error(
        `${place} is in use: stop what listens there, or choose another port with ${free}`,
      );
    }
    case "EACCES":
      return new Error(
        `${place} is not allowed: ports below 1024 need a privilege; try --port 1883`,
      );
    default:
      return new Error(`cannot listen on ${place}: ${code}`);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) throw new InvalidArgumentError("0 to 65535");
  return port;
}
