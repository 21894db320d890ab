/** What the host supplies. Everything has a Web-standard default; tests pass their own. */
export interface Ports {
  /** Wall-clock time in ms since the epoch. */
  readonly now: () => number;
  /** An environment variable, for the expression function `getenv`. */
  readonly env: (name: string) => string | undefined;
  /** Cryptographically random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
}

/** The defaults: the global clock and random generator, and an empty environment. */
export const defaultPorts: Ports = {
  now: () => Date.now(),
  env: () => undefined,
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};
