/** `portcullis users`: the accounts of the built-in database. */
import { randomBytes } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../../../src/config/config.ts";
import type { PasswordUser, ScramUser } from "../../../src/ports/user-database.ts";
import { nodePasswords } from "../passwords.ts";
import type { ImportType } from "../store/import/user-row.ts";
import { importUsers, makePassword } from "../store/import/users.ts";
import type { RecordPlace } from "../store/keys.ts";
import { DEFAULT_ITERATIONS, deriveScramKeys, type ScramAlgorithm } from "../store/scram-keys.ts";
import type { PageOptions, Store, StoredRecord } from "../store/store.ts";
import type { StoreWriter } from "../store/writer.ts";
import { EXIT_NO, note, print } from "../terminal.ts";
import {
  addStoreOptions,
  authenticatorOf,
  nameText,
  type OpenedStore,
  parseCount,
  printSlowly,
  readNewPassword,
  type StoreOptions,
  withStore,
} from "./store-options.ts";

interface UserOptions extends StoreOptions {
  readonly chain: string;
  readonly scram?: ScramAlgorithm;
}

interface PasswordOptions extends UserOptions {
  readonly passwordStdin?: boolean;
  readonly superuser?: boolean;
  readonly iterations?: number;
}

interface ListOptions extends StoreOptions {
  readonly chain?: string;
  readonly scram?: ScramAlgorithm;
  readonly limit?: number;
  readonly after?: string;
}

interface ImportCommandOptions extends UserOptions {
  readonly type: ImportType;
  readonly keepExisting?: boolean;
}

export function registerUsers(program: Command): void {
  const users = program
    .command("users")
    .description("manage the users of the built-in database, also while the broker runs")
    .addHelpText(
      "after",
      `
Users belong to a chain: the global one, or that of a listener which has its own authentication. How
passwords are stored says the \`password_hash_algorithm\` of the chain's authenticator. Users with
SCRAM keys (--scram) are shared by all chains. A broker that runs sees every change at its next
connect.

Examples:
  portcullis users add ann -c portcullis.conf                 asks for the password
  portcullis users add ann -c portcullis.conf --password-stdin < password.txt
  portcullis users add dev -c portcullis.conf --scram sha256
  portcullis users import users.csv -c portcullis.conf --type plain
  portcullis users list -c portcullis.conf --json | jq .user_id`,
    );
  registerAdd(users);
  registerPasswd(users);
  registerDelete(users);
  registerList(users);
  registerImport(users);
}

function registerAdd(users: Command): void {
  addPasswordOptions(addPlaceOptions(users.command("add").argument("<user-id>", "new user")))
    .description("add a user; the password is asked for, or read from stdin")
    .option("--superuser", "skip authorization for this user")
    .action((userId: string, options: PasswordOptions) => put(userId, options, "add"));
}

function registerPasswd(users: Command): void {
  addPasswordOptions(addPlaceOptions(users.command("passwd").argument("<user-id>", "whose")))
    .description("give a user another password")
    .action((userId: string, options: PasswordOptions) => put(userId, options, "passwd"));
}

function registerDelete(users: Command): void {
  addPlaceOptions(users.command("delete").argument("<user-id>", "whom"))
    .description("delete a user; sessions that are open stay until they end")
    .action((userId: string, options: UserOptions) =>
      withStore(options, { make: false }, async ({ store }) => {
        const place = placeOf(userId, options);
        const isGone = store.write((writer) => writer.delete(tableOf(options), place));
        if (options.json) print(JSON.stringify({ deleted: isGone }));
        else if (isGone) print(`deleted ${describe(place)}`);
        else note(`portcullis: there is no user ${describe(place)}`);
        if (!isGone) process.exitCode = EXIT_NO;
      }),
    );
}

function registerList(users: Command): void {
  addStoreOptions(users.command("list"))
    .description("list users, in the order of their ids; hashes and keys are never shown")
    .option("--chain <name>", "only this chain's: `global`, or a listener such as tcp:default")
    .addOption(scramOption("the users with SCRAM keys instead"))
    .option("--limit <count>", "no more than these", parseCount)
    .option("--after <user-id>", "only what comes after this one; needs --chain or --scram")
    .action((options: ListOptions) => withStore(options, { make: false }, list(options)));
}

