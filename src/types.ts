/** The nouns of the domain. They import nothing and mean one thing everywhere. */

/** MQTT text as the host has it: a string, or raw bytes when it is not UTF-8. */
export type Text = string | Uint8Array;

/** Everything known about a client when it connects. Absent fields are left out or undefined. */
export interface ClientInfo {
  /** Client Identifier as the client sent it; may be empty. */
  readonly clientId: Text;
  readonly username?: Text | undefined;
  readonly password?: Text | undefined;
  /** Peer address as text, IPv4 or IPv6, without a port. What is no address refuses the client. */
  readonly peerHost?: string | undefined;
  readonly peerPort?: number | undefined;
  /** Local port. */
  readonly sockPort?: number | undefined;
  /** TLS server name. */
  readonly peerSni?: string | undefined;
  /** Configuration zone; `default` unless the listener says otherwise. */
  readonly zone?: string | undefined;
  /** `<type>:<name>`, e.g. `tcp:default`. */
  readonly listener?: string | undefined;
  /** Protocol level on the wire: 3 (MQTT 3.1), 4 (3.1.1) or 5. */
  readonly protocolVersion?: 3 | 4 | 5 | undefined;
  readonly cleanStart?: boolean | undefined;
  /** MQTT 5 user properties of CONNECT; of duplicates the last counts. */
  readonly userProperties?: Readonly<Record<string, Text>> | undefined;
  /** MQTT 5 Authentication Method and Data. */
  readonly authMethod?: string | undefined;
  readonly authData?: Uint8Array | undefined;
  /** Subject of the TLS client certificate: its common names joined with `,`, and all of it. */
  readonly certCommonName?: string | undefined;
  /** RFC 4514, last RDN first. */
  readonly certSubject?: string | undefined;
  /** DER bytes of the TLS client certificate. */
  readonly certDer?: Uint8Array | undefined;
}

/** What is being authorized. A will is a publish. */
export type Action =
  | { readonly type: "publish"; readonly qos: 0 | 1 | 2; readonly retain: boolean }
  | { readonly type: "subscribe"; readonly qos: 0 | 1 | 2 };

export type Verdict = "allow" | "deny";

/** A place in a configuration or rule file; line and column count from 1, columns in characters. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Why a decision came out as it did; machine-readable and stable. The client is told at most an
 * MQTT reason code.
 */
export type Reason =
  // connect
  | "ok"
  | "anonymous"
  | "all_ignored"
  | "not_configured"
  | "check_denied"
  | "no_check_matched"
  | "auth_method_present"
  | "other_issuer"
  | "missing_token"
  | "malformed_token"
  | "bad_signature"
  | "alg_not_allowed"
  | "no_key"
  | "expired"
  | "not_yet_valid"
  | `claim_missing:${string}`
  | `claim_mismatch:${string}`
  | "bad_payload"
  | "bad_acl_claim"
  | "bad_attrs_claim"
  | "missing_password"
  | "missing_user_id"
  | "unknown_user"
  | "too_many_password_checks"
  | "wrong_password"
  | "precondition_error"
  | "backend_unavailable"
  | "backend_denied"
  | "backend_ignored"
  | "placeholder_absent"
  | "bad_request"
  | "bad_answer"
  | "bad_expiry"
  | "anonymous_refused"
  | "client_identifier_not_valid"
  | "malformed_peer_address"
  | "certificate_identity_missing"
  | "unverified_identity"
  | "bad_mountpoint"
  // enhanced authentication
  | "unknown_auth_method"
  | "other_auth_method"
  | "missing_auth_data"
  | "malformed_exchange"
  | "identity_mismatch"
  | "identity_changed"
  | "too_many_steps"
  | "policy_changed"
  | "exchange_not_possible"
  // authorize
  | "superuser"
  | "rule"
  | "token_acl"
  | "token_acl_no_match"
  | "token_acl_expired"
  | "no_match"
  | "malformed_topic"
  | "source_failed"
  | "too_many_steps"
  // either
  | "core_failed"
  | "closed";

/** Something that went wrong on the way to a decision, for the operator. Never holds a secret. */
export interface Fault {
  /** Stable code, `ERR_<AREA>_<WHAT>`. */
  readonly code: string;
  /** The authenticator, source or setting it happened in. */
  readonly at: string;
  readonly message: string;
}

