/** Portcullis on Node: the broker, configuration files, and crypto on node:crypto. */
export { type Broker, type BrokerOptions, createBroker } from "./broker/broker.ts";
export { loadConfigFile } from "./config-files.ts";
export { createNodeCrypto } from "./crypto.ts";
export { nodePorts } from "./ports.ts";
export { type RunningBroker, type StartOptions, startBroker } from "./start.ts";
export { openStore, type Store } from "./store/store.ts";
export { type MintAlgorithm, type MintOptions, mintToken } from "./token.ts";
