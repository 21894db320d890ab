import { describe, expect, test } from "vitest";
import { readAcl } from "../../../../src/compile/acl/index.ts";
import { resolveSwitches } from "../../../../src/config/compatibility.ts";
import { issuesOf, readRule, readRules } from "../../../support/acl.ts";

describe("rules that are refused", () => {
  test.each([
    ['{permit, all, all, ["a"]}.', "1:2 ERR PERMISSION", undefined],
    ['{"allow", all, all, all}.', "1:2 ERR PERMISSION", "`allow`"],
    ["{permit, all}.", "1:2 ERR RULE", "{allow, …}"],
    ["allow.", "1:1 ERR RULE", undefined],
    ["[{allow, all}].", "1:1 ERR RULE", "without brackets"],
    ["#{permission => allow}.", "1:1 ERR RULE", undefined],
    ['{allow, {username, "alice"}}.', "1:1 ERR RULE", "{allow, …, all, all}"],
    ['{allow, "all"}.', "1:1 ERR RULE", "all, all"],
    ['{allow, {username, "x"}, publish}.', "1:1 ERR RULE", "topics"],
    ["{allow, all, all}.", "1:1 ERR RULE", "topics"],
    ['{allow, all, publish, ["a"], x}.', "1:1 ERR RULE", "topics"],
    ["{allow, all, publish, {eq, a}}.", "1:23 ERR RULE", '["t/#"]'],
    ['{allow, all, publish, <<"a">>}.', "1:23 ERR RULE", '["t/#"]'],
    ['{allow, all, publish, "t/#"}.', "1:23 ERR TOPIC", '["t/#"]'],
    ["{allow, all, publish, [all]}.", "1:24 ERR TOPIC", "without brackets"],
    ["{allow, all, publish, ['a']}.", "1:24 ERR TOPIC", '"a"'],
    ["{allow, all, publish, [{eq, 1}]}.", "1:24 ERR TOPIC", undefined],
    ['{allow, all, publish, [<<"é/#">>]}.', "1:24 ERR TOPIC", "utf8"],
    ['{allow, all, publsh, ["a"]}.', "1:14 ERR ACTION", "`publish`"],
    ['{allow, all, pub, ["a"]}.', "1:14 ERR ACTION", "`publish`"],
    ['{allow, all, [publish, subscribe], ["a"]}.', "1:14 ERR ACTION", "`all` for both"],
    ['{allow, all, {publish, qos}, ["a"]}.', "1:24 ERR ACTION", "[{qos, 1}]"],
    ["{allow, all, {publish, [{qos, 3}]}, all}.", "1:31 ERR QOS", undefined],
    ["{allow, all, {publish, [{qos, [0, 5]}]}, all}.", "1:35 ERR QOS", undefined],
    ["{allow, all, {subscribe, [qos]}, all}.", "1:27 ERR QOS", "{qos, 1}"],
    ["{allow, all, {publish, [{retain, yes}]}, all}.", "1:34 ERR RETAIN", undefined],
    ["{allow, none, all, all}.", "1:9 ERR WHO", "`all`"],
    ['{allow, {usrname, "a"}, all, all}.', "1:9 ERR WHO", "`username`"],
    ['{allow, {peerhost, "a"}, all, all}.', "1:9 ERR WHO", "`ipaddr`"],
    ["{allow, {'not', all}, all, all}.", "1:9 ERR WHO", "no `not`"],
    ["{allow, {username}, all, all}.", "1:9 ERR WHO", "{username, …}"],
    ['{allow, {client_attr, "g"}, all, all}.', "1:9 ERR WHO", "value"],
    ["{allow, {'or', all}, all, all}.", "1:16 ERR WHO", "[ … ]"],
    ["{allow, {security_profile, strict}, all, all}.", "1:28 ERR WHO", undefined],
    ["{allow, {security_profile, strict}}.", "1:28 ERR WHO", undefined],
    ['{allow, {username, {eq, "a"}}, all, all}.', "1:20 ERR TEXT", "username"],
    ['{allow, {client_attr, 1, "a"}, all, all}.', "1:23 ERR TEXT", "name"],
    ["{allow, {client_attr, a, 1}, all, all}.", "1:26 ERR TEXT", undefined],
    ["{allow, {username, {re, 1}}, all, all}.", "1:25 ERR TEXT", undefined],
    ['{allow, {username, {re, "("}}, all, all}.', "1:25 ERR PATTERN", undefined],
    ['{allow, {ipaddr, "bad"}, all, all}.', "1:18 ERR ADDRESS", undefined],
    ['{allow, {ipaddr, "10.0.0.0/33"}, all, all}.', "1:18 ERR ADDRESS", undefined],
    ['{allow, {ipaddr, <<"127.0.0.1">>}, all, all}.', "1:18 ERR ADDRESS", '"10.0.0.0/8"'],
    ["{allow, {ipaddr, {127,0,0,1}}, all, all}.", "1:18 ERR ADDRESS", '"10.0.0.0/8"'],
    ['{allow, {ipaddrs, "127.0.0.1"}, all, all}.', "1:19 ERR ADDRESS", "ipaddrs"],
    ['{allow, {ipaddr, "127.1"}, all, all}.', "1:18 ERR ADDRESS", "four numbers"],
    ["{allow, {zone, 1}, all, all}.", "1:16 ERR TEXT", "zone"],
    ['{allow, all, all, ["t/${client_id}"]}.', "1:20 ERR PLACEHOLDER", "${clientid}"],
    ['{allow, all, all, ["t/${client_attrs.a.b}"]}.', "1:20 ERR PLACEHOLDER", undefined],
  ])("%s", (text, issue, hint) => {
    expect(issuesOf(text)).toEqual([issue]);
    expect(readRules(text).rules).toEqual([]);
    if (hint !== undefined) expect(readRules(text).issues[0]?.hint).toContain(hint);
  });

  test("name everything that is wrong with them", () => {
    const text = '{permit, {usr, "a"}, {pub, []}, [1, "a", x]}.\n{deny, all}.';
    expect(issuesOf(text)).toEqual([
      "1:2 ERR PERMISSION",
      "1:10 ERR WHO",
      "1:23 ERR ACTION",
      "1:34 ERR TOPIC",
      "1:42 ERR TOPIC",
    ]);
    expect(readRules(text).rules).toHaveLength(1);
  });

  test("carry the configuration path they were given", () => {
    const switches = resolveSwitches("strict");
    const { issues } = readAcl("x.", {
      file: "f",
      path: "authorization.sources[0]",
      switches,
      securityProfile: "legacy",
    });
    expect(issues[0]?.path).toBe("authorization.sources[0]");
  });
});

