/**
 * A server that is asked about clients: one exchange at a time for each of them, a bound on all
 * together, a circuit breaker, and a bearer token where one is wanted.
 */
import type { Clock } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http.ts";
import type { SetTimer } from "../ports/ports.ts";
import { Breaker, type Outcome } from "./breaker.ts";
import { closeLater } from "./close-later.ts";
import { exchange, type HttpAnswer, type HttpFailure } from "./exchange.ts";
import type { TokenSource } from "./oauth2.ts";
import type { HttpRequest } from "./request.ts";

/** LIMIT: requests under way or waiting for a connection. */
export const REQUESTS_MAX = 1000;
/** LIMIT: what they hold together. */
export const REQUESTS_BYTES_MAX = 16_777_216;

export interface BackendPorts {
  readonly client: HttpClient;
  readonly setTimer: SetTimer;
  readonly clock: Clock;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

export interface BackendOptions {
  /** For explanations: method and address as configured. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly tokens?: TokenSource | undefined;
}

export type BackendAnswer = (HttpAnswer | HttpFailure) & {
  /** What was found out with what. Holds no secret. */
  readonly detail: string;
};

/** Status codes by which a gateway says that the server behind it does not answer. */
const GATEWAY_FAILURES: readonly number[] = [502, 503, 504];

export class HttpBackend {
  readonly #ports: BackendPorts;
  readonly #options: BackendOptions;
  readonly #breaker: Breaker;
  #requests = 0;
  #bytes = 0;

  constructor(options: BackendOptions, ports: BackendPorts) {
    this.#ports = ports;
    this.#options = options;
    this.#breaker = new Breaker(ports);
  }

  /** Never rejects. */
  async ask(request: HttpRequest): Promise<BackendAnswer> {
    const isFull =
      this.#requests >= REQUESTS_MAX || this.#bytes + request.bytes > REQUESTS_BYTES_MAX;
    // Says nothing about the server, so the breaker does not hear of it.
    if (isFull) return this.#explained(unsent("too many requests are under way"));
    const admission = this.#breaker.admit();
    if (admission === "refused") return this.#explained(unsent("the circuit is open"));
    this.#requests += 1;
    this.#bytes += request.bytes;
    let outcome: Outcome = "unclear";
    try {
      const answer = await this.#authorized(request);
      outcome = outcomeOf(answer);
      this.#breaker.report(admission, outcome);
      return this.#explained(answer);
    } catch {
      this.#breaker.report(admission, outcome);
      return this.#explained(unsent("the request could not be made"));
    } finally {
      this.#requests -= 1;
      this.#bytes -= request.bytes;
    }
  }

  /** Requests that are under way, and those that still come from connects begun before, are answered. */
  close(): void {
    const { timeoutMs, tokens } = this.#options;
    tokens?.close();
    closeLater(this.#ports, 2 * timeoutMs);
  }

  /** With a bearer token; a second time with a fresh one when the server does not take the first. */
  async #authorized(request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    const { tokens } = this.#options;
    if (!tokens) return this.#exchange(request);
    // Only a placeholder in the name of a header can have made one.
    const isTaken = request.headers.some(([name]) => name.toLowerCase() === "authorization");
    if (isTaken) return unsent("the request has an `authorization` header already");
    for (let attempt = 1; ; attempt += 1) {
      const reading = await tokens.token();
      if (!reading.ok) return unsent(reading.problem);
      const { token } = reading;
      const headers = [...request.headers, ["authorization", `Bearer ${token}`] as const];
      const answer = await this.#exchange({ ...request, headers });
      // Only with this challenge is the 401 about the token [RFC 6750 3], else it is about the client.
      const isRefused =
        answer.type === "answer" && answer.status === 401 && answer.challenge === "bearer";
      if (!isRefused) return answer;
      if (attempt > 1 || !tokens.renew(token)) {
        return { type: "failure", problem: "the bearer token is not taken", isDown: false };
      }
    }
  }

  #exchange(request: HttpRequest): Promise<HttpAnswer | HttpFailure> {
    const { client, setTimer } = this.#ports;
    return exchange(request, { fetch: client.fetch, setTimer }, this.#options.timeoutMs);
  }

  #explained(answer: HttpAnswer | HttpFailure): BackendAnswer {
    const parts = [
      this.#options.name,
      ...(answer.type === "answer" ? [`status ${answer.status}`] : []),
      this.#breaker.describe(),
    ];
    return { ...answer, detail: parts.filter((part) => part !== undefined).join(", ") };
  }
}

/** Whatever the server answers, it is there. */
function outcomeOf(answer: HttpAnswer | HttpFailure): Outcome {
  if (answer.type === "answer") return GATEWAY_FAILURES.includes(answer.status) ? "down" : "up";
  return answer.isDown ? "down" : "unclear";
}

function unsent(problem: string): HttpFailure {
  return { type: "failure", problem, isDown: false };
}
