import { describe, expect, test } from "vitest";
import { compilePolicy } from "../../../src/compile/policy.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { HttpAuthnConfig, JwtKeySource } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { missingSecretsOf, withoutSecrets, withSecrets } from "../../../src/config/secrets.ts";
import { ConfigError, type Issue } from "../../../src/errors.ts";

interface Options {
  readonly preset?: Preset;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** The authenticator of these settings, with what was said about it. */
function load(settings: string, { preset, files = {}, env = {} }: Options = {}) {
  const text = `authentication = [{ mechanism = password_based, backend = http, ${settings} }]`;
  const readFile = (path: string) => (Object.hasOwn(files, path) ? files[path] : undefined);
  const { config, issues } = loadConfig({ text, file: "test.conf", readFile, preset, env });
  const all = [...issues, ...compilePolicy(config).issues];
  const own = all.filter(({ path }) => path.startsWith("authentication["));
  return { http: config.authentication[0] as HttpAuthnConfig, issues: own };
}

/** What is wrong with these settings, as `path: message`. */
function errors(settings: string, options?: Options): string[] {
  try {
    load(settings, options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.filter(({ severity }) => severity === "error").map(brief);
  }
  return [];
}

function brief({ path, message }: Issue): string {
  return `${path.replace("authentication[1].", "")}: ${message}`;
}

const GET = 'method = get, url = "http://127.0.0.1/a"';
const POST = 'method = post, url = "http://127.0.0.1/a"';
const HTTPS = 'method = post, url = "https://auth.example/a"';
const PEM = "-----BEGIN X-----\nAAAA\n-----END X-----\n";

describe("the request", () => {
  test("is cut where templates begin, and has the usual limits", () => {
    const { http, issues } = load(
      'method = post, url = "http://localhost:8080/a/${username}?x=1&y=%24%7Bclientid%7D&z"',
    );
    expect(issues).toEqual([]);
    expect(http.request).toMatchObject({
      method: "post",
      origin: "http://localhost:8080",
      path: "/a/${username}",
      query: [
        ["x", "1"],
        ["y", "${clientid}"],
        ["z", null],
      ],
      headers: {
        accept: "application/json",
        "cache-control": "no-cache",
        "content-type": "application/json",
      },
    });
    expect(http.connection).toEqual({
      requestTimeoutMs: 5000,
      connectTimeoutMs: 15_000,
      poolSize: 8,
      pipelining: 1,
      maxInactiveMs: 10_000,
      tls: undefined,
    });
    expect(http.onAbsent).toBe("ignore");
    expect(load(GET, { preset: "emqx" }).http.onAbsent).toBe("empty");
  });

  test.each([
    ["ftp://h/", "expected an http or https URL"],
    ["/a", "expected an http or https URL"],
    ["http:///a", "expected a host in the URL"],
    ["http://h:99999/a", "expected a host in the URL"],
    ["http://u:p@h/a", "the URL cannot hold a username or password"],
    ["http://${clientid}/a", "placeholders are possible in the path and the query of a URL only"],
    ["http://h/a#b", "a URL that is requested has no `#` part"],
    ["http://h/a b", "the path of the URL has white space or a backslash"],
    ["http://h/a\\\\b", "the path of the URL has white space or a backslash"],
    ["http://h\\\\@x/a", "the URL cannot hold a username or password"],
    ["http://h\\\\x/a", "expected a host in the URL"],
    ["http://h/?a=%zz", "the query of the URL has a broken `%` sequence"],
  ])("the URL %s is refused", (url, message) => {
    expect(errors(`method = get, url = "${url}"`)).toEqual([`url: ${message}`]);
  });

  test("headers that cannot be are refused, and those of the connection left to it", () => {
    const type = 'headers { "Content-Type" = "application/json" }';
    expect(errors(`${GET}, ${type}`)).toEqual([
      "headers.content-type: a GET has no body to have a type",
    ]);
    expect(errors(`${POST}, ${type}`)).toEqual([]);
    expect(errors(`${GET}, headers { "a b" = 1 }`)).toEqual([
      "headers: expected a header name as the key, found `a b`",
    ]);
    expect(errors(`${GET}, headers { a = "x\\ny" }`)).toEqual([
      "headers.a: a header has no line breaks",
    ]);
    const { http, issues } = load(`${GET}, headers { Host = h, Connection = keep-alive, A = 1 }`);
    expect(Object.keys(http.request.headers)).toEqual(["accept", "cache-control", "a"]);
    expect(issues.map(brief)).toEqual([
      "headers.host: has no effect here: the connection decides this header itself",
    ]);
  });

  test("a body that its type cannot hold is refused, in EMQX only announced", () => {
    const text = 'headers { content-type = "text/plain" }';
    const message = "headers.content-type: no body can be written in this type";
    expect(errors(`${POST}, ${text}`)).toEqual([message]);
    const { issues } = load(`${POST}, ${text}`, { preset: "emqx" });
    expect(issues.map(brief)).toEqual([`${message}: every request will fail`]);
    const charset = 'headers { content-type = "application/json; charset=utf-8" }';
    expect(errors(`${POST}, ${charset}`)).toEqual([]);
    expect(load(`${POST}, ${charset}`, { preset: "emqx" }).issues).toHaveLength(1);
    const flat = "body: a form and a query hold texts only";
    expect(errors(`${GET}, body { a = [1] }`)).toEqual([flat]);
    expect(errors(`${GET}, body { a { b = 1 } }`)).toEqual([flat]);
    expect(errors(`${GET}, body { a = "[{" }`)).toEqual([]);
    expect(errors(`${POST}, body { a { b = [1] } }`)).toEqual([]);
  });

  test("unknown placeholders are found wherever they stand, and kept in EMQX", () => {
    const settings = `method = post, url = "http://127.0.0.1/\${user}?q=\${topic}"
      headers { h = "\${peername}" }, body { "\${x}" = [{ y = "\${z}" }] }`;
    const expected = ["url", "url", "headers.h", "body", "body"];
    expect(errors(settings).map((one) => one.split(":")[0])).toEqual(expected);
    const { issues } = load(settings, { preset: "emqx" });
    expect(issues.map((one) => brief(one).split(":")[0])).toEqual(expected);
  });

  test("keys are those of EMQX and no others", () => {
    expect(errors(`${POST}, request_timeot = 5s`)).toEqual([
      "authentication[1]: there is no key `request_timeot` here",
    ]);
    expect(errors('url = "http://h/"')).toEqual(["authentication[1]: `method` is missing"]);
    expect(errors(`${POST}, request_timeout = 0s`)[0]).toMatch(/^request_timeout: expected/);
    const { issues } = load(`${POST}, max_retries = 3, retry_interval = 1s`);
    expect(issues.map(({ code }) => code)).toEqual([
      "WARN_CONFIG_NO_EFFECT",
      "WARN_CONFIG_NO_EFFECT",
    ]);
  });

  test("pipelining is possible, and its risk said aloud", () => {
    const { http, issues } = load(`${GET}, enable_pipelining = 100`);
    expect(http.connection.pipelining).toBe(100);
    expect(issues.map(({ code }) => code)).toEqual(["WARN_CONFIG_PIPELINING"]);
    expect(load(`${GET}, enable_pipelining = 1`).issues).toEqual([]);
  });

  test("plain HTTP to another machine is said aloud", () => {
    const { issues } = load('method = get, url = "http://auth.example/"');
    expect(issues.map(({ code }) => code)).toEqual(["WARN_CONFIG_PLAIN_HTTP"]);
  });
});

describe("TLS", () => {
  test("an https URL needs `ssl.enable` in EMQX, and means TLS here", () => {
    expect(errors(HTTPS, { preset: "emqx" })).toEqual([
      "ssl.enable: an `https` URL needs `ssl.enable = true`",
    ]);
    const { http, issues } = load(HTTPS);
    expect(http.connection.tls).toEqual({ verify: true });
    expect(issues.map(({ code }) => code)).toEqual(["WARN_CONFIG_EMQX_REFUSES"]);
  });

  test("`ssl.enable` with an http URL is refused, and in EMQX a warning", () => {
    const message = "ssl.enable: the URL is `http`: nothing would be encrypted";
    expect(errors(`${POST}, ssl.enable = true`)).toEqual([message]);
    const { http, issues } = load(`${POST}, ssl.enable = true`, { preset: "emqx" });
    expect([http.connection.tls, issues.map(brief)]).toEqual([undefined, [message]]);
  });

  test("certificates are checked unless that is switched off, or the profile does not", () => {
    const verified = (ssl: string, options: Options = {}): unknown[] => {
      const { http, issues } = load(`${HTTPS}, ssl { enable = true, ${ssl} }`, options);
      return [http.connection.tls?.verify, ...issues.map(({ code }) => code)];
    };
    expect(verified("")).toEqual([true]);
    expect(verified("verify = verify_none")).toEqual([false, "WARN_CONFIG_TLS_UNVERIFIED"]);
    expect(verified("", { preset: "emqx" })).toEqual([false, "WARN_CONFIG_TLS_UNVERIFIED"]);
    expect(verified("verify = verify_peer", { preset: "emqx" })).toEqual([true]);
    const hardened = { EMQX_SECURITY_PROFILE: "hardened" };
    expect(verified("", { preset: "emqx", env: hardened })).toEqual([true]);
  });

  test("certificates are PEM texts, or files of them", () => {
    const ssl = `ssl { enable = true, cacertfile = "ca.pem", certfile = """${PEM}""", keyfile = "\${EMQX_ETC_DIR}/k.pem", password = secret-1 }`;
    const files = { "ca.pem": PEM, "./k.pem": PEM };
    expect(load(`${HTTPS}, ${ssl}`, { files }).http.connection.tls).toMatchObject({
      ca: PEM,
      cert: PEM,
      key: PEM,
      passphrase: "secret-1",
    });
    expect(errors(`${HTTPS}, ${ssl}`)).toHaveLength(2);
    expect(errors(`${HTTPS}, enable = false, ${ssl}`)).toEqual([]);
    expect(errors(`${HTTPS}, ssl { enable = true, certfile = """${PEM}""" }`)).toEqual([
      "ssl.keyfile: `certfile` needs `keyfile` beside it",
    ]);
    const bare = "QUFBQUFBQUFBQUFB\nQUFBQUFBQUFBQUFB\n";
    const [message = ""] = errors(`${HTTPS}, ssl { enable = true, keyfile = """${bare}""" }`);
    expect(message).toMatch(/^ssl.keyfile: expected PEM text/);
    expect(message).not.toContain("QUFB");
    const [wrong = ""] = errors(`${HTTPS}, ssl { enable = true, cacertfile = "k" }`, {
      files: { k: "no certificate" },
    });
    expect(wrong).toMatch(/^ssl.cacertfile: expected PEM text/);
  });

  test("names, versions and ciphers are taken as far as they can be", () => {
    const tls = (ssl: string) =>
      load(`${HTTPS}, ssl { enable = true, ${ssl} }`).http.connection.tls;
    expect(tls("server_name_indication = disable")?.serverName).toBe("");
    expect(tls("server_name_indication = auth.example")?.serverName).toBe("auth.example");
    expect(tls('server_name_indication = ""')?.serverName).toBeUndefined();
    expect(tls('versions = ["tlsv1.3", "tlsv1.2"]')?.versions).toEqual(["TLSv1.2", "TLSv1.3"]);
    expect(tls('versions = ["tlsv1.2", "tlsv1.1"]')?.versions).toEqual(["TLSv1.2", "TLSv1.2"]);
    expect(tls('ciphers = ["A-B", "C_D"]')?.ciphers).toBe("A-B:C_D");
    expect(tls('ciphers = "A-B,C_D"')?.ciphers).toBe("A-B:C_D");
    expect(tls("ciphers = []")?.ciphers).toBeUndefined();
    const bad = (ssl: string) => errors(`${HTTPS}, ssl { enable = true, ${ssl} }`);
    expect(bad('versions = ["tlsv1.1"]')).toEqual([
      "ssl.versions: versions before `tlsv1.2` are not spoken",
    ]);
    expect(bad('versions = ["tlsv1.4"]')).toHaveLength(1);
    expect(bad('ciphers = "A B;C"')).toHaveLength(1);
    expect(bad('server_name_indication = "a b"')).toHaveLength(1);
    expect(bad("verfy = verify_peer")).toHaveLength(1);
  });

  test("a key set has the same settings", () => {
    const keySet = (url: string, ssl: string, more = "") => {
      const text = `authentication { mechanism = jwt, use_jwks = true, endpoint = "${url}", ${more} ssl { ${ssl} } }`;
      const readFile = (path: string) => (path === "ca.pem" ? PEM : undefined);
      const { config, issues } = loadConfig({ text, file: "test.conf", readFile });
      const { keys } = config.authentication[0] as { keys: JwtKeySource & { type: "jwks" } };
      const codes = issues.map(({ code }) => code).filter((code) => !/NO_SOURCES/.test(code));
      return { tls: keys.tls, codes };
    };
    const own = 'enable = true, cacertfile = "ca.pem"';
    expect(keySet("https://h/", own).tls).toMatchObject({ verify: true, ca: PEM });
    expect(keySet("https://h/", 'cacertfile = "ca.pem"')).toEqual({
      tls: undefined,
      codes: ["WARN_CONFIG_NO_EFFECT"],
    });
    expect(keySet("https://h/", "enable = false")).toEqual({ tls: undefined, codes: [] });
    const disabled = keySet("https://h/", 'enable = true, cacertfile = "x"', "enable = false,");
    expect(disabled.tls).toBeUndefined();
    expect(() => keySet("https://h/", 'enable = true, cacertfile = "x"')).toThrow(ConfigError);
    expect(() => keySet("http://h/", "enable = true")).toThrow(/nothing would be encrypted/);
  });
});

describe("oauth2", () => {
  const OAUTH2 = (more = "") =>
    `oauth2 { token_endpoint = "http://127.0.0.1/token", client_id = broker, client_secret = s3cret-1, ${more} }`;

  test("is read with its defaults, and only where it is enabled", () => {
    expect(load(`${POST}, ${OAUTH2()}`).http.oauth2).toEqual({
      tokenEndpoint: "http://127.0.0.1/token",
      clientId: "broker",
      clientSecret: "s3cret-1",
      scope: undefined,
      timeoutMs: 5000,
      tls: undefined,
    });
    expect(load(`${POST}, ${OAUTH2("enable = false")}`).http.oauth2).toBeUndefined();
    expect(errors(`${POST}, ${OAUTH2("grant_type = password")}`)).toHaveLength(1);
    for (const [time, count] of [
      ["0s", 1],
      ["1ms", 0],
      ["1h", 0],
      ["3600001ms", 1],
    ] as const) {
      expect(errors(`${POST}, ${OAUTH2(`timeout = ${time}`)}`)).toHaveLength(count);
      expect(errors(`${POST}, request_timeout = ${time}`)).toHaveLength(count);
    }
  });

  test.each([
    ["http://127.0.0.1/a@b?c=@", true],
    ["http://127.0.0.1?c=@", true],
    ["http://a@127.0.0.1/", false],
    ["http://a:b@127.0.0.1/token", false],
    ["http://@127.0.0.1/token", false],
    ["http://a@b@127.0.0.1/token", false],
    ["http://127.0.0.1/#a", false],
    ["http:///token", false],
  ])("takes its tokens from a URL without credentials: %s", (url, isTaken) => {
    const text = OAUTH2().replace("http://127.0.0.1/token", url);
    if (isTaken) {
      expect(load(`${POST}, ${text}`).http.oauth2?.tokenEndpoint).toBe(new URL(url).href);
    } else {
      expect(errors(`${POST}, ${text}`)).toEqual([
        expect.stringMatching(/token_endpoint: expected .*without a username or password/),
      ]);
    }
  });

  test("does not go with an authorization header of one's own", () => {
    const own = 'headers { Authorization = "Bearer x" }';
    expect(errors(`${POST}, ${own}, ${OAUTH2()}`)).toEqual([
      "headers.authorization: `oauth2` writes the `authorization` header, and so does `headers`",
    ]);
    expect(errors(`${POST}, ${own}, ${OAUTH2("enable = false")}`)).toEqual([]);
  });
});

test("secrets are header values, keys, their passwords and the client's secret", () => {
  const { http } = load(
    `${HTTPS}, headers { X-Key = "key-1", X-User = "\${username}" }
    ssl { enable = true, certfile = "c", keyfile = "k", password = "pw-1" }
    oauth2 {
      token_endpoint = "https://auth.example/token", client_id = broker, client_secret = secret-1
      ssl { enable = true, certfile = "c", keyfile = "k2" }
    }`,
    { files: { c: PEM, k: `${PEM}key-2`, k2: `${PEM}key-3` } },
  );
  const paths = [
    "authentication[1].headers.x-key",
    "authentication[1].ssl.keyfile",
    "authentication[1].ssl.password",
    "authentication[1].oauth2.client_secret",
    "authentication[1].oauth2.ssl.keyfile",
  ];
  expect(missingSecretsOf(http)).toEqual([]);
  const bare = withoutSecrets(http);
  expect(JSON.stringify(bare)).not.toMatch(/key-[123]|pw-1|secret-1/);
  expect(missingSecretsOf(bare)).toEqual(paths);
  const supplied = withSecrets(bare, Object.fromEntries(paths.map((path) => [path, `v-${path}`])));
  expect(missingSecretsOf(supplied)).toEqual([]);
  expect(supplied.request.headers).toMatchObject({
    "x-key": `v-${paths[0]}`,
    "x-user": "${username}",
  });
});
