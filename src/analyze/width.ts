/** Allow rules that admit more than they seem to. */
import { ACTION_SUBSCRIBE_ANY } from "../../assembly/abi.ts";
import type { Rule } from "../compile/rule/ast.ts";
import type { Switches } from "../config/compatibility.ts";
import { isImplied } from "./condition.ts";
import { hasSafePlaceholders, type Level, type SymbolicTopic, showLevels } from "./levels.ts";
import { describeActions, describeFieldName } from "./words.ts";

export interface Width {
  readonly message: string;
  readonly hint: string;
}

/** Fields that a client chooses freely unless an authenticator ties them down. */
const CHOSEN = ["clientid", "username"];

/**
 * What is wide about an allow rule. `firstLevels` are the first levels that the file names: a client
 * that calls itself one of them gets what is below.
 */
export function widthsOf(
  rule: Rule,
  topics: readonly (SymbolicTopic | undefined)[],
  firstLevels: readonly string[],
  switches: Switches,
): Width[] {
  if (rule.permission !== "allow" || rule.actions === 0) return [];
  const isForEveryone = isImplied({ type: "all" }, rule.who);
  return topics.flatMap((topic) => {
    const open = isForEveryone ? openToAll(topic, rule.actions) : undefined;
    if (open) return [open];
    if (topic?.type === "loose") return [looseWidth(topic)];
    if (topic?.type !== "levels" || !hasSafePlaceholders(switches)) return [];
    return [firstLevelWidth(topic.levels, firstLevels), wildWidth(topic.levels)].flatMap(
      (one) => one ?? [],
    );
  });
}

function openToAll(topic: SymbolicTopic | undefined, actions: number): Width | undefined {
  const what = describeActions(actions);
  if (!topic) {
    return {
      message: `everyone may ${what} on every topic, \`$SYS/…\` included`,
      hint: "end the file with {deny, all}. and allow what is needed before it",
    };
  }
  const text = topic.type === "levels" ? showLevels(topic.levels) : undefined;
  if (text !== "#" && text !== "+/#") return undefined;
  return {
    message: `\`${text}\`: everyone may ${what} on every topic that does not begin with \`$\``,
    hint: "begin the filter with a level of its own",
  };
}

/** `${username}/#`: the client picks the top-level topic. */
function firstLevelWidth(
  levels: readonly Level[],
  firstLevels: readonly string[],
): Width | undefined {
  const [first] = levels;
  if (first?.type !== "template") return undefined;
  const [only, more] = first.parts;
  if (only?.type !== "variable" || more) return undefined;
  const name = describeFieldName(only.name);
  const taken = firstLevels.find((text) => text !== "" && !text.startsWith("$")) ?? "admin";
  const granted = showLevels([{ type: "text", text: taken }, ...levels.slice(1)]);
  return {
    message: `\`${showLevels(levels)}\`: the first level is whatever the ${name} is, so \`${taken}\` gets \`${granted}\``,
    hint: `put a level of its own in front: \`clients/${showLevels(levels)}\``,
  };
}

/** `+/${clientid}`: any subtree that has the client's name at this level. */
function wildWidth(levels: readonly Level[]): Width | undefined {
  const wild = levels.findIndex(({ type }) => type === "plus");
  const place = levels.findIndex(({ type }) => type === "template");
  if (wild === -1 || place < wild) return undefined;
  const example = levels.map(
    (level, at): Level =>
      level.type === "plus" && at < place ? { type: "text", text: "any" } : level,
  );
  return {
    message: `\`${showLevels(levels)}\`: the wildcard before the placeholder admits every subtree, such as \`${showLevels(example)}\``,
    hint: "name the levels before the placeholder",
  };
}

function looseWidth(topic: SymbolicTopic & { type: "loose" }): Width {
  const reach =
    topic.prefix.length > 0
      ? `\`${showLevels(topic.prefix)}/#\``
      : "every topic, `$SYS/#` included";
  const names = CHOSEN.map(describeFieldName).join(" or ");
  return {
    message: `\`${topic.text}\`: a value with \`/\`, \`+\` or \`#\` can widen it, up to ${reach}`,
    hint: `use strict mode, or make sure that no ${names} can hold these characters`,
  };
}

export interface DeniedDelivery {
  /** The filter that may be subscribed to. */
  readonly wide: string;
  /** What is denied of it. */
  readonly denied: string;
  /** The rule that denies. */
  readonly by: string;
  readonly switches: Switches;
}

/** What a deny rule leaves open: deliveries of wider subscriptions. */
export function deliveryWidth({ wide, denied, by, switches }: DeniedDelivery): Width {
  return switches.enforce_delivery
    ? {
        message: `a subscription to \`${wide}\` has each delivery checked, because ${by} denies \`${denied}\``,
        hint: "none needed; a filter that leaves the denied topics out is delivered faster",
      }
    : {
        message: `a subscription to \`${wide}\` delivers \`${denied}\` too: ${by}, which denies it, is only compared with what is asked for`,
        hint: "switch enforce_delivery on, or allow a filter that leaves the denied topics out",
      };
}

/** Does the rule speak about subscribing? */
export function isAboutSubscribing(rule: Rule): boolean {
  return (rule.actions & ACTION_SUBSCRIBE_ANY) !== 0;
}
