/** `access_rules`: which addresses a listener takes connections from. */
import { describe, expect, it } from "vitest";
import { accessRuleIssues, compileAccessRules } from "../../../src/compile/access-rules.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/errors.ts";

function load(rules: string, preset: "strict" | "emqx" = "strict") {
  const text = `listeners.tcp.default.access_rules = ${rules}`;
  return loadConfig({ text, file: "test.conf", preset }).config;
}

function check(rules: string, address: string | undefined): boolean {
  const { listeners, switches } = load(rules);
  return compileAccessRules(listeners[0]!.accessRules, switches)(address);
}

const told = (rules: string) =>
  accessRuleIssues(load(rules)).map(({ severity, message }) => `${severity}: ${message}`);

describe("access rules", () => {
  it("let the first that holds decide, and everybody in whom none holds", () => {
    const rules = '["allow 10.1.2.3", "deny 10.0.0.0/8", "deny 2001:db8::/33"]';
    expect(check(rules, "10.1.2.3")).toBe(true);
    expect(check(rules, "10.1.2.4")).toBe(false);
    expect(check(rules, "11.0.0.0")).toBe(true);
    expect(check(rules, "9.255.255.255")).toBe(true);
    expect(check(rules, "2001:db8:7fff::1")).toBe(false);
    expect(check(rules, "2001:db8:8000::1")).toBe(true);
    expect(check('["deny all", "allow 10.0.0.0/8"]', "10.0.0.1")).toBe(false);
    expect(check('["allow all", "deny 10.0.0.0/8"]', "10.0.0.1")).toBe(true);
    expect(check("[]", "10.0.0.1")).toBe(true);
  });

  it("never hold an address of the other family, but for mapped ones", () => {
    expect(check('["deny 0.0.0.0/0"]', "::1")).toBe(true);
    expect(check('["deny ::/0"]', "127.0.0.1")).toBe(true);
    expect(check('["deny 10.0.0.0/8"]', "::ffff:10.0.0.1")).toBe(false);
  });

  it("keep out an address that nobody knows, unless everybody is let in", () => {
    for (const address of [undefined, "", "nonsense"]) {
      expect(check('["deny 10.0.0.0/8"]', address)).toBe(false);
      expect(check('["allow 10.0.0.0/8", "allow all"]', address)).toBe(false);
      expect(check('["allow all", "deny 10.0.0.0/8"]', address)).toBe(true);
      expect(check("[]", address)).toBe(true);
    }
  });

  it("are texts of two words", () => {
    for (const rule of ['"permit all"', '"allow"', '"allow all of them"', "{ allow = all }", "1"]) {
      expect(() => load(`[${rule}]`), rule).toThrow(ConfigError);
    }
    expect(load('["  deny   all "]').listeners[0]?.accessRules[0]).toMatchObject({ who: "all" });
  });

  it("are checked for addresses that are none", () => {
    expect(told('["allow 10.0.0.0/33", "deny 10.0", "deny all"]')).toEqual([
      "error: `10.0.0.0/33` has a prefix length that is not a number from 0 to 32",
      "error: `10.0` is not an IPv4 or IPv6 address",
    ]);
    expect(told('["allow 10.0.0.0/8"]')).toEqual([
      "warning: no rule denies anybody, so every address may connect",
    ]);
    expect(told('["allow all"]')).toEqual([]);
    expect(told('["allow 10.0.0.0/8", "deny all"]')).toEqual([]);
  });

  it("that cannot be read let nobody past", () => {
    const { switches } = load("[]");
    const rules = [{ permission: "deny", who: "nonsense" }] as const;
    expect(compileAccessRules(rules, switches)("10.0.0.1")).toBe(false);
  });
});
