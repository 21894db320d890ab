/**
 * Decisions at the edge: the run-time half and an image, no configuration reader, no broker.
 * Runs wherever Web standards do: workerd, Deno, Bun, browsers, Node.
 */

import { readBody } from "../../src/body.ts";
import { withoutExchange } from "../../src/connect/exchange.ts";
import { createJoseCrypto } from "../../src/crypto/jose.ts";
import { createEngine, type EngineOptions } from "../../src/engine.ts";
import { decodeDocument } from "../../src/text.ts";
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
    const question = parseQuestion(await readText(request));
    return Response.json(await verify(question), { headers: NO_STORE });
  } catch (error) {
    if (error instanceof QuestionError) return problem(error.status, error.message);
    return problem(500, "the decision could not be made");
  }
}

async function readText({ body }: Request): Promise<string> {
  if (!body) throw new QuestionError(400, "the question is empty");
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readBody(body, QUESTION_BYTES_MAX);
  } catch {
    throw new QuestionError(400, "the question broke off");
  }
  if (!bytes) throw new QuestionError(413, `a question has at most ${QUESTION_BYTES_MAX} bytes`);
  const text = decodeDocument(bytes);
  if (text === undefined) throw new QuestionError(400, "the question is not UTF-8");
  return text;
}

function problem(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error: message }, { status, headers: { ...NO_STORE, ...headers } });
}
