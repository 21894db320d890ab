/**
 * From image bytes to an engine, and to its first decision with the rule's place: what an edge worker
 * does when it wakes up, its module compiled by the platform. Speed of light: one copy of the image and one pass over it to check it.
 */
import { strict as assert } from "node:assert";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import { nodePorts } from "../../bindings/node/ports.ts";
import { loadModule } from "../../src/core/wasm-inline.gen.ts";
import { createEngine, type Engine } from "../../src/index.ts";
import { TopicIndex } from "../baselines/topic-index.ts";
import { compileTexts, RULES_ONLY } from "../data/policy.ts";
import { aclText, makeRules, RULE_FAMILIES, type RuleFamily } from "../data/rules.ts";
import { type BenchCase, type CaseReport, measureCase } from "../harness.ts";

const RULES = 10_000;
const PUBLISH = { type: "publish", qos: 0, retain: false } as const;

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries(
  RULE_FAMILIES.map((family) => [
    `load: ${family}, 10,000 rules`,
    (name) => loadCase(name, family),
  ]),
);

async function loadCase(name: string, family: RuleFamily): Promise<CaseReport> {
  const module = await loadModule();
  const { rules, client, topics } = makeRules(family, RULES);
  const image = compileTexts(RULES_ONLY, aclText(rules));
  const json = JSON.stringify(rules);
  const [topic] = topics as [string];
  const load = (): Promise<Engine> =>
    createEngine({ image, module, crypto: createNodeCrypto(), ports: nodePorts });
  const decideOnce = async (): Promise<number> => {
    const engine = await load();
    const answer = await engine.connect(client);
    assert(answer.verdict === "allow");
    const { rule } = answer.session.authorize(PUBLISH, topic);
    engine.close();
    return (rule?.number ?? 0) - 1;
  };
  const plain = (): number => new TopicIndex(JSON.parse(json)).find(client, topic);
  assert.equal(await decideOnce(), plain());
  return measureCase(
    name,
    `image of ${(image.length / 2 ** 20).toFixed(1)} MiB → engine; module compiled already`,
    [
      { name: "portcullis", run: async () => (await load()).close(), isAsync: true },
      { name: "and a first decision", run: decideOnce, isAsync: true },
      { name: "JSON.parse and plain-JS index", run: plain },
    ],
    { notes: ["budget 5 ms"] },
  );
}
