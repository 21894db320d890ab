/**
 * Rules as data: the maps that tokens, HTTP answers and database rows carry.
 *
 * Values are what parseJson gives, so that `1.0` is no QoS. JSON texts are binaries to EMQX and a list of texts or character
 * codes is a text as well, so `["a", "b"]` may stand where `"ab"` does.
 */
import type { Switches } from "../../config/compatibility.ts";
import { JsonFloat } from "../../json/parse.ts";
import { toText } from "../../text.ts";
import type { Text } from "../../types.ts";
import type { Rule, TopicEntry, Who, WhoField } from "../rule/ast.ts";
import { type ActionName, actionBits } from "./action-bits.ts";
import { readRange } from "./address.ts";
import { readFilter, readTopic } from "./topic-entry.ts";

/** What is wrong with a rule. The words are EMQX's own, but for `invalid_topic`. */
export type JsonRuleErrorKind =
  | "invalid_rule"
  | "missing_topic_or_topics"
  | "invalid_permission"
  | "invalid_action"
  | "invalid_qos"
  | "invalid_retain"
  | "invalid_username_re"
  | "invalid_clientid_re"
  | "invalid_zone"
  | "invalid_zone_re"
  | "invalid_listener"
  | "invalid_listener_re"
  | "invalid_ipaddr"
  /** A topic that is no text, or uses an unknown placeholder in strict mode. */
  | "invalid_topic";

export type JsonRuleReading =
  | { readonly ok: true; readonly rule: Rule }
  | {
      readonly ok: false;
      readonly kind: JsonRuleErrorKind;
      /** A defect that EMQX does not recognise as one: reading the rule fails there. */
      readonly crashes: boolean;
    };

export interface JsonRuleOptions {
  readonly switches: Switches;
  /** Says what is wrong with a regular expression, or nothing. */
  readonly validatePattern?: ((pattern: Text) => string | undefined) | undefined;
}

const PERMISSIONS: ReadonlyMap<unknown, Rule["permission"]> = new Map([
  ["allow", "allow"],
  ["deny", "deny"],
]);
const ACTIONS: ReadonlyMap<unknown, ActionName> = new Map([
  ["publish", "publish"],
  ["pub", "publish"],
  ["subscribe", "subscribe"],
  ["sub", "subscribe"],
  ["all", "all"],
]);
const QOS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  [0, 0],
  [1, 1],
  [2, 2],
  ["0", 0],
  ["1", 1],
  ["2", 2],
]);
const RETAIN: ReadonlyMap<unknown, boolean | "all"> = new Map<unknown, boolean | "all">([
  [true, true],
  ["true", true],
  [1, true],
  ["1", true],
  [false, false],
  ["false", false],
  [0, false],
  ["0", false],
  ["all", "all"],
  [null, "all"],
  [undefined, "all"],
]);

/**
 * Reads one rule map. Unknown keys are ignored, `username`, `clientid` and `client_attr` among them:
 * exact identity is the query's business. Never throws.
 *
 * Source: authorization §4.6.
 */
export function readJsonRule(value: unknown, options: JsonRuleOptions): JsonRuleReading {
  if (!isRecord(value)) return refuse("invalid_rule");
  const field = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  if (field("permission") === undefined || field("action") === undefined) {
    return refuse("invalid_rule");
  }
  const topics = topicTexts(field("topic"), field("topics"));
  if (!topics) return refuse("missing_topic_or_topics");
  const permission = PERMISSIONS.get(field("permission"));
  if (!permission) return refuse("invalid_permission");
  const action = ACTIONS.get(field("action"));
  if (!action) return refuse("invalid_action");
  const qos = readQos(field("qos"));
  if (!qos) return refuse("invalid_qos");
  const retain = action === "subscribe" ? "all" : RETAIN.get(field("retain"));
  if (retain === undefined) return refuse("invalid_retain");
  const who = readConditions(field, options);
  if ("ok" in who) return who;
  const entries = readJsonTopics(topics, options.switches);
  if (!entries.ok) return refuse("invalid_topic", { crashes: entries.crashes });
  const actions = actionBits(action, qos, retain);
  return { ok: true, rule: { permission, who, actions, topics: entries.entries } };
}

export type JsonTopicsReading =
  | { readonly ok: true; readonly entries: readonly TopicEntry[] }
  /** `crashes`: an element is no text at all. Otherwise a placeholder is unknown. */
  | { readonly ok: false; readonly crashes: boolean };