function registerImport(users: Command): void {
  addStoreOptions(users.command("import").argument("<file>", "a .csv or .json file"))
    .description("add and change users from a file, all of them or none")
    .addOption(chainOption())
    .addOption(
      new Option("--type <type>", "what the file holds: passwords to be hashed, or hashes")
        .choices(["plain", "hash"])
        .default("hash"),
    )
    .option("--keep-existing", "only add users, leave those alone that are there")
    .addHelpText(
      "after",
      `
Columns (CSV, first line) or members (JSON, a list of objects):
  --type plain   user_id, password       and optionally is_superuser, namespace
  --type hash    user_id, password_hash  and optionally salt, is_superuser, namespace
is_superuser counts when it is \`true\`. A mistake anywhere means that nothing is changed; places are
told, contents are not. Values with a comma or outer blanks need quotes ("a, b").

Examples:
  portcullis users import users.csv -c portcullis.conf --type plain
  portcullis users import export.json -c portcullis.conf --chain tcp:default`,
    )
    .action((file: string, options: ImportCommandOptions) =>
      withStore(options, { make: true }, importFile(file, options)),
    );
}

function addPlaceOptions(command: Command): Command {
  return addStoreOptions(command)
    .addOption(chainOption())
    .addOption(
      scramOption("SCRAM keys (MQTT 5 enhanced authentication), instead of a password hash"),
    );
}

function addPasswordOptions(command: Command): Command {
  return command
    .option("--password-stdin", "read the password from stdin, up to its last line end")
    .option(
      "--iterations <count>",
      "of the SCRAM keys, instead of the authenticator's",
      parseCount,
    );
}

function chainOption(): Option {
  return new Option(
    "--chain <name>",
    "the chain that the user belongs to: `global`, or a listener such as tcp:default",
  ).default("global");
}

function scramOption(about: string): Option {
  return new Option("--scram <algorithm>", about).choices(["sha256", "sha512"]);
}

/** SCRAM users stand under their algorithm, the others under their chain. */
function placeOf(userId: string, { chain, scram, namespace = "" }: UserOptions): RecordPlace {
  return { group: scram ?? chain, namespace, id: userId };
}

function tableOf({ scram }: Pick<UserOptions, "scram">): "scram_users" | "password_users" {
  return scram ? "scram_users" : "password_users";
}

function describe({ group, namespace, id }: RecordPlace): string {
  return `${nameText(id)} (${group}${namespace ? `, namespace ${nameText(namespace)}` : ""})`;
}

async function put(
  userId: string,
  options: PasswordOptions,
  action: "add" | "passwd",
): Promise<void> {
  if (userId === "") throw new InvalidArgumentError("a user id cannot be empty");
  if (options.superuser && options.namespace) {
    throw new InvalidArgumentError("a user of a namespace cannot be a superuser");
  }
  await withStore(options, { make: action === "add" }, async (opened) => {
    const place = placeOf(userId, options);
    // Known before anybody types a password for nothing; asked again when it is written.
    const known = userAt(opened.store, place, options);
    if ((known === undefined) !== (action === "add")) return refuse(place, action, options);
    const write = await prepare(place, options, opened);
    const isDone = opened.store.write((writer) => {
      if (writer.has(tableOf(options), place) !== (action === "passwd")) return false;
      write(writer, (action === "add" ? options.superuser : known?.isSuperuser) === true);
      return true;
    });
    if (!isDone) return refuse(place, action, options);
    const done = action === "add" ? "added" : "changed";
    if (options.json) print(JSON.stringify({ [done]: true }));
    else print(`${done} ${describe(place)}`);
  });
}

