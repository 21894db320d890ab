/**
 * An accepted client: its facts, its record in the core, and the order in which a question is
 * answered. The record belongs to one core instance; when the policy changes or a core had to be
 * replaced, it is opened again on the next question.
 *
 * Source: authorization §4.1, §5.
 */

import type { Rule } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import type { RuleAnswer } from "../core/core.ts";
import type { RequestFields } from "../core/request.ts";
import {
  actionBit,
  closeClient,
  decide,
  isCovered,
  openClient,
  setTokenRules,
} from "../core/rules.ts";
import type { CoreMemory } from "../core/wasm.ts";
import { UsageError } from "../errors.ts";
import type { LoadedPolicy } from "../policy.ts";
import { splitDelayed } from "../topic/delayed.ts";
import type { Action, Decision, Session } from "../types.ts";
import {
  ALLOWED_SUPERUSER,
  DENIED_CORE_FAILED,
  DENIED_MALFORMED_TOPIC,
  DENIED_TOKEN_ACL_EXPIRED,
  DENIED_TOKEN_ACL_NO_MATCH,
  tokenDecision,
} from "./decisions.ts";

/** The client's private rules. */
export interface TokenRules {
  readonly rules: readonly Rule[];
  /** What follows when none applies: refuse, or ask the sources. */
  readonly denyOtherwise: boolean;
  /** Last ms since the epoch at which they hold; -Infinity: never; undefined: for ever. */
  readonly expireAtMs: number | undefined;
}

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
}

/** Whoever holds the policy in force. */
export interface PolicyHolder {
  readonly policy: LoadedPolicy;
}

export class PolicySession implements Session {
  readonly #holder: PolicyHolder;
  readonly #facts: SessionFacts;
  /** The instance the record lives in; undefined before the first question and after a failure. */
  #memory: CoreMemory | undefined;
  #handle = 0;
  #isClosed = false;

  constructor(holder: PolicyHolder, facts: SessionFacts) {
    this.#holder = holder;
    this.#facts = facts;
  }

  /** What rules see of the client; without the password. */
  get fields(): RequestFields {
    return this.#facts.fields;
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

  authorize(action: Action, topic: string): Decision {
    return this.#decide(actionBit(action), topic);
  }

  authorizeDelivery(topic: string, qos: 0 | 1 | 2): boolean {
    return this.#decide(actionBit({ type: "subscribe", qos }), topic).verdict === "allow";
  }

  isCovered(filter: string, qos: 0 | 1 | 2): boolean {
    this.#assertOpen();
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

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#memory) return;
    try {
      closeClient(this.#memory, this.#handle);
    } catch (error) {
      this.#holder.policy.recover(error);
    }
    this.#memory = undefined;
  }

  /** The pipeline of one question, in order. Anything unexpected denies. */
  #decide(bit: number, topic: string): Decision {
    this.#assertOpen();
    const policy = this.#holder.policy;
    const asked = this.#askedTopic(policy, topic);
    if (asked === undefined) return DENIED_MALFORMED_TOPIC;
    const { isSuperuser, tokenRules } = this.#facts;
    if (isSuperuser) return ALLOWED_SUPERUSER;
    if (tokenRules?.expireAtMs !== undefined && policy.now() > tokenRules.expireAtMs) {
      return DENIED_TOKEN_ACL_EXPIRED;
    }
    let answer: RuleAnswer;
    try {
      answer = decide(policy.memory, this.#open(policy), bit, asked);
    } catch (error) {
      return policy.recover(error) === "input" ? DENIED_MALFORMED_TOPIC : DENIED_CORE_FAILED;
    }
    const { verdict, origin, rule } = answer;
    if (verdict === "no_match") return policy.noMatchDecision;
    if (verdict === "failed") return policy.failedDecision;
    if (origin === "image") return policy.ruleDecision(verdict, rule);
    // The rule behind the last one is the refusal that ends a map-form ACL.
    if (rule === tokenRules?.rules.length) return DENIED_TOKEN_ACL_NO_MATCH;
    return tokenDecision(verdict, rule);
  }

  /** The topic that the rules are asked about; undefined when `$delayed/…` is malformed. */
  #askedTopic(policy: LoadedPolicy, topic: string): string | undefined {
    const inner = topic.startsWith("$delayed/") ? (splitDelayed(topic) as string) : topic;
    if (inner === undefined || !policy.includeMountpoint) return inner;
    return this.#facts.mountpoint + inner;
  }

  /** The record's handle in the core in force. Throws CoreError when it cannot be opened. */
  #open(policy: LoadedPolicy): number {
    if (this.#memory === policy.memory) return this.#handle;
    const { fields, tokenRules } = this.#facts;
    const handle = openClient(policy.memory, fields);
    if (tokenRules) {
      setTokenRules(policy.memory, handle, compileTokenRules(tokenRules, policy));
    }
    this.#memory = policy.memory;
    this.#handle = handle;
    return handle;
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new UsageError("ERR_USAGE_CLOSED", "the session is closed");
    }
  }
}

/** The private rules as a rule set; a map-form ACL ends in a refusal of everything. */
function compileTokenRules(tokenRules: TokenRules, policy: LoadedPolicy): Uint8Array {
  const { rules, denyOtherwise } = tokenRules;
  const all = denyOtherwise ? [...rules, DENY_ALL] : rules;
  return compileRules(all, { switches: policy.config.switches }).blob;
}

const DENY_ALL: Rule = {
  permission: "deny",
  who: { type: "all" },
  actions: 511,
  topics: "all",
};
