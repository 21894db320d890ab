import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { JwtConfig } from "../../../src/config/config.ts";
import { type LoadOptions, loadConfig } from "../../../src/config/load.ts";
import { ConfigError, type Issue } from "../../../src/errors.ts";

const FILE = "etc/portcullis.conf";

type Extra = Partial<LoadOptions> & { files?: Record<string, string> };

function load(text: string, extra: Extra = {}) {
  const { files = {}, ...options } = extra;
  const read = (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined);
  return loadConfig({ text, file: FILE, readInclude: read, readFile: read, ...options });
}

function refused(text: string, extra: Extra = {}): Issue[] {
  try {
    load(text, extra);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.filter((i) => i.severity === "error");
    throw error;
  }
  throw new Error("expected a refusal");
}

/** The one error of a text, as `line:column path: message (hint)`. */
function error(text: string, extra: Extra = {}): string {
  const issues = refused(text, extra);
  expect(issues).toHaveLength(1);
  const { at, path, message, hint } = issues[0] as Issue;
  return `${at?.line}:${at?.column} ${path}: ${message}${hint ? ` (${hint})` : ""}`;
}

function codes(issues: readonly Issue[]): string[] {
  return issues.map((issue) => issue.code);
}

const JWT = 'authentication { mechanism = jwt, algorithm = "hmac-based", secret = "s3cr3t", ';

function jwt(keys: string, extra: Extra = {}): JwtConfig {
  const { config } = load(`authentication { mechanism = jwt, ${keys} }`, extra);
  return config.authentication[0] as JwtConfig;
}

function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8");
}

describe("the two user stories", () => {
  test("the client-id check loads as EMQX users write it, in strict mode", () => {
    const { config, issues } = load(fixture("spoofing.conf"));
    expect(config.preset).toBe("strict");
    expect(config.authentication.map((one) => [one.id, one.path, one.enable])).toEqual([
      ["cinfo", "authentication[1]", true],
      ["jwt", "authentication[2]", true],
    ]);
    const [cinfo, token] = config.authentication;
    expect(cinfo).toMatchObject({
      checks: [
        {
          isMatch: [
            {
              value: "str_neq(nth(4, tokens(jwt_value(password, 'sub'), ':')), clientid)",
              at: { file: FILE, line: 9, column: 21 },
            },
          ],
          result: "deny",
        },
      ],
    });
    expect(token).toMatchObject({
      keys: { type: "hmac", secret: "jwtpassfortest1", secretBase64Encoded: false },
      from: "password",
      verifyClaims: [],
      aclClaimName: "acl",
      onMissingJwt: "deny",
      disconnectAfterExpire: true,
    });
    const told = issues.find((issue) => issue.code === "WARN_CONFIG_EMQX_REFUSES");
    expect(told?.message).toContain("without `use_jwks`");
    expect(told?.hint).toBe("write `use_jwks = false`");
    expect(issues.map((issue) => issue.message).join()).not.toContain("jwtpassfortest1");
  });

  test("the reference refuses it for want of use_jwks, and so does its mode", () => {
    expect(error(fixture("spoofing.conf"), { preset: "emqx" })).toContain("`use_jwks` is missing");
  });

  test("scopes become attributes and rules, through an include and a rule file", () => {
    const { config } = load(fixture("scopes.conf"), {
      env: { EMQX_ETC_DIR: "/etc/emqx" },
      files: {
        "spoofing.conf": fixture("spoofing.conf"),
        "/etc/emqx/scopes.acl.conf": fixture("scopes.acl.conf"),
      },
    });
    expect(config.authentication).toHaveLength(2);
    expect(config.authentication[0]?.at?.file).toBe("etc/spoofing.conf");
    expect(config.mqtt.clientAttrsInit).toEqual([
      {
        expression: {
          // A raw string has no escapes: both backslashes stay.
          value: String.raw`nth(2, regex_extract(jwt_value(password, 'scp'), '(^|\\s)(read)(\\s|$)'))`,
          at: { file: FILE, line: 7, column: 23 },
        },
        setAsAttr: "jwt_scp",
      },
    ]);
    expect(config.authorization.sources).toEqual([
      {
        type: "file",
        enable: true,
        path: "/etc/emqx/scopes.acl.conf",
        text: fixture("scopes.acl.conf"),
        at: { file: "/etc/emqx/scopes.acl.conf", line: 1, column: 1 },
      },
    ]);
  });
});

