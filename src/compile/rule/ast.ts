/**
 * Authorization rules as data: what the acl.conf reader and the JSON rule reader produce and the
 * rule-set compiler consumes. Texts are bytes-as-strings nowhere: `Text` keeps non-UTF-8 intact.
 */
import type { SourcePosition, Text } from "../../types.ts";

export interface Rule {
  readonly permission: "allow" | "deny";
  readonly who: Who;
  /** Bits of ACTION_… in assembly/abi/decisions.ts: the requests this rule speaks about. */
  readonly actions: number;
  /** `all`: every topic, `$…` included. Otherwise any of the entries. */
  readonly topics: "all" | readonly TopicEntry[];
  readonly at?: SourcePosition | undefined;
  /** The rule as written, for explanations. */
  readonly text?: string | undefined;
}

export type Who =
  | { readonly type: "all" }
  | { readonly type: "and" | "or"; readonly of: readonly Who[] }
  | { readonly type: "equal"; readonly field: WhoField; readonly value: Text }
  | { readonly type: "pattern"; readonly field: WhoField; readonly pattern: Text }
  | { readonly type: "address"; readonly ranges: readonly AddressRange[] }
  /** Decided at load by the process's security profile. */
  | { readonly type: "constant"; readonly value: boolean }
  /**
   * Evaluating it fails: the whole rule set then gives the source's failure result. Only
   * `emqx` mode loads such a condition (`{zone, 1}`); it fails when it is reached, not before.
   */
  | { readonly type: "raise" };

export type WhoField =
  | { readonly name: "username" | "clientid" | "zone" | "listener" }
  | { readonly name: "client_attr"; readonly attr: Text };

export interface AddressRange {
  /** 4 or 16 bytes, host bits cleared. */
  readonly network: Uint8Array;
  readonly prefixLength: number;
}

/** One element of a rule's topic list. */
export type TopicEntry =
  /** `eq`: the requested topic or filter, level by level, literally. */
  | { readonly type: "equal"; readonly text: Text }
  /** A filter, possibly with placeholders. */
  | { readonly type: "filter"; readonly text: Text; readonly at?: SourcePosition | undefined };
