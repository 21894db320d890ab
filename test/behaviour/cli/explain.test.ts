import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";
import { signToken } from "../../support/policy.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const TOKEN = signToken({ sub: "urn:test:unitid:dev-1:clientid:test", scp: "read openid" }, SECRET);

const made = new TestDirectory({
  "token.txt": `${TOKEN}\n`,
  "p.conf": `
authentication = [
  {
    mechanism = cinfo
    checks = [{ is_match = "str_neq(nth(4, tokens(jwt_value(password, 'sub'), ':')), clientid)", result = deny }]
  }
  { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}" }
]
mqtt.client_attrs_init = [
  { expression = "nth(1, tokens(jwt_value(password, 'scp'), ' '))", set_as_attr = scope }
  { expression = "upper(password)", set_as_attr = made_of_the_password }
]
authorization.sources = [{ type = file, path = "a/folder/with/a/rather/long/name/acl.conf" }]
`,
  "a/folder/with/a/rather/long/name/acl.conf": `{allow, all, subscribe, ["myorg/\${client_attrs.scope}/#"]}.
{allow, {user, "admin"}, subscribe, ["#"]}.
{allow, all, publish, ["myorg/#"]}.
{deny, all}.
`,
});
afterAll(() => made.remove());

const CLIENT = ["-c", made.file("p.conf"), "--password-file", made.file("token.txt")];

async function explain(
  ...args: readonly string[]
): Promise<{ code: number; text: string; stderr: string }> {
  const { code, stdout, stderr } = await runCli("explain", ...args);
  expect(stdout + stderr).not.toContain(TOKEN);
  expect((stdout + stderr).toLowerCase()).not.toContain(TOKEN.split(".")[1]!.toLowerCase());
  return { code, text: made.without(stdout), stderr };
}

describe("portcullis explain --auth-method", () => {
  const client = [...CLIENT, "-i", "dev-1"];

  it("gives the password as Authentication Data", async () => {
    const { code, text } = await explain("connect", ...client, "--auth-method", "OAUTH2-JWT");
    expect(code).toBe(0);
    expect(text).toContain("ALLOW connect: ok, by jwt");
    // Nothing of it is an attribute: CONNECT has no password then.
    expect(text).toMatch(/client_attrs +scope +not set/);
  });

  it("names a method that nobody knows", async () => {
    const { code, text } = await explain("connect", ...client, "--auth-method", "GS2-KRB5");
    expect(code).toBe(1);
    expect(text).toContain("DENY  connect: unknown_auth_method, by chain, CONNACK 0x8c");
  });
});

