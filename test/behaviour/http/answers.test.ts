import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine.ts";
import type { ConnectDecision } from "../../../src/types.ts";
import { brief } from "../../support/engine.ts";
import { type Answering, type HttpServer, startHttpServer } from "../../support/http-server.ts";
import { engineFrom } from "../../support/policy.ts";

let server: HttpServer;
let engine: Engine | undefined;
beforeAll(async () => {
  server = await startHttpServer({});
});
afterAll(() => server.close());
afterEach(() => engine?.close());

const NOW = 1_750_000_000;

interface Setup {
  readonly preset?: "strict" | "emqx";
  /** More of the authenticator. */
  readonly more?: string;
}

async function ask(answer: Answering | object, setup: Setup = {}): Promise<ConnectDecision> {
  server.answer = answer;
  engine?.close();
  engine = await engineFrom({
    conf: `authentication = [{
      mechanism = password_based, backend = http, method = post, url = "${server.origin}/auth"
      body { username = "\${username}", password = "\${password}" }
      ${setup.more ?? ""}
    }]`,
    preset: setup.preset,
    now: () => NOW * 1000 + 500,
  });
  return engine.connect({ clientId: "c1", username: "u1", password: "p1" });
}

const BY = "by password_based:http";
const FAILED = `0x88 backend_unavailable ${BY}`;
const BAD = `0x88 bad_answer ${BY}`;
/** What a failure comes to under `legacy`: nobody decided. */
const IGNORED = "0x87 all_ignored by chain";

const send =
  (status: number, type: string | undefined, body?: string | Uint8Array): Answering =>
  (response) => {
    response.writeHead(status, type === undefined ? {} : { "content-type": type });
    response.end(body);
  };

