/**
 * The engine: one policy in force, the sessions that live under it, and its replacement.
 *
 * A reload builds a new policy beside the old one and swaps one reference; requests in flight
 * finish on the policy they began with, and sessions move to the new one at their next question.
 * Whoever holds sessions can listen for the change and ask their questions again.
 * A core that traps is dropped the same way: its policy is loaded again from the same image.
 */
import { PolicySession, type SessionFacts } from "./authz/session.ts";
import { TokenRulesError } from "./authz/token-rules.ts";
import type { Config } from "./config/config.ts";
import { NextStep, type Pending } from "./connect/exchange.ts";
import {
  type ConnectAccepted,
  type ConnectOutcome,
  connectClient,
  reauthenticateClient,
} from "./connect/pipeline.ts";
import { type CoreModule, loadModule } from "./core/module.ts";
import type { Crypto } from "./crypto/crypto.ts";
import { KeySetStore } from "./crypto/jwks-store.ts";
import { type CoreError, UsageError } from "./errors.ts";
import type { Trace } from "./observe/trace.ts";
import { LoadedPolicy, type PolicyHost } from "./policy.ts";
import { defaultPorts, type Ports } from "./ports/ports.ts";
import type {
  ClientInfo,
  ConnectAnswer,
  ConnectDecision,
  ConnectDenied,
  Continued,
  ReauthAllowed,
  ReauthAnswer,
} from "./types.ts";
import { WorkQueue } from "./work-queue.ts";

export interface EngineOptions {
  /** Policy image, from `compilePolicy` or `portcullis compile`. Kept; must not change afterwards. */
  readonly image: Uint8Array;
  /** Verifies signatures; see src/crypto. */
  readonly crypto: Crypto;
  /** Secrets an image was compiled without, by configuration path (`authentication[2].secret`). */
  readonly secrets?: Readonly<Record<string, string>> | undefined;
  readonly ports?: Partial<Ports> | undefined;
  /** A compiled core, where the host has one already. */
  readonly module?: CoreModule | undefined;
}

export interface ConnectOptions {
  /** Receives every step of the decision. */
  readonly trace?: Trace | undefined;
}

/**
 * Loads a policy and gets ready to decide. Rejects with CoreError for an unusable image and with
 * ConfigError when a secret is missing.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const ports = { ...defaultPorts, ...options.ports };
  const host: PolicyHost = {
    crypto: options.crypto,
    ports,
    decoySecret: ports.randomBytes(DECOY_SECRET_BYTES),
    keySets: new KeySetStore(),
    passwordQueue: new WorkQueue(ports.passwords?.atOnce ?? 1),
    module: options.module ?? (await loadModule()),
  };
  const policy = await LoadedPolicy.load(options.image, options.secrets ?? {}, host);
  return new Engine(host, policy);
}

const DECOY_SECRET_BYTES = 32;

const DENIED_CLOSED: ConnectDenied = {
  verdict: "deny",
  reason: "closed",
  by: "engine",
  code: 0x88,
  faults: [],
};

/** What an exchange found out so far, it found out from the policy that is gone. */
const DENIED_POLICY_CHANGED: ConnectDenied = {
  ...DENIED_CLOSED,
  reason: "policy_changed",
};

/** An answer that may take further steps; `A` is what it comes to when it is allowed. */
type Stepwise<A> = A | ConnectDenied | Continued<Stepwise<A>>;

export class Engine {
  readonly #host: PolicyHost;
  #policy: LoadedPolicy;
  #closed = false;
  /** Reloads begun so far, and which of them is in force. */
  #reloads = 0;
  #reloadInForce = 0;
  readonly #listeners = new Set<() => void>();

  constructor(host: PolicyHost, policy: LoadedPolicy) {
    this.#host = host;
    this.#policy = policy;
    this.#watchStoredRules();
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#policy.config;
  }

  /** The policy in force; sessions ask for it before every answer. */
  get policy(): LoadedPolicy {
    return this.#policy;
  }

  /** Checks of passwords under way, and those that wait for their turn: for a host's metrics. */
  get passwordChecks(): { readonly running: number; readonly waiting: number } {
    const { running, waiting } = this.#host.passwordQueue;
    return { running, waiting };
  }