describe("portcullis explain connect", () => {
  it("shows the steps in columns, and why each check held or not", async () => {
    const { code, text } = await explain("connect", ...CLIENT, "-i", "dev-1");
    expect(code).toBe(0);
    expect(`\n${text}`).toBe(`
identity        tcp:default           resolved  clientid "dev-1", username (none)
client_attrs    scope                 set       "read", of a token not verified yet
    client_attrs.scope is
      nth(1, tokens(jwt_value(password, 'scp'), ' ')) → "read"
        tokens(jwt_value(password, 'scp'), ' ') → ["read", "openid"]
          jwt_value(password, 'scp') → "read openid"
            password → (hidden)
client_attrs    made_of_the_password  set       (hidden)
    client_attrs.made_of_the_password is
      upper(password) → (hidden)
        password → (hidden)
authentication  cinfo                 ignore    all_ignored
    check 1: deny when true
      str_neq(nth(4, tokens(jwt_value(password, 'sub'), ':')), clientid) → false
        nth(4, tokens(jwt_value(password, 'sub'), ':')) → "dev-1"
          tokens(jwt_value(password, 'sub'), ':') → ["urn", "test", "unitid", "dev-1", "clientid", "test"]
            jwt_value(password, 'sub') → "urn:test:unitid:dev-1:clientid:test"
              password → (hidden)
        clientid → "dev-1"
authentication  jwt                   ok

ALLOW connect: ok, by jwt
`);
  });

  it("says no with exit code 1, by the check and not by the signature", async () => {
    const { code, text } = await explain("connect", ...CLIENT, "-i", "dev-2");
    expect(code).toBe(1);
    expect(text).toContain(
      "str_neq(nth(4, tokens(jwt_value(password, 'sub'), ':')), clientid) → true",
    );
    expect(text).toMatch(/\nDENY {2}connect: check_denied, by cinfo, CONNACK 0x86\n$/);
  });

  it("has one row for each authenticator, and one of its own for what came of them otherwise", async () => {
    const conf = `authentication = [
      { mechanism = cinfo, checks = [{ is_match = "str_eq(clientid, 'bad')", result = deny }] }
      { mechanism = password_based, backend = http, method = get, url = "http://127.0.0.1:1/\${username}" }
    ]`;
    const rows = async (file: string, ...client: readonly string[]): Promise<string[]> => {
      const { text } = await explain("connect", "-c", file, ...client);
      const lines = text.split("\n").filter((line) => line.startsWith("authentication"));
      return lines.map((line) => line.replace(/ +/g, " ").replace(/; .*$/, "").trim());
    };
    const strict = made.write("rows.conf", conf);
    const emqx = made.write("rows-emqx.conf", `portcullis.compatibility = emqx\n${conf}`);
    const ignored = "authentication cinfo ignore all_ignored";
    const failed = "authentication password_based:http failure the server cannot be reached";
    expect(await rows(strict, "-i", "bad")).toEqual(["authentication cinfo deny check_denied"]);
    expect(await rows(strict, "-i", "dev", "-u", "ann")).toEqual([
      ...[ignored, failed, "authentication password_based:http deny backend_unavailable"],
    ]);
    expect(await rows(emqx, "-i", "dev", "-u", "ann")).toEqual([
      ...[ignored, failed, "authentication chain deny all_ignored"],
    ]);
    const method = ["--auth-method", "X", "-P", "x"];
    expect(await rows(strict, "-i", "dev", ...method)).toEqual([
      "authentication chain deny unknown_auth_method",
    ]);
  });

  it("gives the same as JSON, without secrets", async () => {
    const { code, text } = await explain("connect", ...CLIENT, "-i", "dev-1", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      verdict: "allow",
      connect: {
        by: "jwt",
        session: { clientAttrs: { scope: "read", made_of_the_password: "(hidden)" } },
      },
      expressions: [{ path: "mqtt.client_attrs_init[1].expression" }, {}, {}],
    });
  });

  it("takes the token from stdin", async () => {
    const args = ["-c", made.file("p.conf"), "-i", "dev-1", "--password-file", "-"];
    const run = startCli(["explain", "connect", ...args], { input: `${TOKEN}\n` });
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toContain("ALLOW connect: ok, by jwt");
  });

  it("explains a client that does not fit", async () => {
    const file = made.write("huge.txt", "x".repeat(3_000_000));
    const args = ["-c", made.file("p.conf"), "-i", "dev-1", "--password-file", file];
    const { code, text, stderr } = await explain("connect", ...args);
    expect([code, stderr]).toEqual([1, ""]);
    expect(text).toContain("DENY  connect: core_failed, by core, CONNACK 0x87");
  });

  it("reports a configuration that cannot be used as check does, with exit code 2", async () => {
    const broken = made.write("broken.conf", "mqtt.max_topic_levls = 3");
    const { code, text, stderr } = await explain("connect", "-c", broken, "-i", "x");
    expect([code, text]).toEqual([2, ""]);
    expect(stderr).toContain("did you mean `max_topic_levels`?");
  });
});

