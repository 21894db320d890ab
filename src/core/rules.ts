/** Clients and their rules in the core: open, decide, close. */
import {
  INPUT_BYTES_MAX,
  OK,
  RULE_NONE,
  VERDICT_ALLOW,
  VERDICT_FAILED,
  VERDICT_NO_MATCH,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { Action, Text } from "../types.ts";
import type { RuleAnswer } from "./core.ts";
import { encodeClient, type RequestFields } from "./request.ts";
import { type CoreMemory, checkStatus, inputEnd, writeText } from "./wasm.ts";

/** The request bit of an action, as rules' masks and `decide` have it (ACTION_… in abi.ts). */
export function actionBit(action: Action): number {
  if (action.type === "subscribe") return 64 << action.qos;
  return 1 << (action.qos * 2 + (action.retain ? 1 : 0));
}

/**
 * Makes a client record and returns its handle; give it back with closeClient. An anonymous
 * client's username is `null`, not left out (authorization §3.4: it reads `undefined` in `emqx`
 * mode). Throws CoreError when memory or a limit is exceeded (64 attributes, 64 KiB each).
 */
export function openClient(memory: CoreMemory, fields: RequestFields): number {
  encodeClient(memory, fields);
  return checkStatus(memory.exports.client_open());
}

/**
 * Gives a client its own rules (a blob of compileRules, at most TOKEN_RULES_MAX rules), which are
 * tried before the image's; undefined takes them away. Throws CoreError when the blob is refused.
 */
export function setTokenRules(
  memory: CoreMemory,
  handle: number,
  blob: Uint8Array | undefined,
): void {
  if (blob) writeInput(memory, blob);
  checkStatus(memory.exports.client_rules(handle, blob?.length ?? 0));
}

/** Gives the record back. Throws CoreError for a handle that is not open. */
export function closeClient(memory: CoreMemory, handle: number): void {
  checkStatus(memory.exports.client_close(handle));
}

/**
 * What the rules say of one request (`bit`: actionBit). Throws CoreError for a handle that is not
 * open and for a topic over TOPIC_BYTES_MAX or TOPIC_LEVELS_MAX.
 *
 * Source: authorization §3, §9.
 */
export function decide(memory: CoreMemory, handle: number, bit: number, topic: Text): RuleAnswer {
  const answer = decidePacked(memory, handle, bit, topic);
  const verdict = verdictOf(answer);
  if (verdict === "no_match") return { verdict, origin: "image", rule: -1 };
  return { verdict, origin: originOf(answer), rule: ruleOf(answer) };
}

/** The same as one number, for verdictOf, originOf and ruleOf: a hot path makes no object. */
export function decidePacked(memory: CoreMemory, handle: number, bit: number, topic: Text): number {
  const length = writeInput(memory, topic);
  const answer = memory.decide(handle, length, bit);
  return answer >= OK ? answer : checkStatus(answer);
}

export function verdictOf(answer: number): RuleAnswer["verdict"] {
  switch (answer & 3) {
    case VERDICT_ALLOW:
      return "allow";
    case VERDICT_NO_MATCH:
      return "no_match";
    case VERDICT_FAILED:
      return "failed";
    default:
      return "deny";
  }
}

export function originOf(answer: number): RuleAnswer["origin"] {
  return (answer >> 2) & 1 ? "token" : "image";
}

/** From 0; -1 without a deciding rule. */
export function ruleOf(answer: number): number {
  const number = answer >>> 3;
  return number === RULE_NONE ? -1 : number;
}

/** Is every topic that the filter matches allowed, so that deliveries need no check? */
export function isCovered(memory: CoreMemory, handle: number, bit: number, filter: Text): boolean {
  const length = writeInput(memory, filter);
  return checkStatus(memory.exports.is_covered(handle, length, bit)) === 1;
}

/** Does the filter match the topic? Neither is validated. Source: authorization §1.3. */
export function matchTopic(memory: CoreMemory, filter: Text, topic: Text): boolean {
  const filterBytes = writeInput(memory, filter);
  const at = memory.inputPtr + filterBytes;
  const topicBytes = writeText(memory.bytes, at, inputEnd(memory), topic);
  if (topicBytes < 0) throw tooLarge();
  return checkStatus(memory.exports.topic_match(filterBytes, topicBytes)) === 1;
}

function writeInput(memory: CoreMemory, text: Text): number {
  const length = memory.writeInput(text);
  if (length < 0) throw tooLarge();
  return length;
}

function tooLarge(): CoreError {
  return new CoreError("ERR_LIMIT_INPUT", `the input is over ${INPUT_BYTES_MAX} bytes`);
}
