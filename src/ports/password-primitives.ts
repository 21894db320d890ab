/** What password hashes are made of, for hosts that have it faster or at all. */

export type DigestName = "md5" | "sha" | "sha256" | "sha512";

export type MacName = "sha" | "sha224" | "sha256" | "sha384" | "sha512";

export interface PasswordPrimitives {
  /**
   * How many derivations may be made at a time so that whatever else the host has to do beside the
   * thread that serves clients, signatures to check among it, does not wait for them. Default 1.
   */
  readonly atOnce?: number | undefined;
  /** At once: a digest of a password costs microseconds. `sha` is SHA-1. */
  digest(name: DigestName, message: Uint8Array): Uint8Array;
  /** PBKDF2 with HMAC (RFC 8018 §5.2). Must not keep the thread that serves clients. */
  pbkdf2(
    mac: MacName,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    lengthBytes: number,
  ): Promise<Uint8Array>;
  /**
   * The bcrypt text `$2?$CC$…` of at most 72 bytes without a NUL; `cost` 4 to 31, `salt` 16 bytes.
   * Must not keep the thread that serves clients. Absent where the host has no bcrypt.
   */
  readonly bcrypt?:
    | ((password: Uint8Array, cost: number, salt: Uint8Array) => Promise<string>)
    | undefined;
}
