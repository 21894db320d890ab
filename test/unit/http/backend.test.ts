import { describe, expect, it } from "vitest";
import {
  type BackendAnswer,
  HttpBackend,
  REQUESTS_BYTES_MAX,
  REQUESTS_MAX,
} from "../../../src/http/backend.ts";
import { BREAKER_FAILURES_MAX, BREAKER_OPEN_MS_MIN } from "../../../src/http/breaker.ts";
import type { HttpRequest } from "../../../src/http/request.ts";
import { fakeClient, refusedConnection, settle } from "../../support/fake-http.ts";
import { fakeTime } from "../../support/fake-timers.ts";

const REQUEST: HttpRequest = {
  url: "http://auth.example/a?key=in-the-query",
  method: "GET",
  headers: [["authorization", "in-a-header"]],
  body: undefined,
  bytes: 100,
};

function setUp(timeoutMs = 5000) {
  const time = fakeTime(1_000_000);
  const client = fakeClient();
  const clock = { now: time.now };
  const backend = new HttpBackend(
    { name: "GET http://auth.example/a", timeoutMs },
    { client, clock, setTimer: time.setTimer, random: () => 1 - Number.EPSILON },
  );
  /** Asks as often, and fails every time. */
  const fail = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      const answer = backend.ask(REQUEST);
      client.asked.at(-1)?.fail(refusedConnection());
      await answer;
    }
  };
  return { backend, client, time, fail };
}

function brief(answer: BackendAnswer): string {
  return answer.type === "answer" ? `status ${answer.status}` : answer.problem;
}

describe("a backend", () => {
  it("stops asking a server that is down, tries with one request, and goes on when it is up", async () => {
    const { backend, client, time, fail } = setUp();
    await fail(BREAKER_FAILURES_MAX);
    expect(client.asked).toHaveLength(BREAKER_FAILURES_MAX);
    const refused = await backend.ask(REQUEST);
    expect(brief(refused)).toBe("the circuit is open");
    expect(refused.detail).toBe(
      "GET http://auth.example/a, circuit open after 5 failures in a row, next probe in 1000 ms",
    );
    expect(client.asked).toHaveLength(BREAKER_FAILURES_MAX);
    time.advance(BREAKER_OPEN_MS_MIN);
    const probe = backend.ask(REQUEST);
    expect(brief(await backend.ask(REQUEST))).toBe("the circuit is open");
    client.asked.at(-1)?.answer(new Response(null, { status: 204 }));
    expect(await probe).toMatchObject({
      status: 204,
      detail: "GET http://auth.example/a, status 204",
    });
    client.respond = () => new Response(null, { status: 401 });
    expect(brief(await backend.ask(REQUEST))).toBe("status 401");
  });

  it.each([401, 403, 404, 500])("takes status %i for a server that is up", async (status) => {
    const { backend, client, fail } = setUp();
    for (let round = 0; round < 3; round += 1) {
      client.respond = undefined;
      await fail(BREAKER_FAILURES_MAX - 1);
      client.respond = () => new Response("x", { status });
      expect(brief(await backend.ask(REQUEST))).toBe(`status ${status}`);
    }
  });

  it.each([502, 503, 504])("takes status %i for a server that is down", async (status) => {
    const { backend, client } = setUp();
    client.respond = () => new Response("x", { status });
    for (let i = 0; i < BREAKER_FAILURES_MAX; i += 1) {
      expect(brief(await backend.ask(REQUEST))).toBe(`status ${status}`);
    }
    expect(brief(await backend.ask(REQUEST))).toBe("the circuit is open");
  });

  it("does not let a client open the circuit by an answer that is no good", async () => {
    const { backend, client } = setUp();
    client.respond = () => new Response(" ".repeat(300_000));
    for (let i = 0; i < 2 * BREAKER_FAILURES_MAX; i += 1) {
      expect(brief(await backend.ask(REQUEST))).toMatch(/more than 262144 bytes/);
    }
    expect(client.asked).toHaveLength(2 * BREAKER_FAILURES_MAX);
  });

  it("gives up after its time-out, and tells the request so", async () => {
    const { backend, client, time } = setUp(5000);
    const answer = backend.ask(REQUEST);
    await settle();
    time.advance(4999);
    expect(client.asked[0]?.init.signal?.aborted).toBe(false);
    time.advance(1);
    expect(brief(await answer)).toBe("no answer within 5000 ms");
    expect(client.asked[0]?.init.signal?.aborted).toBe(true);
    expect(time.pending()).toBe(0);
  });

  it("has REQUESTS_MAX requests under way and no more", async () => {
    const { backend, client } = setUp();
    const all = Array.from({ length: REQUESTS_MAX }, () => backend.ask(REQUEST));
    expect(brief(await backend.ask(REQUEST))).toBe("too many requests are under way");
    client.asked[0]?.answer(new Response(null, { status: 204 }));
    await all[0];
    const next = backend.ask(REQUEST);
    for (const { answer } of client.asked) answer(new Response(null, { status: 204 }));
    expect(brief(await next)).toBe("status 204");
    await Promise.all(all);
  });

  it("holds REQUESTS_BYTES_MAX bytes of requests and no more", async () => {
    const { backend, client } = setUp();
    const half = { ...REQUEST, bytes: REQUESTS_BYTES_MAX / 2 };
    const all = [backend.ask(half), backend.ask(half)];
    expect(brief(await backend.ask({ ...REQUEST, bytes: 1 }))).toMatch(/too many/);
    for (const { answer } of client.asked) answer(new Response(null, { status: 204 }));
    expect((await Promise.all(all)).map(brief)).toEqual(["status 204", "status 204"]);
    client.respond = () => new Response(null, { status: 204 });
    expect(brief(await backend.ask(half))).toBe("status 204");
  });

  it("closes its connections when those who may still come have been answered", async () => {
    const { backend, client, time } = setUp(5000);
    const answer = backend.ask(REQUEST);
    backend.close();
    expect(client.isClosed()).toBe(false);
    client.asked[0]?.answer(new Response(null, { status: 204 }));
    expect(brief(await answer)).toBe("status 204");
    time.advance(10_000);
    expect(client.isClosed()).toBe(true);
  });

  it.each([
    ["a code", refusedConnection(), "the server cannot be reached (ECONNREFUSED)"],
    ["a text", new TypeError("secret-1 refused"), "the server cannot be reached"],
    [
      "a strange code",
      new TypeError("x", { cause: { code: "se cret" } }),
      "the server cannot be reached",
    ],
    ["nothing", undefined, "the server cannot be reached"],
  ])("shows of an error with %s only what is no secret", async (_, error, expected) => {
    const { backend, client } = setUp();
    const answer = backend.ask(REQUEST);
    client.asked[0]?.fail(error);
    const failure = await answer;
    expect(brief(failure)).toBe(expected);
    expect(JSON.stringify(failure)).not.toMatch(/in-the-query|in-a-header|secret/);
  });
});
