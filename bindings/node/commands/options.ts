/** Options that several commands share. */
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";

/** `--compatibility`, of every command that reads a configuration. */
export function compatibilityOption(): Option {
  return new Option(
    "--compatibility <preset>",
    "override portcullis.compatibility: strict is safe, emqx does as EMQX 6.2 does",
  ).choices(["strict", "emqx"]);
}

/** `--data-dir`, of every command that may use the built-in database. */
export function dataDirOption(): Option {
  return new Option(
    "--data-dir <directory>",
    "where the built-in database is, instead of portcullis.data_dir (`data` beside the configuration)",
  );
}

export interface CredentialOptions {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
}

/** Who connects. */
export function addCredentialOptions(command: Command): Command {
  return command
    .option("-u, --username <name>", "username")
    .option("-P, --password <text>", "password or token; other users can see it in a process list")
    .option("--password-file <file>", "file that holds it instead, `-` for stdin");
}

/** `--auth-method`: see auth-client.ts for what is known of methods. */
export function authMethodOption(): Option {
  return new Option(
    "--auth-method <name>",
    "MQTT 5 Authentication Method: SCRAM-SHA-256 or -512 with username and password, or one " +
      "that takes the password as its data, such as OAUTH2-JWT",
  );
}

/** The password from wherever it is; throws InvalidArgumentError. */
export function readPassword({ password, passwordFile }: CredentialOptions): string | undefined {
  if (passwordFile === undefined) return password;
  if (password !== undefined) {
    throw new InvalidArgumentError("give --password or --password-file, not both");
  }
  return readSecretFile(passwordFile, "--password-file");
}

/** Text of a file that holds one secret, without the line end; `-` is stdin. */
export function readSecretFile(file: string, option: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    const why = reason === "ENOENT" ? "no such file" : reason;
    throw new InvalidArgumentError(`cannot read ${option} \`${file}\`: ${why}`);
  }
}

/** `name=value`, cut at the first `=`. */
export function parsePair(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as name=value");
  return [text.slice(0, at), text.slice(at + 1)];
}
