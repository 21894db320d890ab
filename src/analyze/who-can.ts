/** Which rules admit one request, for which clients, and which deny rules narrow them. */
import type { Rule } from "../compile/rule/ast.ts";
import { textKey } from "../compile/rule/words.ts";
import type { Switches } from "../config/compatibility.ts";
import { splitDelayed } from "../topic/delayed.ts";
import { parseTopicFilter } from "../topic/filter.ts";
import { validateParsedFilter, validateTopicName } from "../topic/validate.ts";
import type { Action, Verdict } from "../types.ts";
import { ANYBODY, alternativesOf, canEscape, type Facts, joinFacts } from "./condition.ts";
import { Bucket } from "./filter-index.ts";
import { type Level, plainLevels, type SymbolicTopic, symbolicTopic } from "./levels.ts";
import { overlapOf } from "./overlap.ts";
import { matchTopic, type TopicMatch } from "./topic-match.ts";
import { describeWho } from "./words.ts";

export interface WhoCanQuestion {
  readonly action: Action;
  /** Topic name or requested filter, as a client writes it. */
  readonly topic: string;
  readonly switches: Switches;
  /** What follows when no rule applies. */
  readonly noMatch: Verdict;
}

export interface Admission {
  /** From 1. */
  readonly rule: number;
  /** `everyone`, or `if username is …`. */
  readonly who: string;
  readonly except: readonly Exception[];
}

/** An earlier deny rule that takes clients, or deliveries, away. */
export interface Exception {
  readonly rule: number;
  readonly who: string;
  /** The subscription is admitted, but these topics of it are not delivered. */
  readonly isDelivery: boolean;
  readonly filter?: string | undefined;
}

export interface WhoCanAnswer {
  readonly admissions: readonly Admission[];
  /** Clients that no rule decides are let through by `no_match`. */
  readonly otherwise: boolean;
  /** Why nobody can ask this at all. */
  readonly refused?: string | undefined;
}

/** LIMIT: exceptions that are listed of one rule. */
export const EXCEPTIONS_MAX = 50;

/**
 * Answers for all clients at once. A rule is listed when some client can be decided by it; that is
 * exact for equalities and addresses, and a pattern is taken to hold for somebody and to fail for
 * somebody. So no rule that admits anybody is left out. Cost: one pass over the rules.
 */
export function whoCan(rules: readonly Rule[], question: WhoCanQuestion): WhoCanAnswer {
  const asked = readRequest(question);
  if ("refused" in asked) return { admissions: [], otherwise: false, refused: asked.refused };
  const decided = new Bucket();
  const denied: Denied[] = [];
  const admissions: Admission[] = [];
  for (const [number, rule] of rules.entries()) {
    const place = placeRule(rule, number, asked, question);
    const open = place.alternatives.filter((facts) =>
      canEscape(facts, [...factsOf(decided, facts)]),
    );
    if (open.length > 0 && rule.permission === "allow") {
      admissions.push({
        rule: number + 1,
        who: describeClients(rule, place.matches),
        except: exceptionsOf(open, denied),
      });
    }
    if (rule.permission === "deny") denied.push(...deniedBy(rule, number, place, asked, question));
    for (const facts of place.certain) {
      decided.add({
        rule: number,
        permission: rule.permission,
        actions: rule.actions,
        isContaining: false,
        facts,
        topic: undefined,
      });
    }
  }
  const isOpen = canEscape(ANYBODY, [...factsOf(decided, ANYBODY)]);
  return { admissions, otherwise: question.noMatch === "allow" && isOpen };
}

interface Asked {
  readonly bit: number;
  readonly levels: readonly Level[];
  readonly key: string;
}

function readRequest({ action, topic }: WhoCanQuestion): Asked | { readonly refused: string } {
  let text = topic;
  if (action.type === "subscribe") {
    const parse = parseTopicFilter(topic);
    const problem = parse.ok ? validateParsedFilter(parse.parsed) : parse.error;
    if (!parse.ok || problem) return { refused: `the filter is not valid (${problem})` };
    text = parse.parsed.filter as string;
  } else {
    const problem = validateTopicName(topic);
    if (problem) return { refused: `the topic name is not valid (${problem})` };
  }
  const inner = splitDelayed(text);
  if (typeof inner !== "string") return { refused: "the part after `$delayed/` has no `/`" };
  const bit =
    action.type === "subscribe"
      ? 64 << action.qos
      : 1 << (action.qos * 2 + (action.retain ? 1 : 0));
  return { bit, levels: plainLevels(inner), key: textKey(inner) };
}

