/** When and where a publish to `$delayed/SECONDS/TOPIC` goes. Source: authorization §1.6. */
import { validateTopicName } from "../../../src/topic/validate.ts";

const PREFIX = "$delayed/";

/** LIMIT: seconds a message may wait, about 497 days; from here on a number is an epoch second. */
export const DELAY_SECONDS_MAX = 42_949_670;

export interface Delay {
  /** What is published in the end. */
  readonly topic: string;
  /** When, in ms since the epoch. */
  readonly atMs: number;
}

/**
 * Reads a topic name that is published to now. Undefined: it is not delayed. `malformed`: the part
 * that should be a time is none or lies too far ahead, or what follows is no topic name. Delays in
 * delays add up.
 *
 * @example readDelay("$delayed/5/a/b", 0) // { topic: "a/b", atMs: 5000 }
 */
export function readDelay(topic: string, nowMs: number): Delay | "malformed" | undefined {
  if (!topic.startsWith(PREFIX)) return undefined;
  let rest = topic;
  let atMs = nowMs;
  while (rest.startsWith(PREFIX)) {
    const [, digits, inner] = /^\$delayed\/(\d{1,10})\/(.*)$/s.exec(rest) ?? [];
    if (digits === undefined || inner === undefined) return "malformed";
    const seconds = Number(digits);
    atMs = seconds < DELAY_SECONDS_MAX ? atMs + seconds * 1000 : Math.max(atMs, seconds * 1000);
    rest = inner;
  }
  const isTooFar = atMs - nowMs > DELAY_SECONDS_MAX * 1000;
  return isTooFar || validateTopicName(rest) !== undefined ? "malformed" : { topic: rest, atMs };
}
