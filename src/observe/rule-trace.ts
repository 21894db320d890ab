/**
 * Which rules were tried and why they did not apply, for `portcullis explain`. Each rule's parts are
 * put to the core on their own, so that an explanation cannot disagree with the decision.
 */
import { ACTION_ANY, ENTRY_RULES } from "../../assembly/abi.ts";
import { describeActions, describeWho } from "../analyze/words.ts";
import type { PolicySession } from "../authz/session.ts";
import { type StoredLists, UNUSABLE } from "../authz/stored-rules.ts";
import { packImage } from "../compile/image.ts";
import type { Rule, TopicEntry, Who } from "../compile/rule/ast.ts";
import { compileRules } from "../compile/rule/compile.ts";
import { coreSwitches } from "../compile/switches.ts";
import { parseTemplate } from "../compile/template.ts";
import { TOPIC_NAMES } from "../compile/template-places.ts";
import type { Switches } from "../config/compatibility.ts";
import { failureDenies } from "../connect/token-rules.ts";
import { loadModule } from "../core/module.ts";
import type { RequestFields } from "../core/request.ts";
import { actionBit, closeClient, decide, openClient, setTokenRules } from "../core/rules.ts";
import { type CoreMemory, type CoreModule, instantiate } from "../core/wasm.ts";
import type { Engine } from "../engine.ts";
import type { LoadedPolicy } from "../policy.ts";
import { templateRecord } from "../template/record.ts";
import { renderTopic } from "../template/render.ts";
import { splitDelayed } from "../topic/delayed.ts";
import type { Action, StoredListName, Text } from "../types.ts";
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

