import { describe, expect, it, vi } from "vitest";
import { createNodeCrypto } from "../../../bindings/node/crypto.ts";
import type { JwtConfig } from "../../../src/config/config.ts";
import { ask, brief, HEADER, raw, type Setup, token } from "../../support/jwt.ts";
import { encodePart, makeToken } from "../../support/tokens.ts";

const setup = (issuers: readonly string[]): Setup => ({ preset: "strict", config: { issuers } });
const A = setup(["https://a"]);

describe("an authenticator for an issuer", () => {
  it("accepts what its issuer signed", async () => {
    expect(brief(await ask(token({ iss: "https://a" }), A))).toBe("ok");
    expect(brief(await ask(token({ iss: "b" }), setup(["https://a", "b"])))).toBe("ok");
  });

  it.each([
    ["another issuer", { iss: "https://b" }],
    ["a slash more", { iss: "https://a/" }],
    ["another case", { iss: "HTTPS://A" }],
    ["no issuer", {}],
    ["a list", { iss: ["https://a"] }],
    ["null", { iss: null }],
    ["an issuer deeper down", { act: { iss: "https://a" } }],
  ])("leaves a token with %s to others", async (_what, payload) => {
    const answer = await ask(token(payload), A);
    expect(brief(answer)).toBe("ignore other_issuer");
    expect(answer).toMatchObject({ detail: "`iss` is not `https://a`" });
  });

  it("leaves a payload that it cannot read to others", async () => {
    for (const payload of ["[1]", '{"iss":"https://a"', "", '"https://a"']) {
      expect(brief(await ask(raw(payload), A))).toBe("ignore other_issuer");
    }
  });

  it("takes the last of equal members, as everything after it does", async () => {
    expect(brief(await ask(raw('{"iss":"x","iss":"https://a"}'), A))).toBe("ok");
    expect(brief(await ask(raw('{"iss":"https://a","iss":"x"}'), A))).toBe("ignore other_issuer");
  });

  it("checks no signature of another issuer's token", async () => {
    const crypto = createNodeCrypto();
    const verify = vi.spyOn(crypto, "verify");
    await ask(token({ iss: "https://b" }), { ...A, crypto });
    expect(verify).not.toHaveBeenCalled();
    await ask(token({ iss: "https://a" }), { ...A, crypto });
    expect(verify).toHaveBeenCalledOnce();
  });

  it("believes the name only with a signature", async () => {
    const forged = makeToken("HS256", "another secret", { iss: "https://a" });
    expect(brief(await ask(forged, A))).toBe("0x86 bad_signature");
    const unsigned = `${encodePart({ alg: "none" })}.${encodePart({ iss: "https://a" })}.`;
    expect(brief(await ask(unsigned, A))).toBe("0x86 alg_not_allowed");
    const critical = token({ iss: "https://a" }, { ...HEADER, crit: ["x"] });
    expect(brief(await ask(critical, A))).toBe("0x86 malformed_token");
  });

  it("answers as any other to a client without a token", async () => {
    expect(brief(await ask("hello", A))).toBe("ignore malformed_token");
    expect(brief(await ask(undefined, A))).toBe("ignore missing_token");
    const config: Partial<JwtConfig> = { ...A.config, onMissingJwt: "deny" };
    expect(brief(await ask(undefined, { ...A, config }))).toBe("0x86 missing_token");
  });
});
