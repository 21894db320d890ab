/**
 * Which chain a client meets and what comes of it: appendix A of the authentication specification
 * through whole configurations, in both security profiles and both presets.
 */
import { describe, expect, it } from "vitest";
import type { Preset } from "../../../src/config/compatibility.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { ClientInfo } from "../../../src/types.ts";
import { engineOf, JWT, START, token } from "../../support/engine.ts";

/** A condition that is neither true nor false: the client id is no token. */
const NO_ANSWER = "str_eq(jwt_value(clientid, 'a'), 'x')";

/** Authenticators by what they answer, as the appendix writes them. `broken` cannot be created. */
const AUTHENTICATORS: Readonly<Record<string, string>> = {
  "cinfo I": cinfo("false", "allow"),
  "cinfo O": cinfo("true", "allow"),
  "cinfo D86": cinfo("true", "deny"),
  "cinfo off O": cinfo("true", "allow", "enable = false"),
  "cinfo off D86": cinfo("true", "deny", "enable = false"),
  "cinfo F": cinfo("true", "allow", `precondition = "${NO_ANSWER}"`),
  "cinfo F ignored": cinfo("true", "allow", `precondition = "${NO_ANSWER}", on_failure = ignore`),
  "cinfo F denied": cinfo("true", "allow", `precondition = "${NO_ANSWER}", on_failure = deny`),
  "cinfo P✗ O": cinfo("true", "allow", "precondition = \"str_eq(clientid, 'x')\""),
  "cinfo P✗ D86": cinfo("true", "deny", "precondition = \"str_eq(clientid, 'x')\""),
  jwt: jwt(""),
  "jwt off": jwt("enable = false,"),
  "jwt F": jwt(`precondition = "${NO_ANSWER}",`),
  "jwt broken": `{ mechanism = jwt, use_jwks = false, algorithm = "public-key",
    public_key = "-----BEGIN PUBLIC KEY-----\\nbm9uZQ==\\n-----END PUBLIC KEY-----" }`,
};

function cinfo(isMatch: string, result: string, more = ""): string {
  return `{ mechanism = cinfo, checks = [{ is_match = "${isMatch}", result = ${result} }] ${more} }`;
}

function jwt(more: string): string {
  return JWT.slice(JWT.indexOf("{"), JWT.lastIndexOf("}") + 1).replace(
    "mechanism = jwt,",
    `mechanism = jwt, on_missing_jwt = ignore, ${more}`,
  );
}

function chainText(script: string): string {
  return `[${script
    .split(" + ")
    .map((one) => AUTHENTICATORS[one]!)
    .join(", ")}]`;
}

const OPEN = "authentication_settings.ignore_backend_failures = true";
const ANYONE = "allow by anonymous";
const NOBODY = "0x87 not_configured by chain";
const IGNORED = "0x87 all_ignored by chain";
const EXPIRED = "0x86 expired by jwt";

interface Row {
  readonly listener?: string;
  readonly global?: string;
  readonly settings?: string;
  /** The token in the password. */
  readonly brings?: "a valid token" | "an expired token";
  readonly legacy: string;
  readonly hardened: string;
  readonly strict: string;
}

const same = (answer: string) => ({ legacy: answer, hardened: answer, strict: answer });