/** Derives what is stored from the password, and gives what stores it. */
async function prepare(
  place: RecordPlace,
  options: PasswordOptions,
  { config }: OpenedStore,
): Promise<(writer: StoreWriter, isSuperuser: boolean) => void> {
  const { scram, chain } = options;
  const algorithm = scram ? undefined : authenticatorOf(config, chain).algorithm;
  const password = await readNewPassword(options.passwordStdin === true);
  if (algorithm) {
    const made = await makePassword(password, { algorithm, passwords: nodePasswords, randomBytes });
    return (writer, isSuperuser) => writer.putPasswordUser(place, { ...made, isSuperuser });
  }
  // 32 hexadecimal digits, used as they are. Source: authentication §6.2.
  const salt = Buffer.from(randomBytes(16).toString("hex"));
  const iterations = options.iterations ?? iterationsOf(config, scram!);
  const keys = await deriveScramKeys(scram!, password, salt, iterations);
  return (writer, isSuperuser) => writer.putScramUser(place, { ...keys, isSuperuser });
}

/** What the first authenticator for these keys says: stored with each user, so it may change later. */
function iterationsOf({ authentication, listeners }: Config, algorithm: ScramAlgorithm): number {
  const all = [...authentication, ...listeners.flatMap((one) => one.authentication ?? [])];
  const found = all.find((one) => one.mechanism === "scram" && one.algorithm === algorithm);
  return found?.mechanism === "scram" ? found.iterationCount : DEFAULT_ITERATIONS;
}

function userAt(
  store: Store,
  place: RecordPlace,
  { scram }: UserOptions,
): PasswordUser | ScramUser | undefined {
  return scram ? store.scramUser(scram, place.id, place.namespace) : store.password(place);
}

function refuse(place: RecordPlace, action: "add" | "passwd", { json }: UserOptions): void {
  const problem =
    action === "add"
      ? `there is a user ${describe(place)} already: \`users passwd\` changes its password`
      : `there is no user ${describe(place)}: \`users add\` makes one`;
  if (json) print(JSON.stringify({ error: problem }));
  else note(`portcullis: ${problem}`);
  process.exitCode = EXIT_NO;
}

function list(options: ListOptions): (opened: OpenedStore) => Promise<void> {
  const { chain, scram, namespace, limit = Number.POSITIVE_INFINITY, after, json } = options;
  const group = scram ?? chain;
  if (after !== undefined && group === undefined) {
    throw new InvalidArgumentError("--after needs --chain or --scram");
  }
  const range: Omit<PageOptions, "limit"> = {
    group,
    namespace: group === undefined ? undefined : namespace,
    after:
      after === undefined ? undefined : { group: group!, namespace: namespace ?? "", id: after },
  };
  return async ({ store }) => {
    let left = limit;
    for (const page of store.records(tableOf(options), range)) {
      for (const record of page) {
        if (namespace !== undefined && record.place.namespace !== namespace) continue;
        if (left <= 0) return;
        left -= 1;
        await printSlowly(json ? jsonLine(record, options) : textLine(record));
      }
    }
  };
}

function jsonLine({ place, value }: StoredRecord<unknown>, { scram }: ListOptions): string {
  const { su } = value as { su?: true };
  return JSON.stringify({
    user_id: place.id,
    ...(scram ? { algorithm: place.group } : { chain: place.group }),
    ...(place.namespace && { namespace: place.namespace }),
    is_superuser: su === true,
  });
}

function textLine({ place, value }: StoredRecord<unknown>): string {
  const { su } = value as { su?: true };
  return `${describe(place)}${su ? " superuser" : ""}`;
}

function importFile(
  file: string,
  options: ImportCommandOptions,
): (opened: OpenedStore) => Promise<void> {
  return async ({ config, store }) => {
    if (options.namespace !== undefined) {
      throw new InvalidArgumentError("the namespace of each user stands in the file");
    }
    const { algorithm } = authenticatorOf(config, options.chain);
    const { type, chain } = options;
    const counts = await importUsers({
      ...{ store, file, type, chain, algorithm, randomBytes, passwords: nodePasswords },
      strict: config.switches.strict_user_imports,
      existing: options.keepExisting ? "keep" : "override",
      onProgress: process.stderr.isTTY ? showProgress : undefined,
    }).finally(endProgress);
    if (options.json) print(JSON.stringify({ ...counts, failed: 0 }));
    else {
      const { total, success, override, skipped } = counts;
      print(`${total} users: ${success} added, ${override} changed, ${skipped} left as they were`);
    }
  };
}

function showProgress(step: "checking" | "storing", users: number): void {
  process.stderr.write(`\r${step} ${users.toLocaleString("en")} users …`);
}

function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
}