interface PlacedRule {
  readonly matches: readonly TopicMatch[];
  /** For whom the rule may apply. */
  readonly alternatives: readonly Facts[];
  /** For whom it certainly does. */
  readonly certain: readonly Facts[];
}

const NOWHERE: PlacedRule = { matches: [], alternatives: [], certain: [] };

function placeRule(rule: Rule, number: number, asked: Asked, question: WhoCanQuestion): PlacedRule {
  if ((rule.actions & asked.bit) === 0) return NOWHERE;
  const { switches, action } = question;
  const matches: TopicMatch[] = [];
  for (const topic of topicsOf(rule, switches)) {
    const match = matchTopic(topic, asked, { permission: rule.permission, action, switches });
    if (match) matches.push(match);
  }
  if (matches.length === 0) return NOWHERE;
  const known = alternativesOf(rule.who);
  const who = known ?? [{ ...ANYBODY, opaque: new Set([`rule ${number}`]) }];
  const alternatives = who.flatMap((facts) =>
    matches.flatMap((match) => joinFacts(facts, match.facts) ?? []),
  );
  return { matches, alternatives, certain: known ? alternatives : [] };
}

function topicsOf(rule: Rule, switches: Switches): readonly (SymbolicTopic | undefined)[] {
  if (rule.topics === "all") return [undefined];
  return rule.topics.map((entry) => symbolicTopic(entry, rule.permission, switches));
}

function* factsOf(bucket: Bucket, facts: Facts): Generator<Facts> {
  for (const placed of bucket.given(facts)) yield placed.facts;
}

interface Denied {
  readonly facts: Facts;
  readonly exception: Exception;
}

/** For whom a deny rule refuses the request, or deliveries of what it asks for. */
function deniedBy(
  rule: Rule,
  number: number,
  place: PlacedRule,
  asked: Asked,
  { action, switches }: WhoCanQuestion,
): Denied[] {
  if (place.alternatives.length > 0) {
    const who = describeClients(rule, place.matches);
    const exception: Exception = { rule: number + 1, who, isDelivery: false };
    return place.alternatives.map((facts) => ({ facts, exception }));
  }
  const isWild = asked.levels.some(({ type }) => type === "plus" || type === "rest");
  if (action.type !== "subscribe" || !isWild || !switches.enforce_delivery) return [];
  if ((rule.actions & asked.bit) === 0) return [];
  const request: SymbolicTopic = { type: "levels", levels: asked.levels };
  return topicsOf(rule, switches).flatMap((topic) =>
    (alternativesOf(rule.who) ?? [ANYBODY]).flatMap((facts): Denied[] => {
      const overlap = overlapOf(topic, request, facts.equals);
      if (!overlap) return [];
      const who = describeClients(rule, []);
      const exception = { rule: number + 1, who, isDelivery: true, filter: overlap.filter };
      return [{ facts, exception }];
    }),
  );
}

function exceptionsOf(open: readonly Facts[], denied: readonly Denied[]): Exception[] {
  const found = new Map<string, Exception>();
  for (const { facts, exception } of denied) {
    const key = `${exception.rule} ${exception.filter ?? ""}`;
    if (found.has(key) || !open.some((one) => joinFacts(one, facts))) continue;
    found.set(key, exception);
    if (found.size >= EXCEPTIONS_MAX) break;
  }
  return [...found.values()];
}

function describeClients(rule: Rule, matches: readonly TopicMatch[]): string {
  const who = describeWho(rule.who);
  const isFree = matches.length === 0 || matches.some(({ words }) => words === undefined);
  const values = isFree ? undefined : matches.map(({ words }) => words).join(" or ");
  if (who === "everyone") return values === undefined ? who : `if ${values}`;
  if (values === undefined) return who.startsWith("everyone") ? who : `if ${who}`;
  const inner = rule.who.type === "or" && rule.who.of.length > 1 ? `(${who})` : who;
  return `if ${inner} and ${matches.length > 1 ? `(${values})` : values}`;
}
