/** A real engine from configuration text, for tests that go the whole way. */
import { createHmac } from "node:crypto";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { nodePorts } from "../../bindings/node/ports.ts";
import { compilePolicy, createEngine, type Engine, loadConfig } from "../../src/index.ts";
import type { UserDatabase } from "../../src/ports/user-database.ts";

export interface EngineSource {
  /** HOCON. The listener gets a free port on the loopback interface. */
  readonly conf: string;
  /** The rules that `acl.conf` stands for. */
  readonly acl?: string | undefined;
  readonly preset?: "strict" | "emqx" | undefined;
  readonly now?: (() => number) | undefined;
  readonly users?: UserDatabase | undefined;
}

/** Compiles and loads a policy. */
export async function engineFrom(source: EngineSource): Promise<Engine> {
  const { now = nodePorts.now, users } = source;
  const ports = { ...nodePorts, now, users };
  return createEngine({ image: imageFrom(source), crypto: createNodeCrypto(), ports });
}

/** Compiles a policy, secrets included. */
export function imageFrom({ conf, acl = "", preset }: EngineSource): Uint8Array {
  const text = `listeners.tcp.default.bind = "127.0.0.1:0"\n${conf}`;
  const { config } = loadConfig({ text, file: "test.conf", readFile: () => acl, preset });
  return compilePolicy(config, { withSecrets: true }).image;
}

/** An HS256 token, signed here so that tests do not check the engine against itself. */
export function signToken(
  claims: object,
  secret: string,
  header: object = { alg: "HS256", typ: "JWT" },
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}