describe("rules that read as if they did something", () => {
  test.each([
    ["{allow, all, all, []}.", "1:19 WARN TOPIC"],
    ['{allow, all, all, ["#/a"]}.', "1:20 WARN TOPIC"],
    ['{allow, all, all, ["a#"]}.', "1:20 WARN TOPIC"],
    ['{allow, all, all, ["t/%u"]}.', "1:20 WARN PLACEHOLDER"],
    ['{allow, all, all, ["t/${clientid"]}.', "1:20 WARN PLACEHOLDER"],
    ['{allow, all, all, [{eq, "${clientid}"}]}.', "1:20 WARN PLACEHOLDER"],
    ["{allow, all, {subscribe, [{retain, true}]}, all}.", "1:27 WARN OPTION"],
    ["{allow, all, {publish, [{qoss, 1}]}, all}.", "1:25 WARN OPTION"],
    ["{allow, {username, all}, all, all}.", "1:20 WARN WHO"],
  ])("%s is warned of", (text, issue) => {
    expect(issuesOf(text)).toEqual([issue]);
    expect(readRules(text).rules).toHaveLength(1);
  });

  test.each(["+/a/#", "#", "${client_attrs.my-attr}/${$}{x}", "%/a"])(
    "`%s` is nothing to warn of",
    (topic) => expect(issuesOf(`{allow, all, all, ["${topic}"]}.`)).toEqual([]),
  );

  test("unknown placeholders are warnings in emqx mode", () => {
    const text = '{allow, all, all, ["${peerhost}/${client_attrs.my-attr}"]}.';
    expect(issuesOf(text, "emqx")).toEqual(["1:20 WARN PLACEHOLDER", "1:20 WARN PLACEHOLDER"]);
  });
});

