import { describe, expect, it } from "vitest";
import { ANYBODY, alternativesOf, canEscape, isImplied } from "../../../src/analyze/condition.ts";
import { describeWho } from "../../../src/analyze/words.ts";
import type { Who } from "../../../src/compile/rule/ast.ts";
import { readRule } from "../../support/acl.ts";

/** The condition as acl.conf has it. */
const who = (text: string): Who => readRule(`{allow, ${text}, all, all}.`).who;

describe("isImplied", () => {
  it.each([
    ['{username, "a"}', "all"],
    ['{username, "a"}', '{username, "a"}'],
    ['{\'and\', [{username, "a"}, {clientid, "c"}]}', '{clientid, "c"}'],
    ['{username, "a"}', '{\'or\', [{clientid, "c"}, {username, "a"}]}'],
    [
      '{\'or\', [{username, "a"}, {username, "b"}]}',
      '{\'or\', [{username, "b"}, {username, "a"}]}',
    ],
    ['{ipaddr, "10.1.0.0/16"}', '{ipaddr, "10.0.0.0/8"}'],
    ['{ipaddr, "10.0.0.0/8"}', '{ipaddrs, ["10.0.0.0/9", "10.128.0.0/9"]}'],
    ['{ipaddr, "10.0.0.0/8"}', '{\'or\', [{ipaddr, "10.0.0.0/9"}, {ipaddr, "10.128.0.0/9"}]}'],
    ['{ipaddr, "fd00:1::/32"}', '{ipaddr, "fd00::/8"}'],
    ['{username, {re, "^a"}}', '{username, {re, "^a"}}'],
    ['{\'and\', [{username, "a"}, {username, "b"}]}', '{clientid, "whoever"}'],
    ["{'or', []}", '{clientid, "whoever"}'],
    ['{client_attr, "s", "x"}', '{client_attr, "s", "x"}'],
  ])("%s implies %s", (inner, outer) => {
    expect(isImplied(who(inner), who(outer))).toBe(true);
  });

  it.each([
    ["all", '{username, "a"}'],
    ['{username, "a"}', '{clientid, "a"}'],
    ['{username, "a"}', '{\'and\', [{username, "a"}, {clientid, "c"}]}'],
    ['{ipaddr, "10.0.0.0/8"}', '{ipaddrs, ["10.0.0.0/9", "10.128.0.0/10"]}'],
    ["all", '{ipaddrs, ["0.0.0.0/0", "::/0"]}'],
    ['{ipaddr, "0.0.0.0/0"}', '{ipaddr, "::/0"}'],
    ['{username, "abc"}', '{username, {re, "^a"}}'],
    ['{username, {re, "^ab"}}', '{username, {re, "^a"}}'],
    ['{username, {re, "^a"}}', '{clientid, {re, "^a"}}'],
    ['{client_attr, "s", "x"}', '{client_attr, "t", "x"}'],
    ["{'and', []}", "{'or', []}"],
  ])("%s does not imply %s, or that is not known", (inner, outer) => {
    expect(isImplied(who(inner), who(outer))).toBe(false);
  });

  it("says nothing of a condition that fails, or has too many alternatives", () => {
    expect(isImplied({ type: "raise" }, { type: "all" })).toBe(false);
    const pairs = Array.from(
      { length: 7 },
      (_, at): Who => ({
        type: "or",
        of: ["a", "b"].map(
          (value): Who => ({
            type: "equal",
            field: { name: "client_attr", attr: `k${at}` },
            value,
          }),
        ),
      }),
    );
    expect(alternativesOf({ type: "and", of: pairs.slice(0, 6) })).toHaveLength(64);
    expect(alternativesOf({ type: "and", of: pairs })).toBeUndefined();
  });
});

describe("canEscape", () => {
  it("runs out of addresses only where they are known to be in a range", () => {
    const halves = ["10.0.0.0/9", "10.128.0.0/9"].flatMap(
      (range) => alternativesOf(who(`{ipaddr, "${range}"}`)) ?? [],
    );
    const [ten] = alternativesOf(who('{ipaddr, "10.0.0.0/8"}')) ?? [];
    expect(canEscape(ten!, halves)).toBe(false);
    expect(canEscape(ten!, halves.slice(1))).toBe(true);
    expect(canEscape(ANYBODY, halves)).toBe(true);
  });
});

describe("describeWho", () => {
  it.each([
    ["all", "everyone"],
    ['{username, "a"}', "username is `a`"],
    ['{client, {re, "^a"}}', "client id matches `^a`"],
    ['{client_attr, "site", "x"}', "attribute `site` is `x`"],
    [
      '{ipaddrs, ["10.0.0.0/8", "127.0.0.1", "fd00::/8", "::1"]}',
      "address is in 10.0.0.0/8 or 127.0.0.1 or fd00::/8 or ::1",
    ],
    ['{ipaddr, "1:0:0:2:0:0:0:3"}', "address is in 1:0:0:2::3"],
    [
      "{'and', [{user, \"a\"}, {'or', [{zone, z}, {listener, \"tcp:x\"}]}]}",
      "username is `a` and (zone is `z` or listener is `tcp:x`)",
    ],
  ])("%s is %s", (text, words) => {
    expect(describeWho(who(text))).toBe(words);
  });
});
