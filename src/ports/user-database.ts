/** The built-in database as authenticators read it: accounts with password hashes, or SCRAM keys. */

/** Source: authentication §3.4. */
export interface PasswordUser {
  /** As stored: hexadecimal digits, a bcrypt text, or the password itself for `plain`. */
  readonly passwordHash: string;
  /** Undefined: the account has none, which some algorithms cannot work with. */
  readonly salt: string | undefined;
  readonly isSuperuser: boolean;
}

/** Source: authentication §6.2, RFC 5802 §3. */
export interface ScramUser {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly isSuperuser: boolean;
}

/** A snapshot at every call: what another process committed before is seen. Throws when it cannot be read. */
export interface UserDatabase {
  /**
   * The account in a chain (`global`, or a listener such as `tcp:default`). `namespace` is the
   * tenant's: its users, and the global ones only if it has none at all.
   */
  passwordUser(
    chain: string,
    userId: string,
    namespace?: string | undefined,
  ): PasswordUser | undefined;
  /** The account for `SCRAM-SHA-256` (sha256) or `SCRAM-SHA-512`; shared by all chains. */
  scramUser(
    algorithm: "sha256" | "sha512",
    userId: string,
    namespace?: string | undefined,
  ): ScramUser | undefined;
}
