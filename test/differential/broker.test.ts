/**
 * What clients of a real broker hear is what a plain model says they may: for any rules, in any order
 * of subscribing, leaving, coming back as somebody else and loading other rules.
 */
import fc from "fast-check";
import { describe, test } from "vitest";
import { readAcl } from "../../src/compile/acl/index.ts";
import type { Rule } from "../../src/compile/rule/ast.ts";
import { resolveSwitches } from "../../src/config/compatibility.ts";
import type { Engine } from "../../src/engine.ts";
import type { ReferenceClient } from "../reference/client.ts";
import { type ReferenceDecision, referenceDecide } from "../reference/decide.ts";
import { topicMatches } from "../reference/topic.ts";
import { connectPacket, type RawClient, startBroker, type TestBroker } from "../support/broker.ts";
import { engineFrom, imageFrom } from "../support/policy.ts";
import { runs } from "../support/runs.ts";

const strict = resolveSwitches("strict");
const CONF = `portcullis { allow_anonymous = true, on_policy_change = unsubscribe }
authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
`;
const TOPICS = ["a", "b", "a/a", "a/b", "b/a", "a/b/a", "$x/a", "b/"];
const WILD = ["a/#", "#", "+", "a/+", "+/a", "+/#", "$x/#", "b/#", "+/+"];

