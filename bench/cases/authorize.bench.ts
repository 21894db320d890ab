/**
 * `session.authorize`: from a JavaScript topic string to a decision with its rule, through the whole
 * engine, for each family of rules and number of them. Rivals answer with a bare rule number.
 *
 * Speed of light: the topic's bytes copied into the core, one call, a hash over them, and a table
 * entry, a node and a text for each level that narrows the search.
 */
import { strict as assert } from "node:assert";
import { QlobberIndex } from "../baselines/qlobber-index.ts";
import { RuleScan } from "../baselines/rule-scan.ts";
import { TopicIndex } from "../baselines/topic-index.ts";
import { compileTexts, RULES_ONLY, startEngine } from "../data/policy.ts";
import {
  aclText,
  type BenchClient,
  type BenchRules,
  makeBranchingRules,
  makeRules,
  RULE_FAMILIES,
  type RuleFamily,
} from "../data/rules.ts";
import { type BenchCase, type CaseReport, measureCase, type Rival } from "../harness.ts";

const COUNTS = [10, 1_000, 100_000] as const;
/** A scan of more rules would take longer than everything else together. */
const SCAN_RULES_MAX = 1_000;
/** Operations of one call; fewer would measure the clock, more would take rivals seconds. */
const OPS = 64;
const PUBLISH = { type: "publish", qos: 0, retain: false } as const;
const USED_TODAY = "qlobber (aedes' index)";
const HAND_TUNED = "hand-tuned plain-JS trie";
const ABOUT = "one PUBLISH decision from a topic string; topics of 12 to 36 bytes";

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries([
  ...RULE_FAMILIES.flatMap((family) => [
    ...COUNTS.map((count): [string, BenchCase] => [
      `authorize: ${family}, ${sizeName(count)}`,
      (name) => familyCase(name, family, count),
    ]),
    [`authorize: ${family}, growth`, (name: string) => growthCase(name, family)] as const,
  ]),
  ["authorize: branching, 4,096 rules", branchingCase],
]);

async function familyCase(name: string, family: RuleFamily, count: number): Promise<CaseReport> {
  const data = makeRules(family, count);
  const index = new TopicIndex(data.rules);
  const qlobber = new QlobberIndex(data.rules);
  const scan = count <= SCAN_RULES_MAX ? new RuleScan(data.rules) : undefined;
  const rivals = [
    await rivalOf("portcullis", data, index, [qlobber, ...(scan ? [scan] : [])]),
    overTopics(USED_TODAY, data, (topic) => qlobber.find(data.client, topic)),
    overTopics(HAND_TUNED, data, (topic) => index.find(data.client, topic)),
  ];
  if (family === "literals") rivals.push(wholeTopicMap(data));
  if (scan) rivals.push(overTopics("scan", data, (topic) => scan.find(data.client, topic)));
  const notes = scan ? undefined : ["a scan is left out: it takes milliseconds"];
  return measureCase(name, ABOUT, rivals, { notes });
}

/** Both sizes in one process, so that they share the machine's moods: read the ratio. */
async function growthCase(name: string, family: RuleFamily): Promise<CaseReport> {
  const rivals: Rival[] = [];
  for (const count of COUNTS.slice(1)) {
    const data = makeRules(family, count);
    rivals.push(await rivalOf(sizeName(count), data, new TopicIndex(data.rules), []));
  }
  return measureCase(name, "the same at two sizes", rivals);
}

function sizeName(count: number): string {
  return `${count.toLocaleString("en-US")} rules`;
}

/** Where WebAssembly loses: with nothing but literals, V8's hash of a string it has seen before. */
function wholeTopicMap(data: BenchRules): Rival {
  const rules = new Map<string, number>();
  data.rules.forEach(({ topics }, number) => {
    if (topics !== "all") rules.set(String(topics[0]!.text), number);
  });
  return overTopics("Map of whole topics, no wildcards", data, (topic) => rules.get(topic) ?? -1);
}

/** Ours, after it has given the same answers as the rivals to every request. */
async function rivalOf(
  name: string,
  data: BenchRules,
  index: TopicIndex,
  others: readonly { find(client: BenchClient, topic: string): number }[],
): Promise<Rival> {
  const session = await openSession(data);
  for (const topic of data.topics) {
    const { verdict, rule } = session.authorize(PUBLISH, topic);
    const number = (rule?.number ?? 0) - 1;
    assert.equal(number, index.find(data.client, topic), topic);
    assert.equal(verdict === "allow", index.isAllowed(number), topic);
  }
  // Some of the rivals take a millisecond for an answer.
  for (const topic of data.topics.slice(0, 500)) {
    const expected = index.find(data.client, topic);
    for (const other of others) assert.equal(other.find(data.client, topic), expected, topic);
  }
  return overTopics(name, data, (topic) => session.authorize(PUBLISH, topic));
}

/** The hardest set: two ways at every level, and nothing that can be skipped. */
async function branchingCase(name: string): Promise<CaseReport> {
  const data = makeBranchingRules(12);
  const index = new TopicIndex(data.rules);
  const qlobber = new QlobberIndex(data.rules);
  const session = await openSession(data);
  const [topic] = data.topics as [string];
  assert.equal(session.authorize(PUBLISH, topic).rule?.number, data.rules.length);
  assert.equal(qlobber.find(data.client, topic), data.rules.length - 1);
  return measureCase(
    name,
    "a topic that 4,096 filters match, of which only the last is for this client",
    [
      { name: "portcullis", run: () => session.authorize(PUBLISH, topic) },
      { name: USED_TODAY, run: () => qlobber.find(data.client, topic) },
      { name: HAND_TUNED, run: () => index.find(data.client, topic) },
    ],
    { notes: ["every node below the root is looked at once; DECISION_STEPS_MAX bounds it"] },
  );
}

async function openSession({ rules, client }: BenchRules) {
  const engine = await startEngine(compileTexts(RULES_ONLY, aclText(rules)));
  const answer = await engine.connect(client);
  assert(answer.verdict === "allow", answer.reason);
  return answer.session;
}

function overTopics(name: string, { topics }: BenchRules, ask: (topic: string) => unknown): Rival {
  let at = 0;
  const run = (): unknown => {
    let last: unknown;
    for (let i = 0; i < OPS; i++) last = ask(topics[(at + i) % topics.length]!);
    at += OPS;
    return last;
  };
  return { name, run, opsPerCall: OPS };
}
