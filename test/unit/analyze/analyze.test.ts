import { describe, expect, it } from "vitest";
import { analyzeRules, FINDINGS_PER_CODE_MAX, type Finding } from "../../../src/analyze/index.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { readRules } from "../../support/acl.ts";

function analyze(text: string, preset: "strict" | "emqx" = "strict", stepsMax?: number): Finding[] {
  const { rules, issues } = readRules(text, preset);
  expect(issues.filter(({ severity }) => severity === "error")).toEqual([]);
  return analyzeRules(rules, resolveSwitches(preset), { stepsMax });
}

const idle = (findings: readonly Finding[]): number[] =>
  findings.filter(({ code }) => /SHADOWED|NEVER/.test(code)).map(({ rule }) => rule);

describe("shadowed rules", () => {
  it.each([
    ["the same level between wildcards", "a/+/c", "a/b/c", true],
    ["another depth", "a/+", "a/b/c", false],
    ["the parent of a subtree", "a/#", "a", true],
    ["a subtree under one level", "a/+", "a/#", false],
    ["both spellings of everything", "+/#", "#", true],
    ["a system topic under a leading wildcard", "#", "$SYS/x", false],
    ["a system topic under its own prefix", "$SYS/#", "$SYS/x", true],
    ["the same placeholder", "u/${clientid}/#", "u/${clientid}/x", true],
    ["another placeholder", "u/${clientid}/#", "u/${username}/x", false],
    ["any value under a wildcard", "u/+/x", "u/${username}/x", true],
    ["a value that must not begin with $ under a wildcard", "+/x", "${clientid}/x", true],
    ["a level that begins with $ under a wildcard", "+/x", "${$}v${clientid}/x", false],
    ["text around a placeholder", "u/d-${clientid}", "u/d-${clientid}", true],
    ["a literal under a placeholder", "u/${clientid}", "u/x", false],
  ])("%s", (_, earlier, later, isShadowed) => {
    const text = `{deny, all, publish, ["${earlier}"]}.\n{allow, all, publish, ["${later}"]}.\n`;
    expect(idle(analyze(text))).toEqual(isShadowed ? [2] : []);
  });

  it("are not claimed of deny rules for values that only deny rules take", () => {
    const pair = (first: string, later: string): string =>
      `{${first}, all, publish, ["u/\${clientid}/#"]}.\n{deny, all, publish, ["${later}"]}.\n`;
    expect(idle(analyze(pair("allow", "u/${clientid}/#")))).toEqual([]);
    expect(idle(analyze(pair("deny", "u/${clientid}/#")))).toEqual([2]);
    expect(idle(analyze(pair("deny", "u/${clientid}")))).toEqual([]);
    const below = '{allow, all, publish, ["u/#"]}.\n{deny, all, publish, ["u/${clientid}"]}.\n';
    expect(idle(analyze(below))).toEqual([2]);
  });

  it("go by the value that a condition gives to a placeholder", () => {
    const text = (id: string): string =>
      `{allow, all, publish, ["u/\${clientid}"]}.\n{deny, {clientid, "${id}"}, publish, ["u/x"]}.\n`;
    expect(idle(analyze(text("x")))).toEqual([2]);
    expect(idle(analyze(text("y")))).toEqual([]);
  });

  it("are not claimed in emqx mode where a value could hold a wildcard", () => {
    const text = '{allow, all, publish, ["+/x"]}.\n{deny, all, publish, ["${clientid}/x"]}.\n';
    expect(idle(analyze(text, "emqx"))).toEqual([]);
    const below = '{allow, all, publish, ["a/#"]}.\n{deny, all, publish, ["a/${clientid}"]}.\n';
    expect(idle(analyze(below, "emqx"))).toEqual([2]);
    const same =
      '{allow, all, publish, ["${clientid}/x"]}.\n{deny, all, publish, ["${clientid}/x"]}.\n';
    expect(idle(analyze(same, "emqx"))).toEqual([2]);
  });

  it("know that an allow rule admits only filters it contains, and a deny rule goes by levels", () => {
    // The deny rule also refuses the subscription `a/#`, which the allow rule does not contain.
    const text = '{allow, all, subscribe, ["a/+"]}.\n{deny, all, subscribe, ["a/+"]}.\n';
    expect(idle(analyze(text))).toEqual([]);
    expect(idle(analyze(text, "emqx"))).toEqual([2]);
    const wide = '{allow, all, subscribe, ["a/#"]}.\n{deny, all, subscribe, ["a/+"]}.\n';
    expect(idle(analyze(wide))).toEqual([2]);
  });

  it("need the whole action", () => {
    const text = (qos: string): string =>
      `{allow, all, {publish, [{qos, [0, 1]}]}, ["a"]}.\n{deny, all, {publish, [{qos, ${qos}}]}, ["a"]}.\n`;
    expect(idle(analyze(text("1")))).toEqual([2]);
    expect(idle(analyze(text("[1, 2]")))).toEqual([]);
  });

  it("include rules that no client or request can meet, but not those of another security profile", () => {
    expect(
      idle(
        analyze(`{allow, {'and', [{clientid, "a"}, {clientid, "b"}]}, publish, ["a"]}.
{allow, all, {publish, [{qos, []}]}, ["a"]}.
{allow, all, publish, [{eq, "a/#"}]}.
{allow, all, publish, ["a/#/b"]}.
{allow, {security_profile, hardened}}.
`),
      ),
    ).toEqual([1, 2, 3, 4]);
  });
});

