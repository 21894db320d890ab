import { describe, expect, it, onTestFinished } from "vitest";
import { runCli, TestDirectory } from "../../support/cli.ts";

const CONFIG = `
portcullis.allow_anonymous = true
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

function directory(acl: string): TestDirectory {
  const made = new TestDirectory({ "p.conf": CONFIG, "acl.conf": acl });
  onTestFinished(() => made.remove());
  return made;
}

interface JsonFinding {
  readonly code: string;
  readonly rule: number;
  readonly others: readonly number[];
  readonly overlap?: string;
  readonly example?: string;
  readonly at: { readonly line: number };
  readonly othersAt: readonly { readonly line: number }[];
}

async function findingsOf(acl: string, ...more: readonly string[]): Promise<JsonFinding[]> {
  const files = directory(acl);
  const { code, stdout } = await runCli(
    "check",
    files.file("p.conf"),
    "--analyze",
    "--json",
    ...more,
  );
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { findings: JsonFinding[] }).findings;
}

const codesOf = (findings: readonly JsonFinding[]): string[] =>
  findings.map(({ code, rule }) => `${code.replace("WARN_ANALYZE_", "")} ${rule}`);

describe("portcullis check --analyze", () => {
  it("names both places of a rule that never applies", async () => {
    const files = directory(
      '{allow, all, publish, ["a/#"]}.\n{deny, {username, "u"}, publish, ["a/b"]}.\n{deny, all}.\n',
    );
    const { code, stdout, stderr } = await runCli("check", files.file("p.conf"), "--analyze");
    expect(code).toBe(0);
    expect(files.without(stderr)).toContain(
      "acl.conf:2:1: warning: this rule never applies: rule 1 (",
    );
    expect(files.without(stderr)).toContain("acl.conf:1) decides everything it speaks about");
    expect(stdout).toContain("1 finding)");
  });

  it("says nothing about a file in order, nor without --analyze", async () => {
    const acl =
      '{deny, all, publish, ["a/secret"]}.\n{allow, all, publish, ["a/#"]}.\n{deny, all}.\n';
    expect(await findingsOf(acl)).toEqual([]);
    const files = directory('{deny, all}.\n{allow, all, publish, ["a"]}.\n');
    const { stderr, stdout } = await runCli("check", files.file("p.conf"));
    expect(stderr).not.toContain("never applies");
    expect(stdout).not.toContain("finding");
  });

  it("gives the overlap of a conflict as a filter, with a topic", async () => {
    const [conflict, ...more] = await findingsOf(
      '{deny, all, publish, ["a/+/c"]}.\n{allow, all, publish, ["a/b/#"]}.\n{deny, all}.\n',
    );
    expect(more).toEqual([]);
    expect(conflict).toMatchObject({
      code: "WARN_ANALYZE_CONFLICT",
      rule: 2,
      others: [1],
      overlap: "a/b/c",
      example: "a/b/c",
      at: { line: 2 },
      othersAt: [{ line: 1 }],
    });
  });

  it("counts several rules together, address ranges included", async () => {
    const acl = `{allow, {ipaddr, "10.0.0.0/9"}, publish, ["d"]}.
{allow, {ipaddr, "10.128.0.0/9"}, publish, ["d", "d/+/#"]}.
{allow, {ipaddr, "10.0.0.0/9"}, publish, ["d/+/#"]}.
{deny, {ipaddr, "10.0.0.0/8"}, publish, ["d/#"]}.
{deny, {ipaddr, "10.0.0.0/7"}, publish, ["d/#"]}.
`;
    const findings = await findingsOf(acl);
    const shadowed = findings.filter(({ code }) => code === "WARN_ANALYZE_SHADOWED");
    expect(shadowed.map(({ rule, others }) => ({ rule, others }))).toEqual([
      { rule: 4, others: [1, 2, 3] },
    ]);
  });

  it("takes the same placeholder for the same value, and another one for another", async () => {
    expect(
      codesOf(
        await findingsOf(`{allow, all, publish, ["u/\${clientid}/#"]}.
{allow, all, publish, ["u/\${clientid}/x"]}.
{allow, all, publish, ["u/\${username}/x"]}.
{allow, {clientid, "k"}, publish, ["u/k/y"]}.
{deny, all}.
`),
      ),
    ).toEqual(["SHADOWED 2", "SHADOWED 4"]);
  });

  it("warns of filters that are wider than their placeholder suggests", async () => {
    const findings = await findingsOf(`{allow, all, publish, ["\${username}/#"]}.
{allow, all, publish, ["+/\${clientid}"]}.
{allow, all, publish, ["u/\${clientid}/+"]}.
{allow, all, subscribe, ["#"]}.
`);
    expect(codesOf(findings)).toEqual(["WIDE 1", "WIDE 2", "WIDE 4"]);
  });

  it("warns of every placeholder in emqx mode, where values may hold wildcards", async () => {
    const acl = '{allow, all, publish, ["u/${clientid}/+"]}.\n';
    expect(codesOf(await findingsOf(acl, "--compatibility", "emqx"))).toEqual(["WIDE 1"]);
  });

  it("says that a denied topic is delivered where deliveries are not checked", async () => {
    const acl = '{deny, all, subscribe, ["a/secret"]}.\n{allow, all, subscribe, ["a/#"]}.\n';
    const files = directory(acl);
    const run = (preset: string) =>
      runCli("check", files.file("p.conf"), "--analyze", "--compatibility", preset);
    expect((await run("emqx")).stderr).toContain(
      "warning: a subscription to `a/#` delivers `a/secret` too",
    );
    expect((await run("strict")).stderr).toContain(
      "note: a subscription to `a/#` has each delivery checked",
    );
  });
});
