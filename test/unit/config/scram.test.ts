/** The keys of `scram`, and of tokens in Authentication Data. */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { AuthenticatorConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { ConfigError } from "../../../src/errors.ts";

interface Loaded {
  readonly one: AuthenticatorConfig;
  readonly warnings: readonly string[];
}

function load(body: string, preset?: Preset): Loaded {
  const text = `authentication = [{ ${body} }]`;
  const { config, issues } = loadConfig({ text, file: "a.conf", preset });
  const warnings = issues
    .filter(({ path }) => path.startsWith("authentication["))
    .map(({ path, message }) => `${path}: ${message}`)
    .sort();
  return { one: config.authentication[0]!, warnings };
}

function errorOf(body: string): string {
  try {
    load(body);
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

const SCRAM = "mechanism = scram, backend = built_in_database";

describe("scram", () => {
  it.each([
    ["strict", true],
    ["emqx", false],
  ] as const)(
    "has the reference's defaults, and binds identities in strict mode (%s)",
    (preset, isBound) => {
      const { one, warnings } = load(SCRAM, preset);
      expect(one).toMatchObject({
        id: "scram:built_in_database",
        algorithm: "sha256",
        iterationCount: 4096,
        bindsIdentity: isBound,
        enable: true,
      });
      expect(warnings).toEqual([]);
    },
  );

  it("takes what is written, and says what EMQX refuses and what is weak", () => {
    const { one, warnings } = load(
      `${SCRAM}, algorithm = sha512, iteration_count = 4095, bind_identity = false`,
    );
    expect(one).toMatchObject({ algorithm: "sha512", iterationCount: 4095, bindsIdentity: false });
    expect(warnings).toEqual([
      expect.stringMatching(/^authentication\[1\]\.bind_identity: EMQX 6\.2 knows no/),
      expect.stringMatching(/^authentication\[1\]\.iteration_count: 4095 iterations/),
    ]);
  });

  it.each([
    ["algorithm = sha1", "expected one of `sha256`, `sha512`, found `sha1`"],
    ["iteration_count = 0", "expected a whole number from 1"],
    ["iteration_count = 10000001", "expected a whole number from 1"],
    ["iterations = 5", "there is no key `iterations`"],
    ["bind_identity = maybe", "expected `true` or `false`"],
  ])("refuses %s", (body, message) => {
    expect(errorOf(`${SCRAM}, ${body}`)).toContain(message);
  });

  it("has no other backend yet", () => {
    expect(errorOf("mechanism = scram, backend = ldap")).toContain("authentication[1].backend");
    expect(errorOf("mechanism = scram")).toContain("`backend` is missing");
  });
});

describe("auth_methods of jwt", () => {
  const jwt = 'mechanism = jwt, use_jwks = false, secret = "0123456789abcdef0123456789abcdef"';

  it.each([
    ["strict", ["OAUTH2-JWT", "CUSTOM-JWT"]],
    ["emqx", []],
  ] as const)("has a default for each preset (%s)", (preset, authMethods) => {
    const { one } = load(`${jwt}, algorithm = "hmac-based"`, preset);
    expect(one).toMatchObject({ authMethods });
  });

  it("takes names of methods, and nothing else", () => {
    const written = `${jwt}, algorithm = "hmac-based", auth_methods`;
    const { one, warnings } = load(`${written} = ["X-TOKEN"]`);
    expect(one).toMatchObject({ authMethods: ["X-TOKEN"] });
    expect(warnings.join()).toContain("EMQX 6.2 knows no `auth_methods`");
    expect(errorOf(`${written} = ["a b"]`)).toContain("the name of a method");
    expect(errorOf(`${written} = [""]`)).toContain("the name of a method");
    expect(errorOf(`${written} = X`)).toContain("a list");
  });
});
