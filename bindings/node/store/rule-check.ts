/** Rules before they are stored: read by the product's own reader, and brought into one shape. */
import { isRecord, readJsonRule } from "../../../src/compile/acl/json-rules.ts";
import { validatePattern } from "../../../src/compile/rule/pattern.ts";
import type { Switches } from "../../../src/config/compatibility.ts";
import type { Config } from "../../../src/config/config.ts";

export type RuleCheck =
  /** One for each topic, in order; plain JSON. */
  | { readonly ok: true; readonly rules: readonly object[] }
  | { readonly ok: false; readonly message: string };

/** What rules are held against before they are stored. */
export interface RuleTerms {
  readonly switches: Switches;
  /** Of one record, one for each topic. */
  readonly rulesMax: number;
}

/** LIMIT: where no source says `max_rules`. */
const RULES_MAX = 100;

export function ruleTermsOf({ switches, authorization }: Config): RuleTerms {
  const source = authorization.sources.find(({ type }) => type === "built_in_database");
  return { switches, rulesMax: source && "maxRules" in source ? source.maxRules : RULES_MAX };
}

const KEYS: ReadonlySet<string> = new Set([
  "permission",
  "action",
  "topic",
  "topics",
  "qos",
  "retain",
  "username_re",
  "clientid_re",
  "zone",
  "zone_re",
  "listener",
  "listener_re",
  "ipaddr",
]);

/**
 * Checks one rule map, as parseJson gave it. A key that the reader would pass over is refused here: a
 * condition that has no effect makes a rule wider than it reads.
 *
 * Source: authorization §4.6, §4.7.2.
 */
export function checkStoredRule(value: unknown, switches: Switches): RuleCheck {
  const read = readJsonRule(value, { switches, validatePattern });
  if (!isRecord(value)) return { ok: false, message: "a rule is an object" };
  const unknown = Object.keys(value).find((name) => !KEYS.has(name));
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 60)).slice(1, -1);
    const message = `there is no key \`${shown}\` in a rule; there are ${[...KEYS].join(", ")}`;
    return { ok: false, message };
  }
  if (!read.ok) return { ok: false, message: PROBLEMS[read.kind] ?? read.kind };
  const { topic, topics, ...conditions } = value as { topic?: unknown; topics?: unknown };
  // The reader takes one text in `topic` before a list in `topics`.
  if (typeof topic === "string") return { ok: true, rules: [{ ...conditions, topic }] };
  const all = topics as readonly unknown[];
  if (all.length === 0)
    return { ok: false, message: "`topics` is empty, so the rule never applies" };
  return { ok: true, rules: all.map((one) => ({ ...conditions, ...topicOf(one) })) };
}

/** A list of character codes stands for a text too, but only in `topics`. */
function topicOf(topic: unknown): object {
  return typeof topic === "string" ? { topic } : { topics: [topic] };
}

const PROBLEMS: Readonly<Record<string, string>> = {
  invalid_rule: "`permission` or `action` is missing",
  missing_topic_or_topics: "`topic` or `topics` is missing",
  invalid_permission: "`permission` is `allow` or `deny`",
  invalid_action: "`action` is `publish`, `subscribe` or `all`",
  invalid_qos: "`qos` is 0, 1, 2 or a list of them",
  invalid_retain: "`retain` is true, false or `all`",
  invalid_username_re: "`username_re` is no regular expression that can be used",
  invalid_clientid_re: "`clientid_re` is no regular expression that can be used",
  invalid_zone: "`zone` is no text, or empty",
  invalid_zone_re: "`zone_re` is no regular expression that can be used",
  invalid_listener: "`listener` is no text, or empty",
  invalid_listener_re: "`listener_re` is no regular expression that can be used",
  invalid_ipaddr: "`ipaddr` is no address or range",
  invalid_topic: "a topic is no text, or has a placeholder that does not exist",
};
