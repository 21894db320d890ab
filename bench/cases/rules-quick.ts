/**
 * A quick look at the rule index: `node bench/cases/rules-quick.ts [family …]`. Time to compile, size
 * and time of a decision, from a JavaScript topic string, for each family at three sizes.
 */
import { ENTRY_RULES } from "../../assembly/abi.ts";
import { packImage } from "../../src/compile/image.ts";
import { compileRules } from "../../src/compile/rule/compile.ts";
import { coreSwitches } from "../../src/compile/switches.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import { actionBit, decide, openClient } from "../../src/core/rules.ts";
import { instantiate } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";
import {
  type BenchRules,
  makeBranchingRules,
  makeRules,
  RULE_FAMILIES,
  type RuleFamily,
} from "../data/rules.ts";

const switches = resolveSwitches("strict");
const bit = actionBit({ type: "publish", qos: 0, retain: false });
const wasm = loadModuleSync();
const SAMPLES = 600;
const CALLS = 256;

function look(name: string, { rules, client, topics }: BenchRules): void {
  const before = process.cpuUsage();
  const { blob } = compileRules(rules, { switches });
  const compileMs = process.cpuUsage(before).user / 1000;
  const image = packImage([{ kind: ENTRY_RULES, id: 0, blob }], coreSwitches(switches));
  const loadFrom = performance.now();
  const memory = instantiate(wasm, () => -1, image);
  const loadMs = performance.now() - loadFrom;
  const handle = openClient(memory, client);
  let allowed = 0;
  const samples: number[] = [];
  for (let at = 0; samples.length < SAMPLES; at += CALLS) {
    const from = process.hrtime.bigint();
    for (let i = at; i < at + CALLS; i++) {
      const topic = topics[i % topics.length] as string;
      if (decide(memory, handle, bit, topic).verdict === "allow") allowed++;
    }
    samples.push(Number(process.hrtime.bigint() - from) / CALLS);
  }
  samples.sort((a, b) => a - b);
  const [low, median] = [samples[SAMPLES / 10]!, samples[SAMPLES / 2]!];
  const kib = (blob.length / 1024).toFixed(0);
  const share = Math.round((100 * allowed) / (SAMPLES * CALLS));
  console.log(
    `${name}: ${low.toFixed(0)} ns p10, ${median.toFixed(0)} ns median, compile ${compileMs.toFixed(0)} ms of CPU, ${kib} KiB, load ${loadMs.toFixed(1)} ms, ${share} % allowed`,
  );
}

const asked = process.argv.slice(2) as RuleFamily[];
const counts = process.env.COUNTS?.split(",").map(Number) ?? [10, 1_000, 100_000];
for (const family of asked.length > 0 ? asked : RULE_FAMILIES) {
  for (const count of counts) look(`${family} ${count}`, makeRules(family, count));
}
if (asked.length === 0) look("branching 4096", makeBranchingRules(12));
console.log(`peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
