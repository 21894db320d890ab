import { readFileSync, statSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createVerifier } from "../../../bindings/edge/index.ts";
import { ConfigError } from "../../../src/errors.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { signToken } from "../../support/policy.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const made = new TestDirectory({
  "p.conf": `
authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}" }]
authorization.sources = [{ type = file, path = "acl.conf" }]
`,
  "acl.conf": '{allow, all, publish, ["a/${clientid}"]}.\n{deny, all}.\n',
});
afterAll(() => made.remove());

async function ask(options: Parameters<typeof createVerifier>[0]): Promise<unknown> {
  const verifier = await createVerifier(options);
  try {
    const action = { type: "publish", qos: 0, retain: false } as const;
    const answer = await verifier.verify({
      client: { clientId: "c", password: signToken({ sub: "x" }, SECRET) },
      actions: [
        { action, topic: "a/c" },
        { action, topic: "a/d" },
      ],
    });
    return [answer.verdict, ...(answer.actions ?? []).map(({ verdict }) => verdict)];
  } finally {
    verifier.close();
  }
}

describe("portcullis compile", () => {
  it("makes an image without secrets, which the edge verifier decides from", async () => {
    const output = made.file("p.image");
    const { code, stdout, stderr } = await runCli("compile", made.file("p.conf"), "-o", output);
    expect(code).toBe(0);
    expect(made.without(stdout)).toMatch(/^p\.image: \d+ bytes, 2 rules\n$/);
    expect(stderr).toBe('the host has to supply: secrets["authentication[1].secret"]\n');
    const image = readFileSync(output);
    expect(image.includes(SECRET)).toBe(false);
    const secrets = { "authentication[1].secret": SECRET };
    expect(await ask({ image, secrets })).toEqual(["allow", "allow", "deny"]);
    await expect(ask({ image })).rejects.toThrow(ConfigError);
  });

  it("puts secrets in when told to, into a file for its owner alone", async () => {
    const output = made.write("s.image", "an older file that everyone can read");
    const { code, stderr } = await runCli(
      ...["compile", made.file("p.conf"), "-o", output, "--with-secrets"],
    );
    expect([code, stderr]).toEqual([0, "the image holds secrets: keep it as one\n"]);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    expect(await ask({ image: readFileSync(output) })).toEqual(["allow", "allow", "deny"]);
  });

  it("leaves an older image alone when the configuration cannot be used", async () => {
    const output = made.write("old.image", "old");
    const broken = made.write("broken.conf", "mqtt.max_topic_levls = 3");
    const { code, stdout, stderr } = await runCli("compile", broken, "-o", output);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("did you mean `max_topic_levels`?");
    expect(readFileSync(output, "utf8")).toBe("old");
  });

  it("says where it cannot write", async () => {
    const output = made.file("no/such/folder/p.image");
    const { code, stderr } = await runCli("compile", made.file("p.conf"), "-o", output);
    expect(code).toBe(1);
    expect(made.without(stderr)).toBe(
      "portcullis: cannot write `no/such/folder/p.image`: ENOENT\n",
    );
  });

  it("summarizes as JSON", async () => {
    const output = made.file("j.image");
    const { stdout } = await runCli("compile", made.file("p.conf"), "-o", output, "--json");
    const secrets = ["authentication[1].secret"];
    expect(JSON.parse(stdout)).toEqual({ output, bytes: statSync(output).size, secrets });
  });
});
