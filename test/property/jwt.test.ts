import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Authenticator, AuthnResult } from "../../src/authn/authenticator.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { aclReader } from "../support/acl-reader.ts";
import { authenticator, N, SECRET, token } from "../support/jwt.ts";
import { runs } from "../support/runs.ts";
import { makeToken } from "../support/tokens.ts";

const presets = ["emqx", "strict"] as const;
const config = {
  verifyClaims: [{ name: "sub", value: { value: "${clientid}" } }],
  leewaySeconds: 0,
};

describe.each(presets)("any token in %s mode", (preset) => {
  let jwt: Authenticator;

  beforeAll(async () => {
    jwt = await authenticator({ preset, config, readAcl: aclReader(resolveSwitches(preset)) });
  });

  const ask = (password: string | Uint8Array): AuthnResult => {
    const answer = jwt.authenticate({ client: { clientId: "c1", password }, clientAttrs: {} });
    if (answer instanceof Promise) throw new Error("HMAC answers at once");
    return answer;
  };

  it("that nobody signed is never accepted, and never raises", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_=+/ -]{0,40}$/);
    const shaped = fc.tuple(part, part, part).map((parts) => parts.join("."));
    const bytes = fc.uint8Array({ maxLength: 300 });
    const nearly = fc
      .tuple(fc.json(), fc.json(), fc.uint8Array({ maxLength: 64 }))
      .map(([header, payload, signature]) =>
        [header, payload, signature]
          .map((each) => Buffer.from(each).toString("base64url"))
          .join("."),
      );
    fc.assert(
      fc.property(fc.oneof(bytes, shaped, nearly, fc.string()), (password) => {
        expect(ask(password).type).not.toBe("ok");
      }),
      runs(2000),
    );
  });

  it("changed in one place is refused, or says the same as before", () => {
    const good = token({ sub: "c1", exp: N + 100, client_attrs: { a: "b" } });
    const accepted = ask(good);
    expect(accepted.type).toBe("ok");
    const place = fc.nat({ max: good.length });
    const edit = fc.constantFrom("replace", "insert", "remove");
    fc.assert(
      fc.property(place, edit, fc.constantFrom(..."AZaz09-_.=+/ {"), (at, kind, character) => {
        const head = good.slice(0, kind === "insert" ? at : at + 1);
        const changed =
          kind === "remove"
            ? head.slice(0, -1)
            : (kind === "replace" ? head.slice(0, -1) : head) + character;
        const answer = ask(changed + good.slice(head.length));
        if (answer.type === "ok") expect(answer).toEqual(accepted);
      }),
      runs(3000),
    );
  });

  it("with any claims gets an answer, and is accepted only with the claim that is asked for", () => {
    const names = ["sub", "exp", "nbf", "acl", "client_attrs", "is_superuser", "clientid_override"];
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom("c1", N + 100, `${N + 100}`, [], {}, { pub: ["a"] }, { a: "b" }, true),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (payload) => {
        const answer = ask(makeToken("HS256", SECRET, payload));
        if (answer.type === "ok") expect(payload.sub).toBe("c1");
        else expect(["deny", "failure"]).toContain(answer.type);
      }),
      runs(1000),
    );
  });
});
