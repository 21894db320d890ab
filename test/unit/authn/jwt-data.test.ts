import { describe, expect, it } from "vitest";
import { ask, authenticator, brief, N, raw, type Setup, token } from "../../support/jwt.ts";

describe("data of the token", () => {
  const dataOf = async (text: string, setup?: Setup) => {
    const result = await ask(text, setup);
    if (result.type !== "ok") throw new Error(brief(result));
    return result.data;
  };

  it.each([
    ["true", true],
    ["1", true],
    ["2", true],
    ['"true"', true],
    ['"1"', true],
    ['"01"', true],
    ['"+7"', true],
    ["18446744073709551616", true],
    ["false", false],
    ["0", false],
    ["-1", false],
    ["1.0", false],
    ["1e1", false],
    ['"TRUE"', false],
    ['"yes"', false],
    ['"1.0"', false],
    ['" 1"', false],
    ['"0"', false],
    ['"-1"', false],
    ['""', false],
    ["null", false],
    ["[1]", false],
    ["{}", false],
  ])("is_superuser %s reads as %s", async (value, expected) => {
    expect((await dataOf(raw(`{"is_superuser":${value}}`))).isSuperuser).toBe(expected);
  });

  it("attributes with a legal name are kept, the others dropped", async () => {
    const attrs = { a: "b", "bad key": "x", "k-1": "y", "": "z", _u: "q", é: "q", "a.b": "q" };
    expect((await dataOf(token({ client_attrs: attrs }))).clientAttrs).toEqual({
      a: "b",
      "k-1": "y",
    });
    expect((await dataOf(token({ client_attrs: { a: "", b: "x\n" } }))).clientAttrs).toEqual({
      a: "",
      b: "x\n",
    });
    expect((await dataOf(token({ client_attrs: { a: ["x", "y"], b: [] } }))).clientAttrs).toEqual({
      a: "xy",
      b: "",
    });
  });

  it("one line feed after a name passes in emqx mode only", async () => {
    const text = token({ client_attrs: { "a\n": "x", "b\n\n": "y" } });
    expect((await dataOf(text)).clientAttrs).toEqual({ "a\n": "x" });
    expect((await dataOf(text, { preset: "strict" })).clientAttrs).toEqual({});
  });

  it("a name like __proto__ is an attribute or nothing, never the prototype", async () => {
    const { clientAttrs } = await dataOf(
      raw('{"client_attrs":{"__proto__":"x","constructor":"y"}}'),
    );
    expect(Object.keys(clientAttrs)).toEqual(["constructor"]);
    expect(Object.getPrototypeOf(clientAttrs)).toBeNull();
  });

  it.each(['{"a":1}', '{"a":true}', '{"a":null}', '{"a":{}}', '"x"', "[]", "null", '{"a":[{}]}'])(
    "client_attrs %s is malformed",
    async (value) => {
      const text = raw(`{"client_attrs":${value}}`);
      expect(brief(await ask(text))).toBe("BFR bad_attrs_claim");
      expect(brief(await ask(text, { preset: "strict" }))).toBe("0x86 bad_attrs_claim");
    },
  );

  it("bytes in attribute lists count in emqx mode only", async () => {
    const text = raw('{"client_attrs":{"a":["x",[65,["y"]]],"b":[255]}}');
    const { clientAttrs } = await dataOf(text);
    expect(clientAttrs).toEqual({ a: "xAy", b: Uint8Array.of(255) });
    expect(brief(await ask(text, { preset: "strict" }))).toBe("0x86 bad_attrs_claim");
    expect(brief(await ask(raw('{"client_attrs":{"a":[256]}}')))).toBe("BFR bad_attrs_claim");
  });

  it("the acl claim is handed on with its form and expiry", async () => {
    const acl = { pub: ["a"] };
    expect((await dataOf(token({ acl }))).acl).toMatchObject({
      form: "map",
      claim: acl,
      expireAt: undefined,
      rules: "rules",
    });
    expect((await dataOf(token({ acl: [], exp: `${N + 60}` }))).acl).toMatchObject({
      form: "list",
      expireAt: N + 60,
    });
    const config = { aclClaimName: "rules" };
    expect((await dataOf(token({ acl }), { config })).acl).toBeUndefined();
  });

  it.each([
    ['["bad"]', "0x86 bad_acl_claim", "0x86 bad_acl_claim"],
    ['["crash"]', "BFR bad_acl_claim", "0x86 bad_acl_claim"],
    ['"a"', "BFR bad_acl_claim", "0x86 bad_acl_claim"],
    ["null", "BFR bad_acl_claim", "0x86 bad_acl_claim"],
    ["1", "BFR bad_acl_claim", "0x86 bad_acl_claim"],
    ["1.5", "BFR bad_acl_claim", "0x86 bad_acl_claim"],
  ])("acl %s gives %s, strict %s", async (value, emqx, strict) => {
    const text = raw(`{"acl":${value}}`);
    expect(brief(await ask(text))).toBe(emqx);
    expect(brief(await ask(text, { preset: "strict" }))).toBe(strict);
  });

  it("clientid_override replaces the client id when it is a text that is not empty", async () => {
    expect((await dataOf(token({ clientid_override: "x" }))).clientIdOverride).toBe("x");
    for (const value of ["", 1, null, ["x"]]) {
      expect((await dataOf(token({ clientid_override: value }))).clientIdOverride).toBeUndefined();
    }
  });
});

describe("a token whose rules cannot be read without an exception", () => {
  it("leaves the exception to the chain", async () => {
    const setup: Setup = {
      readAcl: () => {
        throw new RangeError("stack");
      },
    };
    const jwt = await authenticator(setup);
    const client = { clientId: "c1", password: token({ acl: [] }) };
    expect(() => jwt.authenticate({ client, clientAttrs: {} })).toThrow(RangeError);
  });
});
