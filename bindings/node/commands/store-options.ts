/** What the commands on the built-in database share: which one, whose records, and the password. */
import { once } from "node:events";
import { type Command, InvalidArgumentError } from "commander";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { BuiltInDatabaseConfig, Config } from "../../../src/config/config.ts";
import { loadConfigFile } from "../config-files.ts";
import { promptNewPassword } from "../prompt.ts";
import { databasesOf, directoryOf } from "../store/built-in-database.ts";
import { openStore, openStoreIfThere, type Store } from "../store/store.ts";
import { compatibilityOption, dataDirOption } from "./options.ts";

export interface StoreOptions {
  readonly config: string;
  readonly dataDir?: string;
  readonly compatibility?: Preset;
  readonly namespace?: string;
  readonly json?: boolean;
}

/** Options of every such command. */
export function addStoreOptions(command: Command): Command {
  return command
    .requiredOption("-c, --config <file>", "configuration in EMQX's HOCON")
    .addOption(dataDirOption())
    .addOption(compatibilityOption())
    .option(
      "--namespace <name>",
      "a tenant's records (client attribute `tns`) instead of the global",
    )
    .option("--json", "print JSON");
}

export interface OpenedStore {
  readonly config: Config;
  readonly store: Store;
}

/** Runs with the store open, and closes it. `make`: makes one where there is none, else that is an error. */
export async function withStore(
  options: StoreOptions,
  { make }: { readonly make: boolean },
  run: (opened: OpenedStore) => Promise<void>,
): Promise<void> {
  const { config } = loadConfigFile(options.config, { preset: options.compatibility });
  const directory = directoryOf(config, options.config, options.dataDir);
  const store = await (make ? openStore(directory) : openStoreIfThere(directory));
  if (!store) throw new Error(`there is no built-in database in \`${directory}\` yet`);
  try {
    await run({ config, store });
  } finally {
    await store.close();
  }
}

/** The authenticator of a chain that says how passwords are stored. */
export function authenticatorOf(config: Config, chain: string): BuiltInDatabaseConfig {
  const all = databasesOf(config);
  const found = all.find((one) => one.chain === chain);
  if (found) return found.authenticator;
  const others = all.map((one) => `\`${one.chain}\``).join(", ");
  const hint = others
    ? `--chain can be ${others}`
    : "add one with `mechanism = password_based, backend = built_in_database`";
  throw new InvalidArgumentError(`no built-in database is enabled in chain \`${chain}\`: ${hint}`);
}

/** The new password: from stdin, or asked for on a terminal. Never from the command line. */
export async function readNewPassword(fromStdin: boolean): Promise<Buffer> {
  if (fromStdin) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    const given = Buffer.concat(chunks);
    let end = given.length;
    if (given[end - 1] === 0x0a) end -= 1;
    if (given[end - 1] === 0x0d && end < given.length) end -= 1;
    if (end === 0) throw new InvalidArgumentError("stdin has no password");
    return given.subarray(0, end);
  }
  if (!process.stdin.isTTY) {
    throw new InvalidArgumentError("there is no terminal to ask on: use --password-stdin");
  }
  return Buffer.from(await promptNewPassword(process.stdin, process.stderr));
}

/** One line on stdout; waits where the reader is slow, so that lists of millions fit. */
export async function printSlowly(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}

/** A name as a person may read it: quoted when something in it could pass for something else. */
export function nameText(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) && !/["'`\\]/.test(name) ? name : asciiJson(name);
}

/** JSON that is no command to a terminal, whatever is in it. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A count from the command line. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^[0-9]{1,10}$/.test(text) || count < 1 || count > 2 ** 31 - 1) {
    throw new InvalidArgumentError("a whole number from 1");
  }
  return count;
}
