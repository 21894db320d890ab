/** SCRAM from the command line: a user is made, and logs in at a broker that runs. */
import { expect, it, onTestFinished } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";

const CONFIG = `
authentication = [{ mechanism = scram, backend = built_in_database }]
authorization.sources = [{ type = file, path = "acl.conf" }]
listeners.tcp.default.bind = "127.0.0.1:0"
`;

it("portcullis users, broker, try and explain agree on who gets in", async () => {
  const made = new TestDirectory({
    "p.conf": CONFIG,
    "acl.conf": '{allow, all, publish, ["own/${username}/#"]}.\n{deny, all}.\n',
  });
  onTestFinished(() => made.remove());
  const config = made.file("p.conf");
  const args = ["users", "add", "dev", "-c", config, "--scram", "sha256", "--password-stdin"];
  const added = startCli(args, { input: "pencil\n" });
  expect(await added.ended).toBe(0);

  const broker = startCli(["broker", "--config", config, "--log-format", "text"]);
  onTestFinished(() => void broker.child.kill("SIGKILL"));
  const url = /mqtt:\S+/.exec(await broker.until(/policy: /))![0];
  const who = ["-i", "c1", "-u", "dev", "--auth-method", "SCRAM-SHA-256"];
  const attempt = async (...args: string[]): Promise<[number | string, string]> => {
    const run = startCli(["try", "--url", url, ...who, ...args]);
    return [await run.ended, run.stdout().trim()];
  };
  expect(await attempt("-P", "pencil", "-p", "own/dev/x")).toEqual([
    0,
    "connected         c1\npublished         own/dev/x",
  ]);
  expect(await attempt("-P", "pencils")).toEqual([1, "refused connect   c1  0x87 not authorized"]);
  expect(broker.stdout()).toContain("connect refused: wrong_password");
  expect(broker.stdout()).not.toContain("pencil");

  const explained = await runCli("explain", "connect", "-c", config, ...who, "-P", "pencil");
  expect(explained.code).toBe(0);
  expect(explained.stdout).toMatch(
    /^exchange +scram:built_in_database +continue +AUTH 0x18, step 1$/m,
  );
  expect(explained.stdout).toContain("ALLOW connect: ok, by scram:built_in_database");
  const refused = await runCli("explain", "connect", "-c", config, ...who, "-P", "pencils");
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain("DENY  connect: wrong_password, by scram:built_in_database");
  expect(refused.stdout).not.toContain("pencil");
});
