/**
 * What changes of stored rules cost a broker with many live sessions, while messages flow: from the
 * last commit, made by another process, until every subscription that is not allowed any more is gone;
 * and how long meanwhile nobody else got a turn. Every session has three rules of its own, and shares
 * a hundred. Speed of light: a look at who is concerned, and a decision for each of their subscriptions.
 */
import { strict as assert } from "node:assert";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { createBroker } from "../../bindings/node/broker/broker.ts";
import { createLog } from "../../bindings/node/broker/log.ts";
import { openStore } from "../../bindings/node/store/store.ts";
import { compileTexts, startEngine } from "../data/policy.ts";
import { type BenchCase, type CaseReport, reportSamples } from "../harness.ts";
import type { SubscribeAnswer, SubscribeRequest } from "./reload-load.ts";
import type { ChildAnswer, ChildRequest, RuleChange } from "./stored-rules-child.ts";

/** Each takes a file descriptor here and one in the process of the clients. */
const SESSIONS = process.env.BENCH_QUICK ? 1_000 : 10_000;
const BURST = 1_000;
const RUNS = 3;

const IMAGE = compileTexts(
  `
  portcullis.allow_anonymous = true
  listeners.tcp.default.bind = "127.0.0.1:0"
  authorization { no_match = deny, sources = [{ type = built_in_database }] }
`,
  "",
);

const rule = (permission: string, topic: string) => ({ permission, action: "all", topic });
const FOR_ALL = [
  ...["dev/${clientid}/#", "news/+", "team/#", "traffic"].map((topic) => rule("allow", topic)),
  ...Array.from({ length: 96 }, (_, n) => rule("allow", `plant/${n}/+`)),
];
const ALL = { group: "all", namespace: "", id: "" };
const placeOf = (n: number) => ({ group: "clientid", namespace: "", id: `dev-${n}` });
const ownOf = (n: number) => ["a", "b", "c"].map((name) => rule("allow", `own/${n}/${name}`));
const withoutNews = (n: number): RuleChange => ({
  place: placeOf(n),
  rules: [rule("deny", "news/+"), ...ownOf(n)],
});
const withNews = (n: number): RuleChange => ({ place: placeOf(n), rules: ownOf(n) });
const BURST_CLIENTS = Array.from({ length: BURST }, (_, n) => n);

interface Change {
  /** Takes a subscription away from `concerned` sessions; the other gives it back. */
  readonly there: readonly RuleChange[];
  readonly back: readonly RuleChange[];
  readonly concerned: number;
}

const CHANGES: Readonly<Record<string, Change>> = {
  "rules of one client": { there: [withoutNews(7)], back: [withNews(7)], concerned: 1 },
  "rules for all": {
    there: [
      { place: ALL, rules: [{ ...rule("deny", "team/#"), username_re: "[13579]$" }, ...FOR_ALL] },
    ],
    back: [{ place: ALL, rules: FOR_ALL }],
    concerned: SESSIONS / 2,
  },
  "1,000 changes in a burst": {
    there: BURST_CLIENTS.map(withoutNews),
    back: BURST_CLIENTS.map(withNews),
    concerned: BURST,
  },
};

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries(
  Object.entries(CHANGES).map(([what, change]) => [
    `stored: ${what}, ${SESSIONS.toLocaleString("en-US")} live sessions`,
    (name: string) => storedCase(name, change),
  ]),
);

async function storedCase(name: string, change: Change): Promise<CaseReport> {
  let removed = 0;
  let onReview: () => void = () => {};
  const destination = {
    write(line: string): void {
      if (!line.includes('"policy_followed"')) return;
      removed += (JSON.parse(line) as { readonly removed: number }).removed;
      onReview();
    },
  };
  const directory = mkdtempSync(join(tmpdir(), "portcullis-bench-"));
  const store = await openStore(directory);
  store.write((writer) => {
    writer.putRules(ALL, FOR_ALL);
    for (let n = 0; n < SESSIONS; n++) writer.putRules(placeOf(n), ownOf(n));
  });
  const engine = await startEngine(IMAGE, { rules: store });
  const broker = await createBroker({ engine, log: createLog({ level: "info", destination }) });
  const [address] = await broker.listen();
  const { port } = address!;
  const load = start("reload-load");
  const child = start("stored-rules-child");
  const tell = async (request: ChildRequest): Promise<ChildAnswer> => {
    child.send(request);
    return ((await once(child, "message")) as [ChildAnswer])[0];
  };
  try {
    await tell({ type: "open", directory, port });
    const walls: number[] = [];
    const cpus: number[] = [];
    const stalls: number[] = [];
    const slowest: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      load.send({ port, clients: SESSIONS } satisfies SubscribeRequest);
      const [answer] = (await once(load, "message")) as [SubscribeAnswer];
      assert.equal(answer.subscribed, SESSIONS);
      await tell({ type: "slowest" });
      removed = 0;
      const gone = new Promise<void>((resolve) => {
        onReview = () => {
          if (removed >= change.concerned) resolve();
        };
      });
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await tell({ type: "change", changes: change.there });
      const from = performance.now();
      const cpu = process.cpuUsage();
      await gone;
      walls.push((performance.now() - from) * 1e6);
      const { user, system } = process.cpuUsage(cpu);
      cpus.push((user + system) / 1e3);
      delay.disable();
      stalls.push(delay.max / 1e6);
      slowest.push((await tell({ type: "slowest" })).slowestMs);
      assert.equal(removed, change.concerned);
      const settled = new Promise<void>((resolve) => {
        onReview = resolve;
      });
      await tell({ type: "change", changes: change.back });
      await settled;
    }
    const about = `${change.concerned.toLocaleString("en-US")} of all sessions lose one of their 3 subscriptions`;
    const list = (values: readonly number[]): string =>
      values.map((value) => value.toFixed(1)).join(", ");
    const notes = [
      `CPU ${Math.min(...cpus).toFixed(0)} ms, garbage collection and the messages included; aim: 10,000 within a second`,
      `longest time without a turn of the event loop ${list(stalls)} ms; aim: 10 ms`,
      `slowest message from one client to another ${list(slowest)} ms`,
    ];
    return { ...reportSamples(name, about, "portcullis", walls), notes };
  } finally {
    load.kill();
    child.kill();
    await broker.close();
    engine.close();
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

function start(module: "reload-load" | "stored-rules-child") {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fork(fileURLToPath(new URL(`./${module}.${extension}`, import.meta.url)));
}
