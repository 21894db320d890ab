/** `portcullis broker`: the enforcing broker. */
import { type Command, InvalidArgumentError } from "commander";
import type { Preset } from "../../../src/config/compatibility.ts";
import { createLog } from "../broker/log.ts";
import { stopOnSignal } from "../broker/stop.ts";
import { startBroker } from "../start.ts";
import { EXIT_USAGE, note, paint, print } from "../terminal.ts";
import { compatibilityOption } from "./check.ts";
import { createQuickStart, QUICK_START_FILE, quickStartText } from "./quick-start.ts";
import { reportConfigError, reportIssues } from "./report.ts";

interface BrokerCommandOptions {
  readonly config?: string;
  readonly quickStart?: boolean;
  readonly port?: number;
  readonly compatibility?: Preset;
  readonly logLevel: string;
}

export function registerBroker(program: Command): void {
  const command = program
    .command("broker")
    .description("run the enforcing MQTT broker")
    .option("-c, --config <file>", "configuration in EMQX's HOCON")
    .option("--quick-start", "run the shipped example policy with a fresh secret and tokens to try")
    .option("-p, --port <port>", "listen on this port instead of the configured one", parsePort)
    .addOption(compatibilityOption())
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", "info")
    .addHelpText(
      "after",
      `
Logs go to stdout as JSON lines, one for everything that was refused, with the reason.
SIGHUP loads the configuration again: what cannot be used leaves the old one in force.
SIGTERM and SIGINT stop gracefully.`,
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
  const quickStart = createQuickStart();
  const { host, port } = await run({
    ...options,
    file: QUICK_START_FILE,
    env: { ...process.env, ...quickStart.env },
  });
  print(quickStartText(host, port, quickStart));
}

interface RunOptions extends BrokerCommandOptions {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts the broker and keeps the process for it; returns the first address. */
async function run(options: RunOptions): Promise<{ host: string; port: number }> {
  const { file, env, port, compatibility } = options;
  const log = createLog({ level: options.logLevel });
  const broker = await startBroker({ file, env, log, port, preset: compatibility });
  reportIssues(broker.issues);
  for (const address of broker.addresses) {
    const url = `mqtt://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
    print(`portcullis listens on ${paint("bold", url, process.stdout)} (${address.listener})`);
  }
  print(`policy: ${file}, ${broker.preset} mode`);
  process.on("SIGHUP", () => {
    broker.reload().then(
      () => log.info({ event: "reloaded", file }, "policy reloaded"),
      (error: unknown) => {
        reportConfigError(error);
        log.error({ event: "reload_refused", file }, "the old policy stays in force");
      },
    );
  });
  void stopOnSignal(broker.broker, process, log).then(() => broker.engine.close());
  const [first] = broker.addresses;
  return first ?? { host: "127.0.0.1", port: 0 };
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) throw new InvalidArgumentError("0 to 65535");
  return port;
}
