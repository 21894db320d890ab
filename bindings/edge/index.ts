/**
 * Decisions at the edge: the run-time half and an image, no configuration reader, no broker.
 * Runs wherever Web standards do: workerd, Deno, Bun, browsers, Node.
 */

import { withoutExchange } from "../../src/connect/exchange.ts";
import { createJoseCrypto } from "../../src/crypto/jose.ts";
import { createEngine, type EngineOptions } from "../../src/engine.ts";
import { parseTopicFilter } from "../../src/topic/filter.ts";
import { validateTopicFilter, validateTopicName } from "../../src/topic/validate.ts";
import type { Action, ConnectDecision, Decision, Session } from "../../src/types.ts";
import { type EdgeQuestion, parseQuestion, QUESTION_BYTES_MAX, QuestionError } from "./question.ts";

export type { EdgeQuestion } from "./question.ts";

export type VerifierOptions = Omit<EngineOptions, "crypto">;

/** The answer to a question; safe to send to the asking service. */
export interface EdgeAnswer {
  readonly verdict: "allow" | "deny";
  readonly reason: string;
  /** The authenticator that decided. */
  readonly by: string;
  /** MQTT 5 reason code of a refusal. */
  readonly code?: number;
  readonly clientid?: string;
  readonly username?: string;
  readonly is_superuser?: boolean;
  readonly client_attrs?: Readonly<Record<string, string>>;
  /** ms since the epoch. */
  readonly expire_at?: number;
  /** One per asked action, in order. */
  readonly actions?: readonly EdgeActionAnswer[];
}

export interface EdgeActionAnswer {
  readonly verdict: "allow" | "deny";
  readonly reason: string;
  readonly by: string;
  /** Number of the deciding rule, from 1. */
  readonly rule?: number;
}

export interface Verifier {
  /** Decides on a client and on what it wants to do. Never rejects for what the question holds. */
  verify(question: EdgeQuestion): Promise<EdgeAnswer>;
  /** The same over HTTP: POST a question as JSON. For `export default { fetch }` and Deno.serve. */
  fetch(request: Request): Promise<Response>;
  close(): void;
}

/** Loads an image and gets ready to answer. Rejects with CoreError or ConfigError. */
export async function createVerifier(options: VerifierOptions): Promise<Verifier> {
  const engine = await createEngine({ ...options, crypto: createJoseCrypto() });
  const verify = async (question: EdgeQuestion): Promise<EdgeAnswer> => {
    const decision = withoutExchange(await engine.connect(question.client));
    return decision.verdict === "deny" ? refusal(decision) : answer(decision, question.actions);
  };
  return { verify, fetch: (request) => respond(request, verify), close: () => engine.close() };
}

function refusal(decision: ConnectDecision & { verdict: "deny" }): EdgeAnswer {
  const { verdict, reason, by, code } = decision;
  return { verdict, reason, by, code };
}

async function answer(
  decision: ConnectDecision & { verdict: "allow" },
  asked: EdgeQuestion["actions"],
): Promise<EdgeAnswer> {
  const { session, verdict, reason, by } = decision;
  try {
    const actions: EdgeActionAnswer[] = [];
    for (const { action, topic } of asked ?? []) {
      actions.push(await actionAnswer(session, action, topic));
    }
    return {
      verdict,
      reason,
      by,
      clientid: session.clientId,
      ...(session.username === undefined ? {} : { username: session.username }),
      is_superuser: session.isSuperuser,
      client_attrs: session.clientAttrs,
      ...(session.expireAtMs === undefined ? {} : { expire_at: session.expireAtMs }),
      actions,
    };
  } finally {
    session.close();
  }
}

/**
 * The answer for one action. What a broker would refuse before asking is refused here, and a shared
 * subscription is asked about as what it subscribes to: rules never see `$share/…`.
 */
async function actionAnswer(
  session: Session,
  action: Action,
  topic: string,
): Promise<EdgeActionAnswer> {
  const asked = action.type === "publish" ? publishTopic(topic) : subscribeFilter(topic);
  if (asked === undefined) return { verdict: "deny", reason: "malformed_topic", by: "default" };
  const { verdict, reason, by, rule }: Decision = await session.authorize(action, asked);
  return { verdict, reason, by, ...(rule ? { rule: rule.number } : {}) };
}

function publishTopic(topic: string): string | undefined {
  return validateTopicName(topic) === undefined ? topic : undefined;
}

function subscribeFilter(topic: string): string | undefined {
  if (validateTopicFilter(topic) !== undefined) return undefined;
  const parse = parseTopicFilter(topic);
  return parse.ok && parse.parsed.filter !== "" ? (parse.parsed.filter as string) : undefined;
}

/** An answer holds until the policy changes or the token expires, and no cache knows when. */
const NO_STORE = { "cache-control": "no-store" };

async function respond(request: Request, verify: Verifier["verify"]): Promise<Response> {
  if (request.method !== "POST") {
    return problem(405, "post a question as JSON", { allow: "POST" });
  }
  try {
    const body = await readBody(request);
    return Response.json(await verify(parseQuestion(body)), { headers: NO_STORE });
  } catch (error) {
    if (error instanceof QuestionError) return problem(error.status, error.message);
    return problem(500, "the decision could not be made");
  }
}

/** The body as text; stops reading as soon as it is too long. */
async function readBody(request: Request): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  if (!request.body) throw new QuestionError(400, "the question is empty");
  // Not every runtime lets streams be iterated.
  const reader = request.body.getReader();
  try {
    for (let chunk = await read(reader); chunk !== undefined; chunk = await read(reader)) {
      bytes += chunk.length;
      if (bytes > QUESTION_BYTES_MAX) {
        throw new QuestionError(413, `a question has at most ${QUESTION_BYTES_MAX} bytes`);
      }
      text += decode(decoder, chunk);
    }
  } catch (error) {
    // What is left of the body is not wanted; a body that broke off has nothing left to cancel.
    reader.cancel().catch(() => {});
    throw error;
  }
  return text + decode(decoder);
}

/** The next piece of a body, or undefined at its end. */
async function read(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  try {
    const { value } = await reader.read();
    return value;
  } catch {
    throw new QuestionError(400, "the question broke off");
  }
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch {
    throw new QuestionError(400, "the question is not UTF-8");
  }
}

function problem(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: message }, { status, headers: { ...NO_STORE, ...headers } });
}
