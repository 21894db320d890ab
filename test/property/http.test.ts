import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AnswerRules, readAnswer } from "../../src/authn/http/answer.ts";
import { AUTHN_NAMES } from "../../src/compile/template-places.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { BackendAnswer } from "../../src/http/backend.ts";
import { buildHttpRequest, parseHttpTemplates } from "../../src/http/request.ts";
import { templateRecord } from "../../src/template/record.ts";
import { aclReader } from "../support/acl-reader.ts";
import { runs } from "../support/runs.ts";

const NOW = 1_750_000_000_000;
const presets = ["emqx", "strict"] as const;

function answerOf(status: number, contentType: string | null, body: Uint8Array): BackendAnswer {
  return { type: "answer", status, contentType, challenge: "", body, detail: "GET http://h/" };
}

describe.each(presets)("any answer in %s mode", (preset) => {
  const switches = resolveSwitches(preset);
  const rules: AnswerRules = {
    refusalsDeny: switches.http_refusals_deny,
    parsesMediaTypes: switches.media_types_parsed,
    isExact: switches.bad_claims_deny,
    readAcl: aclReader(switches),
    now: () => NOW,
  };
  const types = fc.constantFrom(
    "application/json",
    "application/json; charset=utf-8",
    "application/x-www-form-urlencoded",
  );

  it("of any bytes is an answer about the client or a failure, and never an exception", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    const type = fc.option(fc.oneof(types, fc.string()));
    const status = fc.oneof(fc.constant(200), fc.integer({ min: 100, max: 599 }));
    fc.assert(
      fc.property(status, type, bytes, (code, contentType, body) => {
        const result = readAnswer(answerOf(code, contentType, body), rules);
        expect(["ok", "deny", "ignore", "failure"]).toContain(result.type);
        if (result.type !== "ok") return;
        // Only two things let a client in.
        const text = new TextDecoder().decode(body);
        expect(code === 204 || (code === 200 && /result/.test(text))).toBe(true);
      }),
      runs(1000),
    );
  });

  it("with any fields accepts only as `allow`, and then with data of the right types", () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(NOW / 1000, NOW / 1000 - 1, NOW / 2, 2 ** 60, 1.5),
    );
    const field = fc.constantFrom(
      ...["is_superuser", "client_attrs", "expire_at", "acl", "clientid_override", "zone_override"],
    );
    const result = fc.oneof(fc.constantFrom("allow", "deny", "ignore", "ALLOW"), fc.jsonValue());
    fc.assert(
      fc.property(result, fc.dictionary(field, value), types, (verdict, fields, type) => {
        const text = JSON.stringify({ result: verdict, ...fields });
        const answer = readAnswer(answerOf(200, type, new TextEncoder().encode(text)), rules);
        if (answer.type !== "ok") return;
        expect(verdict).toBe("allow");
        const { data } = answer;
        expect(typeof data.isSuperuser).toBe("boolean");
        const texts = Object.values(data.clientAttrs);
        expect(texts.every((one) => typeof one === "string" || one instanceof Uint8Array)).toBe(
          true,
        );
        if (data.expireAtMs !== undefined) {
          expect(data.expireAtMs).toBeGreaterThanOrEqual(NOW);
          expect(data.acl?.expireAt ?? Number(data.expireAtMs) / 1000).toBe(fields.expire_at);
        }
        expect(data.clientIdOverride).not.toBe("");
      }),
      runs(1000),
    );
  });
});

describe.each(presets)("any client in %s mode", (preset) => {
  const switches = resolveSwitches(preset);
  const templates = (method: "get" | "post", type?: string) =>
    parseHttpTemplates(
      {
        method,
        origin: "http://auth.example",
        path: "/a/${username}/b",
        query: [["u", "${username}"]],
        headers: { "x-user": "${username}", ...(type && { "content-type": type }) },
        body: { value: '{"n":1,"u":"${username}","k-${username}":["${clientid}"]}' },
      },
      { allowed: AUTHN_NAMES, switches },
    );
  const json = templates("post", "application/json");

  it("fills values, and cannot change the shape of a request", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(
        "..",
        ".",
        "%2e%2E",
        "a/../b",
        "?x=y",
        "#",
        "\\..\\",
        "a\r\nHost: b",
        '","u":"x',
      ),
    );
    fc.assert(
      fc.property(text, (username) => {
        const record = templateRecord({ clientId: "c1", username });
        const building = buildHttpRequest(json, record);
        if (!building.ok) return;
        const { url, headers, body } = building.request;
        const parsed = new URL(url);
        expect(parsed.origin).toBe("http://auth.example");
        // What is requested is what was written: nothing to normalise, nothing cut off.
        expect(parsed.href).toBe(url);
        expect(parsed.pathname.split("/")).toHaveLength(4);
        expect([...parsed.searchParams.keys()]).toEqual(["u"]);
        expect(headers).toHaveLength(2);
        expect(headers[0]?.[1]).not.toMatch(/[\r\n\0]/);
        const sent = JSON.parse(new TextDecoder().decode(body));
        expect(Object.keys(sent).sort()).toEqual(["n", "u", `k-${sent.u}`].sort());
        expect(sent[`k-${sent.u}`]).toEqual(["c1"]);
      }),
      runs(1000),
    );
  });
});
