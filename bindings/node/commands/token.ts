/** `portcullis token`: mint a test JWT. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { note, paint, print } from "../terminal.ts";
import { decodeToken, MINT_ALGORITHMS, type MintAlgorithm, mintToken } from "../token.ts";
import { readSecretFile } from "./options.ts";

interface TokenOptions {
  readonly alg: MintAlgorithm;
  readonly secret?: string;
  readonly secretFile?: string;
  readonly key?: string;
  readonly kid?: string;
  readonly claim?: readonly [string, unknown][];
  readonly expires?: number;
  readonly decode?: string;
  readonly json?: boolean;
}

export function registerToken(program: Command): void {
  program
    .command("token")
    .description("mint a test JWT and print it (its claims go to stderr), or decode one")
    .addOption(
      new Option("--alg <name>", "signature algorithm").choices(MINT_ALGORITHMS).default("HS256"),
    )
    .option("--secret <text>", "HMAC secret (HS…); other users can see it in a process list")
    .option("--secret-file <file>", "file that holds it instead, `-` for stdin")
    .option("--key <file>", "private key in PEM (RS…, ES…)")
    .option("--kid <id>", "key id for the header")
    .option(
      "-c, --claim <name=value>",
      "a claim; the value is JSON, or else text; repeatable",
      (text: string, before: [string, unknown][] = []) => [...before, parseClaim(text)],
    )
    .option("--expires <duration>", "lifetime such as 90s, 30m, 12h, 7d (sets exp)", parseDuration)
    .option("--decode <token>", "show header and claims of a token, unverified; `-` reads stdin")
    .option("--json", "print JSON instead")
    .addHelpText(
      "after",
      `
For trying things out; it is no token service.

Examples:
  portcullis token --secret jwtpassfortest1 -c sub=urn:test:unitid:1001010-1000010:clientid:test \\
    -c scp='read openid' --expires 1h
  portcullis token --alg ES256 --key private.pem -c sub=dev-1 -c acl='{"pub":["a/#"]}'
  portcullis token --decode - < token.txt`,
    )
    .action((options: TokenOptions) => (options.decode === undefined ? mint : decode)(options));
}

function mint(options: TokenOptions): void {
  const claims = Object.fromEntries(options.claim ?? []);
  if (options.expires !== undefined) {
    claims.exp = Math.floor(Date.now() / 1000) + options.expires;
  }
  const token = asUsage(() =>
    mintToken({ algorithm: options.alg, key: readKey(options), claims, keyId: options.kid }),
  );
  if (options.json) {
    print(JSON.stringify({ token, claims }));
    return;
  }
  note(paint("dim", JSON.stringify(claims, null, 2), process.stderr));
  print(token);
}

function decode({ decode: given = "", json }: TokenOptions): void {
  const token = given === "-" ? readSecretFile("-", "--decode") : given;
  const decoded = asUsage(() => decodeToken(token));
  if (json) print(JSON.stringify({ ...decoded, verified: false }));
  else {
    note("not verified: anyone can have written this");
    print(JSON.stringify(decoded.header, null, 2));
    print(JSON.stringify(decoded.claims, null, 2));
    const { exp } = Object(decoded.claims) as { exp?: unknown };
    if (typeof exp === "number" && Math.abs(exp) < 8e12) {
      const isOver = exp * 1000 <= Date.now();
      note(`${isOver ? "expired" : "expires"} ${new Date(exp * 1000).toISOString()}`);
    }
  }
}

/** What the operator gave does not fit: wrong usage. */
function asUsage<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof TypeError ? new InvalidArgumentError(error.message) : error;
  }
}

/** LIMIT: shorter secrets can be guessed from one token. Source: RFC 7518 §3.2. */
const SECRET_BYTES_MIN = 32;

function readKey({ alg, secret, secretFile, key }: TokenOptions): string {
  if (!alg.startsWith("HS")) {
    if (secret !== undefined || secretFile !== undefined) {
      throw new InvalidArgumentError(`${alg} signs with --key FILE, a secret is for HS256 and kin`);
    }
    if (!key) throw new InvalidArgumentError(`${alg} needs --key FILE, a private key in PEM`);
    return readSecretFile(key, "--key");
  }
  if (key !== undefined) {
    throw new InvalidArgumentError(
      `--key is for RS… and ES…: say which with --alg, e.g. --alg RS256`,
    );
  }
  if (secret !== undefined && secretFile !== undefined) {
    throw new InvalidArgumentError("give --secret or --secret-file, not both");
  }
  const value = secretFile === undefined ? secret : readSecretFile(secretFile, "--secret-file");
  if (!value) throw new InvalidArgumentError(`${alg} needs --secret TEXT or --secret-file FILE`);
  if (Buffer.byteLength(value) < SECRET_BYTES_MIN) {
    note(`warning: the secret has less than ${SECRET_BYTES_MIN} bytes; for tests only`);
  }
  return value;
}

function parseClaim(text: string): [string, unknown] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as name=value");
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value];
  }
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };

function parseDuration(text: string): number {
  const match = /^(-?\d+)([smhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError("write it as a number and s, m, h or d, e.g. 1h");
  return Number(match[1]) * UNIT_SECONDS[match[2]!]!;
}
