import { describe, expect, it } from "vitest";
import { whoCan } from "../../../src/analyze/who-can.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { readRules } from "../../support/acl.ts";

describe("with overlap_denies", () => {
  const switches = resolveSwitches("strict", { overlap_denies: true });
  const admitted = (text: string, topic: string): number[] => {
    const action = { type: "subscribe", qos: 0 } as const;
    const { admissions } = whoCan(readRules(text, "strict").rules, {
      ...{ action, topic, switches },
      noMatch: "deny",
    });
    return admissions.map(({ rule }) => rule);
  };

  it.each([
    // A client called `a/b` makes two levels of it, and one called `$x` none that a wildcard meets.
    ["${clientid}/#", "+/x/y", [2]],
    ["${clientid}/x", "#", [2]],
    ["a/${clientid}/#", "a/+/a", [2]],
    ["a/${clientid}/#", "a/#", []],
    ["a/b/#", "a/+/a", []],
  ])("a deny rule on %s does not keep everybody from %s by itself", (filter, topic, rules) => {
    const text = `{deny, all, all, ["${filter}"]}.\n{allow, all, all, ["#"]}.\n`;
    expect(admitted(text, topic)).toEqual(rules);
  });
});
