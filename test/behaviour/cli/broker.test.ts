import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { type CliProcess, startCli, startShell } from "../../support/cli-process.ts";

function broker(...args: readonly string[]): CliProcess {
  const started = startCli(["broker", ...args]);
  onTestFinished(() => {
    started.child.kill("SIGKILL");
  });
  return started;
}

const POLICY = `
listeners.tcp.default.bind = "127.0.0.1:0"
authentication = { mechanism = cinfo, checks = [{ is_match = "str_eq(clientid, 'dev-1')", result = allow }] }
authorization.sources = [{ type = file, path = "acl.conf" }]
`;

function policy(text = POLICY): TestDirectory {
  const made = new TestDirectory({ "p.conf": text, "acl.conf": "{deny, all}.\n" });
  onTestFinished(() => made.remove());
  return made;
}

describe("portcullis broker --quick-start", () => {
  it("prints three commands that show what their captions say", async () => {
    const started = broker("--quick-start", "--port", "0");
    const text = await started.until(/Ctrl-C stops/);
    const commands = text.split("\n").filter((line) => line.startsWith("npx portcullis try "));
    const runs = [];
    for (const command of commands) {
      const run = startShell(command);
      runs.push({ code: await run.ended, lines: run.stdout().trim().split("\n").sort() });
    }
    expect(runs).toEqual([
      {
        code: 0,
        lines: [
          "connected         1001010-1000010",
          "published         myorg/read/hello",
          "received          myorg/read/hello: hello",
          "subscribed        myorg/read/#",
        ],
      },
      { code: 1, lines: ["refused connect   somebody-else  0x86 bad user name or password"] },
      {
        code: 1,
        lines: [
          "connected         2002020-2000020",
          "refused subscribe myorg/read/#  0x87 not authorized",
        ],
      },
    ]);
    // What the broker says beside it, in lines for people and without a token.
    const log = started.stdout().split("Ctrl-C stops.")[1]!;
    expect(log).toMatch(/connect refused: check_denied by cinfo, .* client "somebody-else"/);
    expect(log).toMatch(/subscribe refused: rule by file, .* topic myorg\/read\/#/);
    expect(log).not.toMatch(/eyJ|"level"/);
    expect(started.stderr()).toBe("");
  });

  it("has a secret of its own each time", async () => {
    const [one, other] = [broker("--quick-start", "-p", "0"), broker("--quick-start", "-p", "0")];
    const token = /-P (\S+)/;
    const first = token.exec(await one.until(/Ctrl-C stops/))![1]!;
    const url = /mqtt:\S+/.exec(await other.until(/Ctrl-C stops/))![0];
    const run = startCli(["try", "--url", url, "-i", "1001010-1000010", "-P", first]);
    expect(await run.ended).toBe(1);
    expect(run.stdout()).toContain("refused connect");
  });
});

describe("portcullis broker", () => {
  it("reloads on SIGHUP, and keeps the old policy when the new one cannot be used", async () => {
    const made = policy();
    const started = broker("--config", made.file("p.conf"), "--log-format", "text");
    const url = /mqtt:\S+/.exec(await started.until(/policy: /))![0];
    const getsIn = async (clientId: string): Promise<boolean> =>
      (await startCli(["try", "--url", url, "-i", clientId]).ended) === 0;
    expect([await getsIn("dev-1"), await getsIn("dev-2")]).toEqual([true, false]);

    made.write("p.conf", POLICY.replace("str_eq(", "str_eqq("));
    started.child.kill("SIGHUP");
    const text = await started.until(/the old policy stays in force/);
    expect(text).toContain("unknown function `str_eqq`");
    expect(await getsIn("dev-1")).toBe(true);

    made.write("p.conf", POLICY.replace("dev-1", "dev-2"));
    started.child.kill("SIGHUP");
    await started.until(/policy reloaded/);
    expect([await getsIn("dev-1"), await getsIn("dev-2")]).toEqual([false, true]);
  });

  it("stops in good order on SIGTERM", async () => {
    const started = broker("--config", policy().file("p.conf"));
    await started.until(/policy: /);
    started.child.kill("SIGTERM");
    expect(await started.ended).toBe(0);
    expect(started.stdout()).toContain('"event":"stopped"');
  });

  it("names the place that is in use, and what to do", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const result = await runCli("broker", "-c", policy().file("p.conf"), "-p", String(port));
    expect(result).toEqual({
      code: 1,
      stdout: "",
      stderr: `portcullis: 127.0.0.1:${port} is in use: stop what listens there, or choose another port with --port (0 takes a free one)\n`,
    });
  });

  it.each([
    [[], /^portcullis: which policy\? --config FILE, or --quick-start/],
    [["--quick-start", "-c", "p.conf"], /--quick-start brings its own --config/],
    [["-c", "p.conf", "-p", "65536"], /0 to 65535/],
    [["-c", "p.conf", "--log-level", "loud"], /Allowed choices are trace, /],
    [["-c", "nothing.conf"], /no such file: `nothing.conf`/],
  ])("is used wrongly with %j", async (args, says) => {
    const { code, stdout, stderr } = await runCli("broker", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain("    at ");
  });

  it("refuses a configuration with a key that cannot be read", async () => {
    const made = policy(
      POLICY.replace(
        /authentication = .*/,
        () =>
          'authentication = { mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = "k.pem" }',
      ),
    );
    made.write("k.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    const { code, stderr } = await runCli("broker", "-c", made.file("p.conf"), "-p", "0");
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be read as a key");
  });
});

describe("portcullis try", () => {
  it.each([
    [["--url", "http://x"], 2, /write it as mqtt:\/\/HOST:PORT/],
    [["-P", "x", "--password-file", "y"], 2, /not both/],
    [["--password-file", "/nowhere"], 2, /cannot read --password-file `\/nowhere`: no such file/],
    [["--url", "mqtt://127.0.0.1:1"], 1, /nothing listens on mqtt:\/\/127.0.0.1:1/],
  ])("says what is wrong with %j", async (args, code, says) => {
    const result = await runCli("try", "-i", "c", ...args);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toMatch(says);
  });
});
