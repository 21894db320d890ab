/** Configuration text → a running engine with Node's crypto and a clock that tests move. */
import { readFileSync } from "node:fs";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { compilePolicy } from "../../src/compile/policy.ts";
import type { Preset } from "../../src/config/compatibility.ts";
import { loadConfig } from "../../src/config/load.ts";
import { withoutExchange } from "../../src/connect/exchange.ts";
import type { CoreModule } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import { createEngine, type Engine } from "../../src/engine.ts";
import type { TraceStep } from "../../src/observe/trace.ts";
import type { Ports } from "../../src/ports/ports.ts";
import type { Action, ClientInfo, ConnectDecision, Decision, Session } from "../../src/types.ts";
import { makeToken } from "./tokens.ts";

/** Seconds since the epoch at which the test clock starts. */
export const START = 1_750_000_000;
export const SECRET = "jwtpassfortest1";

/** The second story's rules, and the tokens of the first. */
export const STORY_ACL = readFixture("scopes.acl.conf");
const SPOOFING = readFixture("spoofing.conf");
const SCOPES = readFixture("scopes.conf");

function readFixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
}

/** An HMAC authenticator and nothing else. */
export const JWT = `authentication = [{
  mechanism = jwt, use_jwks = false, algorithm = "hmac-based", secret = "${SECRET}", from = password
}]`;

export interface PolicyText {
  /** HOCON. */
  readonly text: string;
  /** acl.conf; without it there is no source. */
  readonly acl?: string | undefined;
  readonly preset?: Preset | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly ports?: Partial<Ports> | undefined;
}

/** Compiles a policy, secrets included. Throws ConfigError. */
export function imageOf({ text, acl, preset, env = {} }: PolicyText): Uint8Array<ArrayBuffer> {
  const source =
    acl === undefined || text.includes("sources")
      ? ""
      : '\nauthorization.sources = [{ type = file, path = "acl.conf" }]';
  const { config } = loadConfig({
    text: `${text}${source}`,
    file: "test.conf",
    env: { EMQX_ETC_DIR: ".", ...env },
    preset,
    readInclude: (path) => (path.endsWith("spoofing.conf") ? stories(preset).spoofing : undefined),
    readFile: (path) => (path.endsWith("acl.conf") ? acl : undefined),
  });
  return compilePolicy(config, { withSecrets: true }).image;
}

export interface TestEngine {
  readonly engine: Engine;
  readonly clock: { ms: number };
  /** Connects; `clientId` defaults to `c1`. */
  connect(client?: Partial<ClientInfo>): Promise<ConnectDecision>;
  /** Connects, expects to get in. */
  open(client?: Partial<ClientInfo>): Promise<Session>;
  /** Connects and closes: `allow by BY`, or `0xCODE REASON by BY`. */
  login(client?: Partial<ClientInfo>): Promise<string>;
  trace(client: Partial<ClientInfo>): Promise<TraceStep[]>;
}

const modules = loadModuleSync();

export async function engineOf(policy: PolicyText, module?: CoreModule): Promise<TestEngine> {
  const clock = { ms: START * 1000 };
  const engine = await createEngine({
    image: imageOf(policy),
    crypto: createNodeCrypto(),
    ports: { now: () => clock.ms, ...policy.ports },
    module: module ?? modules,
  });
  const connect = async (client: Partial<ClientInfo> = {}): Promise<ConnectDecision> =>
    withoutExchange(await engine.connect({ clientId: "c1", listener: "tcp:default", ...client }));
  return {
    engine,
    clock,
    connect,
    open: async (client) => {
      const decision = await connect(client);
      if (decision.verdict === "deny") throw new Error(`refused: ${brief(decision)}`);
      return decision.session;
    },
    login: async (client) => {
      const decision = await connect(client);
      if (decision.verdict === "allow") decision.session.close();
      return brief(decision);
    },
    trace: async (client) => {
      const steps: TraceStep[] = [];
      const trace = (step: TraceStep): void => void steps.push(step);
      const decision = await engine.connect({ clientId: "c1", ...client }, { trace });
      if (decision.verdict === "allow") decision.session.close();
      return steps;
    },
  };
}

export function brief(decision: ConnectDecision): string {
  if (decision.verdict === "allow") return `allow by ${decision.by}`;
  return `0x${decision.code.toString(16)} ${decision.reason} by ${decision.by}`;
}

const PUBLISH: Action = { type: "publish", qos: 0, retain: false };
const SUBSCRIBE: Action = { type: "subscribe", qos: 0 };

/** `allow REASON` or `deny REASON`. */
export function publish(session: Session, topic: string): string {
  return answer(session.authorize(PUBLISH, topic));
}

export function subscribe(session: Session, filter: string): string {
  return answer(session.authorize(SUBSCRIBE, filter));
}

function answer(decision: Decision | Promise<Decision>): string {
  if (decision instanceof Promise) throw new Error("rules of an image answer at once");
  return `${decision.verdict} ${decision.reason}`;
}

/** A token signed with SECRET. */
export function token(claims: object, secret: string = SECRET): string {
  return makeToken("HS256", secret, claims);
}

/** The stories' configurations as printed; EMQX wants to be told that the key is no key set. */
export function stories(preset: Preset = "strict"): { spoofing: string; scopes: string } {
  if (preset === "strict") return { spoofing: SPOOFING, scopes: SCOPES };
  return {
    spoofing: SPOOFING.replace("secret =", "use_jwks = false\n    secret ="),
    scopes: SCOPES,
  };
}
