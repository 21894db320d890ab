import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine.ts";
import { brief } from "../../support/engine.ts";
import { type HttpServer, sendJson, startHttpServer } from "../../support/http-server.ts";
import { engineFrom } from "../../support/policy.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const BY = "by password_based:http";

/** A server that is asked with tokens t1, t2 … of another server, and knows which of them are good. */
async function setUp() {
  const good = new Set<string>();
  let issued = 0;
  const identity = await startHttpServer((response) => {
    issued += 1;
    good.add(`t${issued}`);
    sendJson(response, { access_token: `t${issued}`, token_type: "Bearer", expires_in: 3600 });
  });
  const server = await startHttpServer((response, { headers, body }) => {
    const isKnown = good.has(headers.authorization?.replace("Bearer ", "") ?? "");
    if (isKnown) {
      if (JSON.parse(body).p === "right") sendJson(response, { result: "allow" });
      else sendJson(response, {}, 401);
    } else {
      response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' });
      response.end();
    }
  });
  const engine: Engine = await engineFrom({
    conf: `authentication = [{
      mechanism = password_based, backend = http, method = post, url = "${server.origin}/auth"
      body { p = "\${password}" }
      oauth2 {
        token_endpoint = "${identity.origin}/token", client_id = broker, client_secret = s3cret
      }
    }]`,
  });
  opened.push(
    () => engine.close(),
    () => server.close(),
    () => identity.close(),
  );
  const login = async (password: string): Promise<string> =>
    brief(await engine.connect({ clientId: "c1", password }));
  return { good, server, identity, login };
}

const bearers = ({ asked }: HttpServer): (string | undefined)[] =>
  asked.map(({ headers }) => headers.authorization);

describe("with oauth2", () => {
  it("every request carries a token, which is asked for once", async () => {
    const { server, identity, login } = await setUp();
    const all = await Promise.all([login("right"), login("right"), login("wrong")]);
    expect(all).toEqual([`allow ${BY}`, `allow ${BY}`, `0x86 backend_denied ${BY}`]);
    expect(bearers(server)).toEqual(["Bearer t1", "Bearer t1", "Bearer t1"]);
    expect(identity.asked).toHaveLength(1);
  });

  it("a token that was withdrawn is replaced, and the client hears nothing of it", async () => {
    const { good, server, login } = await setUp();
    expect(await login("right")).toBe(`allow ${BY}`);
    good.clear();
    expect(await login("right")).toBe(`allow ${BY}`);
    expect(bearers(server)).toEqual(["Bearer t1", "Bearer t1", "Bearer t2"]);
  });

  it("a server that takes no token at all is a failure, not a refusal of the client", async () => {
    const { good, server, identity, login } = await setUp();
    good.add = () => good;
    expect(await login("right")).toBe(`0x88 backend_unavailable ${BY}`);
    expect(await login("right")).toBe(`0x88 backend_unavailable ${BY}`);
    expect(identity.asked).toHaveLength(2);
    expect(bearers(server)).toEqual(["Bearer t1", "Bearer t2", "Bearer t2"]);
  });

  it("nobody is asked without a token", async () => {
    const { server, identity, login } = await setUp();
    identity.answer = (response: ServerResponse) =>
      sendJson(response, { error: "invalid_client" }, 401);
    expect(await login("right")).toBe(`0x88 backend_unavailable ${BY}`);
    expect(server.asked).toEqual([]);
  });
});
