/** What enforcement costs a broker: ours with 1,000 rules against bare aedes, message by message. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { Aedes } from "aedes";
import { createBroker } from "../../bindings/node/broker/broker.ts";
import { createLog } from "../../bindings/node/broker/log.ts";
import { nodePorts } from "../../bindings/node/ports.ts";
import {
  compilePolicy,
  createEngine,
  createJoseCrypto,
  type Engine,
  loadConfig,
} from "../../src/index.ts";
import { type BenchCase, type CaseReport, measureCase, type Rival } from "../harness.ts";
import type { LoadAnswer, LoadRequest } from "./broker-load.ts";

const RULES = 1_000;
const MESSAGES = 2_000;

export const cases: Readonly<Record<string, BenchCase>> = { broker: brokerCase };

async function brokerCase(name: string): Promise<CaseReport> {
  const engine = await createBenchEngine();
  const enforcing = await createBroker({ engine, log: createLog({ level: "silent" }) });
  const [address] = await enforcing.listen();
  const aedes = await Aedes.createBroker();
  const bare = await listen(aedes);
  const load = startLoad();
  try {
    const rivals: Rival[] = [
      throughput("portcullis, 1,000 rules", load, address!.port),
      throughput("bare aedes", load, (bare.address() as AddressInfo).port),
    ];
    for (const { run } of rivals) await run();
    return await measureCase(
      name,
      "a 64-byte QoS 0 message from one publisher to one subscriber, 200 on their way",
      rivals,
      { timeMs: process.env.BENCH_QUICK ? 1_000 : 6_000 },
    );
  } finally {
    load.kill();
    bare.close();
    await Promise.all([enforcing.close(), new Promise<void>((done) => aedes.close(done))]);
    engine.close();
  }
}

/** Rules of every family; the ones that decide here come last. */
async function createBenchEngine(): Promise<Engine> {
  const rules = Array.from(
    { length: RULES - 3 },
    (_, n) => `{allow, {username, "u${n}"}, all, ["site/${n}/+/set", "dev/\${clientid}/${n}/#"]}.`,
  );
  rules.push('{allow, {clientid, "bench-pub"}, publish, ["bench/+/value"]}.');
  rules.push('{allow, {clientid, "bench-sub"}, subscribe, ["bench/#"]}.', "{deny, all}.");
  const text = `
    portcullis.allow_anonymous = true
    listeners.tcp.default.bind = "127.0.0.1:0"
    authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
  `;
  const { config } = loadConfig({ text, file: "bench.conf", readFile: () => rules.join("\n") });
  const { image } = compilePolicy(config, { withSecrets: true });
  return createEngine({ image, crypto: createJoseCrypto(), ports: nodePorts });
}

async function listen(aedes: Aedes): Promise<Server> {
  const server = createServer({ noDelay: true }, aedes.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function startLoad(): ChildProcess {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fork(fileURLToPath(new URL(`./broker-load.${extension}`, import.meta.url)));
}

function throughput(name: string, load: ChildProcess, port: number): Rival {
  const request: LoadRequest = { port, messages: MESSAGES };
  return {
    name,
    isAsync: true,
    opsPerCall: MESSAGES,
    run: async () => {
      load.send(request);
      const [answer] = (await once(load, "message")) as [LoadAnswer];
      if (answer.received !== MESSAGES) throw new Error(`${name}: ${answer.received} messages`);
    },
  };
}
