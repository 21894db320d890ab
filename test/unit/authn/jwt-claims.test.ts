import { describe, expect, it } from "vitest";
import { ask, brief, claims, N, raw, type Setup, token } from "../../support/jwt.ts";

describe("exp and nbf", () => {
  const dataOf = async (text: string, setup?: Setup) => {
    const result = await ask(text, setup);
    return result.type === "ok" ? (result.data.expireAtMs ?? "never") : brief(result);
  };

  it("give the session its end", async () => {
    expect(await dataOf(token({ exp: N + 100 }))).toBe((N + 100) * 1000);
    expect(
      await dataOf(token({ exp: N + 100 }), { config: { disconnectAfterExpire: false } }),
    ).toBe("never");
    expect(await dataOf(raw('{"exp":9999999999999}'))).toBe(9_999_999_999_999_000n);
    expect(await dataOf(raw('{"exp":99999999999999999999}'))).toBe(99_999_999_999_999_999_999_000n);
  });

  it.each([
    [`${N}`, "0x86 expired"],
    [`${N - 1}`, "0x86 expired"],
    [`${N + 1}`, (N + 1) * 1000],
    ["-1", "0x86 expired"],
    [`"${N + 100}"`, (N + 100) * 1000],
    [`"+${N + 100}"`, (N + 100) * 1000],
    [`" ${N + 100}"`, "0x86 expired"],
    [`"${N + 100}\\n"`, "0x86 expired"],
    ['"soon"', "0x86 expired"],
    ['""', "0x86 expired"],
    ['"1e20"', "0x86 expired"],
    ['".5"', "0x86 expired"],
    ['"1750000010."', "0x86 expired"],
    [`"${"9".repeat(65)}"`, "0x86 expired"],
    ["null", "0x86 expired"],
    ["true", "0x86 expired"],
    ["{}", "0x86 expired"],
    ["[]", "0x86 expired"],
    [`${N + 100}.5`, "BFR bad_payload"],
    ['"1.0e20"', "BFR bad_payload"],
    ["1e10", "BFR bad_payload"],
    [`${N}.0`, "0x86 expired"],
  ])("exp %s gives %s", async (exp, expected) => {
    expect(await dataOf(raw(`{"exp":${exp}}`))).toBe(expected);
  });

  it("a fractional exp is legal in strict mode, cut to whole milliseconds", async () => {
    const strict = { preset: "strict" } as const;
    expect(await dataOf(raw(`{"exp":${N + 100}.0015}`), strict)).toBe((N + 100) * 1000 + 1);
    expect(await dataOf(raw(`{"exp":${N}.0}`), strict)).toBe("0x86 expired");
  });

  it.each([
    [`${N}`, "never"],
    [`${N - 1}.5`, "never"],
    [`${N}.5`, "0x86 not_yet_valid"],
    [`${N + 10}`, "0x86 not_yet_valid"],
    [`"${N}"`, "never"],
    [`"${N + 10}"`, "0x86 not_yet_valid"],
    ["null", "0x86 not_yet_valid"],
    ['"abc"', "0x86 not_yet_valid"],
  ])("nbf %s gives %s", async (nbf, expected) => {
    expect(await dataOf(raw(`{"nbf":${nbf}}`))).toBe(expected);
  });

  it("iat is never looked at, unless that is wanted", async () => {
    for (const iat of [N + 1000, "text", null, {}])
      expect(brief(await ask(token({ iat })))).toBe("ok");
    const config = { checkIat: true, leewaySeconds: 5 };
    for (const iat of [N + 6, N + 5.5, `${N + 6}`, "text", null, {}]) {
      expect(brief(await ask(token({ iat }), { config }))).toBe("0x86 not_yet_valid");
    }
    for (const iat of [N + 5, 0, -1, `${N + 5}`, undefined]) {
      expect(brief(await ask(token({ iat }), { config }))).toBe("ok");
    }
  });

  it("time counts in whole seconds", async () => {
    expect(brief(await ask(token({ exp: N + 1 }), { nowMs: N * 1000 + 999 }))).toBe("ok");
    expect(brief(await ask(token({ exp: N + 1 }), { nowMs: (N + 1) * 1000 }))).toBe("0x86 expired");
  });

  it("leeway moves both ends, and the session's end with them", async () => {
    const config = { leewaySeconds: 5 };
    expect(await dataOf(token({ exp: N - 4 }), { config })).toBe((N + 1) * 1000);
    expect(await dataOf(token({ exp: N - 5 }), { config })).toBe("0x86 expired");
    expect(await dataOf(token({ nbf: N + 5 }), { config })).toBe("never");
    expect(await dataOf(token({ nbf: N + 6 }), { config })).toBe("0x86 not_yet_valid");
  });
});

