/** The deliberate differences of authorization §9, as the reference answers them. */
import { describe, expect, test } from "vitest";
import { readAcl } from "../../src/compile/acl/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { SwitchName } from "../../src/config/switch-names.ts";
import type { Action } from "../../src/types.ts";
import type { ReferenceClient } from "../reference/client.ts";
import { referenceDecide } from "../reference/decide.ts";
import { filterContains, filtersOverlap, topicMatches } from "../reference/topic.ts";

const PUBLISH: Action = { type: "publish", qos: 0, retain: false };
const SUBSCRIBE: Action = { type: "subscribe", qos: 0 };
const CLIENT: ReferenceClient = { clientId: "c1", username: "u1", peerHost: "127.0.0.1" };

interface Question {
  readonly acl: string;
  readonly topic: string;
  readonly action?: Action;
  readonly client?: Partial<ReferenceClient>;
  readonly overrides?: Partial<Record<SwitchName, boolean>>;
}

function decide({ acl, topic, action = PUBLISH, client = {}, overrides = {} }: Question): string {
  const switches = resolveSwitches("strict", overrides);
  const { rules, issues } = readAcl(acl, { file: "f", switches, securityProfile: "legacy" });
  expect(issues.filter(({ severity }) => severity === "error")).toEqual([]);
  return referenceDecide(rules, { ...CLIENT, ...client }, action, topic, switches).verdict;
}

const allow = (topic: string): string => `{allow, all, all, ["${topic}"]}.`;
const deny = (topic: string): string => `{deny, all, all, ["${topic}"]}.`;

describe("allow rules contain the requested filter", () => {
  test.each([
    // filter, requested, contains, matches token by token
    ["a/#", "a/b/#", true, true],
    ["a/#", "a/+", true, true],
    ["a/#", "a", true, true],
    ["#", "+/#", true, true],
    ["+/#", "#", true, true],
    ["a/+", "a/#", false, true],
    ["+", "#", false, true],
    ["a/+/#", "a/#", false, true],
    ["a/+/+", "a/+/#", false, true],
    ["a/+", "a/+", true, true],
    ["a/+", "a/b", true, true],
    ["a/b", "a/+", false, false],
    ["a/b", "a/#", false, false],
    ["#", "$SYS/#", false, false],
    ["+/x", "$SYS/x", false, false],
    ["$SYS/#", "$SYS/+", true, true],
    ["#/a", "#/a", true, true],
    ["+", "a/b", false, false],
  ])("`%s` for `%s`: %s", (filter, requested, contains, matches) => {
    expect(filterContains(filter, requested)).toBe(contains);
    expect(topicMatches(filter, requested)).toBe(matches);
    const question = { acl: allow(filter), topic: requested, action: SUBSCRIBE };
    expect(decide(question)).toBe(contains ? "allow" : "nomatch");
    expect(decide({ ...question, overrides: { subscribe_containment: false } })).toBe(
      matches ? "allow" : "nomatch",
    );
  });

  test("while deny rules still go token by token", () => {
    expect(decide({ acl: deny("a/+"), topic: "a/#", action: SUBSCRIBE })).toBe("deny");
  });

  test("and eq entries are exact", () => {
    expect(decide({ acl: allow("eq a/#"), topic: "a/#", action: SUBSCRIBE })).toBe("allow");
    expect(decide({ acl: allow("eq a/#"), topic: "a/b", action: SUBSCRIBE })).toBe("nomatch");
  });
});

