/** What the host supplies. Everything has a Web-standard default; tests pass their own. */
import type { OpenHttp } from "./http.ts";
import type { PasswordPrimitives } from "./password-primitives.ts";
import type { RuleDatabase } from "./rule-database.ts";
import type { UserDatabase } from "./user-database.ts";

export interface Ports {
  /** Wall-clock time in ms since the epoch. */
  readonly now: () => number;
  /** An environment variable, for the expression function `getenv`. */
  readonly env: (name: string) => string | undefined;
  /** Cryptographically random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** One HTTP request, as the Web's `fetch`. */
  readonly fetch: Fetch;
  readonly setTimer: SetTimer;
  /** Without it, outgoing requests are made with `fetch` and cannot have TLS settings. */
  readonly openHttp?: OpenHttp | undefined;
  /** Without it, authenticators with `backend = built_in_database` cannot be made. */
  readonly users?: UserDatabase | undefined;
  /** Without it, the authorization source `built_in_database` cannot be made. */
  readonly rules?: RuleDatabase | undefined;
  /** Without it, password hashes are made on the calling thread, and there is no bcrypt. */
  readonly passwords?: PasswordPrimitives | undefined;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Calls `run` once, at least `delayMs` (at most 2³¹ − 1) from now. Should not keep the process alive. */
export type SetTimer = (run: () => void, delayMs: number) => Timer;

export interface Timer {
  clear(): void;
}

/** The defaults: the global clock, random generator and fetch, and an empty environment. */
export const defaultPorts: Ports = {
  now: () => Date.now(),
  env: () => undefined,
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  fetch: (url, init) => globalThis.fetch(url, init),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return { clear: () => clearTimeout(timer) };
  },
};