/** The answer to one authorization question. */
export interface Decision {
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** `superuser`, `client_info` (the token's own rules), a source type, or `default` (no match). */
  readonly by: string;
  /** The deciding rule, where one decided. */
  readonly rule?: RuleReference | undefined;
  readonly faults: readonly Fault[];
}

export interface RuleReference {
  /** Position in its list, from 1. */
  readonly number: number;
  /** Of a stored rule: whose list it stands in. */
  readonly list?: StoredListName | undefined;
  readonly at?: SourcePosition | undefined;
  /** The rule as written. */
  readonly text?: string | undefined;
}

/** Whose stored rules they are; they are tried in this order. */
export type StoredListName = "clientid" | "username" | "all";

/** MQTT 5 reason codes a refused CONNECT may carry (bindings map them to 3.1.1 return codes). */
export type ConnectCode =
  | 0x80
  | 0x82
  | 0x84
  | 0x85
  | 0x86
  | 0x87
  | 0x88
  | 0x89
  | 0x8a
  | 0x8c
  | 0x97;

/** What a CONNECT came to. */
export type ConnectDecision<S extends Session = Session> = ConnectAllowed<S> | ConnectDenied;

/** The answer to a CONNECT: a decision, unless the client chose an Authentication Method that takes more. */
export type ConnectAnswer<S extends Session = Session> =
  | ConnectDecision<S>
  | Continued<ConnectAnswer<S>>;

/** Enhanced authentication goes on: send AUTH 0x18 with `data`, then step with what comes back. */
export interface Continued<A> {
  readonly verdict: "continue";
  /** The authenticator that wants more. */
  readonly by: string;
  readonly faults: readonly Fault[];
  /** Authentication Data to send; undefined: none. */
  readonly data: Uint8Array | undefined;
  readonly exchange: Exchange<A>;
}

/** One step of an enhanced authentication that is still to be taken [MQTT5 4.12]. */
export interface Exchange<A> {
  /**
   * Takes the step with the client's Authentication Data. Rejects like what began the exchange.
   * Once only: the answer brings the next step, where there is one. Throws UsageError otherwise.
   */
  step(data: Uint8Array | undefined): Promise<A>;
  /** The client is gone. A step under way comes to a refusal, whatever is found out. */
  abandon(): void;
}

export interface ConnectAllowed<S extends Session = Session> {
  readonly verdict: "allow";
  readonly reason: Reason;
  /** The authenticator that accepted, e.g. `jwt`; `anonymous` when none was asked. */
  readonly by: string;
  readonly faults: readonly Fault[];
  /** Authentication Data for the CONNACK of an enhanced authentication. */
  readonly authData?: Uint8Array | undefined;
  readonly session: S;
}

export interface ConnectDenied {
  readonly verdict: "deny";
  readonly reason: Reason;
  readonly by: string;
  readonly faults: readonly Fault[];
  readonly code: ConnectCode;
}

/** The answer to a re-authentication: AUTH 0x00, DISCONNECT with the code, or AUTH 0x18. */
export type ReauthAnswer = ReauthAllowed | ConnectDenied | Continued<ReauthAnswer>;

export interface ReauthAllowed {
  readonly verdict: "allow";
  readonly reason: Reason;
  readonly by: string;
  readonly faults: readonly Fault[];
  readonly authData?: Uint8Array | undefined;
}

/** An accepted client. Holds a record in the core until `close`. */
export interface Session {
  /** Final Client Identifier, after overrides. */
  readonly clientId: string;
  /** Set when the client has to be told its id (Assigned Client Identifier, MQTT 5). */
  readonly assignedClientId: string | undefined;
  readonly username: string | undefined;
  readonly isSuperuser: boolean;
  readonly clientAttrs: Readonly<Record<string, string>>;
  /** Rendered topic prefix; empty when there is none. */
  readonly mountpoint: string;
  /** When the session has to end, in ms since the epoch. */
  readonly expireAtMs: number | undefined;
  /**
   * Another object when its rights may have changed without it: another policy is in force, or stored
   * rules that concern it have changed. Cheap enough to be asked for every message.
   */
  readonly revision: object;
  /**
   * May the client do this? `topic` is the topic name of a PUBLISH, or the topic filter of a
   * SUBSCRIBE without `$share/…` and friends, as the client wrote it (unmounted).
   * Answers synchronously when only image rules are involved.
   */
  authorize(action: Action, topic: string): Decision | Promise<Decision>;
  /**
   * May a message on this concrete topic be delivered to the client, for a subscription with this QoS?
   * Synchronous; asked for every delivery of a subscription that `isCovered` did not clear.
   *
   * With the `filter` of the subscription the first rule that speaks of the filter or of the topic
   * decides: `{eq, "a/#"}` allows no topic, but whoever may subscribe to `a/#` by it may hear what
   * no rule before it refuses.
   */
  authorizeDelivery(topic: string, qos: 0 | 1 | 2, filter?: string): boolean;
  /** Is every topic that `filter` matches allowed, so that deliveries need no check? */
  isCovered(filter: string, qos: 0 | 1 | 2): boolean;
  /**
   * Authenticates the client anew, by its Authentication Method, with the data of an AUTH 0x19. When
   * allowed, superuser flag, attributes, token ACL and expiry are the new ones from then on; the
   * identity stays. Denied, the session has to be ended; until it is, the old rights hold. One at
   * a time, and only for clients that connected with a method: UsageError otherwise.
   * Source: authentication §6.1, §8 item 33; [MQTT5 4.12.1].
   */
  reauthenticate(data: Uint8Array | undefined): Promise<ReauthAnswer>;
  /** Gives the client record back. Later calls throw UsageError. */
  close(): void;
}
