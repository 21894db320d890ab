/**
 * A policy in use: an image opened in a core, its run-time configuration and its chains. Immutable
 * but for one thing: a core that trapped is replaced by a fresh one with the same image.
 */
import { SLOT_PASSWORD, SLOT_USERNAME, VERDICT_ALLOW, VERDICT_DENY } from "../assembly/abi.ts";
import type { AuthnChain } from "./authn/chain.ts";
import { decision } from "./authz/decisions.ts";
import { StoredRuleSource } from "./authz/stored-rules.ts";
import { compileRegex } from "./compile/regex/index.ts";
import type { Config, ListenerConfig } from "./config/config.ts";
import { type Chains, createChains } from "./connect/chains.ts";
import type { AttributeInit, TokenField } from "./connect/client-attrs.ts";
import { type FailureMode, failureDenies } from "./connect/token-rules.ts";
import { slotsRead } from "./core/expressions.ts";
import { createHost } from "./core/host.ts";
import { isImageAnswer, ruleOf } from "./core/rules.ts";
import { type CoreMemory, type CoreModule, type HostCall, instantiate } from "./core/wasm.ts";
import type { Crypto } from "./crypto/crypto.ts";
import type { KeySetStore } from "./crypto/jwks-store.ts";
import { ConfigError, CoreError, type Issue } from "./errors.ts";
import { type PolicyMeta, readMeta } from "./policy-meta.ts";
import type { Ports } from "./ports/ports.ts";
import { RuleReferences } from "./rule-references.ts";
import type { Decision, Verdict } from "./types.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What a policy is loaded with, besides its image. */
export interface PolicyHost {
  readonly crypto: Crypto;
  readonly module: CoreModule;
  readonly ports: Ports;
  readonly keySets: KeySetStore;
  /** What unknown users are hidden with; outlives the policy, or a reload would show them. */
  readonly decoySecret: Uint8Array;
  /** Passwords that wait to be checked go on waiting under another policy. */
  readonly passwordQueue: WorkQueue;
}

/** What an instance does not survive. Whatever is no CoreError is one of them too. */
const CORE_FAILURES: readonly string[] = ["ERR_CORE_MEMORY", "ERR_CORE_TRAP"];

/** Patterns that are no literals are compiled when an expression meets them. */
function compilePattern(pattern: Uint8Array): Uint8Array | undefined {
  const compiled = compileRegex(pattern);
  return compiled.ok ? compiled.program : undefined;
}

/** Damage that the core cannot see, in the configuration of an image, is a CoreError too. */
function open(image: Uint8Array, host: PolicyHost): LoadedPolicy {
  try {
    return new LoadedPolicy(image, host);
  } catch (cause) {
    return unloadable(cause);
  }
}

function unloadable(cause: unknown): never {
  if (cause instanceof CoreError) throw cause;
  throw new CoreError("ERR_CORE_IMAGE", "the image cannot be loaded", { cause });
}

const TOKEN_SLOTS: Readonly<Record<TokenField, number>> = {
  password: SLOT_PASSWORD,
  username: SLOT_USERNAME,
};

/** Where clients may bring tokens: always in the password, in the username where one is told to look. */
function tokenFieldsOf({ authentication, listeners }: Config): readonly TokenField[] {
  const all = [...authentication, ...listeners.flatMap((one) => one.authentication ?? [])];
  const isInName = all.some((one) => one.mechanism === "jwt" && one.from === "username");
  return isInName ? ["password", "username"] : ["password"];
}

export class LoadedPolicy {
  readonly config: Config;
  readonly ports: Ports;
  readonly failureMode: FailureMode;
  /** `mqtt.client_attrs_init`, compiled. */
  readonly attributeInits: readonly AttributeInit[];
  /** The slots of the request that those read (slotsRead). */
  readonly attributeSlots: number;
  /** Rules see topics with the mountpoint in front. */
  readonly includeMountpoint: boolean;
  /** What no_match comes to. */
  readonly noMatchDecision: Decision;
  /** What a rule comes to that could not be evaluated. */
  readonly failedDecision: Decision;
  /** The source `built_in_database`, where it is enabled. */
  readonly storedRules: StoredRuleSource | undefined;
  readonly #image: Uint8Array;
  readonly #module: CoreModule;
  readonly #hostCall: HostCall;
  readonly #references: RuleReferences;
  readonly #listeners: ReadonlyMap<string, ListenerConfig>;
  readonly #programs: PolicyMeta["programs"];
  /** By rule, those made so far. */
  #allows: Decision[] = [];
  #denies: Decision[] = [];
  #memory: CoreMemory | undefined;
  #epoch: object = {};
  #chains: Chains | undefined;
  #issues: readonly Issue[] = [];

  /**
   * Opens an image and creates its authenticators. Rejects with CoreError for a damaged image and
   * with ConfigError when an authenticator cannot be made.
   */
  static async load(
    image: Uint8Array,
    secrets: Readonly<Record<string, string>>,
    host: PolicyHost,
  ): Promise<LoadedPolicy> {
    const policy = open(image, host);
    const { config } = policy;
    if (isStoredSource(config) && !policy.storedRules) throw new ConfigError([NO_RULE_DATABASE]);
    const { crypto, ports, keySets, decoySecret, passwordQueue } = host;
    const shared = { crypto, ports, keySets, decoySecret, passwordQueue };
    const chains = createChains({ ...shared, config, core: policy, secrets });
    const creation = await chains.catch(unloadable);
    if (!creation.ok) throw new ConfigError(creation.issues);
    policy.#chains = creation.chains;
    policy.#issues = creation.issues;
    return policy;
  }

