/** Clients that mean harm: never an exception, never in without a token that verifies. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientInfo } from "../../../src/types.ts";
import {
  engineOf,
  JWT,
  publish,
  SECRET,
  START,
  STORY_ACL,
  subscribe,
  token,
} from "../../support/engine.ts";
import { encodePart, makeToken, rsa, signInput, spkiPem } from "../../support/tokens.ts";

/** Everything that looks at what a client sends before its token is verified. */
const POLICY = `
  mqtt {
    client_attrs_init = [
      { expression = "nth(2, regex_extract(jwt_value(password, 'scp'), '(^|\\\\s)(read)(\\\\s|$)'))", set_as_attr = jwt_scp }
      { expression = "lower(concat([clientid, username]))", set_as_attr = constructor }
      { expression = "user_property.__proto__", set_as_attr = up }
      { expression = "substr(password, 0, 10)", set_as_attr = head }
    ]
    clientid_override = "regex_replace(clientid, '^(a|aa)+$', '')"
  }
  authentication = [
    {
      mechanism = cinfo
      checks = [{ is_match = "str_eq(nth(4, tokens(jwt_value(password, 'sub'), ':')), 'never')", result = deny }]
    }
    {
      mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}", from = password
      precondition = "not(regex_match(clientid, '(x+x+)+y'))"
      verify_claims { clientid = "\${clientid}" }
    }
  ]
  listeners.tcp.default.mountpoint = "m/\${username}/"`;
const PRESETS = ["strict", "emqx"] as const;

/** Long texts that cost a careless reader its time or its stack. */
const LONG: readonly string[] = [
  "x".repeat(65_535),
  ".".repeat(10_000),
  "a.".repeat(5000),
  `${encodePart({ alg: "HS256" })}.${encodePart("[".repeat(45_000))}.x`,
  `${encodePart({ alg: "HS256" })}.${encodePart(`${"[".repeat(22_000)}${"]".repeat(22_000)}`)}.x`,
  `${encodePart({ alg: "HS256" })}.${encodePart('{"sub":'.repeat(6000))}.x`,
  `${encodePart("[".repeat(45_000))}.e30.x`,
  "é".repeat(32_767),
  `${"a".repeat(30_000)}b`,
  `${"x".repeat(65_000)}z`,
  "\u0000".repeat(1000),
];

