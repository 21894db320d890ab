import { describe, expect, it } from "vitest";
import { AUTHN_NAMES } from "../../../src/compile/template-places.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import type { HttpRequestConfig } from "../../../src/config/config.ts";
import {
  buildHttpRequest,
  parseHttpTemplates,
  REQUEST_BODY_BYTES_MAX,
  REQUEST_HEAD_BYTES_MAX,
} from "../../../src/http/request.ts";
import { templateRecord } from "../../../src/template/record.ts";

const ORIGIN = "http://h";

function build(config: Partial<HttpRequestConfig>, username: string | Uint8Array) {
  const written = { method: "post" as const, origin: ORIGIN, path: "/", query: [], headers: {} };
  const templates = parseHttpTemplates(
    { ...written, ...config },
    { allowed: AUTHN_NAMES, switches: resolveSwitches("strict") },
  );
  return buildHttpRequest(templates, templateRecord({ clientId: "c1", username }));
}

const JSON_TYPE = { "content-type": "application/json" };

describe("a request", () => {
  it("has a body of REQUEST_BODY_BYTES_MAX bytes and no more", () => {
    const config = { headers: JSON_TYPE, body: { value: '{"u":"${username}"}' } };
    const frame = '{"u":""}'.length;
    const fits = build(config, "x".repeat(REQUEST_BODY_BYTES_MAX - frame));
    expect(fits.ok && fits.request.body?.length).toBe(REQUEST_BODY_BYTES_MAX);
    expect(build(config, "x".repeat(REQUEST_BODY_BYTES_MAX - frame + 1))).toEqual({
      ok: false,
      problem: "the body has more than 262144 bytes",
    });
  });

  it("has a head of REQUEST_HEAD_BYTES_MAX bytes and no more", () => {
    const config = { method: "get" as const, headers: { x: "${username}" } };
    const frame = `${ORIGIN}/`.length + "x: \r\n".length;
    expect(build(config, "x".repeat(REQUEST_HEAD_BYTES_MAX - frame)).ok).toBe(true);
    expect(build(config, "x".repeat(REQUEST_HEAD_BYTES_MAX - frame + 1))).toEqual({
      ok: false,
      problem: "address and headers have more than 8192 bytes",
    });
  });

  it("is refused with words that hold nothing of the client's", () => {
    const config = { headers: JSON_TYPE, body: { value: '{"u":"${username}"}' } };
    const building = build(config, Uint8Array.from([0x73, 0x33, 0xff]));
    expect(building).toEqual({ ok: false, problem: "a value is not UTF-8" });
  });

  it("says which placeholders had no value", () => {
    const config = { path: "/${client_attrs.a}", query: [["q", "${cert_subject}"]] as const };
    const building = build({ ...config, headers: JSON_TYPE }, "u");
    expect(building.ok && building.absent).toEqual(["client_attrs.a", "cert_subject"]);
  });
});
