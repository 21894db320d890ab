/**
 * What a reload costs a broker with many live sessions: from the new policy being in force until every
 * subscription has been asked about again, and half of the sessions have lost one of their three.
 * Speed of light: a decision for each subscription, and taking the lost ones off the routing.
 */
import { strict as assert } from "node:assert";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createBroker } from "../../bindings/node/broker/broker.ts";
import { createLog } from "../../bindings/node/broker/log.ts";
import { compileTexts, startEngine } from "../data/policy.ts";
import { type BenchCase, type CaseReport, reportSamples } from "../harness.ts";
import type { SubscribeAnswer, SubscribeRequest } from "./reload-load.ts";

/** Each takes a file descriptor here and one in the process of the clients. */
const SESSIONS = process.env.BENCH_QUICK ? 1_000 : 10_000;
const RUNS = 3;

const CONFIG = `
  portcullis.allow_anonymous = true
  listeners.tcp.default.bind = "127.0.0.1:0"
  authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;
const ALLOWS = '{allow, all, all, ["dev/${clientid}/#", "news/+", "team/#"]}.';
const BEFORE = compileTexts(CONFIG, ALLOWS);
const AFTER = compileTexts(CONFIG, `{deny, {user, {re, "[13579]$"}}, all, ["team/#"]}.\n${ALLOWS}`);

export const cases: Readonly<Record<string, BenchCase>> = {
  [`reload: ${SESSIONS.toLocaleString("en-US")} live sessions`]: reloadCase,
};

interface Followed {
  readonly event: string;
  readonly removed: number;
  readonly connections: number;
}

async function reloadCase(name: string): Promise<CaseReport> {
  let followed: (line: Followed) => void = () => {};
  const log = createLog({
    level: "info",
    destination: {
      write(line) {
        if (line.includes('"policy_followed"')) followed(JSON.parse(line) as Followed);
      },
    },
  });
  const engine = await startEngine(BEFORE);
  const broker = await createBroker({ engine, log });
  const [address] = await broker.listen();
  const load = startLoad();
  const change = async (image: Uint8Array, removed: number): Promise<[number, number]> => {
    const done = new Promise<Followed>((resolve) => {
      followed = resolve;
    });
    let from = 0;
    let cpu = process.cpuUsage();
    const forget = engine.onPolicyChange(() => {
      from = performance.now();
      cpu = process.cpuUsage();
    });
    await engine.reload(image);
    forget();
    const line = await done;
    const wallMs = performance.now() - from;
    const { user, system } = process.cpuUsage(cpu);
    assert.deepEqual([line.connections, line.removed], [SESSIONS, removed]);
    return [wallMs, (user + system) / 1e3];
  };
  try {
    const walls: number[] = [];
    const cpus: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      load.send({ port: address!.port, clients: SESSIONS } satisfies SubscribeRequest);
      const [answer] = (await once(load, "message")) as [SubscribeAnswer];
      assert.equal(answer.subscribed, SESSIONS);
      const [wallMs, cpuMs] = await change(AFTER, SESSIONS / 2);
      walls.push(wallMs * 1e6);
      cpus.push(cpuMs);
      await change(BEFORE, 0);
    }
    const about =
      "every session's 3 subscriptions asked about again, half of the sessions lose one";
    const cpu = Math.min(...cpus).toFixed(0);
    const notes = [`CPU ${cpu} ms, garbage collection included; aim: 10,000 within a second`];
    return { ...reportSamples(name, about, "portcullis", walls), notes };
  } finally {
    load.kill();
    await broker.close();
    engine.close();
  }
}

function startLoad() {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fork(fileURLToPath(new URL(`./reload-load.${extension}`, import.meta.url)));
}
