/** What README.md shows is run: its policies enforce what it says, its commands and its code work. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { createVerifier, type EdgeAnswer, type Verifier } from "../../bindings/edge/index.ts";
import { createLog } from "../../bindings/node/broker/log.ts";
import { loadConfigFile } from "../../bindings/node/config-files.ts";
import { startBroker } from "../../bindings/node/start.ts";
import { compilePolicy } from "../../src/index.ts";
import { runCli, TestDirectory } from "../support/cli.ts";
import { join as joinBroker, knock } from "../support/mqtt-client.ts";
import { signToken } from "../support/policy.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The fenced blocks of a language, in order. */
function blocks(language: string): string[] {
  const fences = README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...fences].filter(([, name]) => name === language).map(([, , text]) => text!);
}

const [SPOOFING, SCOPES, ...furtherHocon] = blocks("hocon");
const [RULES, ...furtherRules] = blocks("erlang");
const SECRET = "jwtpassfortest1";
const UNIT = "1001010-1000010";
const CLAIMS = { sub: `urn:test:unitid:${UNIT}:clientid:test`, scp: "read openid foobar" };
const TOKEN = signToken(CLAIMS, SECRET);

const directory = new TestDirectory({
  "portcullis.conf": `${SPOOFING}\n${SCOPES}\nlisteners.tcp.default.bind = "127.0.0.1:0"`,
  "acl.conf": RULES!,
  "token.txt": TOKEN,
  "questions.jsonl": '{"id":"1","name":"a/b","filter":"a/#"}\n',
});
const CONFIG = directory.file("portcullis.conf");
afterAll(() => directory.remove());

