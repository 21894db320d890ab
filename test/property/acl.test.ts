import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTokenAcl } from "../../src/compile/acl/index.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { readRules } from "../support/acl.ts";
import { runs } from "../support/runs.ts";

const PIECES = [
  ..."{}[],.|'\"<>%$~#/\\_- \n",
  "<<",
  ">>",
  "/utf8",
  "allow",
  "deny",
  "all",
  "publish",
  "{allow, all}.\n",
  '{deny, {username, "u"}, publish, ["t/#", {eq, <<"a">>}]}.\n',
  "{username, ",
  '{ipaddr, "10.0.0.1/8"}',
  '{client_attr, g, {re, "^a"}}',
  "'and'",
  "and",
  "[{qos, 1}, retain]",
  "${clientid}",
  '"eq a"',
  "$a",
  "16#ff",
  "1.5",
  "\\x{41}",
  "\u00e9",
  "\u{1f44d}",
  "X",
];
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((parts) => parts.join(""));

describe("the rule-file reader", () => {
  test("answers any text with rules and placed issues, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: "binary", maxLength: 200 })), (text) => {
        const { rules, issues } = readRules(text);
        const lines = text.split("\n");
        for (const { at } of [...rules, ...issues]) {
          expect(at?.line).toBeLessThanOrEqual(lines.length);
          const line = [...(lines[(at?.line ?? 0) - 1] as string)];
          expect(at?.column).toBeLessThanOrEqual(line.length + 1);
        }
      }),
      runs(1000),
    );
  });

  test("answers any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(Array.isArray(readRules(bytes).issues)).toBe(true);
      }),
      runs(1000),
    );
  });

  test("reports a damaged rule and still reads its neighbours on other lines", () => {
    const good = '{allow, {username, u}, publish, ["t/#"]}.';
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.constantFrom(..."{}[],."), (at, extra) => {
        const damaged = `${good.slice(0, at)}${extra}${good.slice(at)}`;
        const { rules, issues } = readRules(`${good}\n${damaged}\n${good}\n`);
        const lines = new Set(rules.map((rule) => rule.at?.line));
        const hasError = issues.some(({ severity }) => severity === "error");
        expect([lines.has(1), lines.has(2) || hasError, lines.has(3)]).toEqual([true, true, true]);
      }),
      runs(300),
    );
  });

  test("reads a rule again from the text it keeps", () => {
    fc.assert(
      fc.property(soup, (text) => {
        for (const rule of readRules(text).rules) {
          const { at, text: kept, ...meaning } = rule;
          const [again] = readRules(`${kept}.`).rules;
          expect(at?.file).toBe("acl.conf");
          expect(again).toMatchObject(meaning);
        }
      }),
      runs(1000),
    );
  });
});

describe("the token reader", () => {
  const keys = ["permission", "action", "topic", "topics", "qos", "retain", "ipaddr", "zone_re"];
  const value = fc.oneof(
    fc.constantFrom("allow", "deny", "pub", "all", "a/#", "0,1", "10.0.0.0/8", "eq x", "${x}"),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const rule = fc.dictionary(fc.constantFrom(...keys), value);
  const claim = fc.oneof(
    fc.array(rule, { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("pub", "sub", "all", "__proto__"), value),
    fc.jsonValue(),
  );

  test("answers any claim in both modes, and refuses in strict mode what emqx mode fails on", () => {
    fc.assert(
      fc.property(claim, (acl) => {
        const loose = readTokenAcl(acl, { switches: resolveSwitches("emqx") });
        const strict = readTokenAcl(acl, { switches: resolveSwitches("strict") });
        expect(strict.type).not.toBe("crashed");
        if (loose.type === "refused" || loose.type === "crashed")
          expect(strict.type).toBe("refused");
        if (loose.type === "rules" && loose.otherwise === "failure") {
          expect(strict.type).toBe("refused");
        }
      }),
      runs(1000),
    );
  });
});