describe("the answer of a server", () => {
  const ALLOW = '{"result":"allow"}';
  const rows: [string, Answering, strict: string, emqx: string][] = [
    ["204", send(204, undefined), `allow ${BY}`, `allow ${BY}`],
    ["200 allow", send(200, "application/json", ALLOW), `allow ${BY}`, `allow ${BY}`],
    [
      "200 deny",
      send(200, "application/json", '{"result":"deny"}'),
      `0x87 backend_denied ${BY}`,
      `0x87 backend_denied ${BY}`,
    ],
    ["200 ignore", send(200, "application/json", '{"result":"ignore"}'), IGNORED, IGNORED],
    ["200 without a result", send(200, "application/json", "{}"), IGNORED, IGNORED],
    ["200 with another result", send(200, "application/json", '{"result":"ok"}'), BAD, IGNORED],
    ["200 with result null", send(200, "application/json", '{"result":null}'), BAD, IGNORED],
    ["200 with result true", send(200, "application/json", '{"result":true}'), BAD, IGNORED],
    ["a list", send(200, "application/json", "[]"), BAD, IGNORED],
    ["a text", send(200, "application/json", '"allow"'), BAD, IGNORED],
    ["broken JSON", send(200, "application/json", '{"result":"allow"'), BAD, IGNORED],
    ["two values", send(200, "application/json", `${ALLOW} ${ALLOW}`), BAD, IGNORED],
    ["an empty body", send(200, "application/json", ""), BAD, IGNORED],
    ["no UTF-8", send(200, "application/json", Buffer.from([0x7b, 0xff, 0x7d])), BAD, IGNORED],
    ["another type", send(200, "text/plain", ALLOW), BAD, IGNORED],
    ["no type", send(200, undefined, ALLOW), BAD, IGNORED],
    [
      "a type with parameters",
      send(200, "application/json; charset=utf-8", ALLOW),
      `allow ${BY}`,
      `allow ${BY}`,
    ],
    ["a type in capitals", send(200, "Application/JSON", ALLOW), `allow ${BY}`, IGNORED],
    ["a type that only begins so", send(200, "application/jsonx", ALLOW), BAD, `allow ${BY}`],
    [
      "a form",
      send(200, "application/x-www-form-urlencoded", "result=allow&is_superuser=true"),
      `allow ${BY}`,
      `allow ${BY}`,
    ],
    ["a broken form", send(200, "application/x-www-form-urlencoded", "result=%zz"), BAD, IGNORED],
    [
      "a form with an expiry",
      send(200, "application/x-www-form-urlencoded", `result=allow&expire_at=${NOW + 60}`),
      `0x86 bad_expiry ${BY}`,
      `0x86 bad_expiry ${BY}`,
    ],
    [
      "a form with rules",
      send(200, "application/x-www-form-urlencoded", "result=allow&acl=[]"),
      `0x88 bad_acl_claim ${BY}`,
      IGNORED,
    ],
    ["201", send(201, "application/json", ALLOW), FAILED, IGNORED],
    ["301", send(301, undefined), FAILED, IGNORED],
    ["400", send(400, "application/json", ALLOW), FAILED, IGNORED],
    ["401", send(401, "application/json", ALLOW), `0x86 backend_denied ${BY}`, IGNORED],
    ["403", send(403, undefined), `0x87 backend_denied ${BY}`, IGNORED],
    ["404", send(404, "application/json", ALLOW), FAILED, IGNORED],
    ["500", send(500, "application/json", ALLOW), FAILED, IGNORED],
    ["503", send(503, undefined), FAILED, IGNORED],
  ];

  it.each(rows)("%s", async (_, answer, strict, emqx) => {
    expect(brief(await ask(answer))).toBe(strict);
    expect(brief(await ask(answer, { preset: "emqx" }))).toBe(emqx);
  });

  it("fails when a body is cut, hangs, or is too long", async () => {
    const cut: Answering = (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write('{"result":"allow"}');
      response.socket?.destroySoon();
    };
    expect(brief(await ask(cut))).toBe(FAILED);
    const hangs: Answering = (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"result":"allow"');
    };
    expect(brief(await ask(hangs, { more: "request_timeout = 50ms" }))).toBe(FAILED);
    const never: Answering = () => {};
    expect(brief(await ask(never, { more: "request_timeout = 50ms" }))).toBe(FAILED);
    const padded = (bytes: number): Answering =>
      send(200, "application/json", `{"result":"allow"}${" ".repeat(bytes - 18)}`);
    expect(brief(await ask(padded(262_144)))).toBe(`allow ${BY}`);
    expect(brief(await ask(padded(262_145)))).toBe(FAILED);
  });

  it("fails on a small answer that unpacks to a large one", async () => {
    const packed = (bytes: number): Answering => {
      const body = gzipSync(`{"result":"allow"}${" ".repeat(bytes - 18)}`);
      return (response) => {
        const encoding = { "content-type": "application/json", "content-encoding": "gzip" };
        response.writeHead(200, encoding);
        response.end(body);
      };
    };
    expect(brief(await ask(packed(1000)))).toBe(`allow ${BY}`);
    expect(brief(await ask(packed(50_000_000)))).toBe(FAILED);
  });

  it("fails on what is no HTTP, and on a connection that ends", async () => {
    const garbage: Answering = (response) =>
      response.socket?.end("hello, I am no web server\r\n\r\n");
    expect(brief(await ask(garbage))).toBe(FAILED);
    const gone: Answering = (response) => response.socket?.destroy();
    expect(brief(await ask(gone))).toBe(FAILED);
  });

  it("never follows a redirect", async () => {
    const elsewhere = await startHttpServer({ result: "allow" });
    const redirect: Answering = (response) => {
      response.writeHead(307, { location: `${elsewhere.origin}/auth` });
      response.end();
    };
    expect(brief(await ask(redirect))).toBe(FAILED);
    expect(elsewhere.asked).toEqual([]);
    await elsewhere.close();
  });

  it("gives the client what comes with `allow`, and nothing without", async () => {
    const fields = {
      is_superuser: "1",
      client_attrs: { group: "g1", "bad key": "x", list: ["a", "b"] },
      expire_at: NOW + 60,
      clientid_override: "other",
    };
    const decision = await ask({ result: "allow", ...fields });
    if (decision.verdict !== "allow") throw new Error(brief(decision));
    const { session } = decision;
    expect(session.isSuperuser).toBe(true);
    expect(session.clientAttrs).toEqual({ group: "g1", list: "ab" });
    expect(session.expireAtMs).toBe((NOW + 60) * 1000);
    expect(session.clientId).toBe("other");
    session.close();
    expect(brief(await ask({ result: "ignore", ...fields }))).toBe(IGNORED);
  });

  it("enforces the rules that come with `allow`", async () => {
    const acl = [
      { permission: "allow", action: "publish", topic: "a/${clientid}" },
      { permission: "deny", action: "all", topic: "#" },
    ];
    const decision = await ask({ result: "allow", acl });
    if (decision.verdict !== "allow") throw new Error(brief(decision));
    const publish = { type: "publish", qos: 0, retain: false } as const;
    expect(await decision.session.authorize(publish, "a/c1")).toMatchObject({ verdict: "allow" });
    expect(await decision.session.authorize(publish, "a/c2")).toMatchObject({ verdict: "deny" });
    decision.session.close();
  });

  it.each([
    ["vip", "allow"],
    ["default", "deny"],
    ["unheard-of", "deny"],
    ["", "deny"],
  ])("puts the client in the zone %j if a listener has that", async (zone, verdict) => {
    server.answer = { result: "allow", zone_override: zone };
    engine?.close();
    engine = await engineFrom({
      conf: `authentication = [{
        mechanism = password_based, backend = http, method = get, url = "${server.origin}/"
      }]
      listeners.tcp.vip { bind = "127.0.0.1:0", zone = vip }
      authorization.sources = [{ type = file, path = "acl.conf" }]`,
      acl: '{allow, {zone, "vip"}, publish, ["#"]}.',
    });
    const decision = await engine.connect({ clientId: "c1", username: "u1" });
    if (decision.verdict !== "allow") throw new Error("refused");
    const publish = { type: "publish", qos: 0, retain: false } as const;
    expect(await decision.session.authorize(publish, "a")).toMatchObject({ verdict });
    decision.session.close();
  });

  it.each([
    [{ acl: [{ permission: "xx", action: "publish", topic: "a" }] }, `0x86 bad_acl_claim ${BY}`],
    [{ acl: { pub: ["a"] } }, `0x88 bad_acl_claim ${BY}`],
    [{ acl: null }, `0x88 bad_acl_claim ${BY}`],
    [{ acl: [] }, `allow ${BY}`],
    [{ client_attrs: [] }, `0x88 bad_attrs_claim ${BY}`],
    [{ client_attrs: { a: 1 } }, `0x88 bad_attrs_claim ${BY}`],
    [{ client_attrs: null }, `0x88 bad_attrs_claim ${BY}`],
    [{ expire_at: NOW }, `allow ${BY}`],
    [{ expire_at: NOW - 1 }, `0x86 expired ${BY}`],
    [{ expire_at: `${NOW + 60}` }, `0x86 bad_expiry ${BY}`],
    [{ expire_at: NOW + 60.5 }, `0x86 bad_expiry ${BY}`],
    [{ expire_at: null }, `0x86 bad_expiry ${BY}`],
    [{ expire_at: (NOW + 60) * 1000 }, `0x86 bad_expiry ${BY}`],
    [{ expire_at: NOW * 500 }, `allow ${BY}`],
    [{ expire_at: NOW * 500 + 251 }, `0x86 bad_expiry ${BY}`],
    [{ clientid_override: "" }, `allow ${BY}`],
    [{ clientid_override: 7 }, `allow ${BY}`],
  ])("%j comes to %s", async (fields, expected) => {
    expect(brief(await ask({ result: "allow", ...fields }))).toBe(expected);
  });
});