describe("defaults", () => {
  test("an empty configuration lets nobody in and allows nothing", () => {
    const { config, issues } = load("");
    expect(config).toMatchObject({
      preset: "strict",
      securityProfile: "legacy",
      authentication: [],
      allowAnonymous: false,
      authorization: { noMatch: "deny", denyAction: "ignore", sources: [] },
      mqtt: {
        clientAttrsInit: [],
        maxClientIdLen: 65535,
        maxTopicLevels: 128,
        maxQosAllowed: 2,
        exclusiveSubscription: false,
        maxPacketSizeBytes: 1048576,
        idleTimeoutMs: 15000,
      },
      listeners: [
        {
          name: "default",
          enable: true,
          host: "0.0.0.0",
          port: 1883,
          zone: "default",
          mountpoint: "",
          enableAuthn: true,
        },
      ],
    });
    expect(codes(issues)).toEqual(["WARN_CONFIG_NO_AUTHENTICATION", "WARN_CONFIG_NO_SOURCES"]);
    expect(issues[0]?.message).toContain("every client is refused");
  });

  test("the hardened profile listens on loopback", () => {
    const env = { EMQX_SECURITY_PROFILE: "hardened" };
    const { config } = load("listeners.tcp.b.bind = 1884", { env });
    expect(config.securityProfile).toBe("hardened");
    expect(config.listeners.map((one) => one.host)).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  test("an unknown profile is refused", () => {
    const issues = refused("", { env: { EMQX_SECURITY_PROFILE: "hard" } });
    expect(issues[0]?.message).toBe("expected `legacy` or `hardened`, found `hard`");
  });

  test("a missing token is denied in strict mode, and by profile as in the reference", () => {
    const keys = 'use_jwks = false, algorithm = "hmac-based", secret = x';
    expect(jwt(keys).onMissingJwt).toBe("deny");
    expect(jwt(keys, { preset: "emqx" }).onMissingJwt).toBe("ignore");
    const env = { EMQX_SECURITY_PROFILE: "hardened" };
    expect(jwt(keys, { preset: "emqx", env }).onMissingJwt).toBe("deny");
    expect(jwt(`${keys}, on_missing_jwt = ignore`).onMissingJwt).toBe("ignore");
  });

  test("null means not set", () => {
    const { config } = load("mqtt { max_qos_allowed = null }\nauthorization = null");
    expect(config.mqtt.maxQosAllowed).toBe(2);
    expect(config.authorization.noMatch).toBe("deny");
  });
});

describe("mistakes", () => {
  test("a wrong key names the nearest valid one", () => {
    expect(error("mqtt {\n  max_qos_alowed = 1\n}")).toBe(
      "2:3 mqtt: there is no key `max_qos_alowed` here (did you mean `max_qos_allowed`?)",
    );
    expect(error("mqtt.max_qos = 1")).toContain("did you mean `max_qos_allowed`?");
    expect(error("listeners.tpc.default.bind = 1")).toContain("did you mean `tcp`?");
    expect(error("authorization.sources = [{type = file, pth = x, rules = x}]")).toContain(
      "did you mean `path`? valid here: `type`, `enable`, `path`, `rules`",
    );
  });

  test("a wrong root key is an error in strict mode and dropped in the reference's", () => {
    expect(error("authorisation { no_match = allow }")).toBe(
      "1:1 : there is no root key `authorisation` (did you mean `authorization`? valid here: " +
        "`authentication`, `authentication_settings`, `authorization`, `listeners`, `mqtt`, " +
        "`portcullis`)",
    );
    const { config, issues } = load("authorisation { no_match = allow }", { preset: "emqx" });
    expect(config.authorization.noMatch).toBe("deny");
    expect(codes(issues)).toContain("WARN_CONFIG_UNKNOWN_KEY");
  });

  test("root keys of EMQX that are not read are warnings", () => {
    const { issues } = load('node.name = "a@b"\nzones.z.mqtt.max_qos_allowed = 1');
    const told = issues.filter((issue) => issue.code === "WARN_CONFIG_UNSUPPORTED");
    expect(told.map((issue) => issue.at?.line)).toEqual([1, 2]);
    expect(told[1]?.message).toContain("settings per zone have no effect");
  });

  test("a wrong type says what was expected and found", () => {
    expect(error("mqtt = 5")).toBe("1:8 mqtt: expected an object, found `5`");
    expect(error("mqtt.max_qos_allowed = high")).toBe(
      "1:24 mqtt.max_qos_allowed: expected a whole number from 0 to 2, found `high`",
    );
    expect(error("mqtt.max_qos_allowed = 3")).toContain("from 0 to 2, found `3`");
    expect(error("mqtt.retain_available = yes")).toContain("expected `true` or `false`");
    expect(error("mqtt.client_attrs_init { a = 1 }")).toContain("expected a list of an attribute");
    expect(error("authentication = jwt")).toContain("expected an authenticator");
  });

  test("an unknown word of an enumeration names the nearest one", () => {
    expect(error("authorization.no_match = denny")).toBe(
      "1:26 authorization.no_match: expected one of `allow`, `deny`, found `denny` " +
        "(did you mean `deny`?)",
    );
    expect(error("authorization.deny_action = Ignore")).toContain("did you mean `ignore`?");
  });

  test("an unclosed brace names where it was opened", () => {
    expect(error("mqtt {\n  max_qos_allowed = 1\n\nauthorization { no_match = deny }")).toBe(
      "1:6 mqtt: the `{` opened here is never closed (add `}`; the file ends in line 4)",
    );
  });

  test("all of them are reported at once, in the order of the file", () => {
    const issues = refused("mqtt { a = 1 }\nlisteners { b = 2 }\nauthorization { c = 3 }");
    expect(issues.map((issue) => issue.at?.line)).toEqual([1, 2, 3]);
  });

  test("a missing key is named with what it is for", () => {
    expect(error("mqtt.client_attrs_init = [{ expression = username }]")).toBe(
      "1:27 mqtt.client_attrs_init[1]: `set_as_attr` is missing (the attribute's name: " +
        "an attribute name: letters, digits, `_` and `-`)",
    );
  });

  test("a key written under two names is refused", () => {
    const text = "listeners.tcp.default { enable = true, enabled = false }";
    expect(error(text)).toContain("written twice");
    expect(load("listeners.tcp.default.enabled = false").config.listeners[0]?.enable).toBe(false);
  });

  test("no secret is ever repeated", () => {
    const texts = [
      "authentication { mechanism = jwt, secret = hun/ter2 }",
      "authentication { mechanism = jwt, secret = hunter2 [1] }",
      "authentication { mechanism = jwt, secret = 'hunter2' }",
      'authentication { mechanism = jwt, secret "hunter2" }',
      'authentication { mechanism = jwt, secret = "hunter2" oops! }',
      "authentication { mechanism = jwt, secret = hunter2 = 1 }",
      "authentication { mechanism = jwt, secret = [hunter2] }",
      'authentication { mechanism = jwt, secret = {hunter2" } }',
      "authentication { mechanism = jwt, secret { hunter2 = 1 } }",
      "authentication { mechanism = jwt, secret = abc${hunter2} }",
      'authentication { mechanism = jwt, algorithm = "hmac-based, secret = "hunter2" }',
      'authentication { mechanism = jwt, algorithm = "hmac-based"\n secret "hunter2", use_jwks=false }',
      'authentication { mechanism = jwt, secret = "hunter2", use_jwks = 7 }',
      'authentication { mechanism = jwt, use_jwks = false, secret = "hunter2!", ' +
        'algorithm = "hmac-based", secret_base64_encoded = true }',
      `${JWT.replace("s3cr3t", "hunter2").replace("secret", "sekret")}}`,
    ];
    for (const text of texts) {
      for (const issue of refused(text)) expect(JSON.stringify(issue)).not.toContain("unter2");
    }
  });
});

describe("values", () => {
  test("texts read as numbers and booleans, and the reverse", () => {
    const { config } = load(
      'mqtt { max_qos_allowed = "1", retain_available = "false" }\n' +
        `${JWT} acl_claim_name = 7, use_jwks = "false" }`,
    );
    expect(config.mqtt).toMatchObject({ maxQosAllowed: 1, retainAvailable: false });
    expect(config.authentication[0]).toMatchObject({ aclClaimName: "7" });
  });

  test.each([
    ["1h30m", 5_400_000],
    ["1.5s", 1500],
    ["500ms", 500],
    ["2500", 2500],
    ["1H", 3_600_000],
    ["1f", 1_209_600_000],
    ["0.0004s", 0],
    ["infinity", 2 ** 31 - 1],
  ])("the duration %s is %i ms", (text, ms) => {
    expect(load(`mqtt.idle_timeout = "${text}"`).config.mqtt.idleTimeoutMs).toBe(ms);
  });

  test.each(["1y", "1hM", "1Ms", "5 m", "", "m", "1.s", "-1s", "8w", "1e3"])(
    "the duration %j is refused",
    (text) => {
      expect(refused(`mqtt.idle_timeout = "${text}"`)).toHaveLength(1);
    },
  );

  test.each([
    ["10MB", 10 * 1024 ** 2],
    ["2kb", 2048],
    ["77", 77],
    ["1b", 1],
  ])("the size %s is %i bytes", (text, bytes) => {
    expect(load(`mqtt.max_packet_size = "${text}"`).config.mqtt.maxPacketSizeBytes).toBe(bytes);
  });

  test.each(["10Mb", "1.5MB", "MB", "1TB", "0", "2GB"])("the size %j is refused", (text) => {
    expect(refused(`mqtt.max_packet_size = "${text}"`)).toHaveLength(1);
  });

  test("a secret of digits is its digits", () => {
    const keys = jwt('use_jwks = false, algorithm = "hmac-based", secret = 0012345678901234567890');
    expect(keys.keys).toMatchObject({ secret: "12345678901234567890" });
  });

  test("`authentication` may be one object, also written in two parts, or a list", () => {
    const parts =
      'authentication { mechanism = jwt, use_jwks = false, secret = x }\nauthentication { algorithm = "hmac-based" }';
    expect(load(parts).config.authentication[0]?.path).toBe("authentication");
    const numbered = `authentication.1 ${JWT.slice(15)} }\nauthentication.2 { mechanism = cinfo, checks = [{is_match = "true", result = allow}] }`;
    expect(load(numbered).config.authentication.map((one) => one.id)).toEqual(["jwt", "cinfo"]);
    const gap = numbered.replace("authentication.2", "authentication.3");
    expect(refused(gap)).not.toEqual([]);
  });

  test("expressions carry the place of their first character", () => {
    const { config } = load(
      'mqtt.client_attrs_init = [\n  {expression = "a", set_as_attr = x},\n  {expression = b, set_as_attr = y},\n' +
        '  {expression = """c""", set_as_attr = z},\n  {expression = """~\n    d\n  """, set_as_attr = w}]',
    );
    const places = config.mqtt.clientAttrsInit.map(({ expression: { value, at } }) => [
      value,
      at?.line,
      at?.column,
    ]);
    expect(places).toEqual([
      ["a", 2, 18],
      ["b", 3, 17],
      ["c", 4, 20],
      ["d\n", 6, 5],
    ]);
  });

  test("`clientid_override` is off when empty or `disabled`", () => {
    for (const value of ["disabled", '""', "null"]) {
      expect(load(`mqtt.clientid_override = ${value}`).config.mqtt.clientIdOverride).toBe(
        undefined,
      );
    }
    const { config } = load("mqtt.clientid_override = username");
    expect(config.mqtt.clientIdOverride?.value).toBe("username");
  });

  test.each(["-a", "_a", "a b", "a.b", "", "é"])("the attribute name %j is refused", (name) => {
    const text = `mqtt.client_attrs_init = [{expression = a, set_as_attr = "${name}"}]`;
    expect(error(text)).toContain("expected an attribute name");
  });
});

describe("authenticators", () => {
  test("unsupported mechanisms name what is supported", () => {
    expect(error("authentication { mechanism = gcp_device }")).toMatch(
      /^1:30 authentication\.mechanism: mechanism `gcp_device` is not supported \(use `jwt`, .* or `.*`\)$/,
    );
    expect(error("authentication { mechanism = password_based, backend = mongodb }")).toMatch(
      /^1:56 authentication\.backend: mechanism `password_based` with backend `mongodb` is not supported \(use `built_in_database`/,
    );
    expect(error("authentication { mechanism = jtw }")).toContain("did you mean `jwt`?");
    expect(error("authentication { enable = true }")).toContain("`mechanism` is missing");
  });

  test("a second authenticator of one kind is refused, and skipped as by the reference", () => {
    const text = `authentication = [
      { mechanism = cinfo, checks = [{ is_match = a, result = allow }] }
      { mechanism = cinfo, checks = [{ is_match = b, result = deny }] }
    ]`;
    expect(error(text)).toContain("this is the second");
    const { config, issues } = load(text, { preset: "emqx" });
    expect(config.authentication).toHaveLength(1);
    expect(codes(issues)).toContain("WARN_CONFIG_DUPLICATE");
  });

  test("checks need an expression and a result", () => {
    const cinfo = (checks: string) => `authentication { mechanism = cinfo, checks = ${checks} }`;
    const two = load(cinfo("[{ is_match = [a, b], result = ignore }]")).config.authentication[0];
    expect(two).toMatchObject({ checks: [{ isMatch: [{ value: "a" }, { value: "b" }] }] });
    expect(error(cinfo("[]"))).toContain("at least one");
    expect(error(cinfo("[{ is_match = [], result = deny }]"))).toContain("at least one");
    expect(error(cinfo('[{ is_match = "", result = deny }]'))).toContain("not empty");
    expect(error(cinfo("[{ is_match = a, result = drop }]"))).toContain(
      "`allow`, `deny`, `ignore`",
    );
  });

  test("the kind of key follows use_jwks, and other kinds' keys are refused", () => {
    const pem = '"""-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"""';
    const publicKey = jwt(`use_jwks = false, algorithm = "public-key", public_key = ${pem}`);
    expect(publicKey.keys.type).toBe("public_key");
    expect(jwt('endpoint = "https://h/keys"').keys).toMatchObject({
      type: "jwks",
      endpoint: "https://h/keys",
      headers: { Accept: "application/json" },
      refreshIntervalSeconds: 300,
      maxFailCount: 5,
    });
    const hmac = JWT.slice(0, -2);
    expect(error(`${hmac}, use_jwks = false, endpoint = "https://h" }`)).toContain(
      "it belongs to `use_jwks = true`",
    );
    expect(error(`${hmac}, endpoint = "https://h" }`)).toContain("only one of");
    expect(error("authentication { mechanism = jwt }")).toContain("none of `secret`");
    expect(error(`${hmac.replace("hmac-based", "public-key")} }`)).toBe(
      "1:47 authentication.algorithm: expected `hmac-based`, found `public-key` " +
        "(`public-key` goes with `public_key`)",
    );
  });

  test("claims are a map or a list of pairs", () => {
    const one = load(`${JWT} verify_claims { aud = "x", "a.b" = "\${clientid}" } }`);
    const claims = [
      { name: "aud", value: { value: "x" } },
      { name: "a.b", value: { value: "${clientid}" } },
    ];
    expect(one.config.authentication[0]).toMatchObject({ verifyClaims: claims });
    const list = load(`${JWT} verify_claims = [{ name = aud, value = "x" }] }`);
    expect(list.config.authentication[0]).toMatchObject({ verifyClaims: claims.slice(0, 1) });
    expect(error(`${JWT} verify_claims { n = 5 } }`)).toContain("expected a text, found `5`");
    expect(error(`${JWT} verify_claims { "" = a } }`)).toContain("a claim needs a name");
    expect(error(`${JWT} verify_claims { exp = a } }`)).toContain("cannot be compared");
    const relaxed = `${JWT} use_jwks = false, verify_claims { exp = a } }`;
    expect(load(relaxed, { preset: "emqx" }).config.authentication).toHaveLength(1);
  });

  test("keys and secrets can stand in files", () => {
    const pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    const files = { "keys/a.pem": pem, "/run/secret": "from-a-file\n", "two.pem": pem + pem };
    const key = (path: string) =>
      `use_jwks = false, algorithm = "public-key", public_key = "${path}"`;
    expect(jwt(key("${KEYS}/a.pem"), { files, env: { KEYS: "keys" } }).keys).toMatchObject({ pem });
    expect(error(`authentication { mechanism = jwt, ${key("nope.pem")} }`, { files })).toContain(
      "cannot read `nope.pem`: there is no such file",
    );
    expect(error(`authentication { mechanism = jwt, ${key("${NOPE}/a")} }`, { files })).toContain(
      "`NOPE` is not set",
    );
    const secret = 'use_jwks = false, algorithm = "hmac-based", secret = "file:///run/secret"';
    expect(jwt(secret, { files }).keys).toMatchObject({ secret: "from-a-file" });
    const literal = jwt(secret, { files, preset: "emqx" });
    expect(literal.keys).toMatchObject({ secret: "file:///run/secret" });
    expect(jwt(key("two.pem"), { files }).keys.type).toBe("public_key");
    const text = `authentication { mechanism = jwt, ${key("two.pem")} }`;
    expect(error(text, { files, preset: "emqx" })).toContain("takes exactly one");
    expect(jwt(`${key("nope.pem")}, enable = false`, { files }).enable).toBe(false);
  });

  test("secrets that protect nothing are refused or reported", () => {
    const secret = (value: string) =>
      `authentication { mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = ${value} }`;
    expect(error(secret('""'))).toContain("an empty secret");
    expect(load(secret('""'), { preset: "emqx" }).config.authentication).toHaveLength(1);
    expect(codes(load(secret(`"${"x".repeat(31)}"`)).issues)).toContain("WARN_CONFIG_SHORT_SECRET");
    expect(codes(load(secret(`"${"x".repeat(32)}"`)).issues)).not.toContain(
      "WARN_CONFIG_SHORT_SECRET",
    );
    expect(error(secret('"abc", secret_base64_encoded = true'))).toContain("standard base64");
  });

  test("a JWKS refresh interval below ten seconds counts as ten; durations are ours", () => {
    const keys = 'use_jwks = true, endpoint = "https://h"';
    const interval = (value: string, extra: Extra = {}) =>
      jwt(`${keys}, refresh_interval = ${value}`, extra).keys;
    expect(interval("3")).toMatchObject({ refreshIntervalSeconds: 10 });
    expect(interval("5m")).toMatchObject({ refreshIntervalSeconds: 300 });
    const text = `authentication { mechanism = jwt, ${keys}, refresh_interval = 5m }`;
    expect(error(text, { preset: "emqx" })).toContain("whole number");
    expect(error(text.replace("https://h", "ftp://h"))).toContain("an http or https URL");
  });
});

describe("authorization", () => {
  test("rules stand in a file or in the configuration itself", () => {
    const rules = "{deny, all}.\n";
    const files = { "acl.conf": rules };
    const { config, issues } = load('authorization.sources = [{type = file, path = "acl.conf"}]', {
      files,
    });
    expect(config.authorization.sources).toEqual([
      {
        type: "file",
        enable: true,
        path: "etc/acl.conf",
        text: rules,
        at: { file: "etc/acl.conf", line: 1, column: 1 },
      },
    ]);
    expect(codes(issues)).not.toContain("WARN_CONFIG_NO_SOURCES");
    const inline = load('authorization.sources = [\n  {type = file, rules = """{deny, all}."""}]');
    expect(inline.config.authorization.sources[0]).toMatchObject({
      text: "{deny, all}.",
      path: FILE,
      at: { file: FILE, line: 2, column: 28 },
    });
  });

  test("EMQX_ETC_DIR is the folder of the configuration where it is not set", () => {
    const text = 'authorization.sources = [{type = file, path = "${EMQX_ETC_DIR}/acl.conf"}]';
    const unset = load(text, { files: { "./acl.conf": "a" } });
    expect(unset.config.authorization.sources[0]).toMatchObject({
      text: "a",
      path: "etc/acl.conf",
    });
    expect(codes(unset.issues)).toContain("WARN_CONFIG_ETC_DIR");
    const set = load(text, { files: { "/e/acl.conf": "b" }, env: { EMQX_ETC_DIR: "/e" } });
    expect(set.config.authorization.sources[0]).toMatchObject({ text: "b", path: "/e/acl.conf" });
  });

  test("the built-in database and a file may stand in any order", () => {
    const database = "{type = built_in_database, max_rules = 100}";
    const file = "authorization.sources = [{type = built_in_database, enable = false}";
    expect(
      load(`authorization.sources = [{type=file, rules=""}, ${database}]`).config.authorization
        .sources,
    ).toMatchObject([
      { type: "file", enable: true },
      { type: "built_in_database", enable: true },
    ]);
    expect(load(`${file}, {type=file, rules=""}]`).config.authorization.sources).toMatchObject([
      { type: "built_in_database", enable: false },
      { type: "file" },
    ]);
  });

  test("max_rules is 100 unless it is written", () => {
    const of = (text: string) =>
      load(`authorization.sources = [{type = built_in_database${text}}]`).config.authorization;
    expect(of("").sources).toMatchObject([{ maxRules: 100 }]);
    expect(of(", max_rules = 7").sources).toMatchObject([{ maxRules: 7 }]);
  });

  test("other sources, second sources and missing files are refused", () => {
    expect(error("authorization.sources = [{type = http}]")).toBe(
      "1:34 authorization.sources[1].type: the source type `http` is not supported " +
        "(use `file` or `built_in_database`)",
    );
    expect(error("authorization.sources = [{type = fiel}]")).toContain("did you mean `file`?");
    expect(error("authorization.sources = [{enable = true}]")).toContain("`type` is missing");
    const two = 'authorization.sources = [{type=file, rules="a"}, {type=file, rules="b"}]';
    expect(error(two)).toContain("more than one `file` source");
    const database = "{type=built_in_database}";
    expect(error(`authorization.sources = [${database}, ${database}]`)).toContain(
      "more than one `built_in_database` source",
    );
    const none = "authorization.sources = [{type=built_in_database, max_rules=0}]";
    expect(error(none)).toContain("authorization.sources[1].max_rules: expected a whole number");
    expect(error("authorization.sources = [{type=built_in_database, path=a}]")).toContain("`path`");
    const gone = 'authorization.sources = [{type=file, enable=false, path="x"}]';
    expect(error(gone)).toContain("cannot read `x`");
    expect(error("authorization.sources = [{type=file}]")).toContain("`path` is missing");
    expect(error('authorization.sources = [{type=file, path=a, rules=""}]')).toContain("both");
  });

  test("a cache is accepted and not needed", () => {
    const { issues } = load("authorization { cache { enable = true, ttl = 1m } }");
    expect(issues.find((issue) => issue.code === "WARN_CONFIG_NO_EFFECT")?.message).toContain(
      "not needed",
    );
  });
});

describe("listeners", () => {
  const bind = (value: string) => {
    const [one] = load(`listeners.tcp.default.bind = ${value}`).config.listeners;
    return [one?.host, one?.port];
  };

  test.each([
    ["1884", "0.0.0.0", 1884],
    ['"1884"', "0.0.0.0", 1884],
    ['":1884"', "0.0.0.0", 1884],
    ['"0.0.0.0:1883"', "0.0.0.0", 1883],
    ['"[::1]:1883"', "::1", 1883],
    ['"localhost:0"', "localhost", 0],
  ])("bind = %s", (value, host, port) => {
    expect(bind(value)).toEqual([host, port]);
  });

  test.each(['"65536"', '"::1:1883"', '"1.2.3:1"', '"1.2.3.400:1"', '"host"', '"h:x"', '""', "-1"])(
    "bind = %s is refused",
    (value) => {
      expect(error(`listeners.tcp.default.bind = ${value}`)).toContain("expected a port");
    },
  );

  test("an unquoted address says to put it in quotes", () => {
    expect(error("listeners.tcp.default {\n  bind = 0.0.0.0:1883\n}")).toBe(
      "2:10 listeners.tcp.default.bind: `0.0.0.0:1883` is an address and needs quotes " +
        '(write `bind = "0.0.0.0:1883"`)',
    );
  });

  test("tcp:default is there unless it is disabled, and ports do not clash", () => {
    const { config } = load("listeners.tcp.two { bind = 1884, acceptors = 16 }");
    expect(config.listeners.map((one) => one.name)).toEqual(["default", "two"]);
    expect(error("listeners.tcp.two.bind = 1883")).toContain("both listen on");
    const off = load("listeners.tcp { default.enable = false, two.bind = 1883 }").config.listeners;
    expect(off.map((one) => one.enable)).toEqual([false, true]);
  });

  test("a listener may have a chain of its own; an empty one does not count", () => {
    const text = `listeners.tcp.default { enable_authn = quick_deny_anonymous, ${JWT} } }`;
    const [one] = load(text).config.listeners;
    expect(one?.enableAuthn).toBe("quick_deny_anonymous");
    expect(one?.authentication?.[0]?.path).toBe("listeners.tcp.default.authentication");
    const [empty] = load("listeners.tcp.default.authentication = []").config.listeners;
    expect(empty?.authentication).toBe(undefined);
  });

  test("what would have to be enforced and is not supported is refused", () => {
    expect(error("listeners.tcp.default.proxy_protocol = true")).toContain("not supported");
    const { issues } = load("listeners.wss.default.bind = 8084\nlisteners.ws.default.enable=false");
    const told = issues.filter((issue) => issue.code === "WARN_CONFIG_UNSUPPORTED");
    expect(told.map((issue) => issue.message)).toEqual([
      "`wss` listeners are not supported: `wss:default` does not listen",
    ]);
  });

  test("hostile names are names", () => {
    expect(error('listeners.tcp { "__proto__" { bind = 1 } }')).toContain("cannot be the name");
    expect(error("mqtt.constructor = 1")).toContain("no key `constructor`");
    expect(error('"__proto__" = 1')).toContain("no root key `__proto__`");
  });
});

describe("portcullis", () => {
  test("the preset comes from the file unless it is given", () => {
    const text = "portcullis { compatibility = emqx, switches { unicode_escapes = true } }";
    const { config } = load(text);
    expect(config.preset).toBe("emqx");
    expect(config.switches.unicode_escapes).toBe(true);
    expect(config.switches.failure_denies).toBe(false);
    expect(load(text, { preset: "strict" }).config.switches.failure_denies).toBe(true);
    expect(error("portcullis.compatibility = emx")).toContain("did you mean `emqx`?");
    expect(error("portcullis.switches.unicode_escape = true")).toContain(
      "did you mean `unicode_escapes`?",
    );
  });

  test("the switch for \\uXXXX decides how the same file is read", () => {
    const text = 'listeners.tcp.default.zone = "\\u0041"\n';
    const zone = (more: string) => load(text + more).config.listeners[0]?.zone;
    expect(zone("")).toBe("A");
    expect(zone("portcullis.compatibility = emqx")).toBe("\\u0041");
    expect(zone("portcullis.switches.unicode_escapes = false")).toBe("\\u0041");
    expect(codes(load(text).issues)).toContain("WARN_CONFIG_ESCAPE");
  });

  test("anonymous access is said aloud", () => {
    const { config, issues } = load("portcullis.allow_anonymous = true");
    expect(config.allowAnonymous).toBe(true);
    expect(issues[0]?.message).toBe("no authenticator is enabled: every client is accepted");
    const emqx = load("", { preset: "emqx" });
    expect(emqx.issues[0]?.message).toBe("no authenticator is enabled: every client is accepted");
  });
});

describe("live sessions under a new policy", () => {
  const onPolicyChange = (text: string, extra: Extra = {}) =>
    load(text, extra).config.onPolicyChange;

  test("lose what it does not allow, unless told otherwise", () => {
    expect(onPolicyChange("")).toBe("unsubscribe");
    for (const word of ["unsubscribe", "disconnect", "keep"]) {
      expect(onPolicyChange(`portcullis.on_policy_change = ${word}`)).toBe(word);
      expect(onPolicyChange(`portcullis.on_policy_change = ${word}`, { preset: "emqx" })).toBe(
        word,
      );
    }
  });

  test("keep what they have in emqx mode, as with the switch alone", () => {
    expect(onPolicyChange("", { preset: "emqx" })).toBe("keep");
    expect(onPolicyChange("portcullis.switches.enforce_delivery = false")).toBe("keep");
    const withSwitch = "portcullis.switches.enforce_delivery = true";
    expect(onPolicyChange(withSwitch, { preset: "emqx" })).toBe("unsubscribe");
  });

  test("are never left to a misspelt word", () => {
    expect(error("portcullis.on_policy_change = disconect")).toBe(
      "1:31 portcullis.on_policy_change: expected one of `unsubscribe`, `disconnect`, `keep`, " +
        "found `disconect` (did you mean `disconnect`?)",
    );
  });
});

describe("environment", () => {
  const chain = `authentication = [${JWT.slice(15)} enable = true }]`;

  test("variables override the file, in alphabetical order", () => {
    const { config } = load(`${chain}\nmqtt.max_qos_allowed = 2`, {
      env: {
        EMQX_MQTT__MAX_QOS_ALLOWED: "1",
        EMQX_AUTHENTICATION__2: "{ mechanism = cinfo, checks = [{is_match = a, result = deny}] }",
        EMQX_AUTHENTICATION__1__ENABLE: "false",
        EMQX_LISTENERS__TCP__DEFAULT__BIND: "127.0.0.1:1884",
        EMQX_LISTENERS__TCP__DEFAULT__MOUNTPOINT: "${clientid}",
        EMQX_PORTCULLIS__ALLOW_ANONYMOUS: "true",
      },
    });
    expect(config.mqtt.maxQosAllowed).toBe(1);
    expect(config.authentication.map((one) => [one.id, one.enable])).toEqual([
      ["jwt", false],
      ["cinfo", true],
    ]);
    expect(config.listeners[0]).toMatchObject({
      host: "127.0.0.1",
      port: 1884,
      mountpoint: "${clientid}",
    });
    expect(config.allowAnonymous).toBe(true);
  });

  test("a single authenticator is number 1", () => {
    const { config } = load(`${JWT} }`, { env: { EMQX_AUTHENTICATION__1__ENABLE: "false" } });
    expect(config.authentication.map((one) => one.enable)).toEqual([false]);
  });

  test("a list can come from the environment alone", () => {
    const env = {
      EMQX_AUTHENTICATION__1__MECHANISM: "jwt",
      EMQX_AUTHENTICATION__1__ALGORITHM: "hmac-based",
      EMQX_AUTHENTICATION__1__SECRET: '"with blanks = and {braces"',
    };
    const [one] = load("", { env }).config.authentication as JwtConfig[];
    expect(one?.keys).toMatchObject({ secret: "with blanks = and {braces" });
  });

  test("unknown roots are ignored, unknown keys below a known one are warnings", () => {
    const { issues } = load("", {
      env: {
        EMQX_SECURITY_PROFILE: "legacy",
        EMQX_ETC_DIR: "/x",
        EMQX_NOTHING__X: "1",
        EMQX_MQTT__MAX_QOS_ALOWED: "1",
        OTHER: "1",
      },
    });
    const told = issues.filter((issue) => issue.code === "WARN_CONFIG_ENV");
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toBe(
      "`EMQX_MQTT__MAX_QOS_ALOWED` is ignored: there is no key `max_qos_alowed` in `mqtt`",
    );
    expect(told[0]?.hint).toBe("did you mean `max_qos_allowed`?");
  });

  test("values that are no HOCON are texts, and joined words are reported", () => {
    const zone = (value: string) =>
      load("", { env: { EMQX_LISTENERS__TCP__DEFAULT__ZONE: value } });
    expect(zone("a/b c").config.listeners[0]?.zone).toBe("a/b c");
    expect(zone("1, x = 2").config.listeners[0]?.zone).toBe("1, x = 2");
    expect(zone('include "x"').config.listeners[0]?.zone).toBe('include "x"');
    expect(zone("").config.listeners[0]?.zone).toBe("");
    const joined = zone("a b");
    expect(joined.config.listeners[0]?.zone).toBe("ab");
    expect(codes(joined.issues)).toContain("WARN_CONFIG_ENV");
  });

  test("mistakes name the variable", () => {
    const issues = refused("", { env: { EMQX_MQTT__MAX_QOS_ALLOWED: "9" } });
    expect(issues[0]?.at).toEqual({ file: "env:EMQX_MQTT__MAX_QOS_ALLOWED", line: 1, column: 1 });
    const index = refused(chain, { env: { EMQX_AUTHENTICATION__4__ENABLE: "false" } });
    expect(index[0]?.message).toContain("the list has 1 elements");
  });
});
