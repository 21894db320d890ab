import { describe, expect, it } from "vitest";
import {
  ATTR_BYTES_MAX,
  ATTRS_MAX,
  CACHED_ROOTS_MAX,
  CLIENT_SLOTS,
  DECISION_STEPS_MAX,
  ERR_HANDLE,
  ERR_INPUT,
  SLOT_COUNT,
  SLOTS_ALL,
  TOKEN_RULES_MAX,
  TOPIC_BYTES_MAX,
  TOPIC_LEVELS_MAX,
} from "../../../assembly/abi.ts";
import type { Who } from "../../../src/compile/rule/ast.ts";
import { compileRules } from "../../../src/compile/rule/compile.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { encodeRequest } from "../../../src/core/request.ts";
import {
  actionBit,
  closeClient,
  decide,
  isCovered,
  openClient,
  setTokenRules,
} from "../../../src/core/rules.ts";
import {
  allow,
  deny,
  EVERYONE,
  equal,
  filter,
  PUBLISH,
  SUBSCRIBE,
  userIs,
} from "../../support/rule-builders.ts";
import { coreWith, decideOnce, newCore } from "../../support/rules-core.ts";

const strict = resolveSwitches("strict");
const emqx = resolveSwitches("emqx");
const publish = actionBit(PUBLISH);
const subscribe = actionBit(SUBSCRIBE);
const dev = { clientId: "dev", username: "alice" };
const NO_MATCH = { verdict: "no_match", origin: "image", rule: -1 };

function blobOf(rules: Parameters<typeof compileRules>[0]): Uint8Array {
  return compileRules(rules, { switches: strict }).blob;
}

describe("decide", () => {
  it("answers with the first rule that fits, wherever it stands in the index", () => {
    const core = coreWith([
      deny([filter("a/b")], userIs("bob")),
      allow([filter("a/+"), filter("x")]),
      deny([filter("a/b"), filter("#")]),
      allow("all"),
    ]);
    expect(decideOnce(core, dev, PUBLISH, "a/b")).toEqual({
      verdict: "allow",
      origin: "image",
      rule: 1,
    });
    expect(decideOnce(core, dev, PUBLISH, "a/b/c").rule).toBe(2);
    expect(decideOnce(core, dev, PUBLISH, "$SYS/x").rule).toBe(3);
    expect(decideOnce(core, { clientId: "x", username: "bob" }, PUBLISH, "a/b").rule).toBe(0);
  });

  it("finds no match without rules, and without an image's rules", () => {
    expect(decideOnce(coreWith([]), dev, PUBLISH, "a")).toEqual(NO_MATCH);
    expect(decideOnce(newCore(), dev, PUBLISH, "a")).toEqual(NO_MATCH);
  });

  it("finds one user's rule among many on the same topic, and not another's", () => {
    const users = Array.from({ length: 500 }, (_, i) => allow([filter("t/#")], userIs(`u${i}`)));
    const core = coreWith([...users, deny([filter("t/#")])]);
    for (const i of [0, 7, 499]) {
      expect(decideOnce(core, { clientId: "c", username: `u${i}` }, PUBLISH, "t/1").rule).toBe(i);
    }
    expect(decideOnce(core, { clientId: "c", username: "u500" }, PUBLISH, "t/1").rule).toBe(500);
    expect(decideOnce(core, { clientId: "u7", username: null }, PUBLISH, "t/1").rule).toBe(500);
  });

  it("keeps the order between rules for one user and rules for everyone", () => {
    const rules = Array.from({ length: 40 }, (_, i) =>
      i === 20
        ? deny([filter("t")], { type: "and", of: [EVERYONE, userIs("late")] })
        : i === 30
          ? deny([filter("t")])
          : allow([filter("t")], { type: "or", of: [userIs(`u${i}`), userIs(`v${i}`)] }),
    );
    const core = coreWith(rules);
    const ask = (username: string) =>
      decideOnce(core, { clientId: "c", username }, PUBLISH, "t").rule;
    expect([ask("v19"), ask("late"), ask("v29"), ask("u31"), ask("nobody")]).toEqual([
      19, 20, 29, 30, 30,
    ]);
  });

  it("gives the failure result where a condition raises, unless a lower rule decides", () => {
    const core = coreWith(
      [allow([filter("a")]), { ...allow([filter("never")]), who: { type: "raise" } }, deny("all")],
      emqx,
    );
    expect(decideOnce(core, dev, PUBLISH, "a").verdict).toBe("allow");
    expect(decideOnce(core, dev, PUBLISH, "b")).toEqual({
      verdict: "failed",
      origin: "image",
      rule: 1,
    });
  });

  it("gives the failure result among many rules for single users, too", () => {
    const who: Who = { type: "and", of: [{ type: "raise" }, userIs("u0")] };
    const users = Array.from({ length: 9 }, (_, i) => allow("all", userIs(`u${i}`)));
    const core = coreWith([allow("all", who), ...users], emqx);
    expect(decideOnce(core, { clientId: "c", username: "x" }, PUBLISH, "t").verdict).toBe("failed");
  });

  it("makes no record of a request that does not say everything a record holds", () => {
    const core = coreWith([allow("all")]);
    for (const slots of [CLIENT_SLOTS, SLOTS_ALL]) {
      encodeRequest(core, dev, slots);
      expect(core.exports.client_open()).toBeGreaterThan(0);
    }
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if ((CLIENT_SLOTS & (1 << slot)) === 0) continue;
      encodeRequest(core, dev, SLOTS_ALL & ~(1 << slot));
      expect(core.exports.client_open(), String(slot)).toBe(ERR_INPUT);
    }
  });

  it("takes a topic at the limits and refuses one past them", () => {
    const core = coreWith([allow("all")]);
    const handle = openClient(core, dev);
    const ask = (topic: string) => decide(core, handle, publish, topic).verdict;
    expect(ask("x".repeat(TOPIC_BYTES_MAX))).toBe("allow");
    expect(ask(Array(TOPIC_LEVELS_MAX).fill("x").join("/"))).toBe("allow");
    expect(() => ask("x".repeat(TOPIC_BYTES_MAX + 1))).toThrow(/too long/);
    expect(() =>
      ask(
        Array(TOPIC_LEVELS_MAX + 1)
          .fill("x")
          .join("/"),
      ),
    ).toThrow(/too many levels/);
    closeClient(core, handle);
  });
});

