/**
 * An accepted client: its facts, its record in the core, and the order in which a question is
 * answered. The record belongs to one core instance; when the policy changes or a core had to be
 * replaced, it is opened again on the next question.
 *
 * Source: authorization §4.1, §5.
 */

import { RULE_NONE } from "../../assembly/abi.ts";
import type { RequestFields } from "../core/request.ts";
import {
  actionBit,
  closeClient,
  decidePacked,
  isCovered,
  openClient,
  originOf,
  ruleOf,
  setTokenRules,
  verdictOf,
} from "../core/rules.ts";
import { UsageError } from "../errors.ts";
import type { LoadedPolicy } from "../policy.ts";
import { splitDelayed } from "../topic/delayed.ts";
import { isFilterSubset } from "../topic/set.ts";
import type { Action, ClientInfo, Decision, ReauthAnswer, Session, Text } from "../types.ts";
import {
  ALLOWED_SUPERUSER,
  DENIED_CLOSED,
  DENIED_CORE_FAILED,
  DENIED_MALFORMED_TOPIC,
  DENIED_TOKEN_ACL_EXPIRED,
  DENIED_TOKEN_ACL_NO_MATCH,
  DENIED_TOKEN_RULES,
  DENIED_TOO_MANY_STEPS,
  tokenDecision,
} from "./decisions.ts";
import type { StoredGrant } from "./stored-rules.ts";
import { compileTokenRules, type TokenRules, TokenRulesError } from "./token-rules.ts";

const DOLLAR = 0x24;

/** Everything about an accepted client that outlives the CONNECT. */
export interface SessionFacts {
  /** Without the password. */
  readonly fields: RequestFields;
  readonly clientId: string;
  readonly assignedClientId: string | undefined;
  readonly username: string | undefined;
  readonly isSuperuser: boolean;
  readonly clientAttrs: Readonly<Record<string, string>>;
  readonly mountpoint: string;
  readonly expireAtMs: number | undefined;
  readonly tokenRules: TokenRules | undefined;
  /** Undefined for clients that connected without an Authentication Method. */
  readonly origin?: SessionOrigin | undefined;
}

/** The client as it was before its authentication: where the next one begins. */
export interface SessionOrigin {
  /** Without credentials. */
  readonly client: ClientInfo;
  readonly identity: {
    readonly username: Text | undefined;
    readonly clientId: Text;
    readonly isGenerated: boolean;
  };
  readonly clientId: Text;
  /** From `mqtt.client_attrs_init`. */
  readonly clientAttrs: Readonly<Record<string, Text>>;
}

/** Whoever holds the policy in force. */
export interface PolicyHolder {
  readonly policy: LoadedPolicy;
  /** Nothing is allowed any more. */
  readonly isClosed: boolean;
  /** Authenticates anew, and calls the session's `replace` when that is allowed. */
  reauthenticate(
    session: PolicySession,
    facts: SessionFacts,
    data: Uint8Array | undefined,
  ): Promise<ReauthAnswer>;
}

export class PolicySession implements Session {
  readonly #holder: PolicyHolder;
  #facts: SessionFacts;
  /** The epoch of the instance the record lives in; undefined before the first question. */
  #epoch: object | undefined;
  #handle = 0;
  /** The stored rules that the record has; undefined without such a source. */
  #stored: StoredGrant | undefined;
  /** The policy that cannot compile the token's rules: asked once, not at every question. */
  #refusedBy: LoadedPolicy | undefined;
  /** Once over stays over, also when the clock is put back. */
  #hasExpiredRules = false;
  #isClosed = false;

  constructor(holder: PolicyHolder, facts: SessionFacts) {
    this.#holder = holder;
    this.#facts = facts;
  }

  /** What rules see of the client; without the password. */
  get fields(): RequestFields {
    return this.#facts.fields;
  }

  /** The rules its token brought along. */
  get tokenRules(): TokenRules | undefined {
    return this.#facts.tokenRules;
  }

  get clientId(): string {
    return this.#facts.clientId;
  }

  get assignedClientId(): string | undefined {
    return this.#facts.assignedClientId;
  }

  get username(): string | undefined {
    return this.#facts.username;
  }

  get isSuperuser(): boolean {
    return this.#facts.isSuperuser;
  }

  get clientAttrs(): Readonly<Record<string, string>> {
    return this.#facts.clientAttrs;
  }

  get mountpoint(): string {
    return this.#facts.mountpoint;
  }

  get expireAtMs(): number | undefined {
    return this.#facts.expireAtMs;
  }

  get revision(): object {
    const { policy } = this.#holder;
    const stored = this.#stored;
    return stored && policy.storedRules ? policy.storedRules.revisionOf(stored) : policy;
  }

