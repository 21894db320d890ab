import { describe, expect, test } from "vitest";
import { TOKEN_RULES_MAX } from "../../../../assembly/abi.ts";
import {
  describeTokenAclProblem,
  readTokenAcl,
  type TokenAcl,
} from "../../../../src/compile/acl/index.ts";
import { type Preset, resolveSwitches } from "../../../../src/config/compatibility.ts";
import { JsonFloat } from "../../../../src/json/parse.ts";

const RULE = { permission: "allow", action: "pub", topic: "t" };

function read(claim: unknown, preset: Preset = "strict"): TokenAcl {
  return readTokenAcl(claim, {
    switches: resolveSwitches(preset),
    validatePattern: (pattern) => (pattern === "(" ? "group is not closed" : undefined),
  });
}

describe("a list of rules", () => {
  test.each([
    [{}, "invalid_rule"],
    [1, "invalid_rule"],
    [{ permission: "allow", topic: "t" }, "invalid_rule"],
    [{ action: "pub", topic: "t" }, "invalid_rule"],
    [{ permission: "allow", action: "pub" }, "missing_topic_or_topics"],
    [{ ...RULE, topic: 1 }, "missing_topic_or_topics"],
    [{ ...RULE, topic: ["a"] }, "missing_topic_or_topics"],
    [{ ...RULE, permission: "Allow" }, "invalid_permission"],
    [{ ...RULE, permission: true }, "invalid_permission"],
    [{ ...RULE, action: "PUB" }, "invalid_action"],
    [{ ...RULE, action: null }, "invalid_action"],
    [{ ...RULE, qos: 3 }, "invalid_qos"],
    [{ ...RULE, qos: "0, 1" }, "invalid_qos"],
    [{ ...RULE, qos: "" }, "invalid_qos"],
    [{ ...RULE, qos: [[0]] }, "invalid_qos"],
    [{ ...RULE, qos: new JsonFloat(1, "1.0") }, "invalid_qos"],
    [{ ...RULE, retain: new JsonFloat(1, "1.0") }, "invalid_retain"],
    [new JsonFloat(1, "1.0"), "invalid_rule"],
    [{ ...RULE, retain: "TRUE" }, "invalid_retain"],
    [{ ...RULE, username_re: "" }, "invalid_username_re"],
    [{ ...RULE, clientid_re: "(" }, "invalid_clientid_re"],
    [{ ...RULE, zone: "" }, "invalid_zone"],
    [{ ...RULE, zone_re: 1 }, "invalid_zone_re"],
    [{ ...RULE, listener: 1 }, "invalid_listener"],
    [{ ...RULE, listener_re: "(" }, "invalid_listener_re"],
    [{ ...RULE, ipaddr: "" }, "invalid_ipaddr"],
  ])("with %j is refused in both modes: %s", (rule, kind) => {
    const refused = { type: "refused", problem: { kind, where: 1 } };
    expect(read([RULE, rule])).toEqual(refused);
    expect(read([RULE, rule], "emqx")).toEqual(refused);
  });

  test.each([
    ["username_re", "invalid_username_re"],
    ["zone", "invalid_zone"],
    ["ipaddr", "invalid_ipaddr"],
  ])("a %s of null is left out in strict mode, and refused in emqx mode", (key, kind) => {
    const left = read([RULE]);
    expect(left.type).toBe("rules");
    expect(read([{ ...RULE, [key]: null }])).toEqual(left);
    expect(read([{ ...RULE, [key]: null }], "emqx")).toEqual({
      type: "refused",
      problem: { kind, where: 0 },
    });
  });

  test.each([
    [[{ ...RULE, ipaddr: "bad" }], "invalid_ipaddr", 0],
    [[{ permission: "allow", action: "pub", topics: [1] }], "invalid_topic", 0],
    [[{ permission: "allow", action: "pub", topics: [["a", null]] }], "invalid_topic", 0],
    [null, "invalid_acl", undefined],
    ["a", "invalid_acl", undefined],
    [1, "invalid_acl", undefined],
    [new JsonFloat(1, "1.0"), "invalid_acl", undefined],
  ])("like %j is refused, and fails the authenticator in emqx mode", (claim, kind, where) => {
    const problem = where === undefined ? { kind } : { kind, where };
    expect(read(claim)).toEqual({ type: "refused", problem });
    expect(read(claim, "emqx")).toEqual({ type: "crashed", problem });
  });

  test("falls through to the sources", () => {
    expect(read([])).toEqual({ type: "rules", form: "list", rules: [], otherwise: "no_match" });
  });

  test("reads options and conditions in their many spellings", () => {
    const acl = read([
      { ...RULE, action: "all", qos: "0,2", retain: 1, zone: "z", ipaddr: "10.0.0.0/8" },
      { ...RULE, action: "sub", qos: [1, "2"], retain: "TRUE", topics: ["x"] },
      {
        permission: "deny",
        action: "publish",
        topics: ["eq #", ["a/", 98]],
        qos: [],
        retain: null,
      },
    ]);
    expect(acl).toMatchObject({
      rules: [
        {
          permission: "allow",
          actions: 0b101_100010,
          who: {
            type: "and",
            of: [
              { type: "equal", field: { name: "zone" }, value: "z" },
              { type: "address", ranges: [{ prefixLength: 8 }] },
            ],
          },
          topics: [{ type: "filter", text: "t" }],
        },
        { actions: 0b110_000000, who: { type: "all" }, topics: [{ text: "t" }] },
        {
          permission: "deny",
          actions: 0,
          topics: [
            { type: "equal", text: "#" },
            { type: "filter", text: "a/b" },
          ],
        },
      ],
    });
  });

  test("ignores identities and inherited keys", () => {
    const acl = read([{ ...RULE, username: "other", clientid: 1, client_attr: {}, x: null }]);
    expect(acl).toMatchObject({ type: "rules", rules: [{ who: { type: "all" } }] });
    expect(read([Object.create(RULE)])).toMatchObject({ type: "refused" });
  });

  test("may have as many rules as the limit and no more", () => {
    const rules = (count: number): unknown[] => new Array(count).fill(RULE);
    expect(read(rules(TOKEN_RULES_MAX))).toMatchObject({ type: "rules" });
    expect(read(rules(TOKEN_RULES_MAX + 1))).toEqual({
      type: "refused",
      problem: { kind: "too_many_rules" },
    });
  });

  test("may spell a text in lists as deep as the limit and no deeper", () => {
    const nested = (depth: number): unknown => (depth === 0 ? "a" : [nested(depth - 1)]);
    expect(read({ pub: [nested(16)] })).toMatchObject({ rules: [{ topics: [{ text: "a" }] }] });
    expect(read({ pub: [nested(17)] })).toMatchObject({ type: "refused" });
  });

  test("with an unknown placeholder is refused in strict mode only", () => {
    const claim = [{ ...RULE, topic: "t/${password}" }];
    expect(read(claim)).toMatchObject({ type: "refused", problem: { kind: "invalid_topic" } });
    expect(read(claim, "emqx")).toMatchObject({ type: "rules" });
  });

  test("with text that is no Unicode is refused", () => {
    expect(read([{ ...RULE, topic: "\ud800" }])).toMatchObject({ type: "refused" });
    expect(read({ pub: ["\udfff"] })).toMatchObject({ type: "refused" });
  });
});