describe("verify_claims", () => {
  it.each([
    ["${username}", { u: "u1" }, "ok"],
    ["${username}", { u: "u2" }, "0x86 claim_mismatch:u"],
    ["${username}", {}, "0x86 claim_missing:u"],
    ["${username}", { u: ["u1"] }, "0x86 claim_mismatch:u"],
    ["p-${clientid}-${username}", { u: "p-c1-u1" }, "ok"],
    ["p-${.clientid}", { u: "p-c1" }, "ok"],
    ["1", { u: 1 }, "0x86 claim_mismatch:u"],
    ["true", { u: true }, "0x86 claim_mismatch:u"],
    ["null", { u: null }, "0x86 claim_mismatch:u"],
    ["${peerhost}", { u: "${peerhost}" }, "ok"],
    ["${$}{clientid}", { u: "${clientid}" }, "ok"],
    ["a", { u: "a " }, "0x86 claim_mismatch:u"],
    ["", { u: "" }, "ok"],
  ])("%j against %j gives %s", async (expected, payload, outcome) => {
    expect(brief(await ask(token(payload), { config: claims({ u: expected }) }))).toBe(outcome);
  });

  it("looks at top-level names only, inherited ones excluded", async () => {
    const nested = { config: claims({ "a.b": "u1" }) };
    expect(brief(await ask(token({ a: { b: "u1" } }), nested))).toBe("0x86 claim_missing:a.b");
    expect(brief(await ask(token({ "a.b": "u1" }), nested))).toBe("ok");
    const inherited = { config: claims({ constructor: "x" }) };
    expect(brief(await ask(token({}), inherited))).toBe("0x86 claim_missing:constructor");
  });

  it.each([
    ["c1", "ok"],
    [["x", "c1"], "ok"],
    [[], "0x86 claim_mismatch:aud"],
    [["x"], "0x86 claim_mismatch:aud"],
    ["x", "0x86 claim_mismatch:aud"],
    [1, "0x86 claim_mismatch:aud"],
    [{ c1: 1 }, "0x86 claim_mismatch:aud"],
  ])("aud %j gives %s", async (aud, outcome) => {
    const config = claims({ aud: "${clientid}" });
    expect(brief(await ask(token({ aud }), { config }))).toBe(outcome);
  });

  it("an absent username is empty text in emqx mode and never matches in strict mode", async () => {
    const anonymous = { username: undefined };
    const config = claims({ u: "${username}" });
    const audience = claims({ aud: "${username}" });
    expect(brief(await ask(token({ u: "" }), { config }, anonymous))).toBe("ok");
    expect(brief(await ask(token({ aud: "" }), { config: audience }, anonymous))).toBe(
      "0x86 claim_mismatch:aud",
    );
    expect(brief(await ask(token({ aud: [""] }), { config: audience }, anonymous))).toBe("ok");
    for (const [payload, each] of [
      [{ u: "" }, config],
      [{ aud: [""] }, audience],
    ] as const) {
      const strict = { preset: "strict", config: each } as const;
      expect(brief(await ask(token(payload), strict, anonymous))).toMatch(/0x86 claim_mismatch/);
      expect(brief(await ask(token(payload), strict, { username: "" }))).toMatch(
        /0x86 claim_mismatch/,
      );
    }
  });

  it("numbers and booleans compare as their JSON text in strict mode", async () => {
    const strict = (expected: string) =>
      ({ preset: "strict", config: claims({ u: expected }) }) as const;
    expect(brief(await ask(raw('{"u":12}'), strict("12")))).toBe("ok");
    expect(brief(await ask(raw('{"u":1.0}'), strict("1.0")))).toBe("ok");
    expect(brief(await ask(raw('{"u":1.0}'), strict("1")))).toBe("0x86 claim_mismatch:u");
    expect(brief(await ask(raw('{"u":true}'), strict("true")))).toBe("ok");
    expect(brief(await ask(raw('{"u":null}'), strict("null")))).toBe("0x86 claim_mismatch:u");
    expect(brief(await ask(raw('{"u":[12]}'), strict("12")))).toBe("0x86 claim_mismatch:u");
  });

  it("a client id that is not UTF-8 never matches, one that is compares as text", async () => {
    const config = claims({ u: "${clientid}" });
    const clientId = Uint8Array.of(0x63, 0xff);
    expect(brief(await ask(token({ u: "c\ufffd" }), { config }, { clientId }))).toBe(
      "0x86 claim_mismatch:u",
    );
    expect(brief(await ask(token({ u: "é" }), { config }, { clientId: Buffer.from("é") }))).toBe(
      "ok",
    );
  });

  it("exp in verify_claims fails every token that has it", async () => {
    const config = claims({ exp: `${N + 5}` });
    expect(brief(await ask(token({ exp: N + 5 }), { config }))).toBe("0x86 claim_mismatch:exp");
    expect(brief(await ask(token({ exp: `${N + 5}` }), { config }))).toBe(
      "0x86 claim_mismatch:exp",
    );
    expect(brief(await ask(token({}), { config }))).toBe("0x86 claim_missing:exp");
  });

  it("is checked after the time, aud before it", async () => {
    const config = claims({ u: "x", aud: "y" });
    expect(brief(await ask(token({ exp: N - 1, aud: "y" }), { config }))).toBe("0x86 expired");
    expect(brief(await ask(token({ exp: N - 1, aud: "n" }), { config }))).toBe(
      "0x86 claim_mismatch:aud",
    );
  });
});
