/** `batch topic_match`, `topic_parse` and `topic_set`: the topic functions on one line each. */

import { matchTopic } from "../core/rules.ts";
import type { CoreMemory } from "../core/wasm.ts";
import { countLevels, hasWildcard, type ParsedFilter, parseTopicFilter } from "../topic/filter.ts";
import { intersectFilters, isFilterSubset } from "../topic/set.ts";
import { validateParsedFilter, validateTopicFilter, validateTopicName } from "../topic/validate.ts";
import { decodeText, TermError } from "./terms.ts";

type Line = Readonly<Record<string, unknown>>;

/** `{filter, topic}` → `{match}`. Neither is validated. */
export function answerTopicMatch({ filter, topic }: Line, memory: CoreMemory): object {
  return { match: matchTopic(memory, decodeText(filter), decodeText(topic)) };
}

/** `{topic, queue_alias?}` → how it parses, and what the validations say. */
export function answerTopicParse({ topic, queue_alias }: Line): object {
  const text = decodeText(topic);
  const parse = parseTopicFilter(text, { queueAlias: queue_alias !== false });
  const parsed = parse.ok ? validateParsedFilter(parse.parsed) : parse.error;
  return {
    parse: parse.ok ? parsedTerm(parse.parsed) : { error: parse.error },
    validate_filter: validateTopicFilter(text) ?? "ok",
    validate_name: validateTopicName(text) ?? "ok",
    validate_parsed: parsed ?? "ok",
    wildcard: hasWildcard(text),
    levels: countLevels(text),
  };
}

/** `{a, b}` → intersection and inclusion of two filters. */
export function answerTopicSet({ a, b }: Line): object {
  const first = decodeText(a);
  const second = decodeText(b);
  if (typeof first !== "string" || typeof second !== "string") {
    throw new TermError("filters are UTF-8");
  }
  return {
    intersection: intersectFilters(first, second) ?? false,
    a_subset_of_b: isFilterSubset(first, second),
    b_subset_of_a: isFilterSubset(second, first),
  };
}

function parsedTerm({ filter, shareGroup, isExclusive }: ParsedFilter): object {
  return {
    filter,
    opts: isExclusive ? { is_exclusive: true } : {},
    ...(shareGroup === undefined ? {} : { share_group: shareGroup }),
  };
}
