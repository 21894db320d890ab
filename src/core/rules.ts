/** Clients and their rules in the core: open, decide, close. */
import {
  INPUT_BYTES_MAX,
  OK,
  ORIGIN_IMAGE,
  RULE_NONE,
  STORED_BEHIND,
  STORED_SKIPS_FAILURES,
  VERDICT_ALLOW,
  VERDICT_FAILED,
  VERDICT_NO_MATCH,
} from "../../assembly/abi.ts";
import { CoreError } from "../errors.ts";
import type { Action, Text } from "../types.ts";
import type { RuleAnswer } from "./core.ts";
import { encodeClient, type RequestFields } from "./request.ts";
import { type CoreMemory, checkStatus, inputEnd, writeText } from "./wasm.ts";

/** The request bit of an action, as rules' masks and `decide` have it (ACTION_… in assembly/abi/decisions.ts). */
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

/** A client's stored rules, which the core asks in this order. */
export interface StoredSets {
  /** A blob of compileRules; the record gets its own copy. */
  readonly own: Uint8Array | undefined;
  /** A handle of openSharedRules; the client keeps it as long as it has it. */
  readonly shared: number | undefined;
  /** Behind the image's rules instead of in front of them; always behind the token's. */
  readonly isBehindImage: boolean;
  /** A condition that raises, here or in the image in front, is passed over instead of answered. */
  readonly skipsFailures: boolean;
}

/**
 * Gives a client stored rules in the place of those it has. Throws CoreError when they are refused,
 * and then it has none.
 */
export function setStoredRules(
  memory: CoreMemory,
  handle: number,
  { own, shared = 0, isBehindImage, skipsFailures }: StoredSets,
): void {
  if (own) writeInput(memory, own);
  const how = (isBehindImage ? STORED_BEHIND : 0) | (skipsFailures ? STORED_SKIPS_FAILURES : 0);
  checkStatus(memory.exports.client_stored(handle, own?.length ?? 0, shared, how));
}

/**
 * Gives a client with stored rules of its own another shared set, or none. Throws CoreError when it is
 * refused, and then it has none that is shared.
 */
export function setSharedRules(
  memory: CoreMemory,
  handle: number,
  shared: number | undefined,
): void {
  checkStatus(memory.exports.client_shared(handle, shared ?? 0));
}

/** Keeps a rule set for several clients; give it back with closeSharedRules. Throws CoreError. */
export function openSharedRules(memory: CoreMemory, blob: Uint8Array): number {
  return checkStatus(memory.exports.rules_open(writeInput(memory, blob)));
}

/** Clients that have it keep it. Throws CoreError for a handle that is not open. */
export function closeSharedRules(memory: CoreMemory, handle: number): void {
  checkStatus(memory.exports.rules_close(handle));
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

/** In the order of ORIGIN_… */
const ORIGINS = ["image", "token", "own", "shared"] as const;

export function originOf(answer: number): RuleAnswer["origin"] {
  return ORIGINS[(answer >> 2) & 3]!;
}

/** Is this VERDICT_… the answer, out of the image? */
export function isImageAnswer(answer: number, verdict: number): boolean {
  return (answer & 15) === (verdict | (ORIGIN_IMAGE << 2));
}

/** From 0; -1 without a deciding rule. */
export function ruleOf(answer: number): number {
  const number = answer >>> 4;
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