/** Reads a list of topic texts. */
export function readJsonTopics(values: readonly unknown[], switches: Switches): JsonTopicsReading {
  const entries: TopicEntry[] = [];
  for (const value of values) {
    const text = jsonText(value);
    if (text === undefined) return { ok: false, crashes: true };
    const isOnePiece = typeof value === "string" || startsWithCodes(value);
    const { entry } = isOnePiece ? readTopic(text, switches) : readFilter(text, switches);
    if (!entry) return { ok: false, crashes: false };
    entries.push(entry);
  }
  return { ok: true, entries };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof JsonFloat);
}

function refuse(
  kind: JsonRuleErrorKind,
  { crashes } = { crashes: false },
): JsonRuleReading & { ok: false } {
  return { ok: false, kind, crashes };
}

/** One text in `topic` wins over the list in `topics`. */
function topicTexts(topic: unknown, topics: unknown): readonly unknown[] | undefined {
  if (typeof topic === "string") return [topic];
  return Array.isArray(topics) ? topics : undefined;
}

function readQos(value: unknown): ReadonlySet<number> | undefined {
  if (value === undefined || value === null) return new Set([0, 1, 2]);
  const levels = new Set<number>();
  for (const item of Array.isArray(value) ? value : [value]) {
    for (const part of typeof item === "string" ? item.split(",") : [item]) {
      const level = QOS.get(part);
      if (level === undefined) return undefined;
      levels.add(level);
    }
  }
  return levels;
}

interface ConditionRow {
  readonly key: string;
  readonly field: WhoField["name"];
  readonly isPattern: boolean;
  readonly kind: JsonRuleErrorKind;
}

const CONDITIONS: readonly (ConditionRow & {
  readonly field: "username" | "clientid" | "zone" | "listener";
})[] = [
  { key: "username_re", field: "username", isPattern: true, kind: "invalid_username_re" },
  { key: "clientid_re", field: "clientid", isPattern: true, kind: "invalid_clientid_re" },
  { key: "zone", field: "zone", isPattern: false, kind: "invalid_zone" },
  { key: "zone_re", field: "zone", isPattern: true, kind: "invalid_zone_re" },
  { key: "listener", field: "listener", isPattern: false, kind: "invalid_listener" },
  { key: "listener_re", field: "listener", isPattern: true, kind: "invalid_listener_re" },
];

/**
 * The optional conditions, all of which have to hold. Is `null` a way to leave one out? A switch says so.
 * Source: authorization §4.6, §9 item 23.
 */
function readConditions(
  field: (name: string) => unknown,
  options: JsonRuleOptions,
): Who | (JsonRuleReading & { ok: false }) {
  const conditions: Who[] = [];
  const isMissing = (value: unknown): boolean =>
    value === undefined || (value === null && options.switches.null_conditions_are_missing);
  for (const { key, field: name, isPattern, kind } of CONDITIONS) {
    const value = field(key);
    if (isMissing(value)) continue;
    const text = isNonEmpty(value) ? jsonText(value) : undefined;
    if (text === undefined) return refuse(kind);
    if (isPattern && options.validatePattern?.(text) !== undefined) return refuse(kind);
    conditions.push(
      isPattern
        ? { type: "pattern", field: { name }, pattern: text }
        : { type: "equal", field: { name }, value: text },
    );
  }
  const address = field("ipaddr");
  if (!isMissing(address)) {
    if (!isNonEmpty(address)) return refuse("invalid_ipaddr");
    const reading = readRange(jsonText(address) ?? "", {
      standard: options.switches.standard_addresses,
    });
    if (!("range" in reading)) return refuse("invalid_ipaddr", { crashes: true });
    conditions.push({ type: "address", ranges: [reading.range] });
  }
  const [only] = conditions;
  if (!only) return { type: "all" };
  return conditions.length === 1 ? only : { type: "and", of: conditions };
}

function isNonEmpty(value: unknown): boolean {
  return (typeof value === "string" || Array.isArray(value)) && value.length > 0;
}

/** The text a JSON value stands for: a string, or a list of character codes and texts. */
function jsonText(value: unknown, depth = 0): string | undefined {
  if (typeof value === "string") return toText(value);
  if (!Array.isArray(value) || depth >= TEXT_NESTING_MAX) return undefined;
  let text = "";
  for (const item of value) {
    const part = typeof item === "number" ? character(item) : jsonText(item, depth + 1);
    if (part === undefined) return undefined;
    text += part;
  }
  return text;
}

/** LIMIT: lists within lists that may spell a text; bounds the recursion. */
const TEXT_NESTING_MAX = 16;

function startsWithCodes(value: unknown): boolean {
  return Array.isArray(value) && value.slice(0, 3).every((item) => typeof item === "number");
}

function character(code: number): string | undefined {
  const isCharacter = Number.isInteger(code) && code >= 0 && code <= 0x10ffff;
  return isCharacter && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : undefined;
}
