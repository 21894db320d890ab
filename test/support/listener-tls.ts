/** What a TLS listener has that is not written, as the reference has it. */
import type { ListenerTls } from "../../src/config/config.ts";

export const LISTENER_TLS_DEFAULTS = {
  isPeerVerified: false,
  failIfNoPeerCert: false,
  depth: 10,
  partialChain: 0,
  extKeyUsage: [],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: [],
  honorCipherOrder: true,
  handshakeTimeoutMs: 15_000,
} as const satisfies Partial<ListenerTls>;
