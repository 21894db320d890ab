import { describe, expect, it } from "vitest";
import type { Rule, Who } from "../../../../src/compile/rule/ast.ts";
import { compileRules } from "../../../../src/compile/rule/compile.ts";
import { resolveSwitches } from "../../../../src/config/compatibility.ts";
import { allow, EVERYONE, filter } from "../../../support/rule-builders.ts";

const at = { file: "acl.conf", line: 3, column: 7 };

function issuesOf(rule: Rule, preset: "strict" | "emqx" = "strict") {
  const { issues } = compileRules([{ ...rule, at }], { switches: resolveSwitches(preset) });
  return issues.map(({ severity, code, at: place }) => ({ severity, code, place }));
}

function nested(depth: number): Who {
  let who: Who = { type: "equal", field: { name: "username" }, value: "a" };
  for (let i = 1; i < depth; i++) who = { type: "and", of: [who, EVERYONE] };
  return who;
}

describe("compileRules", () => {
  it.each([
    "${peerhost}/x",
    "${username}/${user}",
    "${ clientid }",
    "${clientid",
    "${client_attrs.}",
  ])("refuses %s in strict mode, with the rule's place", (text) => {
    const error = { severity: "error", code: "ERR_CONFIG_PLACEHOLDER", place: at };
    expect(issuesOf(allow([filter(text)]))).toEqual([error]);
  });

  it.each(["${.username}", "${client_attrs.my-attr}", "${$}{peerhost}", "$username", "%u"])(
    "takes %s in strict mode",
    (text) => {
      expect(issuesOf(allow([filter(text)]))).toEqual([]);
    },
  );

  it("only warns of unknown placeholders in emqx mode", () => {
    const warning = { severity: "warning", code: "WARN_CONFIG_PLACEHOLDER", place: at };
    expect(issuesOf(allow([filter("${peerhost}/x")]), "emqx")).toEqual([warning]);
    expect(issuesOf(allow([filter("${ clientid }")]), "emqx")).toEqual([]);
  });

  it("places an issue at the topic where its position is known", () => {
    const place = { ...at, line: 4 };
    const entry = { type: "filter", text: "${nope}", at: place } as const;
    expect(issuesOf(allow([entry]))[0]?.place).toEqual(place);
  });

  it("refuses a pattern that the engine cannot run", () => {
    const who = (pattern: string): Who => ({
      type: "pattern",
      field: { name: "username" },
      pattern,
    });
    expect(issuesOf(allow("all", who("^a(?=b*)")))).toEqual([
      { severity: "error", code: "ERR_CONFIG_PATTERN", place: at },
    ]);
    expect(issuesOf(allow("all", who("^a(?=b)")))).toEqual([]);
  });

  it("takes conditions nested to the limit and refuses one level more", () => {
    expect(issuesOf(allow("all", nested(64)))).toEqual([]);
    expect(issuesOf(allow("all", nested(65)))).toEqual([
      { severity: "error", code: "ERR_CONFIG_NESTING", place: at },
    ]);
  });

  it("checks the topics of rules that never apply", () => {
    const never: Who = { type: "or", of: [] };
    expect(issuesOf(allow([filter("${nope}")], never))).toHaveLength(1);
  });

  it("refuses a template that is not UTF-8, which could never match", () => {
    const text = Uint8Array.of(0xe9, 0x2f, ...new TextEncoder().encode("${clientid}"));
    expect(issuesOf(allow([filter(text)]))[0]?.code).toBe("ERR_CONFIG_TOPIC");
    expect(issuesOf(allow([filter(text)]), "emqx")[0]?.severity).toBe("warning");
    expect(issuesOf(allow([filter(text.subarray(0, 2))]))).toEqual([]);
  });
});