describe("what rules become", () => {
  test("two parts speak of every action and topic", () => {
    expect(readRule("{deny, all}.")).toMatchObject({
      permission: "deny",
      who: { type: "all" },
      actions: 511,
      topics: "all",
    });
    expect(readRule("{allow, {security_profile, hardened}}.").who).toEqual({
      type: "constant",
      value: false,
    });
  });

  test.each([
    ["publish", 0b000_111111],
    ["subscribe", 0b111_000000],
    ["all", 0b111_111111],
    ["{publish, []}", 0b000_111111],
    ["{publish, [{qos, 1}]}", 0b000_001100],
    ["{publish, [{qos, 0}, {qos, [2]}]}", 0b000_110011],
    ["{publish, [{qos, []}]}", 0],
    ["{publish, [{qos, []}, {qos, 1}]}", 0b000_001100],
    ["{publish, [retain]}", 0b000_101010],
    ["{publish, [{retain, false}, {retain, true}]}", 0b000_010101],
    ["{publish, [{retain, all}]}", 0b000_111111],
    ["{subscribe, [{qos, 2}]}", 0b100_000000],
    ["{all, [{qos, 2}, {retain, true}]}", 0b100_100000],
  ])("action %s has the bits %i", (action, bits) =>
    expect(readRule(`{allow, all, ${action}, all}.`).actions).toBe(bits),
  );

  test("an unread retain option is not even validated", () => {
    expect(readRule("{allow, all, {subscribe, [{retain, bogus}]}, all}.").actions).toBe(448);
  });

  test("topics keep their form", () => {
    const topics = '["a/+", <<"b">>, "eq #", {eq, c}, <<"eq ${x}">>, {eq, <<255>>}, [], ["eq d"]]';
    expect(readRule(`{allow, all, all, ${topics}}.`).topics).toEqual([
      { type: "filter", text: "a/+" },
      { type: "filter", text: "b" },
      { type: "equal", text: "#" },
      { type: "equal", text: "c" },
      { type: "equal", text: "${x}" },
      { type: "equal", text: Uint8Array.of(255) },
      { type: "filter", text: "" },
      { type: "filter", text: "eq d" },
    ]);
  });

  test("conditions nest, and user and client are other names", () => {
    const who = "{'and', [{user, a}, {'or', [{client, {re, \"^b\"}}, {client_attr, g, \"G\"}]}]}";
    expect(readRule(`{allow, ${who}, all, all}.`).who).toEqual({
      type: "and",
      of: [
        { type: "equal", field: { name: "username" }, value: "a" },
        {
          type: "or",
          of: [
            { type: "pattern", field: { name: "clientid" }, pattern: "^b" },
            { type: "equal", field: { name: "client_attr", attr: "g" }, value: "G" },
          ],
        },
      ],
    });
  });

  test("a zone that is no text fails when reached, in emqx mode only", () => {
    expect(readRule("{allow, {zone, 1}, all, all}.", "emqx").who).toEqual({ type: "raise" });
  });
});

test("a file as operators write it reads without a word, and decides in order", () => {
  const text = [
    "%% -*- mode: erlang -*-",
    "%% Dashboard and local tools.",
    '{allow, {username, {re, "^dashboard$"}}, subscribe, ["$SYS/#"]}.',
    '{allow, {ipaddr, "127.0.0.1"}, all, ["$SYS/#", "#"]}.   % loopback',
    "",
    '{deny, all, subscribe, ["$SYS/#", {eq, "#"}, {eq, "+/#"}]}.',
    '{allow, all, {publish, [{qos, [0, 1]}, {retain, false}]}, ["up/${clientid}/#"]}.',
    "{allow, {security_profile, legacy}}.",
    "{deny, all}.",
  ].join("\r\n");
  for (const preset of ["strict", "emqx"] as const) {
    const { rules, issues } = readRules(text, preset);
    expect(issues).toEqual([]);
    expect(rules.map(({ at }) => at?.line)).toEqual([3, 4, 6, 7, 8, 9]);
  }
});

test("messages spell out control characters", () => {
  const [issue] = readRules("{allow, 'a\u001b[31m', all, all}.").issues;
  expect(issue?.message).toBe("unknown condition `a\\x1b[31m`");
});
