import { type KeyObject, verify } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";
import { p256, p384, rsa, spkiPem } from "../../support/tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const made = new TestDirectory({ "secret.txt": `${SECRET}\n`, "empty.txt": "" });
afterAll(() => made.remove());

function pem(key: KeyObject, encryption?: { cipher: string; passphrase: string }): string {
  return key.export({ type: "pkcs8", format: "pem", ...encryption }).toString();
}

describe("portcullis token", () => {
  it("prints the token on stdout and its claims on stderr", async () => {
    const { code, stdout, stderr } = await runCli(
      ...["token", "--secret", SECRET, "-c", "sub=dev-1", "-c", 'acl={"pub":["a"]}', "-c", "n=1"],
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(JSON.parse(stderr)).toEqual({ sub: "dev-1", acl: { pub: ["a"] }, n: 1 });
  });

  it("gives the same token for a secret from a file, and takes its line end off", async () => {
    const one = await runCli("token", "--secret", SECRET, "-c", "sub=x");
    const other = await runCli("token", "--secret-file", made.file("secret.txt"), "-c", "sub=x");
    expect(other).toEqual(one);
  });

  it.each([
    ["RS256", rsa, "sha256"],
    ["RS512", rsa, "sha512"],
    ["ES256", p256, "sha256"],
    ["ES384", p384, "sha384"],
  ])("signs %s so that others can verify it", async (alg, { privateKey, publicKey }, digest) => {
    const key = made.write(`${alg}.pem`, pem(privateKey));
    const { code, stdout } = await runCli("token", "--alg", alg, "--key", key, "-c", "sub=x");
    expect(code).toBe(0);
    const [header, payload, signature] = stdout.trim().split(".") as [string, string, string];
    const data = Buffer.from(`${header}.${payload}`);
    const bytes = Buffer.from(signature, "base64url");
    const options = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
    expect(verify(digest, data, options, bytes)).toBe(true);
  });

  const encrypted = pem(p256.privateKey, { cipher: "aes-256-cbc", passphrase: "x" });

  it.each([
    [
      ["--alg", "ES256", "--key", made.write("1.pem", pem(rsa.privateKey))],
      /ES256 needs a private EC key, this one is RSA/,
    ],
    [
      ["--alg", "ES256", "--key", made.write("2.pem", pem(p384.privateKey))],
      /ES256 needs a key on the curve prime256v1, this one is on secp384r1/,
    ],
    [
      ["--alg", "RS256", "--key", made.write("3.pem", spkiPem(rsa.publicKey))],
      /signing needs the private key/,
    ],
    [["--alg", "ES256", "--key", made.write("4.pem", encrypted)], /the private key is encrypted/],
    [["--alg", "RS256", "--key", made.file("secret.txt")], /this is not a private key in PEM/],
    [["--alg", "RS256", "--key", "/nowhere"], /cannot read --key `\/nowhere`: no such file/],
    [["--alg", "RS256"], /RS256 needs --key FILE/],
    [["--alg", "RS256", "--secret", SECRET], /RS256 signs with --key FILE/],
    [["--key", "x.pem"], /say which with --alg/],
    [[], /HS256 needs --secret TEXT or --secret-file FILE/],
    [["--secret", ""], /HS256 needs --secret/],
    [["--secret-file", made.file("empty.txt")], /HS256 needs --secret/],
    [["--secret", SECRET, "--secret-file", "x"], /not both/],
    [["--alg", "HS265", "--secret", SECRET], /Allowed choices are HS256/],
    [["--secret", SECRET, "-c", "sub"], /write it as name=value/],
    [["--secret", SECRET, "--expires", "1 week"], /a number and s, m, h or d/],
    [["--decode", "abc"], /a token has three parts between dots, this text has 1/],
    [["--decode", "a$.e30.c"], /the header is not base64url/],
    [["--decode", "e30.eyI.c"], /the payload is not JSON/],
    [["--decode", "e30._w.c"], /the payload is not JSON/],
    // With a byte-order mark in front, which no verifier passes over.
    [
      ["--decode", `e30.${Buffer.from("\ufeff{}").toString("base64url")}.c`],
      /the payload is not JSON/,
    ],
  ])("refuses %j helpfully", async (args, says) => {
    const { code, stdout, stderr } = await runCli("token", ...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stderr).not.toContain(SECRET);
  });

  it("warns of a short secret, and does not repeat it", async () => {
    const { code, stderr } = await runCli("token", "--secret", "tooshort", "-c", "sub=x");
    expect(code).toBe(0);
    expect(stderr).toContain("warning: the secret has less than 32 bytes");
    expect(stderr).not.toContain("tooshort");
  });

  it("decodes a token and says that it did not verify it", async () => {
    const minted = await runCli("token", "--secret", SECRET, "-c", "sub=x", "--expires=-1h");
    const token = minted.stdout.trim();
    const { code, stdout, stderr } = await runCli("token", "--decode", token);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{\n {2}"alg": "HS256",\n {2}"typ": "JWT"\n\}\n\{\n {2}"sub": "x",\n/);
    expect(stderr).toMatch(/^not verified: anyone can have written this\nexpired 2\d\d\d-/);
    const run = startCli(["token", "--decode", "-", "--json"], { input: `${token}\n` });
    expect(await run.ended).toBe(0);
    expect(JSON.parse(run.stdout())).toMatchObject({ claims: { sub: "x" }, verified: false });
  });
});
