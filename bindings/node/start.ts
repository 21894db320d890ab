/** From a configuration file to a listening broker, and its reload. */

import type { Preset } from "../../src/config/compatibility.ts";
import type { Config } from "../../src/config/config.ts";
import type { Engine } from "../../src/engine.ts";
import type { Issue } from "../../src/errors.ts";
import { type Broker, createBroker, type ListenerAddress } from "./broker/broker.ts";
import type { Logger } from "./broker/log.ts";
import { compileFile, joinIssues, openPolicy, type PolicyFileOptions } from "./open-policy.ts";

export interface StartOptions {
  /** Configuration in EMQX's HOCON. */
  readonly file: string;
  readonly log: Logger;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly preset?: Preset | undefined;
  /** Port for the first listener instead of the configured one; 0 takes a free one. */
  readonly port?: number | undefined;
}

export interface RunningBroker {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly preset: Preset;
  readonly addresses: readonly ListenerAddress[];
  /** Warnings of the configuration. */
  readonly issues: readonly Issue[];
  /**
   * Loads the file again and puts the result in force; listeners stay as they are. Rejects with
   * ConfigError and changes nothing when it cannot be used.
   */
  reload(): Promise<readonly Issue[]>;
  /** Stops gracefully. */
  close(): Promise<void>;
}

/** Loads, compiles and listens. Rejects with ConfigError, or the listener's error. */
export async function startBroker(options: StartOptions): Promise<RunningBroker> {
  const { engine, issues } = await openPolicy(options.file, policyOptions(options));
  let broker: Broker | undefined;
  try {
    broker = await createBroker({ engine, log: options.log });
    const addresses = await broker.listen();
    return running(engine, broker, addresses, options, issues);
  } catch (error) {
    await broker?.close();
    engine.close();
    throw error;
  }
}

function running(
  engine: Engine,
  broker: Broker,
  addresses: readonly ListenerAddress[],
  options: StartOptions,
  issues: readonly Issue[],
): RunningBroker {
  return {
    engine,
    broker,
    preset: engine.config.preset,
    addresses,
    issues,
    reload: async () => {
      const next = compileFile(options.file, policyOptions(options));
      await engine.reload(next.policy.image);
      return joinIssues(next.issues, engine.policy.issues);
    },
    close: async () => {
      await broker.close();
      engine.close();
    },
  };
}

function policyOptions({ env, preset, port }: StartOptions): PolicyFileOptions {
  return {
    env,
    preset,
    adjust: (config) => (port === undefined ? config : onPort(config, port)),
  };
}

/** The configuration with its first enabled listener on another port. */
function onPort(config: Config, port: number): Config {
  const first = config.listeners.find(({ enable }) => enable);
  return {
    ...config,
    listeners: config.listeners.map((one) => (one === first ? { ...one, port } : one)),
  };
}