describe("conditions", () => {
  const pattern = (text: string): Who => ({
    type: "pattern",
    field: { name: "clientid" },
    pattern: text,
  });

  it("are answered the same when remembered and when evaluated again", () => {
    const count = CACHED_ROOTS_MAX + 2;
    const rules = Array.from({ length: count }, (_, i) => allow([filter("t")], pattern(`^c${i}$`)));
    const core = coreWith(rules);
    for (const i of [0, CACHED_ROOTS_MAX - 1, CACHED_ROOTS_MAX, CACHED_ROOTS_MAX + 1, count]) {
      const handle = openClient(core, { clientId: `c${i}` });
      const rule = i < count ? i : -1;
      expect(decide(core, handle, publish, "t").rule).toBe(rule);
      expect(decide(core, handle, publish, "t").rule).toBe(rule);
      closeClient(core, handle);
    }
  });

  it("deny when a decision runs out of steps, and go on where it stopped", () => {
    const clientId = "x".repeat(65_535);
    const enough = Math.floor(DECISION_STEPS_MAX / clientId.length) + 1;
    const rules = Array.from({ length: enough }, (_, i) => deny([filter("t")], pattern(`y${i}$`)));
    const core = coreWith([...rules, allow("all")]);
    const handle = openClient(core, { clientId });
    const ask = () => decide(core, handle, publish, "t");
    expect(ask()).toEqual({ verdict: "deny", origin: "image", rule: -1 });
    expect(ask()).toEqual({ verdict: "allow", origin: "image", rule: enough });
    closeClient(core, handle);
  });

  it("take an IPv4-mapped peer for the IPv4 address in strict mode only", () => {
    const ranges = [{ network: Uint8Array.of(10, 0, 0, 0), prefixLength: 9 }];
    const rules = [allow("all", { type: "address", ranges })];
    const mapped = (third: number) =>
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, third, 0, 1);
    const ask = (peerHost: Uint8Array | null, switches = strict) =>
      decideOnce(coreWith(rules, switches), { clientId: "c", peerHost }, PUBLISH, "t").verdict;
    expect([ask(mapped(127)), ask(mapped(128))]).toEqual(["allow", "no_match"]);
    expect(ask(mapped(127), emqx)).toBe("no_match");
    expect([ask(mapped(127).subarray(12)), ask(null)]).toEqual(["allow", "no_match"]);
  });
});

