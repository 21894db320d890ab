import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseTestFile } from "../../../bindings/node/policy-test/case-file.ts";
import { type CliResult, runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples", import.meta.url));
const FILES = {
  "portcullis.conf": `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "hmac-based"
  secret = "0123456789abcdef0123456789abcdef", from = password }]
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`,
  "acl.conf": `{allow, {username, "u"}, publish, ["a/\${client_attrs.site}/#"]}.
{deny, all, subscribe, ["a/#"]}.
{allow, {ipaddr, "10.0.0.0/8"}, all, ["net"]}.
`,
};

async function run(
  files: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<CliResult & { readonly directory: TestDirectory }> {
  const directory = new TestDirectory({ ...FILES, ...files });
  onTestFinished(() => directory.remove());
  const result = await runCli("test", directory.path, ...args);
  return {
    ...result,
    directory,
    stdout: directory.without(result.stdout),
    stderr: directory.without(result.stderr),
  };
}

const RIGHT = `
clients.u { clientid = c, username = u, attrs { site = x } }
tests = [
  { client = u, publish = ["a/x", "a/x/y"], expect = allow, rule = 1, line = 1, by = file }
  { client = u, publish = "a/y", expect = deny, reason = no_match }
  { client = u, subscribe = "a/x", expect = deny, rule = 2 }
  { client { clientid = c, peerhost = "10.1.2.3" }, publish = net, retain = true, expect = allow, rule = 3 }
]
`;

describe("portcullis test", () => {
  it("passes the tests of every shipped example, and they reach every rule", async () => {
    const { code, stdout } = await runCli("test", EXAMPLES, "--coverage", "--coverage-min", "100");
    expect(stdout).toContain("0 failed");
    expect(stdout.match(/ok .*?tests\.(conf|yaml)/g)).toHaveLength(4);
    expect(stdout.match(/ (\d+) of \1 rules reached \(100 %\)/g)).toHaveLength(4);
    expect(code).toBe(0);
  });

  it("finds test files in a directory and the policy beside them", async () => {
    const { code, stdout } = await run({ "tests.conf": RIGHT, "other.conf": "tests = [{}]" });
    expect(stdout).toBe("ok tests.conf (4 of 4 passed)\n4 passed, 0 failed\n");
    expect(code).toBe(0);
  });

  it("shows what was expected, what came out, and the rule that decided", async () => {
    const tests = `tests = [
  { name = "a wish", client { clientid = c, username = u, attrs { site = x } }
    subscribe = "a/#", qos = 1, expect = allow, rule = 1 }
]
`;
    const { code, stdout } = await run({ "tests.conf": tests });
    expect(code).toBe(1);
    expect(stdout).toBe(`failed tests.conf (0 of 1 passed)
  a wish  tests.conf:2
    subscribe "a/#" with QoS 1
    - expected  allow, rule 1
    + got       deny, rule 2, line 2
      decided by acl.conf:2: {deny, all, subscribe, ["a/#"]}
      closest:   acl.conf:1 allows only publish and covers only a/x/#
                 acl.conf:3 is for clients whose address is in 10.0.0.0/8 and covers only net
0 passed, 1 failed
`);
  });

  it.each([
    ["another verdict", "expect = deny"],
    ["another rule", "expect = allow, rule = 2"],
    ["another line", "expect = allow, line = 2"],
    ["another reason", "expect = allow, reason = no_match"],
    ["another source", "expect = allow, by = superuser"],
  ])("fails on %s", async (_, expectation) => {
    const client = "client { clientid = c, username = u, attrs { site = x } }";
    const { code } = await run({
      "tests.conf": `tests = [{ ${client}, publish = "a/x", ${expectation} }]`,
    });
    expect(code).toBe(1);
  });

  it("makes tokens, sets the clock, and goes through authentication", async () => {
    const client = (exp: string): string =>
      `client { clientid = c, username = u, token { sub = c, exp = "${exp}", client_attrs { site = x } } }`;
    const { stdout, code } = await run({
      "tests.conf": `now = "2030-01-01T00:00:00Z"
tests = [
  { ${client("+1s")}, connect { expect = allow, by = jwt, attrs { site = x } }, publish = "a/x", expect = allow }
  { ${client("-1s")}, connect { expect = deny, reason = expired, code = 134 } }
  { ${client("+1h")}, now = "2031-01-01T00:00:00Z", connect = allow }
  { ${client("1893456001")}, now = "2029-12-31T23:59:00Z", connect = allow }
]
`,
    });
    expect(stdout).toContain("0 failed");
    expect(code).toBe(0);
  });

  it("fails a question of a client that does not get in, and wrong attributes", async () => {
    const { stdout, code } = await run({
      "tests.conf": `tests = [
  { client { clientid = c, password = guessed }, publish = a, expect = allow }
  { client { clientid = c, token { sub = c } }, connect { expect = allow, attrs { site = x } } }
]
`,
    });
    expect(code).toBe(1);
    expect(stdout).toContain(
      "+ got       refused at connect, reason malformed_token, by jwt, code 0x86; if that is meant, expect it of `connect`",
    );
    expect(stdout).toContain('attribute `site`\n    - expected  "x"\n    + got       not set');
  });

  it("signs with the file's secret, and in place of a key set with one made for the run", async () => {
    const policy = `authentication = [{ mechanism = jwt, use_jwks = true, from = password
  endpoint = "http://127.0.0.1:9/keys" }]
authorization { no_match = allow, sources = [] }
`;
    const tests = `policy = "jwks.conf"
tests = [{ client { clientid = c, token { sub = c } }, connect = allow, publish = a, expect = allow }]
`;
    const { code } = await run({
      "jwks.conf": policy,
      "a.test.conf": tests,
      "b.test.conf": `secret = "another-secret-of-these-tests-0123456789"\n${tests}`,
    });
    expect(code).toBe(0);
  });

  it("asks about the filter inside a shared one, and refuses what is no topic", async () => {
    const { stdout, code } = await run({
      "tests.yaml": `clients: { u: { clientid: c, username: u, attrs: { site: x } } }
tests:
  - { client: u, subscribe: [$share/g/a/x, $queue/a/x], expect: deny, rule: 2 }
  - { client: u, publish: [a/x/+, $delayed/soon/a/x], expect: deny, reason: malformed_topic }
  - { client: u, publish: $delayed/5/a/x, expect: allow, rule: 1 }
  - { client: u, subscribe: $share/g/, expect: deny, reason: malformed_topic }
`,
    });
    expect(stdout).toContain("4 passed, 0 failed");
    expect(code).toBe(0);
  });

  it("says which rules no test reached, and fails below the threshold", async () => {
    const tests = 'tests = [{ client { clientid = c }, subscribe = "a/b", expect = deny }]';
    const { code, stdout, stderr } = await run(
      { "tests.conf": tests },
      "--coverage",
      "--coverage-min",
      "34",
    );
    expect(code).toBe(1);
    expect(stdout).toContain("portcullis.conf: 1 of 3 rules reached (33 %)");
    expect(stdout).toContain(
      'not reached: acl.conf:3: {allow, {ipaddr, "10.0.0.0/8"}, all, ["net"]}',
    );
    expect(stdout).not.toContain("not reached: acl.conf:2");
    expect(stderr).toContain("tests reach 33.3 % of the rules, --coverage-min asks for 34 %");
    expect((await run({ "tests.conf": tests }, "--coverage-min", "33")).code).toBe(0);
  });

  it("prints TAP", async () => {
    const { stdout, code } = await run(
      {
        "x.test.json": JSON.stringify({
          tests: [
            { name: "one # two", client: { clientid: "c" }, publish: "net", expect: "deny" },
            { name: "wrong", client: { clientid: "c" }, publish: "net", expect: "allow" },
          ],
        }),
      },
      "--tap",
    );
    expect(code).toBe(1);
    expect(stdout).toContain("TAP version 14\n1..2\nok 1 - one \\# two\nnot ok 2 - wrong\n  ---\n");
    expect(stdout).toContain('got: "deny, reason no_match, by default"');
  });

  it("writes JUnit XML with names escaped", async () => {
    const tests =
      'tests = [{ name = "<a> & b", client { clientid = c }, publish = net, expect = allow }]';
    const files = new TestDirectory({ ...FILES, "tests.conf": tests });
    onTestFinished(() => files.remove());
    const { code } = await runCli("test", files.path, "--junit", files.file("out.xml"));
    expect(code).toBe(1);
    const xml = readFileSync(files.file("out.xml"), "utf8");
    expect(xml).toContain('tests="1" failures="1"');
    expect(xml).toContain('name="&lt;a&gt; &amp; b"');
    expect(xml).toContain('<failure message="publish &quot;net&quot;: expected allow, got deny');
  });

  it("prints JSON", async () => {
    const { stdout } = await run({ "tests.conf": RIGHT }, "--json");
    const { files, percent } = JSON.parse(stdout) as {
      files: { results: { ok: boolean; at: { line: number } }[] }[];
      percent: number;
    };
    expect(files[0]?.results.map(({ ok, at }) => [ok, at.line])).toEqual([
      [true, 4],
      [true, 5],
      [true, 6],
      [true, 7],
    ]);
    expect(percent).toBe(100);
    const half = RIGHT.replace(/.*retain = true.*\n/, "");
    const { coverage } = JSON.parse((await run({ "tests.conf": half }, "--json")).stdout) as {
      coverage: { rules: number; missed: object[] }[];
    };
    expect(coverage[0]).toMatchObject({
      rules: 3,
      missed: [{ rule: 3, at: { line: 3 }, text: '{allow, {ipaddr, "10.0.0.0/8"}, all, ["net"]}' }],
    });
  });

  it.each([
    [
      "an unknown key",
      "tests = [{ client { clientid = c }, publsh = a, expect = allow }]",
      "did you mean `publish`?",
    ],
    [
      "an unknown client",
      "tests = [{ client = x, publish = a, expect = allow }]",
      "there is no client `x`",
    ],
    [
      "no expectation",
      "tests = [{ client { clientid = c }, publish = a }]",
      "what is to be expected?",
    ],
    ["no question", "tests = [{ client { clientid = c } }]", "write publish, subscribe or connect"],
    [
      "a bad QoS",
      "tests = [{ client { clientid = c }, publish = a, qos = 3, expect = allow }]",
      "from 0 to 2",
    ],
    [
      "a bad verdict",
      "tests = [{ client { clientid = c }, publish = a, expect = yes }]",
      "`expect` is allow or deny",
    ],
    [
      "a bad time",
      'now = "soon"\ntests = [{ client { clientid = c }, publish = a, expect = allow }]',
      "`now` is a time",
    ],
    ["no tests", "tests = []", "there are no tests in this file"],
    [
      "a question after a refusal",
      "tests = [{ client { clientid = c }, connect = deny, publish = a, expect = allow }]",
      "can ask for nothing",
    ],
    [
      "attributes beside a token",
      "tests = [{ client { clientid = c, token { sub = c }, attrs { a = b } }, connect = allow }]",
      "attributes come from authentication",
    ],
    ["broken HOCON", "tests = [", "tests.conf:"],
  ])("exits with 2 for %s, and says where", async (_, tests, message) => {
    const { code, stderr } = await run({ "tests.conf": tests });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("tests.conf:");
  });

  it("exits with 2 without tests, without a policy, and for a policy that cannot be used", async () => {
    const empty = await run({});
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain("no tests below");
    const files = new TestDirectory({ "tests.conf": RIGHT });
    onTestFinished(() => files.remove());
    const { code, stderr } = await runCli("test", files.path);
    expect(code).toBe(2);
    expect(stderr).toContain("names no policy");
    const broken = await run({ "tests.conf": RIGHT, "acl.conf": "{allow, all" });
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain("acl.conf:1:");
  });
});

describe("portcullis test --help", () => {
  it("shows a test file that can be read", async () => {
    const { stdout } = await runCli("test", "--help");
    const example = /^ {2}policy: [\s\S]*?(?=\n\n)/m.exec(stdout)?.[0] ?? "";
    expect(parseTestFile(example, "help.yaml").cases).toHaveLength(3);
  });
});

describe("portcullis test --watch", () => {
  const ONE = `clients: { u: { clientid: c, username: u, attrs: { site: x } } }
tests:
  - { client: u, publish: a/x, expect: allow }
`;

  it("runs again when a rule file, a test file or a new one changes, and ends with the last code", async () => {
    const files = new TestDirectory({ ...FILES, "tests.yaml": ONE });
    onTestFinished(() => files.remove());
    const run = startCli(["test", files.path, "--watch"]);
    onTestFinished(() => void run.child.kill("SIGKILL"));
    // Each report is waited for before the next file is written.
    await run.until(/\n1 passed, 0 failed\n[\s\S]*watching/);
    files.write("acl.conf", "{deny, all}.\n");
    await run.until(/0 passed, 1 failed\n/);
    await run.until(/(watching[\s\S]*){2}/);
    files.write("tests.yaml", `${ONE}  - { client: u, publish: a/y, expect: deny, line: 1 }\n`);
    await run.until(/1 passed, 1 failed\n/);
    await run.until(/(watching[\s\S]*){3}/);
    files.write("tests.yaml", "tests: [");
    await run.until(/tests\.yaml:1:9: error: not YAML/);
    await run.until(/(watching[\s\S]*){4}/);
    files.write("tests.yaml", ONE);
    await run.until(/(0 passed, 1 failed\n[\s\S]*){2}/);
    await run.until(/(watching[\s\S]*){5}/);
    files.write("b.test.yaml", ONE.replace("expect: allow", "expect: deny"));
    await run.until(/1 passed, 1 failed\n[\s\S]*1 passed, 1 failed\n/);
    await run.until(/(watching[\s\S]*){6}/);
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(1);
  });

  it.each([
    ["SIGINT", ONE, 0],
    ["SIGTERM", ONE, 0],
    ["SIGINT", "tests: [", 2],
  ] as const)("ends with %s when the tests are %j with %i", async (signal, tests, code) => {
    const files = new TestDirectory({ ...FILES, "tests.yaml": tests });
    onTestFinished(() => files.remove());
    const run = startCli(["test", files.path, "--watch"]);
    onTestFinished(() => void run.child.kill("SIGKILL"));
    await run.until(/watching/);
    run.child.kill(signal);
    expect(await run.ended).toBe(code);
  });
});
