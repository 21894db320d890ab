/** A question as JSON: who wants to connect, and what it wants to do. */
import type { Action, ClientInfo } from "../../src/types.ts";

export const QUESTION_BYTES_MAX = 262144;
const ACTIONS_MAX = 100;
const NAME_CHARS_MAX = 32;

export interface EdgeQuestion {
  readonly client: ClientInfo;
  readonly actions?: readonly { readonly action: Action; readonly topic: string }[] | undefined;
}

/** The question cannot be read; `message` says how to write it. */
export class QuestionError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Reads `{ clientid, username?, password?, peerhost?, listener?, zone?, user_property?, actions? }`
 * with actions `{ action: "publish" | "subscribe", topic, qos?, retain? }`. Unknown members are
 * refused, so that a misspelt one is never silently left out of a decision.
 */
export function parseQuestion(text: string): EdgeQuestion {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new QuestionError(400, "the question is not JSON");
  }
  const members = objectOf(value, "the question", [
    "clientid",
    "username",
    "password",
    "peerhost",
    "listener",
    "zone",
    "user_property",
    "actions",
  ]);
  const client: ClientInfo = {
    clientId: textOf(members.clientid, "clientid") ?? "",
    username: textOf(members.username, "username"),
    password: textOf(members.password, "password"),
    peerHost: textOf(members.peerhost, "peerhost"),
    listener: textOf(members.listener, "listener"),
    zone: textOf(members.zone, "zone"),
    userProperties: textsOf(members.user_property, "user_property"),
  };
  return { client, actions: actionsOf(members.actions) };
}

function actionsOf(value: unknown): EdgeQuestion["actions"] {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.length > ACTIONS_MAX) {
    throw new QuestionError(400, `\`actions\` is a list of at most ${ACTIONS_MAX}`);
  }
  return value.map((one, index) => {
    const at = `actions[${index}]`;
    const {
      action,
      topic,
      qos = 0,
      retain = false,
    } = objectOf(one, at, ["action", "topic", "qos", "retain"]);
    if (typeof topic !== "string") throw new QuestionError(400, `\`${at}.topic\` is a text`);
    if (qos !== 0 && qos !== 1 && qos !== 2) {
      throw new QuestionError(400, `\`${at}.qos\` is 0, 1 or 2`);
    }
    if (typeof retain !== "boolean") {
      throw new QuestionError(400, `\`${at}.retain\` is true or false`);
    }
    if (action === "publish") return { action: { type: "publish", qos, retain }, topic };
    if (action === "subscribe") return { action: { type: "subscribe", qos }, topic };
    throw new QuestionError(400, `\`${at}.action\` is "publish" or "subscribe"`);
  });
}

function objectOf(value: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new QuestionError(400, `${at} is an object with the members ${names.join(", ")}`);
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const listed = names.join(", ");
    throw new QuestionError(400, `${at} has no member \`${shown(unknown)}\`: ${listed}`);
  }
  return value as Record<string, unknown>;
}

/** A name out of the question; it may be a token that slipped into the wrong place. */
function shown(name: string): string {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name;
}

function textOf(value: unknown, at: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new QuestionError(400, `\`${at}\` is a text`);
  return value;
}

function textsOf(value: unknown, at: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new QuestionError(400, `\`${at}\` is an object of texts`);
  }
  const texts: Record<string, string> = Object.create(null);
  for (const [name, one] of Object.entries(value)) {
    if (typeof one !== "string") throw new QuestionError(400, `\`${at}.${shown(name)}\` is a text`);
    texts[name] = one;
  }
  return texts;
}
