import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import type { BuiltInDatabaseConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { ConfigError, type Issue } from "../../../src/errors.ts";

function load(
  keys: string,
  preset: Preset = "strict",
  env: Record<string, string> = {},
): { authenticator: BuiltInDatabaseConfig; issues: Issue[] } {
  const text = `authentication = { mechanism = password_based, backend = built_in_database\n${keys} }`;
  const { config, issues } = loadConfig({ text, file: "test.conf", preset, env });
  return { authenticator: config.authentication[0] as BuiltInDatabaseConfig, issues };
}

function refusal(keys: string, preset: Preset = "strict"): string {
  try {
    load(keys, preset);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues
      .filter(({ severity }) => severity === "error")
      .map(({ code, path, message }) => `${code} ${path}: ${message}`)
      .join("; ");
  }
}

describe("the built-in database's keys", () => {
  it("have EMQX's defaults", () => {
    expect(load("").authenticator).toMatchObject({
      id: "password_based:built_in_database",
      enable: true,
      userIdType: "username",
      algorithm: { name: "sha256", saltPosition: "prefix" },
      bootstrap: { path: "./auth-built-in-db-bootstrap.csv", type: "plain", isDefault: true },
    });
  });

  it("can be written", () => {
    const { authenticator, issues } = load(
      'user_id_type = clientid, bootstrap_file = "${EMQX_ETC_DIR}/u.json", bootstrap_type = hash, enable = false',
      "strict",
      { EMQX_ETC_DIR: "/etc/emqx" },
    );
    expect(issues.filter(({ path }) => path.includes("["))).toEqual([]);
    expect(authenticator).toMatchObject({
      enable: false,
      userIdType: "clientid",
      bootstrap: { path: "/etc/emqx/u.json", type: "hash", isDefault: false },
    });
  });

  it("refuse what they do not know", () => {
    expect(refusal("user_id_type = email")).toContain(
      "authentication.user_id_type: expected one of",
    );
    expect(refusal("user_id = username")).toContain("there is no key `user_id` here");
    expect(refusal('bootstrap_file = "users.txt"')).toContain("ends in `.csv` or `.json`");
    expect(refusal('bootstrap_file = "${NOT_SET}/users.csv"')).toContain("`NOT_SET` is not set");
    expect(refusal("bootstrap_type = sha256")).toContain("expected one of `plain`, `hash`");
  });
});

describe("password_hash_algorithm", () => {
  const algorithm = (keys: string, preset: Preset = "strict") =>
    load(`password_hash_algorithm { ${keys} }`, preset).authenticator.algorithm;
  const refused = (keys: string, preset: Preset = "strict") =>
    refusal(`password_hash_algorithm { ${keys} }`, preset);

  it.each(["plain", "md5", "sha", "sha256", "sha512"])("puts the salt of %s in front", (name) => {
    expect(algorithm(`name = ${name}`)).toEqual({ name, saltPosition: "prefix" });
    expect(algorithm(`name = ${name}, salt_position = suffix`)).toEqual({
      name,
      saltPosition: "suffix",
    });
    expect(algorithm(`name = ${name}, salt_position = disable`)).toEqual({
      name,
      saltPosition: "disable",
    });
  });

  it("reads pbkdf2", () => {
    expect(algorithm("name = pbkdf2, mac_fun = sha256, iterations = 1")).toEqual({
      name: "pbkdf2",
      macFun: "sha256",
      iterations: 1,
    });
    expect(algorithm("name = pbkdf2, mac_fun = sha224, iterations = 4096, dk_length = 16")).toEqual(
      { name: "pbkdf2", macFun: "sha224", iterations: 4096, dkLength: 16 },
    );
  });

  it.each([
    ["name = sha384", "expected one of `plain`"],
    ["name = scrypt", "expected one of `plain`"],
    ["salt_position = prefix", "`name` is missing"],
    ["name = sha256, salt_position = middle", "expected one of `disable`"],
    ["name = sha256, iterations = 5", "there is no key `iterations` here"],
    ["name = bcrypt, salt_position = prefix", "there is no key `salt_position` here"],
    ["name = bcrypt, salt_rounds = many", "expected a whole number"],
    ["name = pbkdf2, iterations = 5", "`mac_fun` is missing"],
    ["name = pbkdf2, mac_fun = sha", "`iterations` is missing"],
    ["name = pbkdf2, mac_fun = sha3, iterations = 5", "expected one of `sha`"],
    ["name = pbkdf2, mac_fun = sha, iterations = 0", "from 1 to"],
    ["name = pbkdf2, mac_fun = sha, iterations = 1, dk_length = 0", "from 1 to"],
    ["name = pbkdf2, mac_fun = sha, iterations = 1, salt_rounds = 5", "no key `salt_rounds`"],
  ])("refuses { %s }", (keys, message) => {
    expect(refused(keys)).toContain(message);
  });

  it("wants an object", () => {
    expect(refusal("password_hash_algorithm = sha256")).toContain("expected an algorithm");
  });

  it.each(["md4", "md5", "ripemd160"])("refuses pbkdf2 with %s, which EMQX loads", (mac) => {
    const keys = `name = pbkdf2, mac_fun = ${mac}, iterations = 5`;
    expect(refused(keys)).toContain(`pbkdf2 with \`${mac}\` cannot be used`);
    expect(algorithm(keys, "emqx")).toMatchObject({ macFun: mac });
    const { issues } = load(`password_hash_algorithm { ${keys} }`, "emqx");
    expect(issues.map(({ code }) => code)).toContain("WARN_CONFIG_UNSUPPORTED");
  });

  it.each([
    [4, 5],
    [5, 5],
    [10, 10],
    [11, 10],
    [-1, 5],
  ])("takes %i salt_rounds as %i", (written, used) => {
    const { authenticator, issues } = load(
      `password_hash_algorithm { name = bcrypt, salt_rounds = ${written} }`,
    );
    expect(authenticator.algorithm).toMatchObject({ name: "bcrypt", saltRounds: used });
    expect(issues.some(({ code }) => code === "WARN_CONFIG_RANGE")).toBe(written !== used);
  });

  it("refuses passwords that bcrypt cannot hold, or cuts them as EMQX does", () => {
    expect(algorithm("name = bcrypt")).toEqual({
      name: "bcrypt",
      saltRounds: 10,
      overlong: "refuse",
    });
    expect(algorithm("name = bcrypt", "emqx")).toMatchObject({ overlong: "cut" });
  });
});