describe("portcullis explain publish and subscribe", () => {
  it("names the deciding rule with its place", async () => {
    const { code, text } = await explain("publish", "myorg/x", ...CLIENT, "-i", "dev-1");
    expect(code).toBe(0);
    expect(text).toContain(`
ALLOW publish "myorg/x": rule 3 of file
      a/folder/with/a/rather/long/name/acl.conf:3:1: {allow, all, publish, ["myorg/#"]}
`);
  });

  it("lists, for a denial, what came closest and what differs", async () => {
    const { code, text } = await explain("subscribe", "myorg/#", ...CLIENT, "-i", "dev-1");
    expect(code).toBe(1);
    const acl = "a/folder/with/a/rather/long/name/acl.conf";
    expect(text).toContain(`
DENY  subscribe "myorg/#": rule 4 of file
      ${acl}:4:1: {deny, all}
      what came closest to allowing it:
        ${acl}:1 covers only myorg/read/#
        ${acl}:2 is for clients whose username is \`admin\`
        ${acl}:3 allows only publish
`);
    // Wide places do not break the columns.
    const outcomes = made
      .without(text)
      .split("\n")
      .filter((line) => /^[a-z]/.test(line))
      .map((line) => line.search(/(resolved|set|ignore|ok|allow|no match|applies)( |$)/));
    expect(new Set(outcomes.slice(-4)).size).toBe(1);
  });
});

describe("the rules in an explanation", () => {
  const CONF = `portcullis.allow_anonymous = true
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

  async function explainAcl(
    acl: string,
    ...args: readonly string[]
  ): Promise<{ code: number; lines: string[] }> {
    const files = new TestDirectory({ "p.conf": CONF, "acl.conf": acl });
    onTestFinished(() => files.remove());
    const result = await runCli("explain", ...args, "-c", files.file("p.conf"), "-i", "c");
    return { code: result.code, lines: files.without(result.stdout).split("\n") };
  }

  it("name the QoS, retain flag and addresses that they want", async () => {
    const acl = `{allow, {ipaddrs, ["10.0.0.0/8", "::1"]}, {publish, [{qos, 1}, {retain, true}]}, ["a"]}.
{allow, all, {publish, [{qos, [1, 2]}]}, ["a"]}.
`;
    const { code, lines } = await explainAcl(acl, "publish", "a");
    expect(code).toBe(1);
    expect(lines.slice(-5)).toEqual([
      'DENY  publish "a": no_match, by default',
      "      what came closest to allowing it:",
      "        acl.conf:2 allows only publish with QoS 1, 2",
      "        acl.conf:1 allows only publish with QoS 1 retained and is for clients whose address is in 10.0.0.0/8 or ::1",
      "",
    ]);
  });

  it("include the deciding one, however many come before it", async () => {
    const rules = Array.from(
      { length: 300 },
      (_, n) => `{allow, {username, "u"}, publish, ["x/${n}"]}.`,
    );
    const acl = `${rules.join("\n")}\n{allow, {username, "u"}, all, ["near"]}.\n{deny, all}.\n`;
    const { lines } = await explainAcl(acl, "subscribe", "near");
    const steps = lines.filter((line) => line.startsWith("authorization"));
    expect(steps).toHaveLength(201);
    expect(steps[0]).toContain("102 more rules, which differ in more, are not shown");
    expect(steps.at(-2)).toMatch(/acl\.conf:301 +no match +client differs/);
    expect(steps.at(-1)).toMatch(/acl\.conf:302 +applies/);
    expect(lines).toContain("        acl.conf:301 is for clients whose username is `u`");
  });

  it("are put to the filter inside a shared one", async () => {
    const acl = '{allow, all, subscribe, ["a/#"]}.\n{deny, all}.\n';
    for (const filter of ["$share/g/a/b", "$queue/a/b", "$exclusive/a/b"]) {
      expect((await explainAcl(acl, "subscribe", filter)).code).toBe(0);
    }
    expect((await explainAcl(acl, "subscribe", "$share/a/b")).code).toBe(1);
  });

  it.each([
    ["publish", "a/+", "topic_name_error"],
    ["publish", "$delayed/x/a", "is no number of seconds"],
    ["subscribe", "a/#/b", "topic_invalid_#"],
    ["subscribe", "$share/g/", "topic_cannot_be_empty"],
    ["subscribe", "$queue/", "invalid_topic_filter"],
  ])("are not asked about %s %s, which no broker lets through", async (type, topic, why) => {
    const { code, lines } = await explainAcl("{allow, all}.\n", type, topic);
    expect(code).toBe(1);
    expect(lines.at(-3)).toBe(`DENY  ${type} "${topic}": malformed_topic, by packet`);
    expect(lines.at(-2)).toContain(why);
  });

  it("are those of the token first", async () => {
    const conf = `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "hmac-based"
  secret = "0123456789abcdef0123456789abcdef", from = password }]
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;
    const files = new TestDirectory({ "p.conf": conf, "acl.conf": '{allow, all, all, ["b"]}.\n' });
    onTestFinished(() => files.remove());
    const ask = async (acl: unknown, topic: string): Promise<string> => {
      const password = signToken({ acl }, "0123456789abcdef0123456789abcdef");
      const client = ["-c", files.file("p.conf"), "-i", "c", "-P", password];
      return files.without((await runCli("explain", "publish", topic, ...client)).stdout);
    };
    const list = [
      { permission: "deny", action: "publish", topic: "a/${clientid}" },
      { permission: "allow", action: "subscribe", topic: "a" },
    ];
    const denied = await ask(list, "a/c");
    expect(denied).toMatch(/^token acl +rule 1 +applies +deny publish → a\/c$/m);
    expect(denied).toContain('DENY  publish "a/c": rule 1 of the token\'s acl\n');
    expect(denied).not.toMatch(/^authorization/m);
    const passedOn = await ask(list, "b");
    expect(passedOn).toMatch(
      /^token acl +rule 2 +no match +action, topic differs: allow subscribe → a$/m,
    );
    expect(passedOn).toContain('ALLOW publish "b": rule 1 of file\n');
    const mapped = await ask({ pub: ["a"] }, "b");
    expect(mapped).toContain('DENY  publish "b": token_acl_no_match, by client_info\n');
    expect(mapped).toContain("rule 1 covers only a");
    expect(mapped).not.toMatch(/^authorization/m);
  });
});