  authorize(action: Action, topic: string): Decision {
    return this.#decide(actionBit(action), topic);
  }

  authorizeDelivery(topic: string, qos: 0 | 1 | 2, filter: string = topic): boolean {
    const bit = actionBit({ type: "subscribe", qos });
    if (this.#decide(bit, topic).verdict === "allow") return true;
    return (
      filter !== topic && isFilterSubset(topic, filter) && this.#isAllowedFirst(bit, filter, topic)
    );
  }

  isCovered(filter: string, qos: 0 | 1 | 2): boolean {
    this.#assertOpen();
    if (this.#holder.isClosed) return false;
    const { isSuperuser, tokenRules } = this.#facts;
    if (isSuperuser) return true;
    // Rules that expire cover nothing for good.
    if (tokenRules?.expireAtMs !== undefined) return false;
    const policy = this.#holder.policy;
    const asked = this.#askedTopic(policy, filter);
    if (asked === undefined) return false;
    try {
      const handle = this.#open(policy);
      return isCovered(policy.memory, handle, actionBit({ type: "subscribe", qos }), asked);
    } catch (error) {
      policy.recover(error);
      return false;
    }
  }

  /** Opens the record in the core of this policy. Throws CoreError when the client does not fit. */
  open(policy: LoadedPolicy): void {
    this.#open(policy);
  }

  async reauthenticate(data: Uint8Array | undefined): Promise<ReauthAnswer> {
    this.#assertOpen();
    if (this.#facts.origin === undefined) {
      const message = "the client connected without an authentication method";
      throw new UsageError("ERR_USAGE_REAUTHENTICATE", message);
    }
    return this.#holder.reauthenticate(this, this.#facts, data);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Puts other facts in the place of those it has, all at once. Throws like `open`, and then the old
   * ones stay.
   */
  replace(policy: LoadedPolicy, facts: SessionFacts): void {
    const before = {
      facts: this.#facts,
      epoch: this.#epoch,
      handle: this.#handle,
      stored: this.#stored,
    };
    this.#facts = facts;
    this.#epoch = undefined;
    this.#refusedBy = undefined;
    try {
      this.#open(policy);
    } catch (error) {
      this.#facts = before.facts;
      this.#epoch = before.epoch;
      this.#handle = before.handle;
      this.#stored = before.stored;
      this.#refusedBy = undefined;
      throw error;
    }
    this.#hasExpiredRules = false;
    closeRecord(policy, before.epoch, before.handle);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeRecord(this.#holder.policy, this.#epoch, this.#handle);
  }

  /** The pipeline of one question, in order. Anything unexpected denies. */
  #decide(bit: number, topic: string): Decision {
    this.#assertOpen();
    if (this.#holder.isClosed) return DENIED_CLOSED;
    const policy = this.#holder.policy;
    const asked = this.#askedTopic(policy, topic);
    if (asked === undefined) return DENIED_MALFORMED_TOPIC;
    const { isSuperuser, tokenRules } = this.#facts;
    if (isSuperuser) return ALLOWED_SUPERUSER;
    if (tokenRules && this.#rulesHaveExpired(policy)) return DENIED_TOKEN_ACL_EXPIRED;
    let answer: number;
    try {
      answer = decidePacked(policy.memory, this.#open(policy), bit, asked);
    } catch (error) {
      if (error instanceof TokenRulesError) return DENIED_TOKEN_RULES;
      return policy.recover(error) === "input" ? DENIED_MALFORMED_TOPIC : DENIED_CORE_FAILED;
    }
    return policy.knownDecision(answer) ?? this.#decisionOf(policy, answer);
  }

  /** What an answer of the core comes to that the policy does not know yet, or not alone. */
  #decisionOf(policy: LoadedPolicy, answer: number): Decision {
    const verdict = verdictOf(answer);
    if (verdict === "no_match") return policy.noMatchDecision;
    const rule = ruleOf(answer);
    if (rule < 0) return DENIED_TOO_MANY_STEPS;
    const origin = originOf(answer);
    if (origin === "own" || origin === "shared") {
      return policy.storedRules!.decisionOf(this.#stored!, verdict, origin, rule);
    }
    if (verdict === "failed") return policy.failedDecision;
    if (origin === "image") return policy.ruleDecision(verdict, rule);
    // The rule behind the last one is the refusal that ends a map-form ACL.
    if (rule === this.#facts.tokenRules?.rules.length) return DENIED_TOKEN_ACL_NO_MATCH;
    return tokenDecision(verdict, rule);
  }

  /**
   * Does a rule that allows the filter stand before what refuses the topic? Where allow rules need not
   * contain the filter, they say nothing of its topics.
   */
  #isAllowedFirst(bit: number, filter: string, topic: string): boolean {
    const { policy, isClosed } = this.#holder;
    if (isClosed || !policy.config.switches.subscribe_containment) return false;
    const askedFilter = this.#askedTopic(policy, filter);
    const askedTopic = this.#askedTopic(policy, topic);
    if (askedFilter === undefined || askedTopic === undefined) return false;
    if (this.#rulesHaveExpired(policy)) return false;
    try {
      const handle = this.#open(policy);
      const byFilter = decidePacked(policy.memory, handle, bit, askedFilter);
      if (verdictOf(byFilter) !== "allow") return false;
      const byTopic = decidePacked(policy.memory, handle, bit, askedTopic);
      if (verdictOf(byTopic) === "no_match") return true;
      // Without a rule it was given up, and nothing is known of what stands where.
      return ruleOf(byTopic) >= 0 && placeOf(byFilter, policy) < placeOf(byTopic, policy);
    } catch (error) {
      policy.recover(error);
      return false;
    }
  }

  /** The topic that the rules are asked about; undefined when `$delayed/…` is malformed. */
  #askedTopic(policy: LoadedPolicy, topic: string): string | undefined {
    // Asking about one character first is quicker, and says no for nearly all topics.
    const isDelayed = topic.charCodeAt(0) === DOLLAR && topic.startsWith("$delayed/");
    const inner = isDelayed ? (splitDelayed(topic) as string) : topic;
    if (inner === undefined || !policy.includeMountpoint) return inner;
    return this.#facts.mountpoint + inner;
  }

  #rulesHaveExpired(policy: LoadedPolicy): boolean {
    const expireAtMs = this.#facts.tokenRules?.expireAtMs;
    if (expireAtMs === undefined) return false;
    // Asked this way round, a clock that gives no number expires them too.
    if (!(policy.now() <= expireAtMs)) this.#hasExpiredRules = true;
    return this.#hasExpiredRules;
  }

  /**
   * The record's handle in the core in force. Throws CoreError when it cannot be opened, and
   * TokenRulesError when this policy cannot compile the token's rules.
   */
  #open(policy: LoadedPolicy): number {
    const isOpen = this.#epoch === policy.epoch;
    if (isOpen) {
      const stored = this.#stored;
      if (stored && !policy.storedRules!.isCurrent(stored)) {
        this.#stored = this.#grantStored(policy, this.#handle, stored);
      }
      return this.#handle;
    }
    if (this.#refusedBy === policy) {
      throw new TokenRulesError("ERR_TOKEN_RULES", "the acl claim was refused before");
    }
    const blob = this.#compileTokenRules(policy);
    const { memory } = policy;
    const handle = openClient(memory, this.#facts.fields);
    try {
      if (blob) setTokenRules(memory, handle, blob);
      this.#stored = this.#grantStored(policy, handle);
    } catch (error) {
      closeClient(memory, handle);
      throw error;
    }
    this.#epoch = policy.epoch;
    this.#handle = handle;
    return handle;
  }

  /** Undefined without such a source, and for a superuser, whom no rule is asked about. */
  #grantStored(
    { storedRules, memory, epoch }: LoadedPolicy,
    handle: number,
    before?: StoredGrant,
  ): StoredGrant | undefined {
    const { fields, isSuperuser } = this.#facts;
    return isSuperuser ? undefined : storedRules?.grant(memory, epoch, handle, fields, before);
  }

  #compileTokenRules(policy: LoadedPolicy): Uint8Array | undefined {
    const { tokenRules } = this.#facts;
    if (!tokenRules) return undefined;
    try {
      return compileTokenRules(tokenRules, policy.config.switches);
    } catch (error) {
      this.#refusedBy = policy;
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new UsageError("ERR_USAGE_CLOSED", "the session is closed");
    }
  }
}

/** Where the deciding rule stands among all: rules of a source that is asked earlier come first. */
function placeOf(answer: number, { storedRules }: LoadedPolicy): number {
  const order = storedRules?.options.isBehindFile ? IMAGE_FIRST : STORED_FIRST;
  return order.indexOf(originOf(answer)) * RULE_NONE + ruleOf(answer);
}

const STORED_FIRST = ["token", "own", "shared", "image"] as const;
const IMAGE_FIRST = ["token", "image", "own", "shared"] as const;

/** A replaced instance is gone, with its records. */
function closeRecord(policy: LoadedPolicy, epoch: object | undefined, handle: number): void {
  if (epoch !== policy.epoch) return;
  try {
    closeClient(policy.memory, handle);
  } catch (error) {
    policy.recover(error);
  }
}
