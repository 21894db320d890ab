/** A policy as tests use it: the real engine, a clock that is set, and a secret to make tokens with. */
import { randomBytes } from "node:crypto";
import type { Rule } from "../../../src/compile/rule/ast.ts";
import type { AuthenticatorConfig, Config, JwtConfig } from "../../../src/config/config.ts";
import { createEngine, type Engine } from "../../../src/engine.ts";
import { createNodeCrypto } from "../crypto.ts";
import { compileFile } from "../open-policy.ts";
import { nodePorts } from "../ports.ts";
import { BuiltInDatabase } from "../store/built-in-database.ts";
import type { TestFile } from "./case-file.ts";

export interface PolicyUnderTest {
  readonly file: string;
  readonly engine: Engine;
  readonly rules: readonly Rule[];
  /** Signs the tokens of tests. */
  readonly secret: Uint8Array | string;
  /** Where authentication looks for the token. */
  readonly tokenFrom: "password" | "username";
  /** Undefined: the machine's clock. */
  nowMs: number | undefined;
}

/**
 * Loads the policy of a test file. Tokens are signed with HMAC: with the file's `secret`, else the
 * policy's own. Where the policy verifies with public keys or a key set, and tests make tokens, a
 * generated secret takes the place of the keys, and nothing is downloaded.
 */
export async function loadPolicy(
  file: string,
  tests: TestFile,
  onRead: (path: string) => void,
): Promise<PolicyUnderTest> {
  const makesTokens = tests.cases.some(({ client }) => client.claims);
  const generated = randomBytes(32).toString("base64url");
  const compiled = compileFile(file, {
    env: { ...process.env, ...tests.env },
    preset: tests.compatibility,
    onRead,
    adjust: (config) => (makesTokens ? withSecret(config, tests.secret, generated) : config),
  });
  const policy: { nowMs: number | undefined } = { nowMs: undefined };
  const users = new BuiltInDatabase({ mode: "check" });
  const engine = await createEngine({
    image: compiled.policy.image,
    crypto: createNodeCrypto(),
    // Without the users of this machine: a test gives the same answer everywhere.
    ports: { ...nodePorts, users, rules: users, now: () => policy.nowMs ?? nodePorts.now() },
  });
  const jwt = authenticators(compiled.config).find((one) => one.mechanism === "jwt");
  return Object.assign(policy, {
    file,
    engine,
    rules: compiled.policy.rules,
    secret: secretOf(jwt) ?? generated,
    tokenFrom: jwt?.from ?? "password",
  });
}

function withSecret(config: Config, given: string | undefined, generated: string): Config {
  const replace = <T extends AuthenticatorConfig>(one: T): T => {
    if (one.mechanism !== "jwt") return one;
    if (given === undefined && one.keys.type === "hmac") return one;
    const secret = given ?? generated;
    return { ...one, keys: { type: "hmac", secret, secretBase64Encoded: false } };
  };
  return {
    ...config,
    authentication: config.authentication.map(replace),
    listeners: config.listeners.map((listener) =>
      listener.authentication
        ? { ...listener, authentication: listener.authentication.map(replace) }
        : listener,
    ),
  };
}

function authenticators(config: Config): readonly AuthenticatorConfig[] {
  const chains = [
    config.authentication,
    ...config.listeners.map((one) => one.authentication ?? []),
  ];
  return chains.flat().filter(({ enable }) => enable);
}

function secretOf(jwt: JwtConfig | undefined): Uint8Array | string | undefined {
  if (jwt?.keys.type !== "hmac" || jwt.keys.secret === null) return undefined;
  const { secret, secretBase64Encoded } = jwt.keys;
  return secretBase64Encoded ? Buffer.from(secret, "base64") : secret;
}