describe.each(PRESETS)("a hostile CONNECT (%s)", (preset) => {
  it("of great length is refused", async () => {
    const { login, engine } = await engineOf({ text: POLICY, acl: STORY_ACL, preset });
    const { epoch } = engine.policy;
    for (const text of LONG) {
      for (const client of [
        { password: text },
        { username: text },
        { clientId: text, password: text, username: text },
        { userProperties: { [text]: text, __proto__: text } },
      ]) {
        expect(await login(client)).toMatch(/^0x8/);
      }
    }
    expect(engine.policy.epoch).toBe(epoch);
    expect(engine.policy.memory.exports.records_used()).toBe(0);
  });

  it("with a token that nobody signed is refused", async () => {
    const { login } = await engineOf({ text: JWT, preset });
    const claims = encodePart({ is_superuser: true });
    const unsigned = ["none", "None", "NONE", "nOnE", "", "HS256 ", "hs256", "RS256", null, 1, {}];
    for (const alg of unsigned) {
      const head = encodePart({ alg });
      for (const tail of [
        "",
        "e30",
        signInput("HS256", "", `${head}.${claims}`).toString("base64url"),
      ]) {
        expect(await login({ password: `${head}.${claims}.${tail}` })).toMatch(/^0x8/);
      }
    }
    const good = token({}).split(".");
    for (const password of [
      `${good[0]}.${good[1]}`,
      `${good[0]}.${good[1]}.`,
      `${good[0]}.${claims}.${good[2]}`,
      `${good.join(".")}.`,
      `.${good.join(".")}`,
      ` ${good.join(".")}`,
      `${good.join(".")}\n`,
      `${good[0]}..${good[2]}`,
    ]) {
      expect(await login({ password }), password.slice(-4)).toMatch(/^0x8/);
    }
  });

  it("with the public key as an HMAC secret is refused", async () => {
    const pem = spkiPem(rsa.publicKey);
    const text = `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = """${pem.trimEnd()}""" }]`;
    const { login } = await engineOf({ text, preset });
    const der = rsa.publicKey.export({ type: "spki", format: "der" });
    for (const secret of [pem, pem.trimEnd(), pem.trim(), der.toString("latin1")]) {
      for (const alg of ["HS256", "HS384", "HS512"]) {
        expect(await login({ password: makeToken(alg, secret, {}) })).toMatch(/^0x8/);
      }
    }
    expect(await login({ password: makeToken("RS256", rsa.privateKey, {}) })).toBe("allow by jwt");
  });

  it("under a name that objects already have is a client like others", async () => {
    const acl = `{allow, {client_attr, "constructor", "yes"}, all, ["attr/#"]}.
      {allow, all, all, ["c/\${clientid}", "t/\${client_attrs.toString}"]}.
      {deny, all}.\n`;
    const { open } = await engineOf({ text: JWT, acl, preset });
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"]) {
      const bare = await open({ clientId: name, username: name, password: token({}) });
      expect(bare.clientId).toBe(name);
      expect(bare.clientAttrs[name]).toBeUndefined();
      expect(publish(bare, `c/${name}`)).toBe("allow rule");
      expect(publish(bare, "attr/x")).toBe("deny rule");
      expect(publish(bare, "t/x")).toBe("deny rule");
      const password = makeToken("HS256", SECRET, `{"client_attrs":{"${name}":"yes"}}`);
      const named = await open({ clientId: "c", password });
      expect(publish(named, "attr/x")).toBe(name === "constructor" ? "allow rule" : "deny rule");
      expect(publish(named, "t/yes")).toBe(name === "toString" ? "allow rule" : "deny rule");
    }
    expect(Object.prototype).not.toHaveProperty("yes");
    const polluted = makeToken(
      "HS256",
      SECRET,
      '{"__proto__":{"is_superuser":true,"acl":{"all":["#"]}},"constructor":{"prototype":{"is_superuser":true}}}',
    );
    const session = await open({ password: polluted });
    expect(session.isSuperuser).toBe(false);
    expect(publish(session, "attr/x")).toBe("deny rule");
  });

  it("can be anything at all", async () => {
    const { connect, engine } = await engineOf({ text: POLICY, acl: STORY_ACL, preset });
    const { epoch } = engine.policy;
    const bytes = fc.uint8Array({ maxLength: 40 });
    const part = fc.oneof(
      fc.json().map(encodePart),
      fc.base64String({ maxLength: 12 }),
      fc.string(),
    );
    const jwtLike = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: "grapheme", maxLength: 40 }),
      bytes,
      jwtLike,
      fc.constantFrom(
        ...LONG.map((long) => long.slice(0, 3000)),
        "",
        "__proto__",
        "\ud800",
        "\ufeff",
      ),
    );
    const word = fc.string({ maxLength: 20 });
    const client = fc.record(
      {
        clientId: text,
        username: text,
        password: text,
        peerHost: fc.oneof(fc.ipV4(), fc.ipV6(), word),
        peerPort: fc.oneof(fc.integer(), fc.double()),
        sockPort: fc.oneof(fc.integer(), fc.double()),
        peerSni: word,
        zone: word,
        listener: fc.oneof(word, fc.constant("tcp:default")),
        userProperties: fc.dictionary(fc.oneof(word, fc.constant("__proto__")), text),
        authMethod: word,
        authData: bytes,
        certCommonName: word,
        certSubject: word,
        certDer: bytes,
      },
      { requiredKeys: ["clientId"] },
    ) as fc.Arbitrary<ClientInfo>;
    await fc.assert(
      fc.asyncProperty(client, async (one) => {
        const decision = await connect(one);
        expect(decision.verdict).toBe("deny");
        // Nor does a client make the engine start over.
        expect(engine.policy.epoch).toBe(epoch);
      }),
      { numRuns: 500 },
    );
    expect(engine.policy.memory.exports.records_used()).toBe(0);
  });
});

describe.each(PRESETS)("a hostile session (%s)", (preset) => {
  it("asks anything and gets an answer that its rules give", async () => {
    const { engine, open } = await engineOf({ text: JWT, acl: STORY_ACL, preset });
    const session = await open({ password: token({}) });
    const { epoch } = engine.policy;
    const topic = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc
        .array(fc.constantFrom("myorg", "+", "#", "", "$x", "$delayed", "read", "\u0000"))
        .map((levels) => levels.join("/")),
      fc.constantFrom(...LONG),
    );
    fc.assert(
      fc.property(topic, (asked) => {
        const allowed = publish(session, asked).startsWith("allow");
        const inner = asked.replace(/^(\$delayed\/[^/]*\/)+/, "");
        expect(allowed && !/^myorg(\/|$)/.test(inner)).toBe(false);
        expect(subscribe(session, asked)).toMatch(/^deny/);
        expect(session.authorizeDelivery(asked, 1)).toBe(false);
        expect(session.isCovered(asked, 1)).toBe(false);
      }),
      { numRuns: 500 },
    );
    expect(engine.policy.epoch).toBe(epoch);
  });

  it("with as many private rules as a token holds is decided like others", async () => {
    const { open, engine, login } = await engineOf({ text: JWT, preset });
    const topics = Array.from({ length: 2000 }, (_, i) => `t${i}/#`);
    const session = await open({ password: token({ acl: { pub: topics } }) });
    expect(publish(session, "t1999/x")).toBe("allow token_acl");
    expect(publish(session, "t2000/x")).toBe("deny token_acl_no_match");
    session.close();
    const wide = Array.from({ length: 600 }, (_, i) => `+/+/+/+/${"${clientid}"}${i}`);
    expect(await login({ password: token({ acl: { all: wide }, exp: START + 9 }) })).toBe(
      "allow by jwt",
    );
    expect(engine.policy.memory.exports.records_used()).toBe(0);
  });
});