describe("the policies of the README", () => {
  it("are all that there is", () => {
    expect([SPOOFING, SCOPES, RULES].every(Boolean)).toBe(true);
    expect([furtherHocon, furtherRules]).toEqual([[], []]);
  });

  it("load without a complaint that the README does not make", async () => {
    const { issues } = loadConfigFile(CONFIG, { env: {} });
    expect(issues.filter(({ severity }) => severity === "error")).toEqual([]);
    expect((await runCli("check", CONFIG)).code).toBe(0);
  });

  it("enforce what the README says", async () => {
    const log = createLog({ level: "silent" });
    const { addresses, close } = await startBroker({ file: CONFIG, log, env: {} });
    const at = { port: addresses[0]!.port, version: 5, username: "u" } as const;
    expect(await knock({ ...at, clientId: "test", password: TOKEN })).toBe(0x86);
    const reader = await joinBroker({ ...at, clientId: UNIT, password: TOKEN });
    const filters = ["myorg/read/#", "myorg/#", "myorg/write/#", "#"];
    expect(await reader.subscribe(filters)).toEqual([0, 0x87, 0x87, 0x87]);
    expect(await reader.publish("elsewhere")).toBe(0x87);
    const password = signToken({ ...CLAIMS, scp: "openid" }, SECRET);
    await reader.leave();
    const other = await joinBroker({ ...at, clientId: UNIT, password });
    expect(await other.subscribe(["myorg/read/#"])).toEqual([0x87]);
    expect(await other.publish("myorg/read/x")).toBe(0);
    await other.leave();
    await close();
  });

  it("have the parts of `sub` where the table says", () => {
    const row = (head: string): string[] =>
      README.split("\n")
        .find((line) => line.startsWith(`| ${head}`))!
        .split("|")
        .slice(2, -1)
        .map((cell) => cell.replace(/[`* ]/g, ""));
    expect(row("`sub`")).toEqual(CLAIMS.sub.split(":"));
    expect(row("`nth`").map(Number)).toEqual(CLAIMS.sub.split(":").map((_, index) => index + 1));
  });
});

describe("the commands of the README", () => {
  const lines = blocks("sh")
    .join("")
    .split("\n")
    .map((line) => line.replace(/\s+#.*$/, ""))
    .filter((line) => line.startsWith("npx portcullis "));
  /** These need a broker, a folder of cases or standard input; their own tests run them. */
  const ELSEWHERE = ["broker", "try", "test", "batch"];

  /** The words of a command line as a shell cuts them. */
  function words(line: string): string[] {
    const found = line.replace("npx portcullis ", "").match(/'[^']*'|"[^"]*"|[^\s]+/g) ?? [];
    return found
      .map((word) => word.replace(/^(['"])(.*)\1$/, "$2").replace("$TOKEN", TOKEN))
      .map((word) => (word === "portcullis.conf" ? CONFIG : word))
      .map((word) => (["policy.image", "token.txt"].includes(word) ? directory.file(word) : word))
      .map((word) => (word === "dev-1" ? UNIT : word));
  }

  it("are known, every one of them", async () => {
    const { stdout } = await runCli("--help");
    const names = lines.map((line) => words(line)[0]!);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    expect(names).toEqual(expect.arrayContaining(ELSEWHERE));
  });

  const runnable = lines.filter((line) => !ELSEWHERE.includes(words(line)[0]!));
  it.each(runnable)("%s", async (line) => {
    const { code, stdout, stderr } = await runCli(...words(line));
    // The policy allows neither, and exit code 1 says so.
    const isNo = /explain subscribe 'myorg\/#'|who-can publish plant/.test(line);
    expect(code, stderr).toBe(isNo ? 1 : 0);
    expect(stdout + stderr).not.toContain(SECRET);
  });

  const withInput = lines.filter((line) => ELSEWHERE.includes(words(line)[0]!));
  it.each(withInput)("%s: knows its options", async (line) => {
    const [name, ...rest] = words(line);
    const { code, stdout } = await runCli(name!, "--help");
    expect(code).toBe(0);
    for (const option of rest.filter((word) => word.startsWith("--"))) {
      expect(stdout).toContain(option);
    }
  });
});

describe("the code of the README", () => {
  it("gives the answer that stands below it", async () => {
    const [example] = blocks("js");
    const { config } = loadConfigFile(CONFIG, { env: {} });
    const { image } = compilePolicy(config);
    const body = example!.replace(/^import \{ createVerifier \} from "portcullis\/edge";\n/, "");
    expect(body).not.toBe(example);
    const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
    const run = new AsyncFunction(
      ...["createVerifier", "image", "secret", "token"],
      `${body}\nreturn { verifier, answer };`,
    );
    const { verifier, answer } = (await run(createVerifier, image, SECRET, TOKEN)) as {
      verifier: Verifier;
      answer: EdgeAnswer;
    };
    expect(answer).toMatchObject({
      verdict: "allow",
      by: "jwt",
      client_attrs: { jwt_scp: "read" },
      actions: [{ verdict: "allow" }],
    });
    const request = new Request("https://edge.example/", {
      method: "POST",
      body: JSON.stringify({ clientid: "test", password: TOKEN }),
    });
    expect(await (await verifier.fetch(request)).json()).toMatchObject({ verdict: "deny" });
    verifier.close();
  });
});

describe("the examples", () => {
  const EXAMPLES = join(ROOT, "examples");
  const files = readdirSync(EXAMPLES, { recursive: true })
    .map((name) => join(EXAMPLES, String(name)))
    .filter((path) => /\.conf$/.test(path) && !/acl\.conf$/.test(path) && statSync(path).isFile())
    .map((path) => relative(ROOT, path));
  const areTests = (path: string): boolean =>
    /^tests = /m.test(readFileSync(join(ROOT, path), "utf8"));
  const configurations = files.filter((path) => !areTests(path));

  it("include the quick start", () => {
    expect(configurations).toContain("examples/quick-start/portcullis.conf");
  });

  it.each(files.filter(areTests))("%s passes", async (path) => {
    const { code, stdout, stderr } = await runCli("test", join(ROOT, path));
    expect(code, stdout + stderr).toBe(0);
  });

  it.each(configurations)("%s passes check", async (path) => {
    const { code, stdout, stderr } = await runCli("check", join(ROOT, path));
    expect(code, stdout + stderr).toBe(0);
  });
});
