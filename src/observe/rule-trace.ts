/**
 * Which rules were tried and why they did not apply, for `portcullis explain`. Each rule's parts are
 * put to the core on their own, so that an explanation cannot disagree with the decision.
 */
import { ACTION_PUBLISH_ANY, ACTION_SUBSCRIBE_ANY, ENTRY_RULES } from "../../assembly/abi.ts";
import type { PolicySession } from "../authz/session.ts";
import { packImage } from "../compile/image.ts";
import type { Rule, TopicEntry, Who, WhoField } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import { coreSwitches } from "../compile/switches.ts";
import { parseTemplate } from "../compile/template.ts";
import { TOPIC_NAMES } from "../compile/template-places.ts";
import type { Switches } from "../config/compatibility.ts";
import { loadModule } from "../core/module.ts";
import type { RequestFields } from "../core/request.ts";
import { actionBit, closeClient, decide, openClient, setTokenRules } from "../core/rules.ts";
import { type CoreMemory, type CoreModule, instantiate } from "../core/wasm.ts";
import type { Engine } from "../engine.ts";
import { templateRecord } from "../template/record.ts";
import { renderTopic } from "../template/render.ts";
import { splitDelayed } from "../topic/delayed.ts";
import type { Action, Text } from "../types.ts";
import { quoteText, type TraceStep } from "./trace.ts";

/** The parts of a rule that did not fit; none when it applies. */
export type Miss = "action" | "client" | "topic";

export interface RuleTrace {
  /** From 0. */
  readonly rule: number;
  readonly misses: readonly Miss[];
  /** The topic entries as they read for this client; `(no value)` where a placeholder has none. */
  readonly topics: readonly string[];
}

const ANY_ACTION = ACTION_PUBLISH_ANY | ACTION_SUBSCRIBE_ANY;

/** Puts every rule's parts to the core. Cost: a few small compilations a rule. */
export function traceRules(
  module: CoreModule,
  rules: readonly Rule[],
  fields: RequestFields,
  action: Action,
  topic: Text,
  switches: Switches,
): RuleTrace[] {
  const { blob } = compileRules([], { switches });
  const image = packImage([{ kind: ENTRY_RULES, id: 0, blob }], coreSwitches(switches));
  const memory = instantiate(module, () => -1, image);
  const handle = openClient(memory, fields);
  const bit = actionBit(action);
  const applies = (rule: Rule): boolean => asks(memory, handle, rule, bit, topic, switches);
  const record = templateRecord(fields);
  try {
    return rules.map((rule, number) => {
      const misses: Miss[] = [];
      if ((rule.actions & bit) === 0) misses.push("action");
      if (!applies({ ...rule, actions: ANY_ACTION, topics: "all" })) misses.push("client");
      if (!applies({ ...rule, actions: ANY_ACTION, who: { type: "all" } })) misses.push("topic");
      const topics =
        rule.topics === "all"
          ? ["(every topic)"]
          : rule.topics.map((entry) => renderEntry(entry, record, switches));
      return { rule: number, misses, topics };
    });
  } finally {
    closeClient(memory, handle);
  }
}

/** How many rules an explanation lists; the deciding one is always among them. */
const RULES_SHOWN_MAX = 200;

export interface RulesExplanation {
  /** Which rules were tried and what did not fit. Those behind the deciding one are left out. */
  readonly steps: readonly TraceStep[];
  /** The allowing rules that came closest, best first, with what differs in words. */
  readonly closest: readonly string[];
}

/** How many of the closest rules are told. */
const CLOSEST_MAX = 3;

/** Why the rules of the policy decide as they do. Nothing for a superuser, who meets no rules. */
export async function explainRules(
  engine: Engine,
  rules: readonly Rule[],
  session: PolicySession,
  { action, topic }: { readonly action: Action; readonly topic: string },
): Promise<RulesExplanation> {
  const inner = splitDelayed(topic);
  if (inner === undefined || session.isSuperuser) return { steps: [], closest: [] };
  const { switches } = engine.config;
  const shown = rules.slice(0, RULES_SHOWN_MAX);
  const traces = traceRules(await loadModule(), shown, session.fields, action, inner, switches);
  const last = traces.findIndex(({ misses }) => misses.length === 0);
  const tried = last === -1 ? traces : traces.slice(0, last + 1);
  const steps = tried.map(({ rule, misses, topics }) => {
    const { at, text } = rules[rule]!;
    return {
      stage: "authorization",
      at: placeOf(at, rule),
      outcome: misses.length === 0 ? "applies" : "no match",
      detail: `${misses.length ? `${misses.join(", ")} differs: ` : ""}${text ?? ""} → ${topics.join(" ")}`,
      position: at,
    };
  });
  const closest = traces
    .filter(({ rule, misses }) => rules[rule]!.permission === "allow" && misses.length > 0)
    .sort((a, b) => a.misses.length - b.misses.length)
    .slice(0, CLOSEST_MAX)
    .map((trace) => describeMisses(trace, rules[trace.rule]!, action));
  return { steps, closest };
}

function placeOf(at: Rule["at"], rule: number): string {
  return at ? `${at.file}:${at.line}` : `rule ${rule + 1}`;
}

/** `acl.conf:3 is for subscribing, and covers a/b`. */
function describeMisses({ rule, misses, topics }: RuleTrace, one: Rule, action: Action): string {
  const words = misses.map((miss) => {
    if (miss === "client") return `is for clients where ${whoText(one.who)}`;
    if (miss === "topic") return `covers only ${topics.join(", ")}`;
    if ((one.actions & ACTION_PUBLISH_ANY) === 0) return "is about subscribing";
    if ((one.actions & ACTION_SUBSCRIBE_ANY) === 0) return "is about publishing";
    return `is about another QoS${action.type === "publish" ? " or retain flag" : ""}`;
  });
  return `${placeOf(one.at, rule)} ${words.join(" and ")}`;
}

function whoText(who: Who): string {
  switch (who.type) {
    case "all":
      return "(everybody)";
    case "and":
    case "or":
      return who.of.map((one) => whoText(one)).join(` ${who.type} `);
    case "equal":
      return `${fieldText(who.field)} is ${quoteText(who.value)}`;
    case "pattern":
      return `${fieldText(who.field)} matches ${quoteText(who.pattern)}`;
    case "address":
      return "the address is in a given range";
    case "constant":
      return who.value ? "(everybody)" : "(nobody)";
    case "raise":
      return "(a condition that fails)";
  }
}

function fieldText(field: WhoField): string {
  return field.name === "client_attr" ? `client_attrs.${textOf(field.attr)}` : field.name;
}

/** Does this one rule apply? */
function asks(
  memory: CoreMemory,
  handle: number,
  rule: Rule,
  bit: number,
  topic: Text,
  switches: Switches,
): boolean {
  setTokenRules(memory, handle, compileRules([rule], { switches }).blob);
  return decide(memory, handle, bit, topic).verdict !== "no_match";
}

function renderEntry(
  entry: TopicEntry,
  record: ReturnType<typeof templateRecord>,
  switches: Switches,
): string {
  if (entry.type === "equal") return `eq ${textOf(entry.text)}`;
  const template = parseTemplate(textOf(entry.text), { allowed: TOPIC_NAMES, switches });
  const rendered = renderTopic(template, record, switches);
  if (rendered.ok) return rendered.value;
  const names = "names" in rendered ? rendered.names.join(", ") : "";
  return `${template.source} (no value for ${names || "a placeholder"})`;
}

function textOf(text: Text): string {
  return typeof text === "string" ? text : quoteText(text);
}
