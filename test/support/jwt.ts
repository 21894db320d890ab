/** A JWT authenticator to ask, and short names for what it answers. */
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import type { Authenticator, AuthnResult, ReadAcl } from "../../src/authn/authenticator.ts";
import { createJwtAuthenticator } from "../../src/authn/jwt.ts";
import type { AuthnMode, AuthnPorts, Creation } from "../../src/authn/registry.ts";
import type { Preset } from "../../src/config/compatibility.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { JwtConfig } from "../../src/config/config.ts";
import type { SwitchName } from "../../src/config/switch-names.ts";
import type { Crypto } from "../../src/crypto/crypto.ts";
import type { ClientInfo } from "../../src/types.ts";
import { makeToken } from "./tokens.ts";

export const N = 1_750_000_000;
export const SECRET = "abcdef";
export const HEADER = { alg: "HS256" };

export interface Setup {
  readonly preset?: Preset;
  readonly overrides?: Partial<Record<SwitchName, boolean>>;
  readonly config?: Partial<JwtConfig>;
  readonly crypto?: Crypto;
  readonly nowMs?: number;
  readonly readAcl?: ReadAcl;
  readonly remote?: AuthnPorts["remote"];
}

/** Lists of rules are good unless they hold the text `bad` (a rule) or `crash`. */
const readAcl: ReadAcl = (claim) => {
  for (const kind of ["rule", "crash"] as const) {
    const mark = kind === "rule" ? "bad" : "crash";
    if (Array.isArray(claim) && claim.includes(mark)) return { ok: false, kind, message: mark };
  }
  return { ok: true, rules: "rules" };
};

export function create(setup: Setup = {}): Promise<Creation> {
  const { preset = "emqx", overrides, crypto = createNodeCrypto(), nowMs = N * 1000 } = setup;
  const mode: AuthnMode = {
    switches: resolveSwitches(preset, overrides),
    securityProfile: "legacy",
  };
  const config: JwtConfig = {
    id: "jwt",
    path: "authentication[0]",
    mechanism: "jwt",
    enable: true,
    keys: { type: "hmac", secret: SECRET, secretBase64Encoded: false },
    from: "password",
    verifyClaims: [],
    aclClaimName: "acl",
    onMissingJwt: "ignore",
    disconnectAfterExpire: true,
    leewaySeconds: 0,
    ...setup.config,
  };
  const ports = {
    crypto,
    clock: { now: () => nowMs },
    readAcl: setup.readAcl ?? readAcl,
    remote: setup.remote,
  };
  return Promise.resolve(createJwtAuthenticator(config, mode, ports));
}

export async function authenticator(setup: Setup = {}): Promise<Authenticator> {
  const creation = await create(setup);
  if (!creation.ok) throw new Error(creation.issues.map((issue) => issue.message).join());
  return creation.authenticator;
}

export async function ask(
  password: ClientInfo["password"],
  setup: Setup = {},
  client: Partial<ClientInfo> = {},
): Promise<AuthnResult> {
  const jwt = await authenticator(setup);
  const identity = { clientId: "c1", username: "u1", password, ...client };
  return jwt.authenticate({ client: identity, clientAttrs: {} });
}

/** `ok`, `ignore REASON`, `0x86 REASON` or `BFR REASON`. */
export function brief(result: AuthnResult): string {
  switch (result.type) {
    case "ok":
    case "continue":
      return result.type;
    case "deny":
      return `0x${result.code.toString(16)} ${result.reason}`;
    case "failure":
      return `BFR ${result.reason}`;
    case "ignore":
      return `ignore ${result.reason}`;
  }
}

export const token = (payload: unknown, header: unknown = HEADER) =>
  makeToken("HS256", SECRET, payload, header);

/** A claim value written as JSON text, so that `1.0` and repeated names can be had. */
export const raw = (json: string) => token(json);

export const claims = (checks: Record<string, string>): Partial<JwtConfig> => ({
  verifyClaims: Object.entries(checks).map(([name, value]) => ({ name, value: { value } })),
});
