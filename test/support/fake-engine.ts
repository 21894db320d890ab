/**
 * An engine with decisions written by hand, for tests of what the broker makes of them. Rules are
 * functions; filters and topics are compared as MQTT does.
 */
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type {
  Config,
  ListenerConfig,
  MqttConfig,
  OnPolicyChange,
} from "../../src/config/config.ts";
import { isFilterSubset } from "../../src/topic/set.ts";
import type {
  Action,
  ClientInfo,
  ConnectAnswer,
  ConnectCode,
  ConnectDecision,
  Continued,
  Decision,
  ReauthAnswer,
  Session,
} from "../../src/types.ts";

export interface FakeRules {
  /** Filters a client may publish to; default `#` and everything under `$`. */
  readonly publish?: readonly string[] | undefined;
  /** Filters a client may subscribe inside of. */
  readonly subscribe?: readonly string[] | undefined;
  /** Refuses the CONNECT with this code. */
  readonly refuse?: ConnectCode | undefined;
  readonly clientId?: string | undefined;
  readonly mountpoint?: string | undefined;
  readonly expireAtMs?: number | undefined;
  /** Answers later instead of at once. */
  readonly isAsync?: boolean | undefined;
  /** Authentication Data the client is asked with, one step each, before its CONNECT is decided. */
  readonly challenges?: readonly string[] | undefined;
  /** What a re-authentication comes to; the challenges for it come first. */
  readonly reauthenticate?: FakeReauthentication | undefined;
  /** Answers about this topic or filter wait. */
  readonly waits?: Readonly<Record<string, Promise<void>>> | undefined;
}

export interface FakeReauthentication {
  readonly challenges?: readonly string[] | undefined;
  readonly refuse?: ConnectCode | undefined;
  /** The rights from then on. */
  readonly rules?: FakeRules | undefined;
  /** Every step waits for it. */
  readonly wait?: Promise<void> | undefined;
}

export interface FakeEngineOptions {
  readonly rules?: ((client: ClientInfo) => FakeRules) | undefined;
  readonly preset?: "strict" | "emqx" | undefined;
  readonly mqtt?: Partial<MqttConfig> | undefined;
  readonly denyAction?: "ignore" | "disconnect" | undefined;
  readonly onPolicyChange?: OnPolicyChange | undefined;
  readonly refusalReasonString?: boolean | undefined;
  readonly listener?: Partial<ListenerConfig> | undefined;
}

const ALL = ["#", "$#"];

export class FakeEngine {
  #config: Config;
  readonly seen: ClientInfo[] = [];
  readonly sessions: FakeSession[] = [];
  /** Every question asked of a session, e.g. `publish a/b`. */
  readonly asked: string[] = [];
  /** Authentication Data of the steps taken. */
  readonly steps: string[] = [];
  /** Exchanges given up. */
  abandoned = 0;
  /** When set, CONNECT decisions wait for it. */
  gate: Promise<void> | undefined;
  rules: (client: ClientInfo) => FakeRules;
  #revision: object = {};
  readonly #listeners = new Set<() => void>();

  constructor(options: FakeEngineOptions = {}) {
    this.rules = options.rules ?? (() => ({}));
    this.#config = fakeConfig(options);
  }

  get config(): Config {
    return this.#config;
  }

  /** As another policy would, but nobody is told. */
  set config(config: Config) {
    this.#config = config;
    this.#revision = {};
  }

  get revision(): object {
    return this.#revision;
  }

  onPolicyChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As after a reload; sessions keep their `rules`, which tests change by hand. */
  changePolicy(change: Partial<Config> = {}): void {
    this.config = { ...this.config, ...change };
    this.changeRules();
  }

  /** As after a change of stored rules. */
  changeRules(): void {
    this.#revision = {};
    for (const listener of this.#listeners) listener();
  }

  async connect(client: ClientInfo): Promise<ConnectAnswer> {
    this.seen.push(client);
    await this.gate;
    const rules = this.rules(client);
    return this.ask(rules.challenges ?? [], () => this.#decide(client, rules));
  }

  /** Asks the client one challenge after the other, then decides. */
  ask<A>(challenges: readonly string[], decide: () => A): A | Continued<A | Continued<A>> {
    const [challenge, ...others] = challenges;
    if (challenge === undefined) return decide();
    const exchange = {
      step: async (data: Uint8Array | undefined) => {
        this.steps.push(new TextDecoder().decode(data));
        await this.gate;
        return this.ask(others, decide) as A;
      },
      abandon: () => void this.abandoned++,
    };
    const data = new TextEncoder().encode(challenge);
    return { verdict: "continue", by: "scram", faults: [], data, exchange };
  }

  #decide(client: ClientInfo, rules: FakeRules): ConnectDecision {
    if (rules.refuse !== undefined) {
      return {
        verdict: "deny",
        reason: "bad_signature",
        by: "jwt",
        faults: [],
        code: rules.refuse,
      };
    }
    const session = new FakeSession(this, String(client.clientId), rules);
    this.sessions.push(session);
    const authData = rules.challenges && new TextEncoder().encode("last");
    return { verdict: "allow", reason: "ok", by: "jwt", faults: [], authData, session };
  }
}

export class FakeSession implements Session {
  readonly clientId: string;
  readonly assignedClientId: string | undefined;
  readonly username = undefined;
  readonly isSuperuser = false;
  readonly clientAttrs = {};
  readonly mountpoint: string;
  /** As long as it is undefined, every change of the engine concerns the session. */
  ownRevision: object | undefined;
  closed = 0;
  /** Resolves when the session is closed. */
  readonly ended: Promise<void>;
  rules: FakeRules;
  readonly #engine: FakeEngine;
  #end: () => void = () => {};

