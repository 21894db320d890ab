import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { TraceStep } from "../../../src/observe/trace.ts";
import { FakeClock, startBroker, type TestBroker } from "../../support/broker.ts";
import {
  type Answering,
  type HttpServer,
  sendJson,
  startHttpServer,
} from "../../support/http-server.ts";
import { join, knock, type Version } from "../../support/mqtt-client.ts";
import { engineFrom } from "../../support/policy.ts";

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Running {
  readonly test: TestBroker;
  readonly server: HttpServer;
  readonly clock: FakeClock;
}

async function start(answer: Answering | object, more = ""): Promise<Running> {
  const server = await startHttpServer(answer);
  const clock = new FakeClock();
  const conf = `authentication = [{
    mechanism = password_based, backend = http, method = post, url = "${server.origin}/auth/\${clientid}?key=query-secret"
    headers { Authorization = "Basic header-secret" }
    body { username = "\${username}", password = "\${password}" }
    ${more}
  }]
  authorization.sources = [{ type = file, path = "acl.conf" }]`;
  const acl = '{allow, all, subscribe, ["open/#"]}.';
  const engine = await engineFrom({ conf, acl, now: () => clock.now() });
  const test = await startBroker(engine, clock);
  opened.push(
    () => server.close(),
    () => engine.close(),
    () => test.close(),
  );
  return { test, server, clock };
}

/** Lets in who knows the password, as a user's server would. */
const users: Answering = (response, { body }) => {
  const { username, password } = JSON.parse(body);
  if (username === "gone") sendJson(response, { result: "ignore" });
  else if (password === "correct-horse") sendJson(response, { result: "allow" });
  else if (password === "banned") sendJson(response, { result: "deny" });
  else sendJson(response, {}, 401);
};

describe.each<[Version, Record<string, number>]>([
  [5, { badCredentials: 0x86, notAuthorized: 0x87, unavailable: 0x88 }],
  [4, { badCredentials: 4, notAuthorized: 5, unavailable: 3 }],
])("clients of MQTT %i that a server is asked about", (version, codes) => {
  const login = (port: number, username: string, password: string) =>
    knock({ port, version, clientId: "c1", username, password });

  it("are let in or refused, with the code for it", async () => {
    const { test, server } = await start(users);
    const device = await join({
      port: test.port,
      version,
      clientId: "c1",
      username: "u",
      password: "correct-horse",
    });
    await device.leave();
    expect(await login(test.port, "u", "wrong")).toBe(codes.badCredentials);
    expect(await login(test.port, "u", "banned")).toBe(codes.notAuthorized);
    expect(await login(test.port, "gone", "correct-horse")).toBe(codes.notAuthorized);
    server.answer = { result: "perhaps" };
    expect(await login(test.port, "u", "correct-horse")).toBe(codes.unavailable);
    server.answer = (response: ServerResponse) => response.socket?.destroy();
    expect(await login(test.port, "u", "correct-horse")).toBe(codes.unavailable);
  });

  it("may do what the rules of the answer say", async () => {
    const acl = [
      { permission: "allow", action: "publish", topic: "own/${clientid}" },
      { permission: "deny", action: "publish", topic: "#" },
    ];
    const { test } = await start({ result: "allow", acl });
    const credentials = { username: "u", password: "p" };
    const device = await join({ port: test.port, version, clientId: "c1", ...credentials });
    expect(await device.subscribe(["open/a", "own/c1"])).toEqual([0, version === 5 ? 0x87 : 0x80]);
    expect(await device.publish("own/c1")).toBe(0);
    if (version === 5) expect(await device.publish("own/c2")).toBe(0x87);
    await device.leave();
  });

  it("are sent away when the answer's time is over", async () => {
    const { test, server, clock } = await start({});
    server.answer = { result: "allow", expire_at: Math.floor(clock.now() / 1000) + 60 };
    const credentials = { username: "u", password: "p" };
    const device = await join({ port: test.port, version, clientId: "c1", ...credentials });
    // The broker is done with the connect when it answers more.
    expect(await device.subscribe(["open/a"])).toEqual([0]);
    clock.advance(59_000);
    expect(await device.subscribe(["open/a"])).toEqual([0]);
    clock.advance(2000);
    expect(await device.ended()).toBe(version === 5 ? 0xa0 : "closed");
  });
});

it("passwords, headers and what a server says appear in no log and no explanation", async () => {
  const { test, server } = await start(users);
  const answers: (Answering | object)[] = [
    users,
    { result: "answer-secret" },
    (response) => response.socket?.end("answer-secret"),
    (response) => sendJson(response, "answer-secret", 500),
    (response) => {
      response.writeHead(302, { location: "http://answer-secret.example/" });
      response.end();
    },
    { result: "allow", acl: [{ permission: "answer-secret" }] },
    { result: "allow", client_attrs: "answer-secret" },
  ];
  for (const answer of answers) {
    server.answer = answer;
    const code = await knock({
      port: test.port,
      version: 5,
      clientId: "c1",
      username: "u",
      password: "client-secret",
    });
    expect(typeof code).toBe("number");
  }
  expect(server.asked).toHaveLength(answers.length);
  expect(test.text()).toContain("connect_refused");
  expect(test.text()).not.toMatch(/(client|query|header|answer)-secret/);
});

it("an explanation tells who was asked and what came back, and no secret", async () => {
  const server = await startHttpServer(users);
  const engine = await engineFrom({
    conf: `authentication = [{
      mechanism = password_based, backend = http, method = post
      url = "${server.origin}/auth/\${clientid}?key=query-secret"
      headers { Authorization = "Basic header-secret" }
      body { username = "\${username}", password = "\${password}" }
    }]`,
  });
  opened.push(
    () => server.close(),
    () => engine.close(),
  );
  const explain = async (): Promise<string> => {
    const steps: TraceStep[] = [];
    const client = { clientId: "c1", username: "u", password: "client-secret" };
    await engine.connect(client, { trace: (step) => void steps.push(step) });
    return JSON.stringify(steps);
  };
  expect(await explain()).toContain(`POST ${server.origin}/auth/\${clientid}, status 401`);
  await server.close();
  opened.length = 0;
  for (let i = 0; i < 5; i += 1) await explain();
  const open = await explain();
  expect(open).toContain("the circuit is open");
  expect(open).toMatch(/circuit open after 5 failures in a row, next probe in \d+ ms/);
  expect(open).not.toMatch(/(client|query|header)-secret/);
  engine.close();
});
