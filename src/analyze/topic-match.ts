/** Does a rule's topic select one request, and what must placeholders stand for? */
import type { TemplatePart } from "../compile/rule/topic-template.ts";
import { textKey } from "../compile/rule/words.ts";
import type { Switches } from "../config/compatibility.ts";
import type { Action } from "../types.ts";
import { isSafeValue } from "./binding.ts";
import { ANYBODY, type Facts, joinFacts } from "./condition.ts";
import {
  isSystemLevel,
  type Level,
  placeholderField,
  type SymbolicTopic,
  showLevel,
} from "./levels.ts";
import { describeFieldName } from "./words.ts";

export interface TopicMatch {
  /** What the client's placeholders have to be. */
  readonly facts: Facts;
  /** The same in words; undefined when nothing is asked. */
  readonly words: string | undefined;
}

export interface TopicQuestion {
  readonly permission: "allow" | "deny";
  readonly action: Action;
  readonly switches: Switches;
}

const ALWAYS: TopicMatch = { facts: ANYBODY, words: undefined };

/** Undefined: the topic selects the request for no client. Source: authorization §1.3, §9 items 3, 4. */
export function matchTopic(
  topic: SymbolicTopic | undefined,
  asked: { readonly levels: readonly Level[]; readonly key: string },
  question: TopicQuestion,
): TopicMatch | undefined {
  if (!topic) return ALWAYS;
  switch (topic.type) {
    case "never":
      return undefined;
    case "equal":
      return topic.key === asked.key ? ALWAYS : undefined;
    case "loose": {
      const reach: Level[] = [...topic.prefix, { type: "rest" }];
      const isReached =
        topic.prefix.length === 0 || matchLevels(reach, asked.levels, "overlap") !== undefined;
      if (!isReached) return undefined;
      const facts: Facts = { ...ANYBODY, opaque: new Set([`topic ${topic.key}`]) };
      return { facts, words: `\`${topic.text}\` with the client's values selects it` };
    }
    case "levels":
      return matchLevels(topic.levels, asked.levels, modeOf(question));
  }
}

type Mode = "tokens" | "containment" | "overlap";

function modeOf({ permission, action, switches }: TopicQuestion): Mode {
  if (action.type === "publish") return "tokens";
  if (permission === "allow") return switches.subscribe_containment ? "containment" : "tokens";
  return switches.overlap_denies ? "overlap" : "tokens";
}

function matchLevels(
  filter: readonly Level[],
  asked: readonly Level[],
  mode: Mode,
): TopicMatch | undefined {
  if (!mayMeetAtRoot(filter[0], asked[0], mode)) return undefined;
  let facts = ANYBODY;
  const words: string[] = [];
  for (let at = 0; ; at++) {
    const level = filter[at];
    const wanted = asked[at];
    if (level?.type === "rest") break;
    if (wanted?.type === "rest" && mode === "overlap") {
      // `#` takes in whatever the value becomes, but for `$…` at the root.
      if (at > 0 || level?.type !== "template") break;
      return reshaped(level, "#");
    }
    if (!level || !wanted) {
      if (level !== wanted) return undefined;
      break;
    }
    if (wanted.type === "rest" && mode === "containment") {
      // `+/#` and `#` mean the same.
      if (at > 0 || level.type !== "plus" || filter[1]?.type !== "rest") return undefined;
      break;
    }
    if (level.type === "plus") continue;
    const isMet = wanted.type === "plus" && mode === "overlap";
    if (isMet && level.type === "text") continue;
    const match =
      isMet && level.type === "template" ? reshaped(level, "+") : matchLevel(level, wanted, at);
    const joined = match && joinFacts(facts, match.facts);
    if (!joined) return undefined;
    facts = joined;
    if (match.words !== undefined) words.push(match.words);
  }
  return { facts, words: words.length > 0 ? words.join(" and ") : undefined };
}

/** A wildcard at the first level never meets a topic that begins with `$`. */
function mayMeetAtRoot(level: Level | undefined, wanted: Level | undefined, mode: Mode): boolean {
  if (!level || !wanted) return true;
  const isWild = (one: Level): boolean => one.type === "plus" || one.type === "rest";
  if (isWild(level) && isSystemLevel(wanted)) return false;
  return mode !== "overlap" || !(isWild(wanted) && isSystemLevel(level));
}

/** Deny rules insert every value; only one that is a level like others meets a wildcard for certain. */
function reshaped(level: Level & { type: "template" }, wildcard: string): TopicMatch {
  const facts: Facts = { ...ANYBODY, opaque: new Set([`level ${level.key} ${wildcard}`]) };
  return { facts, words: `\`${showLevel(level)}\` is one level` };
}

/** A level without wildcards against the level that is asked for. */
function matchLevel(level: Level, wanted: Level, at: number): TopicMatch | undefined {
  // The value of a placeholder holds no wildcard.
  if (wanted.type !== "text") return undefined;
  if (level.type === "text") return level.text === wanted.text ? ALWAYS : undefined;
  if (level.type !== "template") return undefined;
  const names = new Set(
    level.parts.flatMap((part) => (part.type === "variable" ? [part.name] : [])),
  );
  if (names.size > 1) return matchSeveral(level, wanted.text);
  const [name] = names;
  const value = name === undefined ? undefined : solveOne(level.parts, wanted.text);
  if (name === undefined || value === undefined) return undefined;
  if (!isSafeValue(value, at === 0 && level.parts[0]?.type === "variable")) return undefined;
  const field = placeholderField(name);
  const facts: Facts = { ...ANYBODY, equals: new Map([[field, textKey(value)]]) };
  return { facts, words: `${describeFieldName(name)} is \`${value}\`` };
}

/** The one value with which the parts spell the text; the placeholder may stand there repeatedly. */
function solveOne(parts: readonly TemplatePart[], text: string): string | undefined {
  const literal = parts.reduce(
    (sum, part) => sum + (part.type === "text" ? part.text.length : 0),
    0,
  );
  const count = parts.filter(({ type }) => type === "variable").length;
  const length = (text.length - literal) / count;
  if (!Number.isInteger(length) || length < 1) return undefined;
  const [first] = parts;
  const from = first?.type === "text" ? first.text.length : 0;
  const value = text.slice(from, from + length);
  const spelled = parts.map((part) => (part.type === "text" ? part.text : value)).join("");
  return spelled === text ? value : undefined;
}

/** Several placeholders in one level: many values may do, so only the whole is said. */
function matchSeveral(level: Level & { type: "template" }, text: string): TopicMatch | undefined {
  const pattern = level.parts.map((part) =>
    part.type === "text" ? part.text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : ".+",
  );
  if (!new RegExp(`^${pattern.join("")}$`, "s").test(text)) return undefined;
  const facts: Facts = { ...ANYBODY, opaque: new Set([`level ${level.key} ${text}`]) };
  return { facts, words: `\`${showLevel(level)}\` spells \`${text}\`` };
}
