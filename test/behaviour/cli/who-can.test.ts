import { describe, expect, it, onTestFinished } from "vitest";
import { type CliResult, runCli, TestDirectory } from "../../support/cli.ts";

const ACL = `{deny, {username, "mallory"}, all, ["plant/#"]}.
{allow, {ipaddr, "10.0.0.0/8"}, {publish, [{qos, 1}]}, ["plant/+/temp"]}.
{allow, all, publish, ["plant/\${clientid}/temp"]}.
{deny, all, subscribe, ["plant/secret"]}.
{allow, {username, "reader"}, subscribe, ["plant/#"]}.
{deny, all}.
{allow, all, publish, ["late"]}.
`;

const FILE = '{ type = file, path = "acl.conf" }';

function ask(acl: string, noMatch: string, ...args: readonly string[]): Promise<CliResult> {
  return askSources(FILE, acl, noMatch, ...args);
}

async function askSources(
  sources: string,
  acl: string,
  noMatch: string,
  ...args: readonly string[]
): Promise<CliResult> {
  const files = new TestDirectory({
    "p.conf": `portcullis.allow_anonymous = true
authorization { no_match = ${noMatch}, sources = [${sources}] }
`,
    "acl.conf": acl,
  });
  onTestFinished(() => files.remove());
  const [type, topic, ...options] = args;
  const result = await runCli("who-can", type!, topic!, "-c", files.file("p.conf"), ...options);
  return { ...result, stdout: files.without(result.stdout) };
}

describe("portcullis who-can", () => {
  it("lists the rules in order, the clients in words, and the deny rules before them", async () => {
    const { code, stdout } = await ask(ACL, "deny", "publish", "plant/7/temp", "--qos", "1");
    expect(code).toBe(0);
    expect(stdout).toBe(`who can publish "plant/7/temp":
ALLOW if address is in 10.0.0.0/8
      acl.conf:2: {allow, {ipaddr, "10.0.0.0/8"}, {publish, [{qos, 1}]}, ["plant/+/temp"]}
      except if username is \`mallory\`: acl.conf:1
ALLOW if client id is \`7\`
      acl.conf:3: {allow, all, publish, ["plant/\${clientid}/temp"]}
      except if username is \`mallory\`: acl.conf:1
`);
  });

  it("says that it does not look into the built-in database, where that is asked", async () => {
    for (const [enable, says] of [
      [true, true],
      [false, false],
    ]) {
      const database = `{ type = built_in_database, enable = ${enable} }`;
      const asked = (...more: string[]) =>
        askSources(`${database}, ${FILE}`, ACL, "deny", "publish", "late", ...more);
      expect((await asked()).stderr.includes("the built-in database have a say too")).toBe(says);
      const { stdout } = await asked("--json");
      expect(JSON.parse(stdout).notAsked).toEqual(says ? ["built_in_database"] : undefined);
    }
  });

  it("goes by the QoS that is asked about", async () => {
    const { stdout } = await ask(ACL, "deny", "publish", "plant/7/temp", "--qos", "0");
    expect(stdout).not.toContain("10.0.0.0/8");
  });

  it("exits with 1 when a deny rule for everyone comes first", async () => {
    const { code, stdout } = await ask(ACL, "deny", "publish", "late");
    expect(code).toBe(1);
    expect(stdout).toBe('nobody can publish "late": no allow rule is left for it\n');
  });

  it("tells what a subscription is not delivered", async () => {
    const { code, stdout } = await ask(ACL, "deny", "subscribe", "$share/g/plant/#");
    expect(code).toBe(0);
    expect(stdout).toContain("but is not delivered `plant/secret` (everyone): acl.conf:4");
  });

  it("refuses a wider filter than the rule's, and a wildcard in place of a placeholder", async () => {
    expect((await ask(ACL, "deny", "subscribe", "#")).code).toBe(1);
    const own = '{allow, all, subscribe, ["u/${clientid}"]}.\n';
    expect((await ask(own, "deny", "subscribe", "u/+")).code).toBe(1);
    expect((await ask(own, "deny", "subscribe", "u/x")).code).toBe(0);
  });

  it("counts whom no rule decides when no_match allows", async () => {
    expect(
      (await ask('{deny, {username, "x"}, all, ["a"]}.\n', "allow", "publish", "a")).code,
    ).toBe(0);
    expect((await ask('{deny, all, all, ["a"]}.\n', "allow", "publish", "a")).code).toBe(1);
  });

  it("says why a topic cannot be asked about", async () => {
    const { code, stdout } = await ask(ACL, "deny", "publish", "a/#");
    expect(code).toBe(1);
    expect(stdout).toContain("the topic name is not valid");
  });

  it("gives the same as JSON", async () => {
    const { stdout } = await ask(ACL, "deny", "publish", "plant/7/temp", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      anybody: true,
      admissions: [
        {
          rule: { number: 3, at: { line: 3 } },
          who: "if client id is `7`",
          except: [{ rule: { number: 1 }, isDelivery: false }],
        },
      ],
    });
  });
});
