/** The life of a CONNECT: who is let in, as whom, and what the other preset does. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import { engineOf, imageOf, JWT, publish, SECRET, START, token } from "../../support/engine.ts";

const PRESETS: readonly Preset[] = ["strict", "emqx"];
const password = token({});
const forged = token({}, "another secret");
const listener = (body: string) => `listeners.tcp.default { ${body} }`;

describe("without an authenticator", () => {
  const off = JWT.replace("mechanism = jwt,", "mechanism = jwt, enable = false,");
  const closed = "0x87 not_configured by chain";
  it.each([
    ["strict", "legacy", "", closed],
    ["strict", "legacy", "portcullis.allow_anonymous = true", "allow by anonymous"],
    ["strict", "hardened", "portcullis.allow_anonymous = true", "allow by anonymous"],
    ["strict", "legacy", "portcullis.switches.anonymous_refused = false", "allow by anonymous"],
    ["emqx", "legacy", "", "allow by anonymous"],
    ["emqx", "hardened", "", closed],
    ["emqx", "legacy", "portcullis.switches.anonymous_refused = true", closed],
  ] as const)("%s, %s, `%s`: %s", async (preset, profile, text, expected) => {
    const env = { EMQX_SECURITY_PROFILE: profile };
    for (const chain of ["", "authentication = []", off]) {
      const { login } = await engineOf({ text: `${chain}\n${text}`, preset, env });
      expect(await login({}), chain).toBe(expected);
    }
  });

  it("one that is enabled decides, whatever allow_anonymous says", async () => {
    const { login } = await engineOf({ text: `${JWT}\nportcullis.allow_anonymous = true` });
    expect(await login({})).toBe("0x86 missing_token by jwt");
    expect(await login({ password: forged })).toBe("0x86 bad_signature by jwt");
  });
});

describe("a token that does not verify", () => {
  it.each([
    ["strict", "legacy", "0x86 bad_signature by jwt"],
    ["emqx", "legacy", "0x87 all_ignored by chain"],
    ["emqx", "hardened", "0x87 bad_signature by jwt"],
  ] as const)("%s, %s: %s", async (preset, profile, expected) => {
    const env = { EMQX_SECURITY_PROFILE: profile };
    const { login } = await engineOf({ text: JWT, preset, env });
    expect(await login({ password: forged })).toBe(expected);
    expect(await login({ password })).toBe("allow by jwt");
  });
});

describe("enable_authn", () => {
  it.each(PRESETS)("true asks the chain, false nobody (%s)", async (preset) => {
    const on = await engineOf({ text: `${JWT}\n${listener("enable_authn = true")}`, preset });
    expect(await on.login({ password: forged })).toMatch(/^0x8/);
    const off = await engineOf({
      text: `${JWT}\n${listener("enable_authn = false")}`,
      acl: '{allow, all, all, ["c/${clientid}"]}.\n{deny, all}.\n',
      preset,
    });
    const session = await off.open({ password: token({ is_superuser: true }, "another") });
    expect(session.isSuperuser).toBe(false);
    expect(publish(session, "c/c1")).toBe("allow rule");
    expect(publish(session, "c/c2")).toBe("deny rule");
    // A listener that the configuration does not name has the default.
    expect(await off.login({ listener: "tcp:other", password: forged })).toMatch(/^0x8/);
  });

  it("quick_deny_anonymous refuses who brings nothing, in emqx mode who brings no name", async () => {
    const text = `${JWT}\n${listener("enable_authn = quick_deny_anonymous")}`;
    const strict = await engineOf({ text, preset: "strict" });
    const emqx = await engineOf({ text, preset: "emqx" });
    const refused = "0x87 anonymous_refused by enable_authn";
    for (const { login } of [strict, emqx]) {
      expect(await login({})).toBe(refused);
      expect(await login({ username: "" })).toBe(refused);
      expect(await login({ username: "u", password })).toBe("allow by jwt");
    }
    expect(await strict.login({ password })).toBe("allow by jwt");
    expect(await emqx.login({ password })).toBe(refused);
    expect(await strict.login({ password: "" })).toBe(refused);
    expect(await strict.login({ password: forged })).toBe("0x86 bad_signature by jwt");
  });
});

describe("preconditions", () => {
  const chain = (condition: string) =>
    JWT.replace("mechanism = jwt,", `mechanism = jwt, precondition = "${condition}",`);

  it.each(PRESETS)("decide who is asked (%s)", async (preset) => {
    const { login } = await engineOf({ text: chain("str_eq(username, 'u')"), preset });
    expect(await login({ username: "u", password })).toBe("allow by jwt");
    expect(await login({ username: "v", password })).toBe("0x87 all_ignored by chain");
  });

  it("read what is absent as empty, in emqx mode as an error", async () => {
    const text = chain("is_empty(username)");
    const strict = await engineOf({ text, preset: "strict" });
    expect(await strict.login({ password })).toBe("allow by jwt");
    expect(await strict.login({ username: "u", password })).toBe("0x87 all_ignored by chain");
    const hardened = { EMQX_SECURITY_PROFILE: "hardened" };
    const absent = chain("str_eq(lower(cert_common_name), '')");
    const emqx = await engineOf({ text: absent, preset: "emqx", env: hardened });
    expect(await emqx.login({ password })).toBe("0x87 precondition_error by jwt");
  });

  it.each([
    ["strict", "legacy", "0x88 precondition_error by jwt"],
    ["emqx", "legacy", "0x87 all_ignored by chain"],
    ["emqx", "hardened", "0x87 precondition_error by jwt"],
  ] as const)("that fail are no yes: %s, %s", async (preset, profile, expected) => {
    const text = chain("str_eq(nth(9, tokens(clientid, ':')), 'x')");
    const failing = chain("str_eq(jwt_value(clientid, 'a'), 'x')");
    const env = { EMQX_SECURITY_PROFILE: profile };
    const { login } = await engineOf({ text: failing, preset, env });
    expect(await login({ password })).toBe(expected);
    const none = await engineOf({ text, preset, env });
    expect(await none.login({ password })).toMatch(/^0x8/);
  });
});

describe("a listener's own chain", () => {
  const own = listener(JWT.replaceAll(SECRET, "the listener's secret"));
  it.each(PRESETS)("replaces the global one for its clients alone (%s)", async (preset) => {
    const { login } = await engineOf({ text: `${JWT}\n${own}`, preset });
    const there = token({}, "the listener's secret");
    expect(await login({ listener: "tcp:default", password: there })).toBe("allow by jwt");
    expect(await login({ listener: "tcp:default", password })).toMatch(/^0x8/);
    expect(await login({ listener: "tcp:other", password })).toBe("allow by jwt");
    expect(await login({ listener: "tcp:other", password: there })).toMatch(/^0x8/);
    expect(await login({ listener: undefined, password: there })).toMatch(/^0x8/);
  });
});

describe("the client id", () => {
  it("is the username where that is configured", async () => {
    const { open, login } = await engineOf({
      text: `${JWT}\nmqtt.use_username_as_clientid = true`,
    });
    expect((await open({ username: "u", password })).clientId).toBe("u");
    expect((await open({ password })).clientId).toBe("c1");
    expect(await login({ username: "", password })).toBe(
      "0x85 client_identifier_not_valid by mqtt",
    );
  });

  it("is made up for a client that sends none, and told", async () => {
    const { open } = await engineOf({ text: JWT });
    const session = await open({ clientId: "", password });
    expect(session.clientId).toMatch(/^[A-Za-z0-9]{16}$/);
    expect(session.assignedClientId).toBe(session.clientId);
    expect((await open({ clientId: "c1", password })).assignedClientId).toBeUndefined();
  });

  it("can be overridden; strict mode tells the client", async () => {
    const text = `${JWT}\nmqtt.clientid_override = "concat([username, '-', clientid])"`;
    for (const preset of PRESETS) {
      const { open } = await engineOf({ text, preset });
      const session = await open({ username: "u", password });
      expect(session.clientId).toBe("u-c1");
      expect(session.assignedClientId).toBe(preset === "strict" ? "u-c1" : undefined);
    }
  });

  it("stays where the override fails or is empty", async () => {
    for (const expression of ["username", "nth(3, tokens(clientid, ':'))"]) {
      const { open } = await engineOf({ text: `${JWT}\nmqtt.clientid_override = "${expression}"` });
      expect((await open({ username: "", password })).clientId).toBe("c1");
    }
  });

  it("has no control characters after an override, in emqx mode it may", async () => {
    const text = `${JWT}\nmqtt.clientid_override = "username"`;
    const strict = await engineOf({ text, preset: "strict" });
    expect((await strict.open({ username: "a\u0000b", password })).clientId).toBe("c1");
    const emqx = await engineOf({ text, preset: "emqx" });
    expect((await emqx.open({ username: "a\u0001b", password })).clientId).toBe("a\u0001b");
    // What is not UTF-8 could not be told from other such ids.
    const bytes = Uint8Array.of(0x61, 0xff);
    expect(await emqx.login({ username: bytes, password })).toMatch(/^0x85/);
    expect((await strict.open({ username: bytes, password })).clientId).toBe("c1");
  });

  it("from a token is held to the same", async () => {
    for (const preset of PRESETS) {
      const { open, login } = await engineOf({ text: JWT, preset });
      const good = await open({ password: token({ clientid_override: "new" }) });
      expect(good.clientId).toBe("new");
      const bad = await login({ password: token({ clientid_override: "a\nb" }) });
      expect(bad).toBe(
        preset === "strict" ? "0x85 client_identifier_not_valid by jwt" : "allow by jwt",
      );
      expect((await open({ password: token({ clientid_override: "" }) })).clientId).toBe("c1");
    }
  });

  it("is never two clients' at once", async () => {
    const { open, login } = await engineOf({ text: JWT });
    const bytes = (text: string) => new TextEncoder().encode(text);
    const marked = await open({ clientId: bytes("\ufeffadmin"), password });
    expect(marked.clientId).toBe("\ufeffadmin");
    for (const clientId of [Uint8Array.of(0xff), Uint8Array.of(0xc0, 0x80), "\ud800"]) {
      expect(await login({ clientId, password })).toMatch(/^0x85/);
    }
  });

  it("is at most max_clientid_len bytes", async () => {
    const { login } = await engineOf({ text: `${JWT}\nmqtt.max_clientid_len = 23` });
    expect(await login({ clientId: "é".repeat(11), password })).toBe("allow by jwt");
    expect(await login({ clientId: "é".repeat(12), password })).toMatch(/^0x85/);
  });
});

describe("the mountpoint", () => {
  const text = `${JWT}\n${listener('mountpoint = "t/${clientid}/${client_attrs.g}/"')}`;
  const withGroup = (g: string) => token({ client_attrs: { g } });

  it("is rendered with what the token says", async () => {
    for (const preset of PRESETS) {
      const { open } = await engineOf({ text, preset });
      expect((await open({ password: withGroup("x") })).mountpoint).toBe("t/c1/x/");
    }
  });

  it("refuses missing and unsafe values, in emqx mode takes them as they are", async () => {
    const strict = await engineOf({ text, preset: "strict" });
    const emqx = await engineOf({ text, preset: "emqx" });
    for (const g of ["a/b", "+", "#", "a\nb", ""]) {
      const client = { password: withGroup(g) };
      expect(await strict.login(client)).toBe("0x87 bad_mountpoint by mountpoint");
      expect((await emqx.open(client)).mountpoint).toBe(`t/c1/${g}/`);
    }
    expect(await strict.login({ password })).toBe("0x87 bad_mountpoint by mountpoint");
    expect((await emqx.open({ password })).mountpoint).toBe("t/c1/${client_attrs.g}/");
    expect(await strict.login({ clientId: "a/b", password: withGroup("x") })).toMatch(/^0x87 bad_/);
  });

  it("that is not UTF-8 is refused in every mode", async () => {
    const named = `${JWT}\n${listener('mountpoint = "${username}/"')}`;
    for (const preset of PRESETS) {
      const { login } = await engineOf({ text: named, preset });
      expect(await login({ username: Uint8Array.of(0xff), password })).toMatch(/^0x87 bad_mount/);
    }
  });
});

describe("what a trace shows", () => {
  const init = (expression: string) =>
    `${JWT}\nmqtt.client_attrs_init = [{ expression = "${expression}", set_as_attr = a }]`;
  const details = (steps: readonly { detail?: string | undefined }[]) =>
    steps.map(({ detail }) => detail ?? "").join("\n");

  it("has no password in it, whole or as a piece of something", async () => {
    const parts = password.split(".");
    for (const expression of [
      "password",
      "concat(['x', password])",
      "nth(3, tokens(password, '.'))",
    ]) {
      const { trace } = await engineOf({ text: init(expression) });
      const steps = await trace({ clientId: parts[2]!, password });
      const shown = details(steps);
      expect(shown).toContain("(hidden)");
      for (const secret of [password, ...parts]) expect(shown).not.toContain(secret.slice(0, 24));
    }
  });

  it("has other attributes in it", async () => {
    const { trace } = await engineOf({ text: init("jwt_value(password, 'role')") });
    const steps = await trace({ password: token({ role: "reader" }) });
    expect(details(steps)).toContain('"reader"');
  });

  it("has no username in it where that is the token", async () => {
    const text = JWT.replace("from = password", "from = username");
    const { trace, login } = await engineOf({ text });
    expect(await login({ username: password })).toBe("allow by jwt");
    expect(details(await trace({ username: password }))).not.toContain(password.slice(0, 24));
    const plain = await engineOf({ text: JWT });
    expect(details(await plain.trace({ username: "alice", password }))).toContain('"alice"');
  });
});

describe("an image", () => {
  it("leaves a disabled source out", async () => {
    const acl = "{allow, all}.\n";
    const text = (enable: boolean) =>
      `${JWT}\nauthorization.sources = [{ type = file, enable = ${enable}, path = "acl.conf" }]`;
    const on = await engineOf({ text: text(true), acl });
    expect(publish(await on.open({ password }), "a")).toBe("allow rule");
    const off = await engineOf({ text: text(false), acl });
    expect(publish(await off.open({ password }), "a")).toBe("deny no_match");
  });

  it("is refused where it cannot be compiled", () => {
    const broken = JWT.replace("mechanism = jwt,", 'mechanism = jwt, precondition = "nope(1)",');
    expect(() => imageOf({ text: broken })).toThrow(/nope/);
  });
});

it("accepts a token until the second it expires", async () => {
  for (const preset of PRESETS) {
    const { login, clock } = await engineOf({ text: JWT, preset });
    const expiring = token({ exp: START + 10 });
    clock.ms = (START + 10) * 1000 - 1;
    expect(await login({ password: expiring })).toBe("allow by jwt");
    clock.ms = (START + 10) * 1000;
    expect(await login({ password: expiring })).toBe("0x86 expired by jwt");
  }
});

describe("a peer address", () => {
  const acl = '{deny, {ipaddrs, ["10.0.0.0/8", "fe80::/10"]}, all, all}.\n{allow, all}.\n';

  it.each(["10.1.2.3", "::ffff:10.1.2.3", "fe80::1", "fe80::1%eth0"])(
    "is what rules compare, however it is written: %s",
    async (peerHost) => {
      const { open } = await engineOf({ text: JWT, acl });
      expect(publish(await open({ peerHost, password }), "t")).toBe("deny rule");
    },
  );

  it.each(["10.1.2.3:50123", "10.1.2", "localhost", "[fe80::1]", "", " 10.1.2.3", "%eth0"])(
    "that is none refuses its client, whom no rule about addresses would stop: `%s`",
    async (peerHost) => {
      for (const preset of ["strict", "emqx"] as const) {
        const { login } = await engineOf({ text: JWT, acl, preset });
        const isLoose = preset === "emqx" && peerHost === "10.1.2";
        const expected = isLoose ? "allow by jwt" : "0x87 malformed_peer_address by peerhost";
        expect(await login({ peerHost, password })).toBe(expected);
      }
    },
  );

  it("may be unknown", async () => {
    const { open } = await engineOf({ text: JWT, acl });
    expect(publish(await open({ password }), "t")).toBe("allow rule");
  });
});