describe("subscriptions in strict mode", () => {
  const core = () => coreWith([allow([filter("a/+"), filter("+/#"), equal("e/#")])]);

  it.each(["a/x", "a/+", "+/#", "#", "q/r/s", "+", "e/#"])(
    "admit %s, which is contained",
    (wanted) => {
      expect(decideOnce(core(), dev, SUBSCRIBE, wanted).verdict).toBe("allow");
    },
  );

  it.each(["a/#", "+/x", "a/+/c", "#"])("refuse %s, which is broader", (wanted) => {
    const narrow = coreWith([allow([filter("a/+"), filter("a/b/c"), filter("+")])]);
    expect(decideOnce(narrow, dev, SUBSCRIBE, wanted).verdict).toBe("no_match");
  });

  it("are admitted token by token in emqx mode", () => {
    const core = coreWith([allow([filter("a/+")])], emqx);
    expect(decideOnce(core, dev, SUBSCRIBE, "a/#").verdict).toBe("allow");
  });

  it("are denied by overlap only on request", () => {
    const rules = [deny([filter("a/b")]), allow("all")];
    expect(decideOnce(coreWith(rules), dev, SUBSCRIBE, "a/#").rule).toBe(1);
    const overlap = resolveSwitches("strict", { overlap_denies: true });
    expect(decideOnce(coreWith(rules, overlap), dev, SUBSCRIBE, "a/#").rule).toBe(0);
    expect(decideOnce(coreWith(rules, overlap), dev, SUBSCRIBE, "c/#").rule).toBe(1);
  });
});

describe("placeholders", () => {
  const rules = [allow([filter("u/${username}/#"), filter("${clientid}/x")])];

  it.each(["+", "#", "a/b", "a\n", "a\u0085", "", "\0"])(
    "match nothing in strict mode for %j",
    (username) => {
      const core = coreWith(rules);
      for (const topic of [`u/${username}/x`, "u/a/x", "u/+/x", "u/a/b/x", "u//x"]) {
        expect(decideOnce(core, { clientId: "c", username }, PUBLISH, topic)).toEqual(NO_MATCH);
      }
    },
  );

  it("insert safe values in strict mode", () => {
    const core = coreWith(rules);
    expect(decideOnce(core, { clientId: "c", username: "é$" }, PUBLISH, "u/é$/x").verdict).toBe(
      "allow",
    );
    expect(decideOnce(core, { clientId: "$c", username: "$" }, PUBLISH, "u/$/x").verdict).toBe(
      "allow",
    );
    expect(decideOnce(core, { clientId: "$c" }, PUBLISH, "$c/x")).toEqual(NO_MATCH);
    expect(decideOnce(core, { clientId: "c" }, PUBLISH, "c/x").verdict).toBe("allow");
  });

  it("let values reshape the filter in emqx mode", () => {
    const core = coreWith(rules, emqx);
    const ask = (username: string | null, topic: string) =>
      decideOnce(core, { clientId: "c", username }, PUBLISH, topic).verdict;
    expect(ask("+", "u/any/x")).toBe("allow");
    expect(ask("a/b", "u/a/b/x")).toBe("allow");
    expect(ask(null, "u/undefined/x")).toBe("allow");
    expect(ask("", "u//x")).toBe("allow");
    expect(ask("a/b", "u/a/x")).toBe("no_match");
  });

  it("become a wildcard where an empty value leaves one, in emqx mode", () => {
    const core = coreWith([allow([filter("a/+${username}"), filter("b/#${username}")])], emqx);
    const ask = (username: string, topic: string) =>
      decideOnce(core, { clientId: "c", username }, PUBLISH, topic).verdict;
    expect([ask("", "a/x"), ask("", "b/x/y")]).toEqual(["allow", "allow"]);
    expect([ask("u", "a/x"), ask("u", "a/+u"), ask("u", "b/x/y")]).toEqual([
      "no_match",
      "allow",
      "no_match",
    ]);
  });
});

