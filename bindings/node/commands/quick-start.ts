/** What `portcullis broker --quick-start` adds: a secret for this run, tokens and commands to paste. */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { paint } from "../terminal.ts";
import { mintToken } from "../token.ts";

/** The shipped policy; it needs no other server. */
export const QUICK_START_FILE: string = fileURLToPath(
  new URL("../../../../examples/quick-start/portcullis.conf", import.meta.url),
);

/** Two devices: the fourth part of `sub`. The second one's token has no scope `read`. */
const READER = "1001010-1000010";
const WRITER = "2002020-2000020";

export interface QuickStart {
  /** Environment that puts the secret of this run into the policy. */
  readonly env: Readonly<Record<string, string>>;
  /** Valid for an hour. */
  readonly readerToken: string;
  readonly writerToken: string;
}

/** A fresh secret, and tokens signed with it. */
export function createQuickStart(now: number = Date.now()): QuickStart {
  const secret = randomBytes(32).toString("base64url");
  const mint = (unit: string, scp: string): string =>
    mintToken({
      algorithm: "HS256",
      key: secret,
      claims: {
        sub: `urn:test:unitid:${unit}:clientid:test`,
        scp,
        exp: Math.floor(now / 1000) + 3600,
      },
    });
  return {
    env: { EMQX_AUTHENTICATION__2__SECRET: secret },
    readerToken: mint(READER, "read openid foobar"),
    writerToken: mint(WRITER, "openid"),
  };
}

/** The commands, ready to paste, each with what it will show. */
export function quickStartText(url: string, quickStart: QuickStart): string {
  const bold = (text: string): string => paint("bold", text, process.stdout);
  const command = (id: string, token: string, rest: string): string =>
    `npx portcullis try --url ${url} -i ${id} -P ${token} ${rest}`;
  const { readerToken, writerToken } = quickStart;
  return `
Paste these into another terminal, in this directory. Any other MQTT client works as well.

${bold("1. Accepted: the device its token was made for. Its scope `read` opens myorg/read/#")}
${command(READER, readerToken, "-s 'myorg/read/#' -p myorg/read/hello")}

${bold("2. Refused: the same token under another client id, before any signature work")}
${command("somebody-else", readerToken, "-s 'myorg/read/#'")}

${bold("3. Refused subscription: this device gets in, but its token has no scope `read`")}
${command(WRITER, writerToken, "-s 'myorg/read/#'")}

Why, step by step: npx portcullis explain --help. What is refused is logged below. Ctrl-C stops.
`;
}