describe("portcullis explain expression", () => {
  it("shows the value of every part and the steps used", async () => {
    const { code, text } = await explain(
      ...["expression", "iif(is_empty(username), nth(2, tokens(clientid, '-')), 'x')"],
      ...["--with", "clientid=dev-1", "--with", "client_attrs.a=b"],
    );
    expect(code).toBe(0);
    expect(`\n${text}`).toMatch(
      /^\niif\(.*\) → "1"\n {2}is_empty\(username\) → true\n {4}username → .*\n {2}nth\(2, .*\) → "1"\n {4}tokens\(clientid, '-'\) → \["dev", "1"\]\n {6}clientid → "dev-1"\n\nresult "1", in \d+ steps\n$/,
    );
  });

  it("shows where an error arose, with exit code 1", async () => {
    const { code, text } = await explain("expression", "lower(client_attrs.tns)");
    expect(code).toBe(1);
    expect(text).toContain("  client_attrs.tns → error var_unbound (client_attrs.tns)\n");
  });

  it("never shows the password", async () => {
    const expression = "concat([clientid, upper(password)])";
    const { code, text } = await explain("expression", expression, "-w", `password=${TOKEN}`);
    expect(code).toBe(0);
    expect(text).toContain("result (hidden)");
  });

  it.each([
    [
      ["lowerr(clientid)"],
      /expression:1:1: error: unknown function `lowerr`[\s\S]*did you mean `lower`\?/,
    ],
    [["clientid", "-w", "cliendid=x"], /`cliendid` is no variable; did you mean clientid\?/],
    [["clientid", "-w", "=x"], /write it as name=value/],
  ])("is used wrongly with %j", async (args, says) => {
    const { code, text, stderr } = await explain("expression", ...args);
    expect([code, text]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});