  constructor(engine: FakeEngine, sentClientId: string, rules: FakeRules) {
    this.#engine = engine;
    this.rules = rules;
    this.clientId = rules.clientId ?? (sentClientId || "generated");
    this.assignedClientId = this.clientId === sentClientId ? undefined : this.clientId;
    this.mountpoint = rules.mountpoint ?? "";
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get revision(): object {
    return this.ownRevision ?? this.#engine.revision;
  }

  authorize(action: Action, topic: string): Decision | Promise<Decision> {
    this.#mustBeOpen();
    this.#engine.asked.push(`${action.type} ${topic}`);
    const isAllowed = this.#isInside(action.type, topic);
    const decision: Decision = {
      verdict: isAllowed ? "allow" : "deny",
      reason: isAllowed ? "rule" : "no_match",
      by: "file",
      rule: { number: 7, at: { file: "acl.conf", line: 7, column: 1 } },
      faults: [],
    };
    const wait = this.rules.waits?.[topic];
    if (wait) return wait.then(() => decision);
    return this.rules.isAsync ? Promise.resolve(decision) : decision;
  }

  authorizeDelivery(topic: string): boolean {
    this.#mustBeOpen();
    this.#engine.asked.push(`deliver ${topic}`);
    return this.#isInside("subscribe", topic);
  }

  /** Plain containment; a rule on `a/b` lets `a/#` in only with the reference's token matching. */
  isCovered(filter: string): boolean {
    this.#mustBeOpen();
    return this.#isInside("subscribe", filter) && !this.rules.subscribe?.includes(`~${filter}`);
  }

  get expireAtMs(): number | undefined {
    return this.rules.expireAtMs;
  }

  async reauthenticate(data: Uint8Array | undefined): Promise<ReauthAnswer> {
    this.#mustBeOpen();
    this.#engine.steps.push(new TextDecoder().decode(data));
    const { challenges = [], refuse, rules, wait } = this.rules.reauthenticate ?? {};
    await wait;
    return this.#engine.ask<ReauthAnswer>(challenges, () => {
      if (refuse !== undefined) {
        return { verdict: "deny", reason: "bad_signature", by: "jwt", faults: [], code: refuse };
      }
      this.rules = { reauthenticate: this.rules.reauthenticate, ...rules };
      const authData = new TextEncoder().encode("again");
      return { verdict: "allow", reason: "ok", by: "jwt", faults: [], authData };
    });
  }

  close(): void {
    this.#mustBeOpen();
    this.closed++;
    this.#end();
  }

  /** A rule `~a/#` admits the filter `a/#` but none of its topics. */
  #isInside(kind: "publish" | "subscribe", topic: string): boolean {
    return (this.rules[kind] ?? ALL).some((filter) => {
      if (filter === "$#") return topic.startsWith("$");
      return filter === `~${topic}` || isFilterSubset(topic, filter);
    });
  }

  #mustBeOpen(): void {
    if (this.closed > 0) throw new Error("session used after close");
  }
}

function fakeConfig(options: FakeEngineOptions): Config {
  const preset = options.preset ?? "strict";
  return {
    preset,
    switches: resolveSwitches(preset),
    securityProfile: "legacy",
    authentication: [],
    authenticationSettings: { ignoreBackendFailures: false },
    allowAnonymous: true,
    unverifiedClientAttrs: "keep",
    refusalReasonString: options.refusalReasonString ?? false,
    dataDir: "data",
    passwordChecksWaitingMax: 500,
    onPolicyChange: options.onPolicyChange ?? (preset === "strict" ? "unsubscribe" : "keep"),
    authorization: {
      noMatch: "deny",
      denyAction: options.denyAction ?? "ignore",
      includeMountpoint: false,
      ignoreBackendFailures: false,
      sources: [],
    },
    mqtt: {
      clientAttrsInit: [],
      useUsernameAsClientId: false,
      peerCertAsUsername: "disabled",
      peerCertAsClientId: "disabled",
      maxClientIdLen: 65_535,
      maxTopicLevels: 128,
      maxQosAllowed: 2,
      retainAvailable: true,
      wildcardSubscription: true,
      sharedSubscription: true,
      exclusiveSubscription: false,
      maxPacketSizeBytes: 1_048_576,
      idleTimeoutMs: 15_000,
      strictMode: false,
      ...options.mqtt,
    },
    listeners: [
      {
        accessRules: [],
        type: "tcp",
        name: "default",
        enable: true,
        host: "127.0.0.1",
        port: 0,
        zone: "default",
        mountpoint: "",
        enableAuthn: true,
        maxConnections: 1_000_000,
        ...options.listener,
      },
    ],
  };
}
