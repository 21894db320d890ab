/**
 * Seeded rule sets and requests for the authorization benches: realistic families of any size, and
 * one set that is made to be hard. Same seed, same data.
 */
import { ACTION_ANY } from "../../assembly/abi.ts";
import type { Rule, Who } from "../../src/compile/rule/ast.ts";

export type RuleFamily =
  | "literals"
  | "wildcards"
  | "templates"
  | "per_user"
  | "same_topic"
  | "conditions";

export const RULE_FAMILIES: readonly RuleFamily[] = [
  "literals",
  "wildcards",
  "templates",
  "per_user",
  "same_topic",
  "conditions",
];

export interface BenchClient {
  readonly clientId: string;
  readonly username: string;
  readonly peerHost: string;
}

/** Does the rule speak about the client? For the rivals, with the conditions that are made here. */
export function isAbout({ who }: Rule, client: BenchClient): boolean {
  switch (who.type) {
    case "all":
      return true;
    case "equal":
      return who.value === client.username;
    case "pattern":
      return who.pattern === GUESTS && client.username.startsWith("guest-");
    case "address":
      return client.peerHost.startsWith("198.51.100.");
    default:
      throw new Error(`no rule here is about \`${who.type}\``);
  }
}

export interface BenchRules {
  readonly rules: readonly Rule[];
  /** The client that the requests are about. */
  readonly client: BenchClient;
  /** Topics of PUBLISH requests with QoS 0: a few hot ones, a long tail, some that match nothing. */
  readonly topics: readonly string[];
}

const EVERYONE: Who = { type: "all" };
const GUESTS = "^guest-";
const BY_NAME: Who = { type: "pattern", field: { name: "username" }, pattern: GUESTS };
const BY_ADDRESS: Who = {
  type: "address",
  ranges: [{ network: Uint8Array.of(198, 51, 100, 0), prefixLength: 24 }],
};
const PEER_HOST = "192.0.2.7";

/** `count` rules of a family and `requests` topics to ask about. */
export function makeRules(family: RuleFamily, count: number, requests = 4096): BenchRules {
  const random = seeded(0x5eed ^ count);
  const own = pad(count >> 1);
  const client: BenchClient = {
    clientId: `dev-${own}`,
    username: `user-${own}`,
    peerHost: PEER_HOST,
  };
  const rules = Array.from({ length: count }, (_, i) => makeRule(family, i));
  const topics = Array.from({ length: requests }, () => {
    const isMiss = random() < 0.1;
    const i = pick(random, count);
    return flat(isMiss ? `elsewhere/${i}/state` : topicFor(family, i, client));
  });
  return { rules, client, topics };
}

/** The rules as acl.conf has them. */
export function aclText(rules: readonly Rule[]): string {
  return rules.map(aclTerm).join("\n");
}

function aclTerm({ permission, who, topics }: Rule): string {
  const subject = whoTerm(who);
  const filters = topics === "all" ? [] : topics.map(({ text }) => `"${text}"`);
  return `{${permission}, ${subject}, all, [${filters}]}.`;
}

function whoTerm(who: Who): string {
  if (who.type === "equal") return `{user, "${who.value}"}`;
  if (who.type === "pattern") return `{user, {re, "${who.pattern}"}}`;
  return who.type === "address" ? '{ipaddr, "198.51.100.0/24"}' : "all";
}

/** The same text as packet parsers make it: one run of bytes, not a chain of pieces. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

/**
 * Filters over two spellings of each of `depth` levels (2^depth rules), so that a topic of the one
 * spelling can go down two ways at every level. All but the last rule are for nobody here.
 */
export function makeBranchingRules(depth: number): BenchRules {
  const client: BenchClient = {
    clientId: "dev-000042",
    username: "user-000042",
    peerHost: PEER_HOST,
  };
  const rules = Array.from({ length: 2 ** depth }, (_, i): Rule => {
    const levels = Array.from({ length: depth }, (_, bit) => ((i >> bit) & 1 ? "+" : "a"));
    const isLast = i === 2 ** depth - 1;
    const who: Who = isLast
      ? EVERYONE
      : { type: "equal", field: { name: "username" }, value: "nobody" };
    return {
      permission: "allow",
      who,
      actions: ACTION_ANY,
      topics: [{ type: "filter", text: levels.join("/") }],
    };
  });
  return { rules, client, topics: [flat(Array(depth).fill("a").join("/"))] };
}

function makeRule(family: RuleFamily, i: number): Rule {
  const isDeny = family === "conditions" ? i % 4 < 2 : i % 7 === 3;
  const permission = isDeny ? "deny" : "allow";
  const text = filterFor(family, i);
  const isPerUser = family === "per_user" || family === "same_topic";
  const who: Who = isPerUser
    ? { type: "equal", field: { name: "username" }, value: `user-${pad(i)}` }
    : family === "conditions"
      ? [BY_NAME, BY_ADDRESS, otherUser(i), EVERYONE][i % 4]!
      : EVERYONE;
  return { permission, who, actions: ACTION_ANY, topics: [{ type: "filter", text }] };
}

function otherUser(i: number): Who {
  return { type: "equal", field: { name: "username" }, value: `other-${pad(i)}` };
}

function filterFor(family: RuleFamily, i: number): string {
  switch (family) {
    case "literals":
      return `plant/line-${pad(i)}/robot/state`;
    case "wildcards":
      return i % 3 === 0 ? `plant/line-${pad(i)}/#` : `plant/line-${pad(i)}/+/state`;
    case "templates":
      return i % 2 === 0
        ? `plant/line-${pad(i)}/\${clientid}/#`
        : `fleet/\${clientid}/unit-${pad(i)}/+`;
    case "per_user":
      return `users/user-${pad(i)}/#`;
    case "conditions":
      return `plant/line-${pad(i >> 2)}/+/state`;
    default:
      return "shared/alarms/#";
  }
}

function topicFor(family: RuleFamily, i: number, client: BenchClient): string {
  switch (family) {
    case "conditions":
      return `plant/line-${pad(i >> 2)}/robot/state`;
    case "literals":
    case "wildcards":
      return `plant/line-${pad(i)}/robot/state`;
    case "templates":
      return i % 2 === 0
        ? `plant/line-${pad(i)}/${client.clientId}/temp`
        : `fleet/${client.clientId}/unit-${pad(i)}/temp`;
    case "per_user":
      return `users/${i % 2 ? client.username : `user-${pad(i)}`}/inbox`;
    default:
      return "shared/alarms/high";
  }
}

function pad(i: number): string {
  return String(i).padStart(6, "0");
}

/** Four requests in five go to one rule in a hundred. */
function pick(random: () => number, count: number): number {
  const hot = Math.max(1, Math.floor(count / 100));
  return Math.floor(random() * (random() < 0.8 ? hot : count));
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
