/** An HTTP client for tests: answers when it is told to, and keeps what it was asked. */
import type { HttpClient } from "../../src/ports/http.ts";

export interface FakeExchange {
  readonly url: string;
  readonly init: RequestInit;
  answer(response: Response): void;
  fail(error: unknown): void;
}

export interface FakeClient extends HttpClient {
  readonly asked: FakeExchange[];
  readonly isClosed: () => boolean;
  /** Answers at once from now on; undefined: waits for the test again. */
  respond: ((exchange: FakeExchange) => Response) | undefined;
}

export function fakeClient(): FakeClient {
  const asked: FakeExchange[] = [];
  let isClosed = false;
  const client: FakeClient = {
    asked,
    respond: undefined,
    isClosed: () => isClosed,
    close: () => {
      isClosed = true;
    },
    fetch: (url, init) =>
      new Promise((resolve, reject) => {
        const exchange = { url, init, answer: resolve, fail: reject };
        asked.push(exchange);
        if (client.respond) resolve(client.respond(exchange));
      }),
  };
  return client;
}

/** What a platform's fetch throws when nobody is there. */
export function refusedConnection(): Error {
  return new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
}

/** Lets everything run that is ready to. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
