/** From a configuration file to a listening broker, and its reload. */

import type { Preset } from "../../src/config/compatibility.ts";
import type { Config } from "../../src/config/config.ts";
import type { Engine } from "../../src/engine.ts";
import type { Issue } from "../../src/errors.ts";
import { type Broker, createBroker, type ListenerAddress } from "./broker/broker.ts";
import { type Clock, systemClock } from "./broker/clock.ts";
import type { Logger } from "./broker/log.ts";
import { FileWatch } from "./file-watch.ts";
import { type OpenPolicyOptions, openPolicy } from "./open-policy.ts";
import { reloadPolicy } from "./reload.ts";
import { BuiltInDatabase } from "./store/built-in-database.ts";

export interface StartOptions {
  /** Configuration in EMQX's HOCON. */
  readonly file: string;
  readonly log: Logger;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly preset?: Preset | undefined;
  /** Port for the first listener instead of the configured one; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Reload when a file of the configuration changes: included ones, rules and keys too. */
  readonly watch?: boolean | undefined;
  /** Where the built-in database is, instead of `portcullis.data_dir`. */
  readonly dataDir?: string | undefined;
  readonly clock?: Clock | undefined;
}

export interface RunningBroker {
  readonly engine: Engine;
  readonly broker: Broker;
  /** Open while it is needed; closed last. */
  readonly database: BuiltInDatabase;
  readonly preset: Preset;
  readonly addresses: readonly ListenerAddress[];
  /** Warnings of the configuration. */
  readonly issues: readonly Issue[];
  /**
   * Loads the file again and puts the result in force; listeners stay as they are, and live
   * sessions follow as `portcullis.on_policy_change` says. Rejects with ConfigError and changes
   * nothing when it cannot be used. Every issue is in the log.
   */
  reload(): Promise<readonly Issue[]>;
  /** Stops gracefully. */
  close(): Promise<void>;
}

/** Loads, compiles and listens. Rejects with ConfigError, or the listener's error. */
export async function startBroker(options: StartOptions): Promise<RunningBroker> {
  const { file, log, clock = systemClock } = options;
  const watch = new FileWatch(clock, async () => {
    if (engine.isClosed) watch.close();
    else await reload().catch(noop);
  });
  const database = new BuiltInDatabase({ mode: "serve", dataDir: options.dataDir });
  const policyOptions: OpenPolicyOptions = {
    database,
    env: options.env,
    preset: options.preset,
    adjust: (config) => (options.port === undefined ? config : onPort(config, options.port)),
    onRead: (path) => watch.note(path),
  };
  const { engine, issues } = await openPolicy(file, policyOptions).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const reload = (): Promise<readonly Issue[]> => {
    watch.begin();
    return reloadPolicy(engine, file, policyOptions, log);
  };
  let broker: Broker | undefined;
  try {
    broker = await createBroker({ engine, log, clock });
    const addresses = await broker.listen();
    if (options.watch) watch.start();
    return running({ engine, broker, database, addresses, issues, reload, watch });
  } catch (error) {
    await broker?.close();
    engine.close();
    await database.close();
    throw error;
  }
}

interface Parts {
  readonly engine: Engine;
  readonly broker: Broker;
  readonly database: BuiltInDatabase;
  readonly addresses: readonly ListenerAddress[];
  readonly issues: readonly Issue[];
  readonly reload: () => Promise<readonly Issue[]>;
  readonly watch: FileWatch;
}

function running({ watch, ...parts }: Parts): RunningBroker {
  return {
    ...parts,
    preset: parts.engine.config.preset,
    close: async () => {
      watch.close();
      await parts.broker.close();
      parts.engine.close();
      await parts.database.close();
    },
  };
}

// The log has said what went wrong.
function noop(): void {}

/** The configuration with its first enabled listener on another port. */
function onPort(config: Config, port: number): Config {
  const first = config.listeners.find(({ enable }) => enable);
  return {
    ...config,
    listeners: config.listeners.map((one) => (one === first ? { ...one, port } : one)),
  };
}
