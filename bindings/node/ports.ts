/** What Node supplies to the engine. */
import { randomBytes } from "node:crypto";
import type { Ports } from "../../src/ports/ports.ts";

export const nodePorts: Ports = {
  now: () => Date.now(),
  env: (name) => process.env[name],
  randomBytes: (count) => randomBytes(count),
};
