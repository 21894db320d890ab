/** One request and its answer: bounded in time and size, no redirects, nothing secret in problems. */
import { readBody } from "../body.ts";
import type { Fetch, SetTimer, Timer } from "../ports/ports.ts";
import type { HttpRequest } from "./request.ts";

/** LIMIT: of an answer. A thousand rules of a client's own take about 150 KiB. */
export const ANSWER_BYTES_MAX = 262_144;

export interface ExchangePorts {
  readonly fetch: Fetch;
  readonly setTimer: SetTimer;
}

export interface HttpAnswer {
  readonly type: "answer";
  readonly status: number;
  readonly contentType: string | null;
  /** The scheme of `WWW-Authenticate`, lower-case; empty without one. */
  readonly challenge: string | undefined;
  /** Of status 200 only; empty otherwise. */
  readonly body: Uint8Array;
}

export interface HttpFailure {
  readonly type: "failure";
  /** Holds nothing of request or answer. */
  readonly problem: string;
  /** Nothing came back: that says something about the server, whoever's request it was. */
  readonly isDown: boolean;
}

/** A problem whose text may be shown, unlike that of other exceptions. */
class ExchangeProblem extends Error {
  readonly isDown: boolean;

  constructor(message: string, isDown: boolean) {
    super(message);
    this.isDown = isDown;
  }
}

/**
 * Sends a request and reads the answer. Never rejects. Redirects are answers: what is asked about a
 * client, and the credentials that go with it, are for the configured server alone.
 *
 * Source: authentication §5.3.
 */
export async function exchange(
  request: HttpRequest,
  { fetch, setTimer }: ExchangePorts,
  timeoutMs: number,
): Promise<HttpAnswer | HttpFailure> {
  const giveUp = new AbortController();
  let timer: Timer | undefined;
  let rest: Promise<unknown> | undefined;
  try {
    // Raced, because not every fetch and not every body heeds its signal.
    const late = new Promise<never>((_, reject) => {
      giveUp.signal.addEventListener("abort", () => reject(giveUp.signal.reason));
      const tooLate = new ExchangeProblem(`no answer within ${timeoutMs} ms`, true);
      timer = setTimer(() => giveUp.abort(tooLate), timeoutMs);
    });
    const sent = send(request, fetch, giveUp.signal, (body) => {
      rest = body;
    });
    // What loses the race must not be an unhandled rejection.
    sent.catch(() => {});
    late.catch(() => {});
    return await Promise.race([sent, late]);
  } catch (error) {
    return failureOf(error);
  } finally {
    // A body that is only read for its connection may not hold that for ever either.
    if (rest) rest.catch(() => {}).finally(() => timer?.clear());
    else timer?.clear();
  }
}

async function send(
  { url, method, headers, body }: HttpRequest,
  fetch: Fetch,
  signal: AbortSignal,
  onRest: (rest: Promise<unknown>) => void,
): Promise<HttpAnswer> {
  const init: RequestInit = {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    redirect: "manual",
    signal,
  };
  const response = await fetch(url, body ? { ...init, body } : init);
  if (response.type === "opaqueredirect") {
    throw new ExchangeProblem("the answer is a redirect", false);
  }
  const { status } = response;
  const isRead = status === 200;
  if (!isRead && response.body) onRest(drain(response, response.body));
  return {
    type: "answer",
    status,
    contentType: response.headers.get("content-type"),
    challenge: /^[^\s,]*/.exec(response.headers.get("www-authenticate") ?? "")?.[0].toLowerCase(),
    body: isRead ? await bodyOf(response) : NOTHING,
  };
}

const NOTHING = new Uint8Array(0);

async function bodyOf({ body }: Response): Promise<Uint8Array> {
  const bytes = body ? await readBody(body, ANSWER_BYTES_MAX) : NOTHING;
  if (bytes) return bytes;
  throw new ExchangeProblem(`the answer has more than ${ANSWER_BYTES_MAX} bytes`, false);
}

/** LIMIT: of a body that nobody wants but for the connection under it. */
const DRAIN_BYTES_MAX = 65_536;

/** A short body is read to its end, which keeps the connection; any other ends it. */
function drain(response: Response, body: ReadableStream): Promise<unknown> {
  const length = response.headers.get("content-length");
  const isShort =
    length !== null && /^[0-9]{1,9}$/.test(length) && Number(length) <= DRAIN_BYTES_MAX;
  return isShort ? response.arrayBuffer() : body.cancel();
}

/** A system error's code (`ECONNREFUSED`) says enough; its message may quote what was sent. */
function failureOf(error: unknown): HttpFailure {
  if (error instanceof ExchangeProblem) {
    return { type: "failure", problem: error.message, isDown: error.isDown };
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  const isName = typeof code === "string" && /^[A-Z0-9_]{1,64}$/.test(code);
  const problem = `the server cannot be reached${isName ? ` (${code})` : ""}`;
  return { type: "failure", problem, isDown: code !== "UND_ERR_INVALID_ARG" };
}
