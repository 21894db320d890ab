/**
 * Plain reference: which rule decides. Written to be read beside the specification (authorization
 * §3 and §9), not to be fast; shares nothing with the compiler's emitters or the core.
 */
import type { Rule, TopicEntry } from "../../src/compile/rule/ast.ts";
import type { Switches } from "../../src/config/compatibility.ts";
import type { Action, Text } from "../../src/types.ts";
import { byteString, type ReferenceClient } from "./client.ts";
import { renderTopic } from "./template.ts";
import { filterContains, filtersOverlap, topicMatches } from "./topic.ts";
import { ReferenceFailure, whoMatches } from "./who.ts";

export interface ReferenceDecision {
  /** `exception`: a condition failed, the source has no answer. */
  readonly verdict: "allow" | "deny" | "nomatch" | "exception";
  /** Index of the deciding rule, -1 without one. */
  readonly rule: number;
}

/** The first rule whose action, who and topic all fit. `topic` is a name, or a requested filter. */
export function referenceDecide(
  rules: readonly Rule[],
  client: ReferenceClient,
  action: Action,
  topic: Text,
  switches: Switches,
): ReferenceDecision {
  const requested = byteString(topic);
  for (const [index, rule] of rules.entries()) {
    try {
      if ((rule.actions & actionBit(action)) === 0) continue;
      if (!whoMatches(rule.who, client, switches)) continue;
    } catch (error) {
      if (error instanceof ReferenceFailure) return { verdict: "exception", rule: index };
      throw error;
    }
    if (topicsMatch(rule, client, action, requested, switches)) {
      return { verdict: rule.permission, rule: index };
    }
  }
  return { verdict: "nomatch", rule: -1 };
}

function actionBit(action: Action): number {
  return action.type === "subscribe"
    ? 64 << action.qos
    : 1 << (action.qos * 2 + (action.retain ? 1 : 0));
}

function topicsMatch(
  rule: Rule,
  client: ReferenceClient,
  action: Action,
  requested: string,
  switches: Switches,
): boolean {
  if (rule.topics === "all") return true;
  return rule.topics.some((entry) =>
    entryMatches(entry, rule.permission, client, action, requested, switches),
  );
}

/**
 * `eq` entries compare as they are, under every switch. A filter selects the requested topic; for
 * SUBSCRIBE an allow rule has to contain the requested filter, and a deny rule may go by overlap.
 */
function entryMatches(
  entry: TopicEntry,
  permission: Rule["permission"],
  client: ReferenceClient,
  action: Action,
  requested: string,
  switches: Switches,
): boolean {
  const text = byteString(entry.text);
  if (entry.type === "equal") return text === requested;
  const filter = renderTopic(text, client, switches, permission);
  if (filter === undefined) return false;
  if (action.type === "subscribe") {
    if (permission === "allow" && switches.subscribe_containment) {
      return filterContains(filter, requested);
    }
    if (permission === "deny" && switches.overlap_denies && filtersOverlap(filter, requested)) {
      return true;
    }
  }
  return topicMatches(filter, requested);
}
