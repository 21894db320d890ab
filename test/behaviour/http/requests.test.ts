import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine.ts";
import type { ClientInfo, ConnectDecision } from "../../../src/types.ts";
import { brief } from "../../support/engine.ts";
import { type Asked, type HttpServer, startHttpServer } from "../../support/http-server.ts";
import { engineFrom } from "../../support/policy.ts";

let server: HttpServer;
let engine: Engine | undefined;
beforeAll(async () => {
  server = await startHttpServer({ result: "allow" });
});
afterAll(() => server.close());
afterEach(() => engine?.close());

const BY = "by password_based:http";
const FAILED = `0x88 bad_request ${BY}`;

interface Setup {
  readonly preset?: "strict" | "emqx";
  readonly client?: Partial<ClientInfo>;
  /** Before the authentication. */
  readonly before?: string;
}

/** What the server is asked by an authenticator of these settings, and what comes of it. */
async function ask(
  settings: string,
  { preset, client, before = "" }: Setup = {},
): Promise<{ asked: Asked | undefined; decision: string }> {
  engine?.close();
  engine = await engineFrom({
    conf: `${before}
      authentication = [{
        mechanism = password_based, backend = http
        ${settings.replaceAll("ORIGIN", server.origin)}
      }]`,
    preset,
  });
  server.asked.length = 0;
  const decision = await engine.connect({
    clientId: "c1",
    username: "u1",
    password: "p1",
    peerHost: "10.0.0.7",
    listener: "tcp:default",
    ...client,
  });
  if (decision.verdict === "allow") decision.session.close();
  return { asked: server.asked[0], decision: brief(decision as ConnectDecision) };
}

const GET = (url: string, more = ""): string => `method = get, url = "ORIGIN${url}", ${more}`;
const POST = (more: string): string => `method = post, url = "ORIGIN/auth", ${more}`;

/** Every byte that a username can have, and more than one way to break out. */
const ODD = "a b/c?d=e&f#g%h+i*j~é\u{1f600}'\"<>{}";

describe("the address", () => {
  it("takes values in its path form-encoded, and leaves its own text alone", async () => {
    const { asked, decision } = await ask(GET("/a%20b/$%7B/${username}/x"), {
      client: { username: ODD },
    });
    expect(decision).toBe(`allow ${BY}`);
    expect(asked?.url).toBe(
      "/a%20b/$%7B/a+b%2Fc%3Fd%3De%26f%23g%25h%2Bi*j%7E%C3%A9%F0%9F%98%80%27%22%3C%3E%7B%7D/x",
    );
  });

  it("takes values in its query so that a form reader gets them back", async () => {
    const { asked } = await ask(GET("/?u=${username}&%24%7Bclientid%7D=x&flag&p=${password}"), {
      client: { username: ODD },
    });
    expect([...new URLSearchParams(asked?.url.slice(2))]).toEqual([
      ["u", ODD],
      ["c1", "x"],
      ["flag", ""],
      ["p", "p1"],
    ]);
    expect(asked?.url).toContain("&flag&");
  });

  it("may have no path", async () => {
    expect((await ask(GET(""))).asked?.url).toBe("/");
    expect((await ask(GET("?a=${clientid}"))).asked?.url).toBe("/?a=c1");
  });

  it.each(["..", "."])("is not asked for a client called %j in the path", async (username) => {
    const { asked, decision } = await ask(GET("/users/${username}/check"), {
      client: { username },
    });
    expect([asked, decision]).toEqual([undefined, FAILED]);
    const harmless = await ask(GET("/users/u${username}/check"), { client: { username } });
    expect(harmless.decision).toBe(`allow ${BY}`);
  });

  it("takes bytes that are no UTF-8 in path and query", async () => {
    const username = Uint8Array.from([0xff, 0x41]);
    const { asked } = await ask(GET("/${username}?u=${username}"), { client: { username } });
    expect(asked?.url).toBe("/%FFA?u=%FFA");
  });

  it("gets the body of a GET at the end of its query, in the order of names", async () => {
    const { asked } = await ask(
      GET("/?q=1", 'body { z = "${username}", a = 7, "${clientid}" = "x y", t = true }'),
    );
    expect(asked?.url).toBe("/?q=1&a=7&c1=x+y&t=true&z=u1");
    expect(asked?.body).toBe("");
  });
});

