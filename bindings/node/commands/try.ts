/** `portcullis try`: be a client for a moment, and see what the broker grants. */
import { type Command, InvalidArgumentError } from "commander";
import { printable } from "../broker/log.ts";
import { readTextFile } from "../config-files.ts";
import { EXIT_NO, EXIT_OK, paint, print } from "../terminal.ts";
import { type TryEvent, type TryOptions, tryClient } from "../try-client.ts";
import {
  addCredentialOptions,
  authMethodOption,
  type CredentialOptions,
  readPassword,
} from "./options.ts";

interface TryCommandOptions extends CredentialOptions {
  readonly authMethod?: string;
  readonly url: { readonly host: string; readonly port: number; readonly isTls: boolean };
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly subscribe: readonly string[];
  readonly publish?: string;
  readonly message: string;
  readonly stay?: boolean;
  readonly json?: boolean;
}

export function registerTry(program: Command): void {
  const command = program
    .command("try")
    .description("connect to a broker, subscribe and publish once; say what was granted")
    .option("--url <url>", "where the broker listens", parseUrl, parseUrl("mqtt://127.0.0.1:1883"))
    .requiredOption("-i, --client-id <id>", "Client Identifier");
  command.options.at(-2)!.defaultValueDescription = "mqtt://127.0.0.1:1883";
  addCredentialOptions(command)
    .addOption(authMethodOption())
    .option(
      "-s, --subscribe <filter>",
      "subscribe to this; repeatable",
      (filter: string, before: string[]) => [...before, filter],
      [],
    )
    .option("-p, --publish <topic>", "publish one message there, after subscribing")
    .option("-m, --message <text>", "its payload", "hello")
    .option("--stay", "stay connected and print what arrives, until Ctrl-C")
    .option("--ca <file>", "with mqtts: PEM file of the authorities to trust")
    .option("--cert <file>", "with mqtts: PEM file of a client certificate, with its chain")
    .option("--key <file>", "with mqtts: PEM file of its key")
    .option("--json", "print each step as a line of JSON")
    .addHelpText(
      "after",
      `
Speaks MQTT 5. Exits with 0 when everything was granted, 1 when something was refused. Why it was
refused is in the broker's log; \`portcullis explain\` shows every step.

Example:
  portcullis try -i dev-1 --password-file token.txt -s 'myorg/read/#' -p myorg/read/hello
  portcullis try -i dev-1 --url mqtts://broker.example --ca ca.pem --cert dev-1.pem --key dev-1.key`,
    )
    .action(async (options: TryCommandOptions) => {
      const { url, clientId, username, subscribe: filters, publish: topic, message } = options;
      const tell = options.json ? (event: TryEvent) => print(JSON.stringify(event)) : show;
      try {
        const isGranted = await tryClient({
          host: url.host,
          port: url.port,
          tls: readTls(options),
          clientId,
          username,
          password: readPassword(options),
          authMethod: options.authMethod,
          filters,
          message: topic === undefined ? undefined : { topic, payload: message },
          stays: options.stay === true,
          tell,
        });
        process.exitCode = isGranted ? EXIT_OK : EXIT_NO;
      } catch (error) {
        const scheme = url.isTls ? "mqtts" : "mqtt";
        throw describeFailure(error, `${scheme}://${url.host}:${url.port}`);
      }
    });
}

/** The files of the TLS options; undefined without TLS. */
function readTls({ url, ca, cert, key }: TryCommandOptions): TryOptions["tls"] {
  const isWritten = ca !== undefined || cert !== undefined || key !== undefined;
  if (!url.isTls && isWritten) {
    throw new InvalidArgumentError("--ca, --cert and --key go with --url mqtts://HOST:PORT");
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError("--cert and --key go together");
  }
  return url.isTls
    ? { ca: readPemFile(ca), cert: readPemFile(cert), key: readPemFile(key) }
    : undefined;
}

function readPemFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const text = readTextFile(path);
  if (text === undefined) throw new InvalidArgumentError(`there is no file \`${path}\``);
  return text;
}

const GRANTED: Record<TryEvent["what"], string> = {
  connect: "connected",
  subscribe: "subscribed",
  publish: "published",
  message: "received",
  disconnect: "disconnected",
};

function show({ what, about, code, payload }: TryEvent): void {
  const isRefused = code >= 0x80 && what !== "disconnect";
  const word = isRefused ? `refused ${what}` : GRANTED[what];
  const shown = paint(isRefused ? "red" : "green", word.padEnd(18), process.stdout);
  const text = payload === undefined ? "" : `: ${printable(payload)}`;
  const why = code >= 0x80 ? `0x${code.toString(16)} ${REASONS[code] ?? "refused"}` : "";
  print(`${shown}${[printable(about) + text, why].filter(Boolean).join("  ")}`);
}

/** Names of the reason codes of MQTT 5 that a client may be refused with. */
const REASONS: Readonly<Record<number, string>> = {
  128: "unspecified error",
  129: "malformed packet",
  130: "protocol error",
  132: "unsupported protocol version",
  133: "client identifier not valid",
  134: "bad user name or password",
  135: "not authorized",
  136: "server unavailable",
  137: "server busy",
  138: "banned",
  139: "server shutting down",
  140: "bad authentication method",
  141: "keep alive timeout",
  142: "session taken over",
  143: "topic filter invalid",
  144: "topic name invalid",
  151: "quota exceeded",
  155: "QoS not supported",
  158: "shared subscriptions not supported",
  160: "maximum connect time",
  162: "wildcard subscriptions not supported",
};

function describeFailure(error: unknown, url: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED")
    return new Error(`nothing listens on ${url}: is the broker running?`);
  return code === undefined || error instanceof InvalidArgumentError
    ? error
    : new Error(`cannot connect to ${url}: ${code}`);
}

function parseUrl(text: string): TryCommandOptions["url"] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTls = url?.protocol === "mqtts:";
  if (url === undefined || (url.protocol !== "mqtt:" && !isTls) || url.hostname === "") {
    throw new InvalidArgumentError("write it as mqtt://HOST:PORT or mqtts://HOST:PORT");
  }
  const port = Number(url.port || (isTls ? 8883 : 1883));
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, isTls };
}