/** Puts every rule's parts to the core. Cost: a few small compilations a rule. */
function traceRules(
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
      if (!applies({ ...rule, actions: ACTION_ANY, topics: "all" })) misses.push("client");
      if (!applies({ ...rule, actions: ACTION_ANY, who: { type: "all" } })) misses.push("topic");
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

/** LIMIT: rules an explanation lists. The deciding one and those that nearly apply come first. */
const RULES_SHOWN_MAX = 200;

/** LIMIT: rules that are taken apart; about a second. */
const RULES_TRACED_MAX = 20_000;

export interface RulesExplanation {
  /** Which rules were tried and what did not fit. Those behind the deciding one are left out. */
  readonly steps: readonly TraceStep[];
  /** The allowing rules that came closest, best first, with what differs in words. */
  readonly closest: readonly string[];
}

/** How many of the closest rules are told. */
const CLOSEST_MAX = 3;

interface RuleList {
  readonly stage: string;
  /** Of stored rules: whose they are. */
  readonly name?: StoredListName | undefined;
  readonly rules: readonly Rule[];
  /** Nothing is asked after it, whether one of its rules applies or not. */
  readonly isLast?: boolean | undefined;
}

/**
 * Why the rules of the client's token and of the policy decide as they do. Nothing for a superuser,
 * who meets no rules. `topic` is what `session.authorize` is asked about.
 */
export async function explainRules(
  engine: Engine,
  rules: readonly Rule[],
  session: PolicySession,
  { action, topic }: { readonly action: Action; readonly topic: string },
): Promise<RulesExplanation> {
  const inner = splitDelayed(topic);
  if (inner === undefined || session.isSuperuser) return { steps: [], closest: [] };
  const { policy } = engine;
  const { switches } = policy.config;
  const module = await loadModule();
  let skipped: string | undefined;
  const steps: TraceStep[] = [];
  const near: { readonly trace: RuleTrace; readonly rule: Rule; readonly place: string }[] = [];
  for (const list of ruleLists(policy, rules, session)) {
    if (list.stage === skipped) continue;
    const traced = list.rules.slice(0, RULES_TRACED_MAX);
    const traces = traceRules(module, traced, session.fields, action, inner, switches);
    const last = traces.findIndex(({ misses }) => misses.length === 0);
    steps.push(...stepsOf(list, last === -1 ? traces : traces.slice(0, last + 1)));
    for (const trace of traces) {
      const rule = traced[trace.rule]!;
      if (rule.permission !== "allow" || trace.misses.length === 0) continue;
      near.push({ trace, rule, place: placeOf(list, trace.rule) });
    }
    if (traced[last]?.who.type === "raise" && !failureDenies(policy.failureMode)) {
      skipped = list.stage;
    } else if (list.isLast || last !== -1) break;
  }
  near.sort((a, b) => a.trace.misses.length - b.trace.misses.length);
  const closest = near
    .slice(0, CLOSEST_MAX)
    .map(({ trace, rule, place }) => describeMisses(trace, rule, place));
  return { steps, closest };
}

/** In the order in which they are asked. */
function ruleLists(
  { storedRules }: LoadedPolicy,
  rules: readonly Rule[],
  { tokenRules, fields }: PolicySession,
): readonly RuleList[] {
  const lists: RuleList[] = [{ stage: "authorization", rules }];
  if (storedRules) {
    const stored = storedLists(storedRules.read(fields));
    if (storedRules.options.isBehindFile) lists.push(...stored);
    else lists.unshift(...stored);
  }
  if (tokenRules) {
    const isLast = tokenRules.denyOtherwise;
    lists.unshift({ stage: "token acl", rules: tokenRules.rules, isLast });
  }
  return lists;
}

function storedLists(stored: StoredLists | undefined): readonly RuleList[] {
  const stage = "built_in_database";
  if (!stored) {
    return [{ stage, rules: [{ ...UNUSABLE, text: "the built-in database cannot be read" }] }];
  }
  return (["clientid", "username", "all"] as const).map((name) => {
    return { stage, name, rules: stored[name] };
  });
}

/** A step for each rule; of many, for those that differ least. */
function stepsOf(list: RuleList, tried: readonly RuleTrace[]): readonly TraceStep[] {
  const { stage, rules } = list;
  const byMisses = [...tried].sort((a, b) => a.misses.length - b.misses.length);
  const shown = new Set(byMisses.slice(0, RULES_SHOWN_MAX));
  const steps = tried
    .filter((trace) => shown.has(trace))
    .map(({ rule: number, misses, topics }): TraceStep => {
      const rule = rules[number]!;
      return {
        stage,
        at: placeOf(list, number),
        outcome: misses.length > 0 ? "no match" : rule.who.type === "raise" ? "failure" : "applies",
        detail: `${misses.length ? `${misses.join(", ")} differs: ` : ""}${rule.text ?? describeRule(rule)} → ${topics.join(" ")}`,
        position: rule.at,
      };
    });
  const left = tried.length - shown.size;
  if (left === 0) return steps;
  const detail = `${left} more rules, which differ in more, are not shown`;
  return [{ stage, at: "", outcome: "no match", detail }, ...steps];
}

function placeOf({ name, rules }: RuleList, rule: number): string {
  const at = rules[rule]?.at;
  return at ? `${at.file}:${at.line}` : `${name ? `${name} ` : ""}rule ${rule + 1}`;
}

/** A rule that stands in no file, in words. */
function describeRule({ permission, actions, who }: Rule): string {
  const whom = who.type === "all" ? "" : ` if ${describeWho(who)}`;
  return `${permission} ${describeActions(actions)}${whom}`;
}

/** `acl.conf:3 allows only subscribe and covers only a/b`. */
function describeMisses({ misses, topics }: RuleTrace, one: Rule, place: string): string {
  const words = misses.map((miss) => {
    if (miss === "client") return `is for ${clientsText(one.who)}`;
    if (miss === "topic") return `covers only ${topics.join(", ") || "nothing"}`;
    return `allows only ${describeActions(one.actions)}`;
  });
  return `${place} ${words.join(" and ")}`;
}

function clientsText(who: Who): string {
  const isAboutField = who.type !== "constant" && who.type !== "raise" && who.type !== "all";
  return isAboutField ? `clients whose ${describeWho(who)}` : describeWho(who);
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
