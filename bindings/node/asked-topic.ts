/**
 * What a client's request is judged by. Commands take topics as clients write them; the engine is
 * asked as the broker asks it: about the filter inside `$share/…`, and never about what is no topic.
 */
import { parseTopicFilter } from "../../src/topic/filter.ts";
import { validateTopicFilter, validateTopicName } from "../../src/topic/validate.ts";
import type { Action, Decision } from "../../src/types.ts";
import { readDelay } from "./broker/delayed-topic.ts";

export type Asked = { readonly topic: string } | { readonly refused: Decision };

/** The topic to ask about, or the refusal of a request that no policy can allow. */
export function askedTopic(action: Action, topic: string): Asked {
  if (action.type === "publish") {
    const problem = validateTopicName(topic);
    if (problem) return refuse(`this is no topic name (${problem})`);
    const hasTopic = /^\$delayed\/[^/]*\//.test(topic);
    if (hasTopic && readDelay(topic, Date.now()) === "malformed") {
      return refuse("the part after `$delayed/` is no number of seconds, or no topic follows it");
    }
    return { topic };
  }
  const problem = validateTopicFilter(topic);
  const parse = parseTopicFilter(topic);
  if (problem || !parse.ok || parse.parsed.filter === "") {
    return refuse(`this is no topic filter (${problem ?? "invalid_topic_filter"})`);
  }
  return { topic: parse.parsed.filter as string };
}

function refuse(message: string): Asked {
  const faults = [{ code: "ERR_TOPIC_INVALID", at: "topic", message }];
  return { refused: { verdict: "deny", reason: "malformed_topic", by: "packet", faults } };
}
