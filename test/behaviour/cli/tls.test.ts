/** TLS as operators meet it: `broker`, `try`, `check` and `compile` with a TLS listener. */

import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeCertificate } from "../../support/certificates.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";

const AUTHORITY = makeCertificate({ subject: [{ CN: "authority" }], isCa: true });
const CLIENT = makeCertificate({ subject: [{ CN: "dev-1" }], issuer: AUTHORITY });

function server(issuer = AUTHORITY) {
  return makeCertificate({ subject: [{ CN: "localhost" }], issuer, dnsNames: ["localhost"] });
}

const POLICY = `
listeners.tcp.default.enable = false
listeners.ssl.default {
  bind = "127.0.0.1:0"
  ssl_options {
    certfile = "server.pem", keyfile = "server.key", cacertfile = "ca.pem"
    verify = verify_peer, fail_if_no_peer_cert = true
  }
}
mqtt.peer_cert_as_clientid = cn
authentication = { mechanism = cinfo, checks = [{ is_match = "str_eq(clientid, 'dev-1')", result = allow }] }
authorization.sources = [{ type = file, path = "acl.conf" }]
`;

function directory(): TestDirectory {
  const { cert, key } = server();
  const made = new TestDirectory({
    "p.conf": POLICY,
    "acl.conf": "{deny, all}.\n",
    "server.pem": cert,
    "server.key": key,
    "ca.pem": AUTHORITY.cert,
    "dev.pem": CLIENT.cert,
    "dev.key": CLIENT.key,
  });
  onTestFinished(() => made.remove());
  return made;
}

describe("a TLS listener", () => {
  it("takes clients by their certificate, and a new one of its own on SIGHUP", async () => {
    const made = directory();
    const broker = startCli(["broker", "-c", made.file("p.conf"), "--log-format", "text"]);
    onTestFinished(() => void broker.child.kill("SIGKILL"));
    const port = /mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(await broker.until(/policy: /))![1];
    const client = async (ca: string, ...more: readonly string[]) => {
      const url = `mqtts://localhost:${port}`;
      const run = startCli(["try", "-i", "whoever", "--url", url, "--ca", made.file(ca), ...more]);
      return { code: await run.ended, text: run.stdout() + run.stderr() };
    };
    const own = ["--cert", made.file("dev.pem"), "--key", made.file("dev.key")];
    expect(await client("ca.pem", ...own)).toMatchObject({ code: 0 });
    expect(await client("ca.pem")).toMatchObject({ code: 1 });

    made.write("server.key", server().key);
    broker.child.kill("SIGHUP");
    const refusal = await broker.until(/old policy stays in force/);
    expect(refusal).toMatch(/the certificate or its key cannot be used: key values mismatch/);
    expect(await client("ca.pem", ...own)).toMatchObject({ code: 0 });

    const other = makeCertificate({ subject: [{ CN: "other" }], isCa: true });
    const renewed = server(other);
    made.write("server.pem", renewed.cert);
    made.write("server.key", renewed.key);
    made.write("other.pem", other.cert);
    broker.child.kill("SIGHUP");
    await broker.until(/policy reloaded/);
    expect(await client("ca.pem", ...own)).toMatchObject({ code: 1 });
    expect(await client("other.pem", ...own)).toMatchObject({ code: 0 });
  });

  it("keeps its key out of every image", async () => {
    const made = directory();
    const body = readFileSync(made.file("server.key"), "utf8").split("\n")[1]!;
    for (const more of [[], ["--with-secrets"]]) {
      const image = made.file("p.image");
      const result = await runCli("compile", made.file("p.conf"), "-o", image, ...more);
      expect(result.code).toBe(0);
      expect(readFileSync(image, "latin1")).not.toContain(body);
    }
  });

  it("is checked without being opened", async () => {
    const made = directory();
    expect((await runCli("check", made.file("p.conf"))).code).toBe(0);
    made.write("p.conf", POLICY.replace("verify = verify_peer", 'ciphers = ["ECDHE-NONE"], $&'));
    const cipher = await runCli("check", made.file("p.conf"));
    expect([cipher.code, cipher.stderr + cipher.stdout]).toEqual([
      2,
      expect.stringContaining("`ECDHE-NONE` is no cipher that can be offered"),
    ]);
    made.write(
      "p.conf",
      POLICY.replace("verify = verify_peer", 'ciphers = ["ADH-AES256-SHA"], $&'),
    );
    expect((await runCli("check", made.file("p.conf"))).code).toBe(2);
  });
});

describe("portcullis try with certificates", () => {
  it.each([
    [["--ca", "x"], /go with --url mqtts:/],
    [["--url", "mqtts://localhost", "--cert", "x"], /--cert and --key go together/],
    [["--url", "mqtts://localhost", "--ca", "/nowhere"], /there is no file `\/nowhere`/],
  ])("says what is wrong with %j", async (args, says) => {
    const { code, stderr } = await runCli("try", "-i", "c", ...args);
    expect([code, stderr]).toEqual([2, expect.stringMatching(says)]);
  });
});
