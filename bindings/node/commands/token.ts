/** `portcullis token`: mint a test JWT. */
import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { note, paint, print } from "../terminal.ts";
import { MINT_ALGORITHMS, type MintAlgorithm, mintToken } from "../token.ts";

interface TokenOptions {
  readonly alg: MintAlgorithm;
  readonly secret?: string;
  readonly secretFile?: string;
  readonly key?: string;
  readonly kid?: string;
  readonly claim: readonly [string, unknown][];
  readonly expires?: number;
  readonly json?: boolean;
}

export function registerToken(program: Command): void {
  program
    .command("token")
    .description("mint a test JWT and print it (its claims go to stderr)")
    .addOption(
      new Option("--alg <name>", "signature algorithm").choices(MINT_ALGORITHMS).default("HS256"),
    )
    .option("--secret <text>", "HMAC secret (HS…); seen by everyone who can list processes")
    .option("--secret-file <file>", "file that holds the HMAC secret; line ends are trimmed")
    .option("--key <file>", "private key in PEM (RS…, ES…)")
    .option("--kid <id>", "key id for the header")
    .option(
      "-c, --claim <name=value>",
      "a claim; the value is JSON, or else text; repeatable",
      (text: string, before: [string, unknown][]) => [...before, parseClaim(text)],
      [],
    )
    .option("--expires <duration>", "lifetime such as 90s, 30m, 12h, 7d (sets exp)", parseDuration)
    .option("--json", 'print {"token":…,"claims":…} instead')
    .addHelpText(
      "after",
      `
Examples:
  portcullis token --secret jwtpassfortest1 -c sub=urn:test:unitid:1001010-1000010:clientid:test \\
    -c scp='read openid' --expires 1h
  portcullis token --alg ES256 --key private.pem -c sub=dev-1 -c acl='{"pub":["a/#"]}'`,
    )
    .action((options: TokenOptions) => {
      const claims = Object.fromEntries(options.claim);
      if (options.expires !== undefined) {
        claims.exp = Math.floor(Date.now() / 1000) + options.expires;
      }
      const token = mintToken({
        algorithm: options.alg,
        key: readKey(options),
        claims,
        keyId: options.kid,
      });
      if (options.json) {
        print(JSON.stringify({ token, claims }));
        return;
      }
      note(paint("dim", JSON.stringify(claims, null, 2), process.stderr));
      print(token);
    });
}

function readKey(options: TokenOptions): string {
  const { alg, secret, secretFile, key } = options;
  if (!alg.startsWith("HS")) {
    if (!key) throw new InvalidArgumentError(`${alg} needs --key FILE, a private key in PEM`);
    return readFileSync(key, "utf8");
  }
  const value = secretFile ? readFileSync(secretFile, "utf8").trimEnd() : secret;
  if (!value) throw new InvalidArgumentError(`${alg} needs --secret TEXT or --secret-file FILE`);
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