describe("conflicts", () => {
  const conflicts = (text: string): Finding[] =>
    analyze(text).filter(({ code }) => code === "WARN_ANALYZE_CONFLICT");

  it.each([
    ["an exception before the rule", 'deny, all, publish, ["a/b"]', 'allow, all, publish, ["a/#"]'],
    [
      "certain clients before everyone",
      'allow, {username, "root"}, publish, ["#"]',
      'deny, all, publish, ["a/+/b"]',
    ],
    ["no common action", 'deny, all, subscribe, ["a/+/c"]', 'allow, all, publish, ["a/b/#"]'],
    [
      "no common client",
      'deny, {username, "a"}, publish, ["a/+/c"]',
      'allow, {username, "b"}, publish, ["a/b/#"]',
    ],
    ["no common topic", 'deny, all, publish, ["a/+/c"]', 'allow, all, publish, ["a/b/d/#"]'],
    ["one permission", 'allow, all, publish, ["a/+/c"]', 'allow, all, publish, ["a/b/#"]'],
  ])("are not %s", (_, first, second) => {
    expect(conflicts(`{${first}}.\n{${second}}.\n`)).toEqual([]);
  });

  it("name the client for whom two templates meet", () => {
    const [found] = conflicts(
      '{deny, all, publish, ["u/${clientid}/#"]}.\n{allow, all, publish, ["u/+/x", "u/7/y"]}.\n',
    );
    expect(found).toMatchObject({
      rule: 2,
      others: [1],
      overlap: "u/${clientid}/x",
      example: "u/x/x",
    });
    const [literal] = conflicts(
      '{deny, all, publish, ["u/d-${clientid}/+"]}.\n{allow, all, publish, ["u/d-7/y"]}.\n',
    );
    expect(literal?.message).toContain("for a client with client id `7`");
  });
});

describe("large files", () => {
  const RULES = 5_000;
  const lines = (line: (at: number) => string): string =>
    `${Array.from({ length: RULES }, (_, at) => line(at)).join("\n")}\n{deny, all}.\n`;

  it.each([
    ["distinct filters", (at: number) => `{allow, all, publish, ["f${at}/+/x"]}.`],
    [
      "users on one filter",
      (at: number) =>
        `{${at % 2 ? "allow" : "deny"}, {username, "u${at}"}, all, ["s/#", "x/\${clientid}"]}.`,
    ],
    [
      "wildcards in front",
      (at: number) => `{${at % 2 ? "allow" : "deny"}, all, publish, ["+/a${at}/#"]}.`,
    ],
  ])("of %s are analyzed to the end", (_, line) => {
    expect(analyze(lines(line))).toEqual([]);
  });

  it("stop with a notice when the work set aside is used up", () => {
    const text = '{allow, all, publish, ["a/#"]}.\n{deny, all, publish, ["a/b"]}.\n{deny, all}.\n';
    const [notice, ...more] = analyze(text, "strict", 3);
    expect(notice).toMatchObject({ code: "WARN_ANALYZE_LIMIT", rule: 2 });
    expect(more).toEqual([]);
    expect(analyze(text, "strict", 1000).map(({ code }) => code)).toEqual([
      "WARN_ANALYZE_SHADOWED",
    ]);
  });

  it("list so many findings of a kind and count the rest", () => {
    const text = `{deny, all, publish, ["#"]}.\n${'{allow, all, publish, ["a"]}.\n'.repeat(FINDINGS_PER_CODE_MAX + 2)}`;
    const findings = analyze(text);
    expect(findings).toHaveLength(FINDINGS_PER_CODE_MAX + 1);
    expect(findings.at(-1)?.message).toBe(
      "2 more findings like WARN_ANALYZE_SHADOWED are not listed",
    );
  });
});

describe("denied deliveries", () => {
  const of = (deny: string, allow: string): Finding[] =>
    analyze(`{deny, all, ${deny}, ["a/secret"]}.\n{allow, all, ${allow}, ["a/#"]}.\n`).filter(
      ({ code }) => code === "WARN_ANALYZE_DELIVERY",
    );

  it("are told where both rules speak about the same QoS, and only there", () => {
    expect(of("subscribe", "{subscribe, [{qos, 1}]}")).toMatchObject([
      { rule: 2, others: [1], severity: "note", example: "a/secret" },
    ]);
    expect(of("{subscribe, [{qos, 2}]}", "{subscribe, [{qos, [0, 1]}]}")).toEqual([]);
    expect(of("publish", "subscribe")).toEqual([]);
  });

  it("beyond those that are listed are counted in a note, not a warning", () => {
    const count = FINDINGS_PER_CODE_MAX + 3;
    const rules = Array.from(
      { length: count },
      (_, n) => `{deny, all, subscribe, ["x${n}/s"]}.\n{allow, all, subscribe, ["x${n}/#"]}.`,
    );
    const findings = analyze(rules.join("\n"));
    expect(findings).toHaveLength(FINDINGS_PER_CODE_MAX + 1);
    expect(findings.at(-1)).toMatchObject({
      code: "WARN_ANALYZE_LIMIT",
      severity: "note",
      message: "3 more such notes on deliveries are not listed",
    });
  });
});
