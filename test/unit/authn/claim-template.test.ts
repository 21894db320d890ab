import { describe, expect, it } from "vitest";
import { readClaimTemplate, renderClaimTemplate } from "../../../src/authn/jwt/claim-template.ts";
import { batchRequest } from "../../../src/batch/authn.ts";
import { resolveSwitches } from "../../../src/config/compatibility.ts";
import { readVectorObjects } from "../../support/vector-objects.ts";

const emqx = resolveSwitches("emqx");
const vectors = readVectorObjects("template.jsonl").filter(
  ({ kind, result }) => kind === "jwt_expected" && result !== undefined,
);

describe("the template of an expected claim", () => {
  it("renders every recorded one as recorded", () => {
    expect(vectors.length).toBeGreaterThan(50);
    for (const vector of vectors) {
      const template = readClaimTemplate(vector.template as string, emqx);
      const rendering = renderClaimTemplate(template, batchRequest(vector).client);
      expect(rendering.ok && rendering.text).toBe(vector.result);
    }
  });

  it("names what it does not know, and says when a value is missing", () => {
    expect(readClaimTemplate("${clientid}/${peerhost}/${$}/${.zone}", emqx).unknown).toEqual([
      "peerhost",
      "zone",
    ]);
    const template = readClaimTemplate("u-${username}", emqx);
    const hasAbsent = (username: string | undefined) =>
      renderClaimTemplate(template, { clientId: "c", username });
    expect(hasAbsent(undefined)).toEqual({ ok: true, text: "u-", hasAbsent: true });
    expect(hasAbsent("")).toEqual({ ok: true, text: "u-", hasAbsent: true });
    expect(hasAbsent("x")).toEqual({ ok: true, text: "u-x", hasAbsent: false });
  });

  it.each([
    ["bytes", Uint8Array.of(0xff)],
    ["half a surrogate pair", "\ud800"],
  ])("has no text for a name that is not UTF-8: %s", (_, username) => {
    const template = readClaimTemplate("u-${username}", emqx);
    expect(renderClaimTemplate(template, { clientId: "c", username })).toEqual({ ok: false });
  });
});
