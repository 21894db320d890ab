/** Short ways to read rules in tests. */
import { type AclReading, readAcl } from "../../src/compile/acl/index.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { type Preset, resolveSwitches } from "../../src/config/compatibility.ts";
import type { Text } from "../../src/types.ts";

export function readRules(text: Text, preset: Preset = "strict"): AclReading {
  return readAcl(text, {
    file: "acl.conf",
    switches: resolveSwitches(preset),
    securityProfile: "legacy",
    validatePattern: (pattern) => (pattern === "(" ? "group is not closed" : undefined),
  });
}

/** The only rule of a text that has to be right. */
export function readRule(text: Text, preset: Preset = "strict"): Rule {
  const { rules, issues } = readRules(text, preset);
  const [rule] = rules;
  if (!rule || rules.length !== 1 || issues.some(({ severity }) => severity === "error")) {
    throw new Error(`not one right rule: ${JSON.stringify(issues)}`);
  }
  return rule;
}

/** Issues as `line:column code`, for comparing. */
export function issuesOf(text: Text, preset: Preset = "strict"): string[] {
  return readRules(text, preset).issues.map(
    ({ code, at }) => `${at?.line}:${at?.column} ${code.replace(/_CONFIG_ACL_/, " ")}`,
  );
}
