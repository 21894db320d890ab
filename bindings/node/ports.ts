/** What Node supplies to the engine. */
import { randomBytes } from "node:crypto";
import type { Ports } from "../../src/ports/ports.ts";
import { openHttp } from "./http-client.ts";
import { nodePasswords } from "./passwords.ts";

export const nodePorts: Ports = {
  now: () => Date.now(),
  env: (name) => process.env[name],
  randomBytes: (count) => randomBytes(count),
  passwords: nodePasswords,
  fetch: (url, init) => fetch(url, init),
  openHttp,
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { clear: () => clearTimeout(timer) };
  },
};
