/**
 * May this text be used as a topic name, or as a topic filter? Capability limits (levels, wildcards
 * or shared subscriptions switched off) are a separate question, asked after authorization.
 */
import { TOPIC_BYTES_MAX } from "../../assembly/abi.ts";
import type { Text } from "../types.ts";
import type { ParsedFilter } from "./filter.ts";
import { splitLevels, type TopicText, viewTopic } from "./text.ts";

/** Why a topic was refused. The words are EMQX's own. */
export type TopicError =
  | "empty_topic"
  | "topic_too_long"
  | "topic_invalid_#"
  | "topic_invalid_char"
  | "topic_name_error"
  | "share_subscription_topic_cannot_be_empty"
  | "share_subscription_group_name_cannot_be_empty"
  | "share_subscription_group_name_cannot_include_wildcard"
  | "$share_cannot_be_used_as_real_topic_filter";

const SHARE = "$share/";

/**
 * Is this a valid topic name (PUBLISH, will, Response Topic)? `undefined` when it is.
 *
 * `$share/…` has no meaning here. [MQTT5 4.7.1-1] [MQTT5 4.7.3-1..3] Source: authorization §1.2.
 */
export function validateTopicName(topic: Text): TopicError | undefined {
  const view = viewTopic(topic);
  const levels = splitLevels(view.string);
  return (
    checkLength(view) ??
    checkLevels(levels, view.isUtf8) ??
    (levels.some(isWildcardLevel) ? "topic_name_error" : undefined)
  );
}

/**
 * Is this a valid topic filter as SUBSCRIBE and UNSUBSCRIBE carry it, `$share/…` included?
 * `undefined` when it is.
 *
 * [MQTT5 4.7.1-1] [MQTT5 4.8.2-1..2] Source: authorization §1.2.
 */
export function validateTopicFilter(filter: Text): TopicError | undefined {
  const view = viewTopic(filter);
  const tooLong = checkLength(view);
  if (tooLong) return tooLong;
  if (!view.string.startsWith(SHARE)) return checkLevels(splitLevels(view.string), view.isUtf8);
  const rest = view.string.slice(SHARE.length);
  const slash = rest.indexOf("/");
  if (rest === "/" || slash === -1 || slash === rest.length - 1) {
    return "share_subscription_topic_cannot_be_empty";
  }
  return checkShare(rest.slice(0, slash), rest.slice(slash + 1), view.isUtf8);
}

/** Is the filter that parseTopicFilter found valid, group included? `undefined` when it is. */
export function validateParsedFilter(parsed: ParsedFilter): TopicError | undefined {
  if (parsed.shareGroup === undefined) return validateTopicFilter(parsed.filter);
  const group = viewTopic(parsed.shareGroup);
  const filter = viewTopic(parsed.filter);
  return checkShare(group.string, filter.string, group.isUtf8 && filter.isUtf8);
}

/** Is this whole level a wildcard? */
export function isWildcardLevel(level: string): boolean {
  return level === "+" || level === "#";
}

function checkLength(view: TopicText): TopicError | undefined {
  if (view.bytes === 0) return "empty_topic";
  return view.bytes > TOPIC_BYTES_MAX ? "topic_too_long" : undefined;
}

function checkShare(group: string, filter: string, isUtf8: boolean): TopicError | undefined {
  if (group === "") return "share_subscription_group_name_cannot_be_empty";
  if (filter === "") return "share_subscription_topic_cannot_be_empty";
  if (filter.startsWith(SHARE)) return "$share_cannot_be_used_as_real_topic_filter";
  if (/[+#]/.test(group)) return "share_subscription_group_name_cannot_include_wildcard";
  return checkLevels(splitLevels(filter), isUtf8);
}

/** Left to right, so that the first thing wrong names the error. */
function checkLevels(levels: readonly string[], isUtf8: boolean): TopicError | undefined {
  for (const [index, level] of levels.entries()) {
    if (level === "#" && index < levels.length - 1) return "topic_invalid_#";
    if (!isWildcardLevel(level) && /[+#\0]/.test(level)) return "topic_invalid_char";
  }
  return isUtf8 ? undefined : "topic_invalid_char";
}