const filter = fc.oneof(fc.constantFrom(...TOPICS), fc.constantFrom(...WILD));
const entry = fc.oneof(
  { weight: 6, arbitrary: filter.map((text) => `"${text}"`) },
  { weight: 3, arbitrary: filter.map((text) => `{eq, "${text}"}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('"${username}/#"', '"+/${username}"', '"a/${clientid}"'),
  },
);
const topics = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(entry, { minLength: 1, maxLength: 2 }).map((all) => `[${all}]`),
  },
  { weight: 1, arbitrary: fc.constant("all") },
);
const rule = fc
  .tuple(
    fc.constantFrom("allow", "deny"),
    fc.constantFrom("all", "all", '{username, "a"}', '{clientid, "k1"}', '{clientid, {re, "2"}}'),
    fc.constantFrom("subscribe", "all", "{subscribe, [{qos, 0}]}", "{subscribe, [{qos, 1}]}"),
    topics,
  )
  .map((parts) => `{${parts}}.`);
const lastRule = fc.constantFrom(
  "{allow, all, subscribe, all}.",
  '{allow, all, subscribe, ["#", "$x/#"]}.',
  '{allow, all, subscribe, ["a/#", {eq, "#"}]}.',
  '{allow, all, {subscribe, [{qos, 1}]}, ["+/#"]}.',
  '{allow, all, subscribe, [{eq, "#"}, {eq, "a/#"}, {eq, "+/+"}]}.',
);
const rules = fc
  .tuple(fc.array(rule, { minLength: 1, maxLength: 4 }), lastRule)
  .map(([some, last]) => `${OWN}\n${some.join("\n")}\n${last}\n`);
const OWN = `{allow, {username, "teller"}, all, all}.\n{allow, all, subscribe, ["marker"]}.`;

type Id = "k1" | "k2";
const id = fc.constantFrom<Id>("k1", "k2");
const qos = fc.constantFrom(0, 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant("subscribe" as const), id, filter, qos }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("unsubscribe" as const), id, filter }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant("tell" as const), qos }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("leave" as const), id }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("join" as const),
      id,
      username: fc.constantFrom("a", "b", undefined),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("reload" as const), rules }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What one client is to the model. */
interface Known {
  username: string | undefined;
  isOnline: boolean;
  /** Filter → QoS. */
  readonly filters: Map<string, 0 | 1>;
  /** What came while it was away. */
  queued: string[];
}

/** The specification, plainly; it shares the reader of rules with the broker, and nothing else. */
class Model {
  #rules: readonly Rule[] = [];
  readonly clients = new Map<string, Known>();

  load(text: string): void {
    const options = { file: "acl.conf", switches: strict, securityProfile: "legacy" } as const;
    this.#rules = readAcl(text, options).rules;
    for (const client of this.clients.keys()) if (this.#of(client).isOnline) this.judge(client);
  }

  join(client: string, username: string | undefined): void {
    const before = this.clients.get(client);
    const { filters = new Map<string, 0 | 1>(), queued = [] } = before ?? {};
    this.clients.set(client, { username, isOnline: true, filters, queued });
    this.judge(client);
  }

  /** Takes away what the client may not be subscribed to any more. */
  judge(client: string): void {
    const { filters } = this.#of(client);
    for (const [text, level] of filters) {
      if (this.ask(client, text, level).verdict !== "allow") filters.delete(text);
    }
  }

  /** The first rule that speaks of the topic, or of a filter that it comes by, allows it. */
  hears(client: string, topic: string): boolean {
    return [...this.#of(client).filters].some(([text, level]) => {
      if (!topicMatches(text, topic)) return false;
      const ofTopic = this.ask(client, topic, level);
      if (ofTopic.verdict === "allow") return true;
      const ofFilter = this.ask(client, text, level);
      const isFirst = ofTopic.verdict === "nomatch" || ofFilter.rule < ofTopic.rule;
      return ofFilter.verdict === "allow" && isFirst;
    });
  }

  ask(client: string, topic: string, level: 0 | 1): ReferenceDecision {
    const { username = null } = this.#of(client);
    const who: ReferenceClient = { clientId: client, username, peerHost: "127.0.0.1" };
    return referenceDecide(this.#rules, who, { type: "subscribe", qos: level }, topic, strict);
  }

  #of(client: string): Known {
    return this.clients.get(client)!;
  }
}

/** The broker and the model, side by side. */
class Run {
  readonly #engine: Engine;
  readonly #test: TestBroker;
  readonly #model = new Model();
  readonly #online = new Map<string, RawClient>();
  readonly #teller: RawClient;
  /** Heard before the step was over. */
  #early: string[] = [];
  #count = 0;

  constructor(engine: Engine, test: TestBroker, teller: RawClient, text: string) {
    this.#engine = engine;
    this.#test = test;
    this.#teller = teller;
    this.#model.load(text);
  }

  async take(one: Step): Promise<void> {
    let expected = await this.#do(one);
    let heard = await this.#heard();
    if (one.does === "join") {
      // With several filters aedes may send a message with QoS 0, and once more when its client is back.
      heard = [...new Set(heard)];
      const again = heard.filter((each) =>
        this.#model.hears(one.id, each.slice(one.id.length + 1)),
      );
      expected = [...new Set([...expected, ...again])];
    }
    if (heard.sort().join() === expected.sort().join()) return;
    throw new Error(`${JSON.stringify(one)}: heard ${heard.join()}, expected ${expected.join()}`);
  }

  /** Does it to both; what clients should hear now. */
  async #do(one: Step): Promise<string[]> {
    switch (one.does) {
      case "join":
        return this.#join(one.id, one.username);
      case "tell":
        return this.#tell(one.qos as 0 | 1);
      case "reload":
        this.#test.lines.length = 0;
        await this.#engine.reload(imageFrom({ conf: CONF, acl: one.rules }));
        await this.#test.logged("policy_followed");
        this.#model.load(one.rules);
        return [];
    }
    const client = this.#online.get(one.id);
    const known = this.#model.clients.get(one.id);
    if (!client || !known) return [];
    if (one.does === "leave") {
      this.#online.delete(one.id);
      known.isOnline = false;
      client.send({ cmd: "disconnect", reasonCode: 0 });
      await client.closed;
      await this.#teller.settled();
    } else if (one.does === "unsubscribe") {
      client.send({ cmd: "unsubscribe", messageId: 60_000, unsubscriptions: [one.filter] });
      await client.next("unsuback");
      known.filters.delete(one.filter);
    } else {
      const level = one.qos as 0 | 1;
      const [code] = await client.subscribe([one.filter], level);
      const isAllowed = this.#model.ask(one.id, one.filter, level).verdict === "allow";
      if (code !== (isAllowed ? level : 0x87)) throw new Error(`${JSON.stringify(one)}: ${code}`);
      if (isAllowed) known.filters.set(one.filter, level);
    }
    return [];
  }

  async #join(client: Id, username: string | undefined): Promise<string[]> {
    if (this.#online.has(client)) await this.take({ does: "leave", id: client });
    const isBack = this.#model.clients.has(client);
    const joined = await this.#test.connect();
    const properties = { sessionExpiryInterval: 1000 };
    const named = username === undefined ? {} : { username };
    joined.send(connectPacket({ clientId: client, clean: false, properties, ...named }));
    await joined.next("connack");
    this.#online.set(client, joined);
    this.#model.join(client, username);
    const known = this.#model.clients.get(client)!;
    const expected = known.queued
      .splice(0)
      .filter((topic) => this.#model.hears(client, topic))
      .map((topic) => `${client} ${topic}`);
    // What is queued ends with the last marker, and may be overtaken by what comes now.
    if (isBack) this.#early = await this.#listen(client, joined);
    await joined.subscribe(["marker"], 1);
    known.filters.set("marker", 1);
    return expected;
  }

  async #tell(level: 0 | 1): Promise<string[]> {
    const expected: string[] = [];
    for (const topic of TOPICS) {
      await this.#teller.publish(topic, { qos: level });
      for (const [client, { isOnline, filters, queued }] of this.#model.clients) {
        const isKept = [...filters].some(([text, of]) => of === 1 && topicMatches(text, topic));
        if (!isOnline && level === 1 && isKept) queued.push(topic);
        if (isOnline && this.#model.hears(client, topic)) expected.push(`${client} ${topic}`);
      }
    }
    return expected;
  }

  /** What clients have heard by the time that a marker got to each of them. */
  async #heard(): Promise<string[]> {
    const heard = this.#early.splice(0);
    const payload = String(++this.#count);
    await this.#teller.publish("marker", { qos: 1, payload });
    for (const [client, connection] of this.#online) {
      heard.push(...(await this.#listen(client, connection)));
    }
    return heard;
  }

  /** Up to the marker told last, and what has come with it. */
  async #listen(client: string, connection: RawClient): Promise<string[]> {
    const heard: string[] = [];
    for (let isMarked = false; !isMarked || connection.received.length > 0; ) {
      const packet = await connection.next("publish");
      if (packet.qos === 1) connection.send({ cmd: "puback", messageId: packet.messageId! });
      isMarked ||= packet.topic === "marker" && String(packet.payload) === String(this.#count);
      if (packet.topic !== "marker") heard.push(`${client} ${packet.topic}`);
      if (isMarked) await connection.settled();
    }
    return heard;
  }
}

describe("clients of a broker in strict mode", () => {
  test("hear what a plain model says they may, and nothing else", async () => {
    const steps = fc.array(step, { minLength: 5, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(rules, steps, async (acl, some) => {
        const engine = await engineFrom({ conf: CONF, acl });
        const broker = await startBroker(engine);
        try {
          const teller = await broker.join({ clientId: "teller", username: "teller" });
          const run = new Run(engine, broker, teller, acl);
          await run.take({ does: "join", id: "k1", username: "a" });
          await run.take({ does: "join", id: "k2", username: undefined });
          await run.take({ does: "subscribe", id: "k1", filter: "#", qos: 1 });
          await run.take({ does: "subscribe", id: "k2", filter: "a/#", qos: 0 });
          for (const one of some) await run.take(one);
          await run.take({ does: "tell", qos: 1 });
        } finally {
          await broker.close();
        }
      }),
      runs(12),
    );
  });
});
