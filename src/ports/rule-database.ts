/** The built-in database as the authorization source reads it: rules by client id, by username, for all. */

/** The lists in the order in which they are tried; the first rule that applies decides. */
export interface StoredRules {
  /** `rulesVersion` when they were read. */
  readonly version: number;
  /** Each a rule map as `readJsonRule` takes it; checked when it was stored, with one topic. */
  readonly ofClientId: readonly unknown[];
  readonly ofUsername: readonly unknown[];
  readonly ofAll: readonly unknown[];
}

/** A snapshot at every call. Throws when it cannot be read. Source: authorization §4.7.2. */
export interface RuleDatabase {
  /**
   * Changes with every change of a rule, whichever process makes it: rules that were read under the
   * same number are still right. Cost: a few microseconds.
   */
  rulesVersion(): number;
  /**
   * What is stored for this client. Absent names have no lists of their own. `namespace` is the
   * tenant's: its three lists, and the global ones only if it has none for this client.
   */
  rulesFor(
    clientId: string | undefined,
    username: string | undefined,
    namespace?: string | undefined,
  ): StoredRules;
}
