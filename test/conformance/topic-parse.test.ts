import { expect, test } from "vitest";
import { countLevels, hasWildcard, parseTopicFilter } from "../../src/topic/filter.ts";
import {
  validateParsedFilter,
  validateTopicFilter,
  validateTopicName,
} from "../../src/topic/validate.ts";
import { readVectors, type VectorText, vectorText } from "../support/vectors.ts";

interface TopicParseVector {
  readonly id: string;
  readonly topic: VectorText;
  readonly queue_alias?: boolean;
  readonly parse: object;
  readonly validate_filter: string;
  readonly validate_name: string;
  readonly validate_parsed: string;
  readonly wildcard: boolean;
  readonly levels: number;
}

const vectors = readVectors<TopicParseVector>("topic_parse");

test.each(vectors)(
  "parses and validates as recorded: $id",
  ({ id, topic, queue_alias, ...want }) => {
    const text = vectorText(topic);
    const parse = parseTopicFilter(text, { queueAlias: queue_alias });
    expect({
      parse: parse.ok
        ? {
            filter: parse.parsed.filter,
            opts: parse.parsed.isExclusive ? { is_exclusive: true } : {},
            ...(parse.parsed.shareGroup === undefined
              ? {}
              : { share_group: parse.parsed.shareGroup }),
          }
        : { error: parse.error },
      validate_filter: validateTopicFilter(text) ?? "ok",
      validate_name: validateTopicName(text) ?? "ok",
      validate_parsed: parse.ok ? (validateParsedFilter(parse.parsed) ?? "ok") : parse.error,
      wildcard: hasWildcard(text),
      levels: countLevels(text),
    }).toEqual(want);
  },
);