describe("a map of topics", () => {
  test("allows what it lists and denies the rest", () => {
    expect(read({ all: ["#"], pub: ["a", "eq b"], sub: [], publish: ["x"] })).toEqual({
      type: "rules",
      form: "map",
      otherwise: "deny",
      rules: [
        {
          permission: "allow",
          who: { type: "all" },
          actions: 63,
          topics: [
            { type: "filter", text: "a" },
            { type: "equal", text: "b" },
          ],
        },
        {
          permission: "allow",
          who: { type: "all" },
          actions: 511,
          topics: [{ type: "filter", text: "#" }],
        },
      ],
    });
    expect(read({})).toEqual({ type: "rules", form: "map", rules: [], otherwise: "deny" });
  });

  test.each(["a", null, [1], [null], [{ topic: "a" }], {}, [["a", {}]]])(
    "with a key that is %j is refused; in emqx mode it fails once that key is reached",
    (sub) => {
      const claim = { pub: ["a"], sub, all: ["#"] };
      expect(read(claim)).toEqual({
        type: "refused",
        problem: { kind: "invalid_topic", where: "sub" },
      });
      expect(read(claim, "emqx")).toMatchObject({
        type: "rules",
        form: "map",
        rules: [{ actions: 63 }],
        otherwise: "failure",
      });
    },
  );

  test("is no map when the token has no such claim", () => {
    expect(read(undefined)).toEqual({ type: "none" });
  });
});

test("problems name their place and no value", () => {
  const message = (claim: unknown): string | undefined => {
    const acl = read(claim);
    return acl.type === "refused" ? describeTokenAclProblem(acl.problem) : undefined;
  };
  expect(message([RULE, { ...RULE, qos: "secret" }])).toBe("rule 2 of the acl claim: invalid_qos");
  expect(message({ sub: "secret" })).toBe("`sub` of the acl claim: invalid_topic");
  expect(message("secret")).toBe("the acl claim: invalid_acl");
});
