/** `ssl_options` of a listener: what is taken, what is refused because ignoring it would be weaker. */
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/errors.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { LISTENER_TLS_DEFAULTS } from "../../support/listener-tls.ts";

const { cert, key } = makeCertificate({ subject: [{ CN: "server" }] });
const FILES: Readonly<Record<string, string>> = {
  "certs/cert.pem": cert,
  "certs/key.pem": key,
  "certs/ca.pem": cert,
  "certs/pass": "s3cret-passphrase\n",
  "/run/other.pem": cert,
};
const NEEDED = 'certfile = "certs/cert.pem", keyfile = "certs/key.pem"';
const VERIFY = `${NEEDED}, verify = verify_peer, cacertfile = "certs/ca.pem"`;

function load(options: string, env: Readonly<Record<string, string>> = {}) {
  return loadConfig({
    text: `listeners.ssl.default { ${options} }`,
    file: "test.conf",
    env,
    readFile: (path) => FILES[path.replace(/^\.\//, "")],
  });
}

function tlsOf(options: string, env?: Readonly<Record<string, string>>) {
  const { config, issues } = load(`ssl_options { ${options} }`, env);
  const ours = issues.filter(({ path }) => path.startsWith("listeners"));
  const warnings = ours.map(({ path }) => path.replace("listeners.ssl.default.ssl_options.", ""));
  return { ...config.listeners.find(({ type }) => type === "ssl")?.tls, warnings };
}

/** The errors, without the path that all of them share. */
function refused(options: string): string {
  try {
    load(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`).join("\n");
  }
  throw new Error("expected a refusal");
}

describe("ssl_options of a listener", () => {
  it("take files, and have the defaults of the reference", () => {
    expect(tlsOf(NEEDED)).toMatchObject({
      certificate: cert,
      key,
      ...LISTENER_TLS_DEFAULTS,
      warnings: [],
    });
    const { config } = load(`ssl_options { ${NEEDED} }`);
    expect(config.listeners.find(({ type }) => type === "ssl")).toMatchObject({ port: 8883 });
  });

  it("take files by environment variables, and PEM text", () => {
    const etc = tlsOf('certfile = "${EMQX_ETC_DIR}/certs/cert.pem", keyfile = "certs/key.pem"');
    expect(etc.certificate).toBe(cert);
    const other = tlsOf('certfile = "${DIR}/other.pem", keyfile = "certs/key.pem"', {
      DIR: "/run",
    });
    expect(other.certificate).toBe(cert);
    const inline = tlsOf(`certfile = """${cert}""", keyfile = """${key}"""`);
    expect(inline).toMatchObject({ certificate: cert, key });
  });

  it("take a passphrase, also from a file", () => {
    expect(tlsOf(`${NEEDED}, password = open`).password).toBe("open");
    expect(tlsOf(`${NEEDED}, password = "file://certs/pass"`).password).toBe("s3cret-passphrase");
    expect(tlsOf(`${NEEDED}, password = ""`).password).toBeUndefined();
  });

  it("take everything about clients", () => {
    const usages = 'verify_peer_ext_key_usage = "clientAuth, OID:1.2.3"';
    expect(
      tlsOf(`${VERIFY}, fail_if_no_peer_cert = true, depth = 1, partial_chain = true, ${usages}`),
    ).toMatchObject({
      authorities: cert,
      isPeerVerified: true,
      failIfNoPeerCert: true,
      depth: 1,
      partialChain: 1,
      extKeyUsage: ["1.3.6.1.5.5.7.3.2", "1.2.3"],
      warnings: [],
    });
    const two = tlsOf(`${VERIFY}, partial_chain = two_cacerts_from_cacertfile`);
    expect(two.partialChain).toBe(2);
  });

  it("take versions and ciphers", () => {
    const only = tlsOf(`${NEEDED}, versions = [tlsv1.3], ciphers = ["A-B", "C"]`);
    expect(only).toMatchObject({ minVersion: "TLSv1.3", maxVersion: "TLSv1.3" });
    expect(only.ciphers).toEqual(["A-B", "C"]);
    expect(tlsOf(`${NEEDED}, ciphers = "A,B"`).ciphers).toEqual(["A", "B"]);
    const old = tlsOf(`${NEEDED}, versions = ["tlsv1.2", "tlsv1.1", "tlsv1"]`);
    expect(old).toMatchObject({ maxVersion: "TLSv1.2", warnings: ["versions"] });
  });

  it.each([
    ["", "`ssl_options` is missing"],
    ['ssl_options { keyfile = "certs/key.pem" }', "`certfile` is missing"],
    ['ssl_options { certfile = "certs/cert.pem" }', "`keyfile` is missing"],
    [`ssl_options { ${NEEDED}, verify = verify_peer }`, "`cacertfile` is missing"],
    [`ssl_options { ${NEEDED}, fail_if_no_peer_cert = true }`, "needs `verify = verify_peer`"],
    [
      `ssl_options { ${NEEDED}, verify_peer_ext_key_usage = clientAuth }`,
      "needs `verify = verify_peer`",
    ],
    [`ssl_options { ${VERIFY}, enable_crl_check = true }`, "enable_crl_check"],
    [`ssl_options { ${VERIFY}, ocsp { enable_ocsp_stapling = true } }`, "enable_ocsp_stapling"],
    [`ssl_options { ${VERIFY}, cacerts = true }`, "cacerts"],
    [`ssl_options { ${VERIFY}, verify_peer_ext_key_usage = "clientauth" }`, "clientAuth"],
    [`ssl_options { ${VERIFY}, partial_chain = yes }`, "partial_chain"],
    [`ssl_options { ${NEEDED}, versions = [tlsv1.1] }`, "expected a list of `tlsv1.3`"],
    [`ssl_options { ${NEEDED}, versions = [] }`, "expected a list of `tlsv1.3`"],
    [`ssl_options { ${NEEDED}, ciphers = ["ALL:@SECLEVEL=0"] }`, "OpenSSL's names"],
    [`ssl_options { ${NEEDED}, depth = -1 }`, "depth"],
    [`ssl_options { ${NEEDED}, verfy = verify_peer }`, "there is no key `verfy`"],
    ['ssl_options { certfile = "nope.pem", keyfile = "certs/key.pem" }', "cannot read `nope.pem`"],
    ['ssl_options { certfile = "certs/pass", keyfile = "certs/key.pem" }', "no certificate in it"],
    ['ssl_options { certfile = "certs/cert.pem", keyfile = "certs/cert.pem" }', "no private key"],
  ])("are refused: `%s`", (options, message) => {
    expect(refused(options)).toContain(message);
  });

  it("are told where they change nothing and nobody is let in by that", () => {
    const idle = ["reuse_sessions", "secure_renegotiate", "client_renegotiation", "dhfile"];
    const { warnings } = tlsOf(`${NEEDED}, ${idle.map((name) => `${name} = false`).join(", ")}`);
    expect(warnings).toEqual(idle);
    expect(tlsOf(`${VERIFY}, enable_crl_check = false`).warnings).toEqual([]);
  });

  it("of a disabled listener need no files", () => {
    const { config } = load('enable = false, ssl_options { certfile = "nope", keyfile = "nope" }');
    expect(config.listeners.find(({ type }) => type === "ssl")).toMatchObject({ enable: false });
    expect(config.listeners.some(({ tls }) => tls !== undefined)).toBe(false);
  });

  it("never show a key or passphrase in a message", () => {
    const bare = key.replace(/-----[^-]+-----/g, "");
    const text = refused(`ssl_options { certfile = "certs/cert.pem", keyfile = """${bare}""" }`);
    expect(text).toContain("keyfile");
    for (const line of bare.trim().split("\n")) expect(text).not.toContain(line);
    expect(
      refused('ssl_options { certfile = "a", keyfile = "b", password = [open-s3same] }'),
    ).not.toContain("s3same");
  });
});

describe("listeners", () => {
  it("may have one port only once, whatever their kind", () => {
    expect(refused(`bind = 1883, ssl_options { ${NEEDED} }`)).toContain(
      "`tcp:default` and `ssl:default` both listen on",
    );
  });
});
