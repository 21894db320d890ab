import { describe, expect, it } from "vitest";
import {
  BEARER_CHARS_MAX,
  LIFE_SECONDS_MAX,
  TOKEN_RENEW_MS,
  TOKEN_RETRY_MS,
  TokenSource,
} from "../../../src/http/oauth2.ts";
import { fakeClient, refusedConnection, settle } from "../../support/fake-http.ts";
import { fakeTime } from "../../support/fake-timers.ts";

function setUp(scope?: string) {
  const time = fakeTime(1_000_000);
  const client = fakeClient();
  const tokens = new TokenSource(
    {
      tokenEndpoint: "http://id.example/token",
      clientId: "broker & co",
      clientSecret: "s3cr3t+1",
      scope,
      timeoutMs: 5000,
    },
    { client, setTimer: time.setTimer, clock: { now: time.now } },
  );
  let number = 0;
  /** Tokens t1, t2 … that live so long. */
  const issue = (seconds: number | string | undefined): void => {
    client.respond = () => {
      number += 1;
      return Response.json({ access_token: `t${number}`, expires_in: seconds });
    };
  };
  const token = async (): Promise<string> => {
    const reading = await tokens.token();
    return reading.ok ? reading.token : reading.problem;
  };
  return { tokens, client, time, issue, token };
}

const NONE = "there is no bearer token: ";

describe("a source of bearer tokens", () => {
  it("asks with the client's credentials in the body", async () => {
    const { client, issue, token } = setUp("a b");
    issue(60);
    expect(await token()).toBe("t1");
    const [{ url, init } = { url: "", init: {} }] = client.asked;
    expect([url, init.method]).toEqual(["http://id.example/token", "POST"]);
    expect(new TextDecoder().decode(init.body as Uint8Array)).toBe(
      "grant_type=client_credentials&client_id=broker+%26+co&client_secret=s3cr3t%2B1&scope=a+b",
    );
  });

  it("asks once for everybody who waits", async () => {
    const { client, token } = setUp();
    const all = [token(), token(), token()];
    expect(client.asked).toHaveLength(1);
    client.asked[0]?.answer(Response.json({ access_token: "t1", token_type: "BEARER" }));
    expect(await Promise.all(all)).toEqual(["t1", "t1", "t1"]);
  });

  it("asks for the next one while the last is still good", async () => {
    const { client, time, issue, token } = setUp();
    issue(100);
    expect(await token()).toBe("t1");
    time.advance(74_999);
    expect(await token()).toBe("t1");
    expect(client.asked).toHaveLength(1);
    time.advance(1);
    expect(await token()).toBe("t1");
    expect(client.asked).toHaveLength(2);
    await settle();
    expect(await token()).toBe("t2");
  });

  it("goes on with the last one while there is no next, and not past its end", async () => {
    const { client, time, issue, token } = setUp();
    issue(100);
    expect(await token()).toBe("t1");
    client.respond = () => new Response("no", { status: 500 });
    time.advance(94_999);
    expect(await token()).toBe("t1");
    time.advance(1);
    expect(await token()).toBe(`${NONE}status 500`);
  });

  it("does not ask again in TOKEN_RETRY_MS after a failure", async () => {
    const { client, time, issue, token } = setUp();
    const first = token();
    client.asked[0]?.fail(refusedConnection());
    const expected = `${NONE}the server cannot be reached (ECONNREFUSED)`;
    expect(await first).toBe(expected);
    issue(60);
    time.advance(TOKEN_RETRY_MS - 1);
    expect(await token()).toBe(expected);
    expect(client.asked).toHaveLength(1);
    time.advance(1);
    expect(await token()).toBe("t1");
  });

  it("throws a refused token away, once in TOKEN_RENEW_MS", async () => {
    const { tokens, time, issue, token } = setUp();
    issue(3600);
    expect(await token()).toBe("t1");
    expect(tokens.renew("t1")).toBe(true);
    expect(await token()).toBe("t2");
    // Another request that was under way with the first one.
    expect(tokens.renew("t1")).toBe(true);
    expect(await token()).toBe("t2");
    expect(tokens.renew("t2")).toBe(false);
    time.advance(TOKEN_RENEW_MS);
    expect(tokens.renew("t2")).toBe(true);
    expect(await token()).toBe("t3");
  });

  it.each([
    [30, 28_000, 29_000],
    ["30", 28_000, 29_000],
    [undefined, 56_000, 58_000],
    ["soon", 56_000, 58_000],
    [-1, 56_000, 58_000],
    [1e12, LIFE_SECONDS_MAX * 949, LIFE_SECONDS_MAX * 951],
  ])("uses a token that lives %s seconds no longer", async (seconds, goodMs, overMs) => {
    const { client, time, issue, token } = setUp();
    issue(seconds);
    await token();
    client.respond = () => new Response("", { status: 404 });
    time.advance(goodMs);
    expect(await token()).toBe("t1");
    time.advance(overMs - goodMs);
    expect(await token()).toBe(`${NONE}status 404`);
  });

  it.each([
    [{}, "the answer has no token that can be sent"],
    [{ access_token: 7 }, "the answer has no token that can be sent"],
    [{ access_token: "" }, "the answer has no token that can be sent"],
    [{ access_token: "a b" }, "the answer has no token that can be sent"],
    [{ access_token: "a\r\nb" }, "the answer has no token that can be sent"],
    [{ access_token: "t", token_type: "mac" }, "the token is of another type"],
    [{ access_token: "x".repeat(BEARER_CHARS_MAX + 1) }, "the token has more than 4096 characters"],
  ])("takes no token from %j", async (answer, problem) => {
    const { client, token } = setUp();
    client.respond = () => Response.json(answer);
    expect(await token()).toBe(NONE + problem);
  });

  it("takes a token of BEARER_CHARS_MAX characters", async () => {
    const { client, token } = setUp();
    const long = "x".repeat(BEARER_CHARS_MAX);
    client.respond = () => Response.json({ access_token: long });
    expect(await token()).toBe(long);
  });
});
