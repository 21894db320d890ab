/** Short ways to write rules and requests in tests. */
import type { Rule, TopicEntry, Who } from "../../src/compile/rule/ast.ts";
import type { Action } from "../../src/types.ts";

export const EVERYONE: Who = { type: "all" };
export const PUBLISH: Action = { type: "publish", qos: 0, retain: false };
export const SUBSCRIBE: Action = { type: "subscribe", qos: 0 };

export function filter(text: TopicEntry["text"]): TopicEntry {
  return { type: "filter", text };
}

export function equal(text: TopicEntry["text"]): TopicEntry {
  return { type: "equal", text };
}

export function userIs(value: string): Who {
  return { type: "equal", field: { name: "username" }, value };
}

/** An allow rule for every action. */
export function allow(topics: Rule["topics"], who: Who = EVERYONE): Rule {
  return { permission: "allow", who, actions: 511, topics };
}

export function deny(topics: Rule["topics"], who: Who = EVERYONE): Rule {
  return { permission: "deny", who, actions: 511, topics };
}
