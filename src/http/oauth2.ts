/**
 * Bearer tokens of the client credentials grant: one for everybody, asked for once at a time, renewed
 * before it ends. RFC 6749 §4.4, RFC 6750. Source: authentication §5.1.
 */
import type { OAuth2Config } from "../config/config.ts";
import { JsonFloat, type JsonObject, member } from "../json/parse.ts";
import type { Clock } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http.ts";
import type { SetTimer } from "../ports/ports.ts";
import { formEncode } from "../template/render.ts";
import { encodeUtf8 } from "../text.ts";
import { closeLater } from "./close-later.ts";
import { exchange } from "./exchange.ts";
import { readFields } from "./fields.ts";
import type { HttpRequest } from "./request.ts";

/** LIMIT: what fits into the head of a request. */
export const BEARER_CHARS_MAX = 4096;
/** How long a token is used that does not say how long it lives. */
const LIFE_SECONDS_DEFAULT = 60;
/** LIMIT: no token is used longer. */
export const LIFE_SECONDS_MAX = 86_400;
/** LIMIT: pause after a failed request for a token, and between two that refused tokens cause. */
export const TOKEN_RETRY_MS = 1000;
export const TOKEN_RENEW_MS = 10_000;

export type BearerReading =
  | { readonly ok: true; readonly token: string }
  /** Holds nothing of the answer but its status. */
  | { readonly ok: false; readonly problem: string };

export interface TokenPorts {
  readonly client: HttpClient;
  readonly setTimer: SetTimer;
  readonly clock: Clock;
}

interface Bearer {
  readonly token: string;
  /** From here on a fresh one is asked for. */
  readonly renewAtMs: number;
  readonly endsAtMs: number;
}

export class TokenSource {
  readonly #ports: TokenPorts;
  readonly #timeoutMs: number;
  readonly #request: HttpRequest;
  #bearer: Bearer | undefined;
  #asking: Promise<BearerReading> | undefined;
  #failure: { readonly problem: string; readonly atMs: number } | undefined;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: OAuth2Config, ports: TokenPorts) {
    this.#ports = ports;
    this.#timeoutMs = config.timeoutMs;
    this.#request = tokenRequest(config);
  }

  /** A token that is good now. Never rejects. */
  token(): BearerReading | Promise<BearerReading> {
    const nowMs = this.#ports.clock.now();
    const bearer = this.#bearer;
    if (bearer && nowMs < bearer.endsAtMs) {
      if (nowMs >= bearer.renewAtMs && !this.#isPausing(nowMs)) this.#ask();
      return { ok: true, token: bearer.token };
    }
    if (this.#isPausing(nowMs)) return { ok: false, problem: this.#failure!.problem };
    return this.#ask();
  }

  /**
   * This token was refused: is it worth trying with another? At most one token in TOKEN_RENEW_MS is
   * thrown away, so that clients cannot make us ask for one each time they fail.
   */
  renew(refused: string): boolean {
    if (this.#bearer?.token !== refused) return true;
    const nowMs = this.#ports.clock.now();
    if (isWithin(TOKEN_RENEW_MS, this.#renewedAtMs, nowMs)) return false;
    this.#renewedAtMs = nowMs;
    this.#bearer = undefined;
    return true;
  }

  close(): void {
    closeLater(this.#ports, 2 * this.#timeoutMs);
  }

  #isPausing(nowMs: number): boolean {
    return this.#failure !== undefined && isWithin(TOKEN_RETRY_MS, this.#failure.atMs, nowMs);
  }

  #ask(): Promise<BearerReading> {
    this.#asking ??= this.#download().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #download(): Promise<BearerReading> {
    const { client, setTimer, clock } = this.#ports;
    const askedAtMs = clock.now();
    const ports = { fetch: client.fetch, setTimer };
    const answer = await exchange(this.#request, ports, this.#timeoutMs);
    const reading: Reading =
      answer.type === "failure"
        ? bad(answer.problem)
        : answer.status === 200
          ? readToken(answer.contentType, answer.body)
          : bad(`status ${answer.status}`);
    if (!reading.ok) {
      const problem = `there is no bearer token: ${reading.problem}`;
      this.#failure = { problem, atMs: clock.now() };
      return { ok: false, problem };
    }
    const { token, lifeSeconds } = reading;
    const lifeMs = lifeSeconds * 1000;
    this.#failure = undefined;
    this.#bearer = {
      token,
      // A token is on its way for a while; the last moments of its life are not relied on.
      endsAtMs: askedAtMs + lifeMs * 0.95,
      renewAtMs: askedAtMs + lifeMs * 0.75,
    };
    return { ok: true, token };
  }
}

/** Is `nowMs` at most `spanMs` after `thenMs`? A clock that was set back does not count as waiting. */
function isWithin(spanMs: number, thenMs: number, nowMs: number): boolean {
  return nowMs >= thenMs && nowMs - thenMs < spanMs;
}

/** The credentials go in the body, as form fields [RFC 6749 2.3.1]. */
function tokenRequest(config: OAuth2Config): HttpRequest {
  const { tokenEndpoint, clientId, clientSecret, scope } = config;
  const fields: [string, string][] = [
    ["grant_type", "client_credentials"],
    ["client_id", clientId],
    ["client_secret", clientSecret ?? ""],
    ...(scope === undefined ? [] : [["scope", scope] as [string, string]]),
  ];
  const text = fields.map(([name, value]) => `${name}=${formEncode(value)}`).join("&");
  const body = encodeUtf8(text);
  return {
    url: tokenEndpoint,
    method: "POST",
    headers: [
      ["accept", "application/json"],
      ["content-type", "application/x-www-form-urlencoded"],
    ],
    body,
    bytes: body.length,
  };
}

type Reading =
  | { readonly ok: true; readonly token: string; readonly lifeSeconds: number }
  | { readonly ok: false; readonly problem: string };

function readToken(contentType: string | null, body: Uint8Array): Reading {
  const reading = readFields(contentType, body, true);
  if (!reading.ok) return reading;
  const { fields } = reading;
  const type = member(fields, "token_type");
  if (type !== undefined && String(type).toLowerCase() !== "bearer") {
    return bad("the token is of another type");
  }
  const token = member(fields, "access_token");
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    return bad("the answer has no token that can be sent");
  }
  if (token.length > BEARER_CHARS_MAX) {
    return bad(`the token has more than ${BEARER_CHARS_MAX} characters`);
  }
  return { ok: true, token, lifeSeconds: lifeOf(fields) };
}

/** Some servers write the number as text. */
function lifeOf(fields: JsonObject): number {
  const written = member(fields, "expires_in");
  const value = written instanceof JsonFloat ? written.value : Number(written ?? Number.NaN);
  if (!Number.isFinite(value) || value < 0) return LIFE_SECONDS_DEFAULT;
  return Math.min(value, LIFE_SECONDS_MAX);
}

function bad(problem: string): Reading & { ok: false } {
  return { ok: false, problem };
}
