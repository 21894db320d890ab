/** The built-in database as the authorization source reads it: rules by client id, by username, for all. */
import type { StoredListName } from "../types.ts";

/** The lists in the order in which they are tried; the first rule that applies decides. */
export interface StoredRules {
  /** `rulesVersion` when they were read. */
  readonly version: number;
  /** Whose lists they are: the tenant's, or empty for the global ones. */
  readonly namespace: string;
  /** Each a rule map as `readJsonRule` takes it; checked when it was stored, with one topic. */
  readonly ofClientId: readonly unknown[];
  readonly ofUsername: readonly unknown[];
  /** The same object as long as the list is the same, so that it need not be looked at again. */
  readonly ofAll: readonly unknown[];
}

/** Whose list it is; the id of `all` is empty, and so is the namespace of no tenant. */
export interface RuleOwner {
  readonly list: StoredListName;
  readonly id: string;
  readonly namespace: string;
}

export interface RuleChanges {
  /** `rulesVersion` as it is now. */
  readonly version: number;
  /** Whose rules have changed; undefined when that is not remembered: anybody's may have. */
  readonly owners: readonly RuleOwner[] | undefined;
}

/** A snapshot at every call. Throws when it cannot be read. Source: authorization §4.7.2. */
export interface RuleDatabase {
  /**
   * Changes with every change of a rule, whichever process makes it: rules that were read under the
   * same number are still right. Cost: a few microseconds.
   */
  rulesVersion(): number;
  /** What has changed since `version`. Cost: a microsecond a change, of a bounded number. */
  rulesChangedSince(version: number): RuleChanges;
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