describe("a client's own rules", () => {
  it("are tried before the image's", () => {
    const core = coreWith([allow("all")]);
    const handle = openClient(core, dev);
    setTokenRules(core, handle, blobOf([allow([filter("own/${username}")]), deny([filter("a")])]));
    const ask = (topic: string) => decide(core, handle, publish, topic);
    expect(ask("own/alice")).toEqual({ verdict: "allow", origin: "token", rule: 0 });
    expect(ask("a")).toEqual({ verdict: "deny", origin: "token", rule: 1 });
    expect(ask("b")).toEqual({ verdict: "allow", origin: "image", rule: 0 });
    setTokenRules(core, handle, undefined);
    expect(ask("a").origin).toBe("image");
    closeClient(core, handle);
  });

  it("are limited in number", () => {
    const core = coreWith([]);
    const handle = openClient(core, dev);
    const rules = (count: number) => blobOf(Array.from({ length: count }, () => deny("all")));
    setTokenRules(core, handle, rules(TOKEN_RULES_MAX));
    expect(() => setTokenRules(core, handle, rules(TOKEN_RULES_MAX + 1))).toThrow(/rules/);
    expect(decide(core, handle, publish, "t").verdict).toBe("deny");
    closeClient(core, handle);
  });

  it("of one client are not another's", () => {
    const core = coreWith([]);
    const [a, b] = [openClient(core, dev), openClient(core, { clientId: "b" })];
    setTokenRules(core, a, blobOf([allow("all")]));
    setTokenRules(core, b, blobOf([deny("all")]));
    expect([decide(core, a, publish, "t").verdict, decide(core, b, publish, "t").verdict]).toEqual([
      "allow",
      "deny",
    ]);
    closeClient(core, b);
    expect(decide(core, a, publish, "t").verdict).toBe("allow");
    closeClient(core, a);
  });
});

describe("isCovered", () => {
  const ask = (rules: Parameters<typeof coreWith>[0], wanted: string) => {
    const core = coreWith(rules);
    const handle = openClient(core, dev);
    const answer = isCovered(core, handle, subscribe, wanted);
    closeClient(core, handle);
    return answer;
  };

  it("holds where an allow rule contains the filter and no lower deny rule meets it", () => {
    expect(ask([deny([filter("b/#")]), allow([filter("a/#")]), deny([filter("a/x")])], "a/+")).toBe(
      true,
    );
    expect(ask([allow("all")], "#")).toBe(true);
  });

  it("does not hold where some topic of the filter may be denied or unmatched", () => {
    expect(ask([deny([filter("a/x")]), allow([filter("a/#")])], "a/+")).toBe(false);
    expect(ask([deny([equal("a/x")]), allow([filter("a/#")])], "a/+")).toBe(false);
    expect(ask([allow([filter("a/b")])], "a/+")).toBe(false);
    expect(ask([allow([equal("a/+")])], "a/+")).toBe(false);
    expect(ask([], "a")).toBe(false);
  });
});