describe("the body", () => {
  it("is JSON with placeholders in names and values at any depth", async () => {
    const { asked, decision } = await ask(
      POST(
        'body { "${username}" = [1, {n = null, f = 1.5, b = false, t = "<${clientid}>"}], w = 1.0 }',
      ),
    );
    expect(decision).toBe(`allow ${BY}`);
    expect(asked?.headers["content-type"]).toBe("application/json");
    expect(asked?.body).toBe('{"w":1.0,"u1":[1,{"t":"<c1>","n":null,"f":1.5,"b":false}]}');
  });

  it("gives texts for placeholders whatever they hold", async () => {
    const { asked } = await ask(
      POST('body { p = "${peerport}", h = "${peerhost}", z = "${zone}", l = "${listener}" }'),
      { client: { peerPort: 1234 } },
    );
    expect(JSON.parse(asked!.body)).toEqual({
      p: "1234",
      h: "10.0.0.7",
      z: "default",
      l: "tcp:default",
    });
  });

  it("cannot be broken out of", async () => {
    const username = '"},"result":"allow\\\n\u2028';
    const { asked } = await ask(POST('body { u = "${username}" }'), { client: { username } });
    const body = JSON.parse(Buffer.from(asked!.body, "latin1").toString());
    expect(body).toEqual({ u: username });
  });

  it("is refused when a value is not UTF-8, which a form takes", async () => {
    const client = { username: Uint8Array.from([0x61, 0xff]) };
    const json = await ask(POST('body { u = "${username}" }'), { client });
    expect([json.asked, json.decision]).toEqual([undefined, FAILED]);
    const form = 'headers { "content-type" = "application/x-www-form-urlencoded" }';
    const { asked } = await ask(POST(`${form}, body { u = "\${username}" }`), { client });
    expect(asked?.body).toBe("u=a%FF");
  });

  it("has no member that a client replaces by its name", async () => {
    const body = 'body { admin = "no", "${username}" = "x", in { n = 1, "${username}" = 2 } }';
    expect((await ask(POST(body))).decision).toBe(`allow ${BY}`);
    for (const username of ["admin", "n"]) {
      const { asked, decision } = await ask(POST(body), { client: { username } });
      expect([asked, decision]).toEqual([undefined, FAILED]);
    }
    const pairs = GET("/", 'body { admin = "no", "${username}" = "x" }');
    expect((await ask(pairs, { client: { username: "admin" } })).decision).toBe(FAILED);
  });

  it("cannot be written in a type with parameters in EMQX", async () => {
    const type = 'headers { Content-Type = "application/json; charset=utf-8" }';
    const { asked, decision } = await ask(POST(type), { preset: "emqx" });
    expect([asked, decision]).toEqual([undefined, "0x87 all_ignored by chain"]);
    expect((await ask(POST(type))).asked?.body).toBe("{}");
  });

  it("is a form in the order of names", async () => {
    const { asked } = await ask(
      POST(`headers { "Content-Type" = "application/x-www-form-urlencoded" }
        body { u = "\${username}", "a&b" = "x=y z" }`),
    );
    expect(asked?.body).toBe("a%26b=x%3Dy+z&u=u1");
  });

  it("is an empty object when none is written", async () => {
    expect((await ask(POST(""))).asked?.body).toBe("{}");
  });

  it("may be as long as a long password makes it, and not longer", async () => {
    const settings = POST('body { p = "${password}" }');
    const client = { password: "\\".repeat(65_535) };
    expect((await ask(settings, { client })).decision).toBe(`allow ${BY}`);
    const hostile = { password: "\u0001".repeat(65_535) };
    expect(await ask(settings, { client: hostile })).toEqual({
      asked: undefined,
      decision: FAILED,
    });
  });
});

