/** From texts to a running engine, the way every host gets one. */
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { nodePorts } from "../../bindings/node/ports.ts";
import { compilePolicy, createEngine, type Engine, loadConfig } from "../../src/index.ts";
import type { Ports } from "../../src/ports/ports.ts";

/** A policy of nothing but rules. */
export const RULES_ONLY = `
  portcullis.allow_anonymous = true
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;

/** Configuration and acl.conf → image. */
export function compileTexts(config: string, acl: string): Uint8Array {
  const loaded = loadConfig({ text: config, file: "bench.conf", readFile: () => acl });
  return compilePolicy(loaded.config, { withSecrets: true }).image;
}

/** An engine over Node's crypto. */
export function startEngine(image: Uint8Array, ports: Partial<Ports> = {}): Promise<Engine> {
  return createEngine({ image, crypto: createNodeCrypto(), ports: { ...nodePorts, ...ports } });
}