  /**
   * Decides on a CONNECT. Never rejects for anything the client did: the answer is a decision, or,
   * for a client with an Authentication Method alone, the next step towards one.
   * An allowed client's session must be closed when the connection ends.
   */
  connect(
    client: ClientInfo & { readonly authMethod?: undefined },
    options?: ConnectOptions,
  ): Promise<ConnectDecision<PolicySession>>;
  connect(client: ClientInfo, options?: ConnectOptions): Promise<ConnectAnswer<PolicySession>>;
  connect(client: ClientInfo, options: ConnectOptions = {}): Promise<ConnectAnswer<PolicySession>> {
    if (this.#closed) {
      return Promise.reject(new UsageError("ERR_USAGE_CLOSED", "connect after close"));
    }
    const policy = this.#policy;
    return this.#run(
      policy,
      () => connectClient(policy, client, options.trace),
      (accepted) => this.#open(policy, accepted),
    );
  }

  /** For sessions: see Session.reauthenticate. */
  async reauthenticate(
    session: PolicySession,
    facts: SessionFacts,
    data: Uint8Array | undefined,
  ): Promise<ReauthAnswer> {
    if (this.#closed) return DENIED_CLOSED;
    const policy = this.#policy;
    return this.#run<ReauthAllowed>(
      policy,
      () => reauthenticateClient(policy, facts, facts.origin!, data),
      (accepted) => this.#replace(policy, session, accepted),
    );
  }

  /**
   * Puts another policy in force. Rejects like createEngine, and then the old one stays untouched.
   * Sessions follow with their next question. Who a client is (id, attributes, token rules,
   * superuser, expiry) was settled when it connected and stays as it was. Of several at a time the
   * one that was asked for last stays, however long each takes to load.
   */
  async reload(image: Uint8Array, secrets: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.#closed) throw new UsageError("ERR_USAGE_CLOSED", "reload after close");
    this.#reloads += 1;
    const number = this.#reloads;
    const loaded = await LoadedPolicy.load(image, secrets, this.#host);
    if (this.#closed || number < this.#reloadInForce) {
      loaded.close();
      return;
    }
    this.#reloadInForce = number;
    this.#policy.close();
    this.#policy = loaded;
    this.#watchStoredRules();
    for (const listener of this.#listeners) listener();
  }

  /**
   * Calls `listener` each time another policy has been put in force, or stored rules have changed
   * (then `config` is the same object as before). It must not throw. Returns what ends that.
   */
  onPolicyChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Refuses everything from now on, questions of open sessions included. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#policy.close();
    // Nobody waits for the answers any more, and a process that ends should not make them all.
    this.#host.passwordQueue.abandon();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Until the policy is closed. */
  #watchStoredRules(): void {
    this.#policy.storedRules?.watch(this.#host.ports.setTimer, () => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Takes a step, and makes of what comes of it what the host is told. */
  async #run<A extends { readonly verdict: "allow" }>(
    policy: LoadedPolicy,
    take: () => ConnectOutcome | Promise<ConnectOutcome>,
    settle: (accepted: ConnectAccepted) => A | ConnectDenied,
    isAbandoned: () => boolean = () => false,
  ): Promise<Stepwise<A>> {
    try {
      const outcome = await take();
      if (this.#closed || isAbandoned()) return DENIED_CLOSED;
      if (outcome.verdict === "deny") return outcome;
      return outcome.verdict === "allow" ? settle(outcome) : this.#proceed(policy, outcome, settle);
    } catch (error) {
      return this.#failed(policy, error);
    }
  }

  #proceed<A extends { readonly verdict: "allow" }>(
    policy: LoadedPolicy,
    { verdict, by, faults, data, step }: Pending<ConnectAccepted>,
    settle: (accepted: ConnectAccepted) => A | ConnectDenied,
  ): Continued<Stepwise<A>> {
    const exchange = new NextStep<Stepwise<A>>(async (answer, isAbandoned) =>
      this.#policy === policy
        ? this.#run(policy, () => step(answer), settle, isAbandoned)
        : DENIED_POLICY_CHANGED,
    );
    return { verdict, by, faults, data, exchange };
  }

  #open(policy: LoadedPolicy, accepted: ConnectAccepted): ConnectDecision<PolicySession> {
    const session = new PolicySession(this, accepted.facts);
    const { verdict, reason, by, faults, authData } = accepted;
    // Opened now, so that a client that does not fit is refused instead of denied everything later.
    const refusal = refusalOf(accepted, () => session.open(policy));
    return refusal ?? { verdict, reason, by, faults, authData, session };
  }

  #replace(
    policy: LoadedPolicy,
    session: PolicySession,
    accepted: ConnectAccepted,
  ): ReauthAllowed | ConnectDenied {
    if (session.isClosed) return DENIED_CLOSED;
    if (this.#policy !== policy) return DENIED_POLICY_CHANGED;
    const { verdict, reason, by, faults, authData, facts } = accepted;
    const refusal = refusalOf(accepted, () => session.replace(policy, facts));
    return refusal ?? { verdict, reason, by, faults, authData };
  }

  /** Anything unexpected denies; a core that broke has been replaced by the time of the answer. */
  #failed(policy: LoadedPolicy, error: unknown): ConnectDenied {
    const cause = policy.recover(error);
    const message =
      cause === "input" ? (error as CoreError).message : "the core failed and was replaced";
    return {
      verdict: "deny",
      reason: "core_failed",
      by: "core",
      code: cause === "input" ? 0x87 : 0x88,
      faults: [{ code: "ERR_CORE", at: "connect", message }],
    };
  }
}

/** The refusal, when the client's own rules cannot be compiled. */
function refusalOf(accepted: ConnectAccepted, open: () => void): ConnectDenied | undefined {
  try {
    open();
    return undefined;
  } catch (error) {
    if (!(error instanceof TokenRulesError)) throw error;
    const { by, faults } = accepted;
    const fault = { code: error.code, at: by, message: error.message };
    const all = [...faults, fault];
    return { verdict: "deny", reason: "bad_acl_claim", by, code: 0x86, faults: all };
  }
}