describe("headers", () => {
  it("are the usual ones, with those of the configuration over them", async () => {
    const { asked } = await ask(POST('headers { "X-User" = "<${username}>", Accept = "*/*" }'));
    expect(asked?.headers).toMatchObject({
      accept: "*/*",
      "cache-control": "no-cache",
      "content-type": "application/json",
      "x-user": "<u1>",
    });
  });

  it("are only those of the configuration in EMQX, but for the type of a POST", async () => {
    const { asked } = await ask(POST('headers { "X-User" = "u" }'), { preset: "emqx" });
    expect(asked?.headers["x-user"]).toBe("u");
    expect(asked?.headers["content-type"]).toBe("application/json");
    expect(asked?.headers["cache-control"]).toBeUndefined();
    const usual = await ask(POST(""), { preset: "emqx" });
    expect(usual.asked?.headers["cache-control"]).toBe("no-cache");
  });

  it("carry the bytes of a value", async () => {
    const { asked } = await ask(GET("/", 'headers { x = "${username}", "n-${clientid}" = 1 }'), {
      client: { username: "é" },
    });
    expect(asked?.headers.x).toBe(Buffer.from("é").toString("latin1"));
    expect(asked?.headers["n-c1"]).toBe("1");
  });

  it.each(["a\r\nresult: allow", "a\nb", "a\0b", "\u0001"])("cannot hold %j", async (username) => {
    const client = { username };
    const value = await ask(GET("/", 'headers { x = "${username}" }'), { client });
    expect(value).toEqual({ asked: undefined, decision: FAILED });
    const name = await ask(GET("/", 'headers { "x-${username}" = "y" }'), { client });
    expect(name).toEqual({ asked: undefined, decision: FAILED });
  });

  it.each(["host", "Content-Length", "transfer-encoding"])(
    "cannot be made %s by a client",
    async (username) => {
      const asked = await ask(GET("/", 'headers { "${username}" = "7" }'), {
        client: { username },
      });
      expect(asked).toEqual({ asked: undefined, decision: FAILED });
    },
  );

  it("of the configuration cannot be doubled by a client", async () => {
    const settings = GET("/", 'headers { x-role = user, "${username}" = admin }');
    expect((await ask(settings)).decision).toBe(`allow ${BY}`);
    const twin = await ask(settings, { client: { username: "X-Role" } });
    expect(twin).toEqual({ asked: undefined, decision: FAILED });
  });

  it("and address have 8 KiB together", async () => {
    const settings = GET("/", 'headers { x = "${password}" }');
    const fits = { password: "x".repeat(8000) };
    expect((await ask(settings, { client: fits })).decision).toBe(`allow ${BY}`);
    const long = { password: "x".repeat(8192) };
    expect((await ask(settings, { client: long })).decision).toBe(FAILED);
  });
});

describe("a placeholder without a value", () => {
  const settings = POST('body { u = "${username}", g = "${client_attrs.group}" }');
  const attribute = 'mqtt.client_attrs_init = [{ expression = "clientid", set_as_attr = group }]\n';

  it("keeps the server from being asked", async () => {
    const without = await ask(settings);
    expect(without).toEqual({ asked: undefined, decision: "0x87 all_ignored by chain" });
    const { asked } = await ask(settings, { before: attribute });
    expect(JSON.parse(asked!.body)).toEqual({ u: "u1", g: "c1" });
    const nameless = { client: { username: undefined }, before: attribute };
    expect((await ask(settings, nameless)).asked).toBeUndefined();
    const empty = { client: { username: "" }, before: attribute };
    expect(JSON.parse((await ask(settings, empty)).asked!.body).u).toBe("");
  });

  it("is empty where that is wanted, and in EMQX", async () => {
    const asked = await ask(`${settings}\non_absent = empty`, { client: { username: undefined } });
    expect(JSON.parse(asked.asked!.body)).toEqual({ u: "", g: "" });
    const emqx = await ask(settings, { preset: "emqx", client: { password: undefined } });
    expect(JSON.parse(emqx.asked!.body)).toEqual({ u: "u1", g: "" });
  });
});

it("does not ask about clients with an authentication method", async () => {
  const client = { authMethod: "SCRAM-SHA-256", authData: new Uint8Array(1) };
  const { asked } = await ask(POST('body { c = "${clientid}" }'), { client });
  expect(asked).toBeUndefined();
});

it("opens no more connections than it is told to, and uses them again", async () => {
  await ask(GET("/", "pool_size = 3, max_inactive = 1m"));
  const before = server.connections();
  const connect = () => engine!.connect({ clientId: "c1", username: "u", password: "p" });
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(Array.from({ length: 20 }, connect));
  }
  expect(server.asked.length).toBe(81);
  expect(server.connections() - before).toBeLessThanOrEqual(2);
});