describe("overlap denies", () => {
  test.each([
    ["a/b", "a/#", true],
    ["a/b/c", "a/+/c", true],
    ["a/b", "+/b", true],
    ["a", "a/#", true],
    ["a/+", "+/b", true],
    ["a/b", "a/c", false],
    ["a/b", "a/b/+", false],
    ["$SYS/x", "#", false],
    ["$SYS/x", "+/x", false],
    ["$SYS/x", "$SYS/#", true],
  ])("`%s` against `%s`: %s", (filter, requested, overlaps) => {
    expect(filtersOverlap(filter, requested)).toBe(overlaps);
    expect(filtersOverlap(requested, filter)).toBe(overlaps);
    const question = { acl: deny(filter), topic: requested, action: SUBSCRIBE };
    const overrides = { overlap_denies: true };
    expect(decide({ ...question, overrides })).toBe(overlaps ? "deny" : "nomatch");
    if (!topicMatches(filter, requested)) expect(decide(question)).toBe("nomatch");
  });
});

describe("placeholder values", () => {
  const asUser = (username: string | null, topic: string, overrides = {}): string =>
    decide({ acl: allow("u/${username}/x"), topic, client: { username }, overrides });

  test.each(["#", "+", "a/b", "a+b", "a\nb", "a\u0000b", "a\u007f", "a\u0085"])(
    "like %j never match",
    (username) => {
      const topic = `u/${username}/x`;
      expect(asUser(username, topic)).toBe("nomatch");
      expect(asUser(username, topic, { safe_placeholders: false })).not.toBe("nomatch");
    },
  );

  test("may have separators when that is switched on", () => {
    expect(asUser("a/b", "u/a/b/x", { separator_in_placeholder: true })).toBe("allow");
    expect(asUser("a/+", "u/a/b/x", { separator_in_placeholder: true })).toBe("nomatch");
  });

  test("cannot begin a topic with `$`", () => {
    const question = { acl: allow("${username}/x"), topic: "$SYS/x", client: { username: "$SYS" } };
    expect(decide(question)).toBe("nomatch");
    expect(decide({ ...question, overrides: { safe_placeholders: false } })).toBe("allow");
    expect(asUser("$SYS", "u/$SYS/x")).toBe("allow");
    const inside = { acl: allow("$SYS/${username}"), topic: "$SYS/$u", client: { username: "$u" } };
    expect(decide(inside)).toBe("allow");
  });

  test("that are absent or empty never match", () => {
    expect(asUser(null, "u/undefined/x")).toBe("nomatch");
    expect(asUser("", "u//x")).toBe("nomatch");
    expect(asUser(null, "u/undefined/x", { absent_never_matches: false })).toBe("allow");
    expect(asUser("", "u//x", { absent_never_matches: false })).toBe("allow");
  });

  test("escapes are always escapes, and names may have hyphens", () => {
    expect(decide({ acl: allow("${$}{clientid}"), topic: "${clientid}" })).toBe("allow");
    const client = { clientAttrs: { "my-attr": "v" } };
    const acl = allow("${client_attrs.my-attr}/${$}");
    expect(decide({ acl, topic: "v/$", client })).toBe("allow");
    expect(decide({ acl, topic: "w/$", client })).toBe("nomatch");
  });
});

describe("mapped addresses", () => {
  const from = (peerHost: string, range: string, overrides = {}): string =>
    decide({
      acl: `{allow, {ipaddr, "${range}"}, all, all}.`,
      topic: "t",
      client: { peerHost },
      overrides,
    });

  test("are the IPv4 addresses they stand for", () => {
    expect(from("::ffff:10.1.2.3", "10.0.0.0/8")).toBe("allow");
    expect(from("10.1.2.3", "::ffff:10.0.0.0/104")).toBe("allow");
    expect(from("::ffff:11.1.2.3", "10.0.0.0/8")).toBe("nomatch");
    expect(from("::ffff:10.1.2.3", "::/0")).toBe("nomatch");
  });

  test("are IPv6 addresses with standard_addresses off", () => {
    const overrides = { standard_addresses: false };
    expect(from("::ffff:10.1.2.3", "10.0.0.0/8", overrides)).toBe("nomatch");
    expect(from("::ffff:10.1.2.3", "::ffff:10.0.0.0/104", overrides)).toBe("allow");
  });
});