describe("client records", () => {
  it("take at most 512 bytes for a typical client and are given back", () => {
    const core = coreWith([
      allow([filter("u/${username}/#"), filter("c/${clientid}/${client_attrs.site}")]),
      allow("all", { type: "pattern", field: { name: "zone" }, pattern: "^fac" }),
    ]);
    const client = {
      clientId: "sensor-0123456789abcdef",
      username: "someone@example.com",
      zone: "default",
      listener: "tcp:default",
      peerHost: Uint8Array.of(10, 0, 0, 1),
      clientAttrs: { site: "berlin-2", tier: "gold" },
    };
    const before = core.exports.records_used();
    const handle = openClient(core, client);
    expect(core.exports.records_used() - before).toBeLessThanOrEqual(512);
    closeClient(core, handle);
    const own = blobOf([allow([filter("own/${clientid}")])]);
    for (let i = 0; i < 10_000; i++) {
      const again = openClient(core, client);
      if (i % 3 === 0) setTokenRules(core, again, own);
      closeClient(core, again);
    }
    expect(core.exports.records_used()).toBe(before);
  });

  it("answer nothing under a handle that was closed, also when the block has a new client", () => {
    const core = coreWith([allow("all", userIs("alice"))]);
    const old = openClient(core, dev);
    closeClient(core, old);
    const status = () => core.exports.decide(old, 0, publish);
    expect(status()).toBe(ERR_HANDLE);
    const next = openClient(core, dev);
    expect(status()).toBe(ERR_HANDLE);
    expect(core.exports.client_close(old)).toBe(ERR_HANDLE);
    expect(core.exports.client_rules(old, 0)).toBe(ERR_HANDLE);
    expect(core.exports.is_covered(old, 0, subscribe)).toBe(ERR_HANDLE);
    for (const handle of [0, -1, 1, 0x7fffffff, next + 1, next ^ 0x1000000]) {
      expect(core.exports.decide(handle, 0, publish)).toBe(ERR_HANDLE);
    }
    closeClient(core, next);
  });

  it("do not escape a deny rule by their choice of name", () => {
    for (const place of ["${clientid}", "x-${clientid}"]) {
      const prefix = place.replace("${clientid}", "");
      const core = coreWith([deny([filter(`private/${place}/#`)]), allow([filter("private/#")])]);
      for (const clientId of ["a/b", "/", "a\n", "", "ab", "$x", "a/$b/c", "\u0085"]) {
        const ask = (topic: string) => decideOnce(core, { clientId }, PUBLISH, topic).verdict;
        expect(ask(`private/${prefix}${clientId}/x`), clientId).toBe("deny");
        expect(ask(`private/${prefix}${clientId}x/x`), clientId).toBe("allow");
      }
      const wild = (topic: string) => decideOnce(core, { clientId: "+" }, PUBLISH, topic).verdict;
      expect(wild(`private/${prefix}+/x`)).toBe("deny");
      expect(wild("private")).toBe("allow");
    }
  });

  it("do not escape a deny rule at the front of the topic, or by having no name", () => {
    const core = coreWith([
      deny([filter("${clientid}/t")]),
      deny([filter("u/${username}/#")]),
      deny([filter("g/${client_attrs.g}/#")]),
      allow("all"),
    ]);
    const ask = (client: object, topic: string) =>
      decideOnce(core, { clientId: "c", ...client }, PUBLISH, topic).verdict;
    expect(ask({ clientId: "$SYS" }, "$SYS/t")).toBe("deny");
    expect(ask({ clientId: "$SYS/a" }, "$SYS/a/t")).toBe("deny");
    expect(ask({ clientId: "SYS" }, "$SYS/t")).toBe("allow");
    expect(ask({ username: null }, "u/undefined/x")).toBe("deny");
    expect(ask({ username: "" }, "u//x")).toBe("deny");
    expect(ask({ username: "" }, "u/undefined/x")).toBe("allow");
    expect(ask({ clientAttrs: { g: "a/b" } }, "g/a/b/x")).toBe("deny");
    expect(ask({}, "g/undefined/x")).toBe("allow");
  });

  it("are still matched by nothing unsafe in an allow rule", () => {
    const core = coreWith([
      allow([filter("p/${clientid}/#")]),
      allow([filter("${clientid}/t")]),
      deny([filter("q/${clientid}/#")]),
    ]);
    for (const [clientId, topic] of [
      ["a/b", "p/a/b/x"],
      ["+", "p/a/x"],
      ["#", "p/a/x"],
      ["", "p//x"],
      ["$SYS", "$SYS/t"],
      ["a\n", "p/a\n/x"],
    ] as const) {
      expect(decideOnce(core, { clientId }, PUBLISH, topic), clientId).toEqual(NO_MATCH);
    }
    expect(decideOnce(core, { clientId: "ab" }, PUBLISH, "p/ab/x").verdict).toBe("allow");
  });

  it("with an unsafe name get no filter cleared that a deny rule shares with them", () => {
    const core = coreWith([deny([filter("p/${clientid}/x")]), allow([filter("p/#")])]);
    for (const clientId of ["a/b", "+", "$x", ""]) {
      const handle = openClient(core, { clientId });
      expect(isCovered(core, handle, subscribe, "p/#"), clientId).toBe(false);
      expect(isCovered(core, handle, subscribe, "p/z/y")).toBe(true);
      closeClient(core, handle);
    }
  });

  it("with private rules do not escape those either", () => {
    const core = coreWith([allow("all")]);
    const handle = openClient(core, { clientId: "a/b" });
    setTokenRules(core, handle, blobOf([deny([filter("p/${clientid}/#")])]));
    expect(decide(core, handle, publish, "p/a/b/x").verdict).toBe("deny");
    expect(decide(core, handle, publish, "p/a/x").verdict).toBe("allow");
    closeClient(core, handle);
  });

  it("take attributes at the limits and refuse one past them", () => {
    const core = coreWith([
      allow("all", { type: "equal", field: { name: "client_attr", attr: "a0" }, value: "" }),
    ]);
    const named = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, ""]));
    const attempt = (clientAttrs: Record<string, string>) =>
      decideOnce(core, { clientId: "c", clientAttrs }, PUBLISH, "t").verdict;
    expect(attempt(named(ATTRS_MAX))).toBe("allow");
    expect(() => attempt(named(ATTRS_MAX + 1))).toThrow(/malformed or too large/);
    expect(attempt({ a0: "x".repeat(ATTR_BYTES_MAX) })).toBe("no_match");
    expect(() => attempt({ a0: "x".repeat(ATTR_BYTES_MAX + 1) })).toThrow(/malformed or too large/);
  });
});