const ROWS: readonly Row[] = [
  { legacy: ANYONE, hardened: NOBODY, strict: NOBODY },
  { global: "cinfo off O", legacy: ANYONE, hardened: NOBODY, strict: NOBODY },
  {
    listener: "cinfo off D86 + jwt off",
    global: "cinfo O",
    ...{ legacy: ANYONE, hardened: NOBODY, strict: NOBODY },
  },
  { listener: "cinfo I", global: "cinfo O", ...same(IGNORED) },
  { global: "cinfo I + jwt", ...same(IGNORED) },
  { global: "jwt + cinfo O", ...same("allow by cinfo") },
  { global: "jwt + cinfo O", brings: "an expired token", ...same(EXPIRED) },
  { global: "cinfo O + jwt", brings: "an expired token", ...same("allow by cinfo") },
  {
    global: "cinfo F + jwt",
    brings: "a valid token",
    ...{ legacy: "allow by jwt", hardened: "0x87 precondition_error by cinfo" },
    strict: "0x88 precondition_error by cinfo",
  },
  {
    global: "cinfo F + jwt",
    brings: "an expired token",
    ...{ legacy: EXPIRED, hardened: "0x87 precondition_error by cinfo" },
    strict: "0x88 precondition_error by cinfo",
  },
  {
    global: "cinfo F",
    ...{ legacy: IGNORED, hardened: "0x87 precondition_error by cinfo" },
    strict: "0x88 precondition_error by cinfo",
  },
  { global: "cinfo F + jwt", settings: OPEN, brings: "a valid token", ...same("allow by jwt") },
  { global: "cinfo P✗ D86 + jwt", brings: "a valid token", ...same("allow by jwt") },
  { global: "cinfo P✗ O", ...same(IGNORED) },
  { global: "cinfo off D86 + jwt", brings: "a valid token", ...same("allow by jwt") },
  { global: "cinfo F ignored + jwt", brings: "a valid token", ...same("allow by jwt") },
  { global: "jwt F + cinfo F ignored", settings: OPEN, ...same(IGNORED) },
  {
    global: "cinfo F denied + jwt",
    settings: OPEN,
    brings: "a valid token",
    ...{ legacy: "0x87 precondition_error by cinfo", hardened: "0x87 precondition_error by cinfo" },
    strict: "0x88 precondition_error by cinfo",
  },
];

async function answer(row: Row, preset: Preset, profile: string): Promise<string> {
  const { listener, global, settings = "", brings } = row;
  const text = [
    global === undefined ? "" : `authentication = ${chainText(global)}`,
    listener === undefined ? "" : `listeners.tcp.default.authentication = ${chainText(listener)}`,
    settings,
  ].join("\n");
  const { login } = await engineOf({ text, preset, env: { EMQX_SECURITY_PROFILE: profile } });
  const exp = brings === "an expired token" ? START - 10 : START + 10;
  const client: Partial<ClientInfo> = brings === undefined ? {} : { password: token({ exp }) };
  return login(client);
}

describe.each(ROWS)(
  "listener chain `$listener`, global `$global` with $brings $settings",
  (row) => {
    it("answers as the appendix says, in strict mode whatever the profile", async () => {
      expect(await answer(row, "emqx", "legacy")).toBe(row.legacy);
      expect(await answer(row, "emqx", "hardened")).toBe(row.hardened);
      expect(await answer(row, "strict", "legacy")).toBe(row.strict);
      expect(await answer(row, "strict", "hardened")).toBe(row.strict);
    });
  },
);

describe("a chain of which nothing can be created", () => {
  const broken = "jwt broken";
  it.each([
    ["legacy", "cinfo O", "allow by cinfo"],
    ["hardened", "cinfo O", "allow by cinfo"],
    ["legacy", broken, ANYONE],
    ["hardened", broken, NOBODY],
  ] as const)(
    "counts as missing in emqx mode: %s, global %s",
    async (profile, global, expected) => {
      const row = { listener: broken, global, ...same("") };
      expect(await answer(row, "emqx", profile)).toBe(expected);
    },
  );

  it("refuses the policy in strict mode", async () => {
    for (const profile of ["legacy", "hardened"]) {
      const row = { listener: broken, global: "cinfo O", ...same("") };
      await expect(answer(row, "strict", profile)).rejects.toThrow(/public_key|key/);
    }
  });
});

describe("on_failure", () => {
  const load = (word: string) =>
    loadConfig({
      text: `authentication = [${cinfo("true", "allow", `on_failure = ${word}`)}]`,
      file: "test.conf",
    });

  it("is told to be ours, and is kept", () => {
    const { config, issues } = load("ignore");
    expect(config.authentication[0]).toMatchObject({ onFailure: "ignore" });
    expect(issues.map(({ code, path }) => `${code} ${path}`)).toContain(
      "WARN_CONFIG_EMQX_REFUSES authentication[1].on_failure",
    );
  });

  it("takes two words and no other", () => {
    expect(() => load("next")).toThrow(/expected one of `deny`, `ignore`, found `next`/);
    expect(() => load("{}")).toThrow(/expected one of/);
  });
});