  constructor(image: Uint8Array, { module, ports }: PolicyHost) {
    this.ports = ports;
    this.#image = image;
    this.#module = module;
    this.#hostCall = createHost({ ...ports, compilePattern });
    this.#memory = instantiate(module, this.#hostCall, image);
    const { config, programs } = readMeta(image);
    this.config = config;
    this.#listeners = new Map(config.listeners.map((one) => [`${one.type}:${one.name}`, one]));
    this.#programs = programs;
    this.#references = new RuleReferences(image);
    const tokenFields = tokenFieldsOf(config);
    this.attributeInits = config.mqtt.clientAttrsInit.map(({ setAsAttr }, index) => {
      const id = this.program(`mqtt.client_attrs_init[${index + 1}].expression`);
      const slots = slotsRead(this.memory, [id]);
      const reads = tokenFields.filter((field) => (slots & (1 << TOKEN_SLOTS[field])) !== 0);
      return { name: setAsAttr, id, reads };
    });
    this.attributeSlots = slotsRead(
      this.#memory,
      this.attributeInits.map(({ id }) => id),
    );
    const { noMatch, includeMountpoint } = config.authorization;
    this.includeMountpoint = includeMountpoint;
    this.noMatchDecision = decision(noMatch, "no_match", "default");
    const { switches, securityProfile, authorization } = config;
    const { ignoreBackendFailures } = authorization;
    this.failureMode = { switches, securityProfile, ignoreBackendFailures };
    this.failedDecision = failureDenies(this.failureMode)
      ? decision("deny", "source_failed", "file")
      : this.noMatchDecision;
    this.storedRules = openStoredRules(config, ports, this.failureMode);
  }

  /** The core instance in force; made anew after a failure. Throws CoreError when it cannot be. */
  get memory(): CoreMemory {
    return this.#memory ?? this.#renew();
  }

  #renew(): CoreMemory {
    this.#memory = instantiate(this.#module, this.#hostCall, this.#image);
    return this.#memory;
  }

  /**
   * Stands for the core instance in force: handles are good as long as it is the same object. Not
   * the instance itself, so that an idle session does not keep the memory of a replaced one.
   */
  get epoch(): object {
    return this.#epoch;
  }

  /** Warnings of loading. */
  get issues(): readonly Issue[] {
    return this.#issues;
  }

  /** Number of the expression at a configuration path. */
  program(path: string): number {
    const program = Object.hasOwn(this.#programs, path) ? this.#programs[path] : undefined;
    if (program === undefined) {
      throw new CoreError("ERR_CORE_IMAGE", `the image lacks the expression ${path}`);
    }
    return program;
  }

  /** ms since the epoch. */
  now(): number {
    return this.ports.now();
  }

  chainOf(listener: string | undefined): AuthnChain {
    return this.#chains!.chainOf(listener);
  }

  /** The listener a client came through, where the configuration names it. */
  listener(id: string | undefined): ListenerConfig | undefined {
    return id === undefined ? undefined : this.#listeners.get(id);
  }

  /** What an answer of the core comes to when it is of a rule of the image that has answered before. */
  knownDecision(answer: number): Decision | undefined {
    const rule = ruleOf(answer);
    if (isImageAnswer(answer, VERDICT_ALLOW)) return this.#allows[rule];
    return isImageAnswer(answer, VERDICT_DENY) ? this.#denies[rule] : undefined;
  }

  /** Decided by the rule with this number, counted from 0. Kept for knownDecision. */
  ruleDecision(verdict: Verdict, rule: number): Decision {
    const made = decision(verdict, "rule", "file", this.#references.get(rule));
    if (verdict === "allow") this.#allows = withElement(this.#allows, rule, made);
    else this.#denies = withElement(this.#denies, rule, made);
    return made;
  }

  /**
   * What an exception out of the core was. `input`: the core refused the request (too long a topic).
   * `core`: it trapped or ran out of memory, and a fresh one takes its place. Never throws.
   */
  recover(error: unknown): "input" | "core" {
    if (error instanceof CoreError && !CORE_FAILURES.includes(error.code)) return "input";
    this.#memory = undefined;
    this.#epoch = {};
    return "core";
  }

  /** Stops what runs in the background; requests in flight are still answered. */
  close(): void {
    this.#chains?.close();
    this.storedRules?.close();
  }
}

const NO_RULE_DATABASE: Issue = {
  severity: "error",
  code: "ERR_CONFIG_UNSUPPORTED",
  path: "authorization.sources",
  message: "the source `built_in_database` cannot be used: this host has no built-in database",
  hint: "`portcullis broker` has one; elsewhere give the engine a `rules` port",
};

function isStoredSource({ authorization }: Config): boolean {
  return authorization.sources.some(({ type, enable }) => enable && type === "built_in_database");
}

function openStoredRules(
  config: Config,
  { rules }: Ports,
  mode: FailureMode,
): StoredRuleSource | undefined {
  if (!rules || !isStoredSource(config)) return undefined;
  const order = config.authorization.sources.filter(({ enable }) => enable).map(({ type }) => type);
  return new StoredRuleSource(rules, {
    switches: config.switches,
    isBehindFile: order.lastIndexOf("built_in_database") > order.indexOf("file"),
    skipsFailures: !failureDenies(mode),
  });
}

/** Grown by steps: writing far behind an array's end would turn it into a slow table. */
function withElement<T>(list: T[], index: number, element: T): T[] {
  const grown =
    index < list.length ? list : list.concat(new Array(index + 1 + (index >> 1) - list.length));
  grown[index] = element;
  return grown;
}
