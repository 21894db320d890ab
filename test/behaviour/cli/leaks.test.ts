/**
 * Nothing that anybody hands over in confidence is written anywhere: logs, explanations, error
 * messages, images. One run of everything that writes, then a search for every secret in every form.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../../bindings/node/store/store.ts";
import type { Preset } from "../../../src/config/compatibility.ts";
import { connectPacket, RawClient } from "../../support/broker.ts";
import { makeCertificate } from "../../support/certificates.ts";
import { runCli, TestDirectory } from "../../support/cli.ts";
import { startCli } from "../../support/cli-process.ts";
import { type HttpServer, sendJson, startHttpServer } from "../../support/http-server.ts";
import { formsOf, leaksIn } from "../../support/leaks.ts";
import { knock } from "../../support/mqtt-client.ts";
import { ScramClient } from "../../support/scram-client.ts";
import { makeToken } from "../../support/tokens.ts";

/** What must not be seen again. Passwords of clients are added by the tests. */
const SECRETS = {
  "hmac secret": "Vq7wXr2kPz9sLd4mHh1cBn8tYe5uRj3o0123456789",
  "header of the http authenticator": "Tg5bNh8yUj3mIk6oQw2e",
  "header of the key set": "Qa1wSe4dRf7gTh0jUi8k",
  "password of a user": "Pl0kOi9jUh8yGt7fRd6s",
  "password of nobody": "Mn5bVc3xZa1qWs2eDr4f",
  "password that the server chokes on": "choking-Er4tYu7iOp1aSd3f",
  "passphrase of the listener's key": "Df6gHj9kLz2xCv4bNm1q",
  "authentication data": "Cv3bNm6qWe9rTy1uIo5p",
  "password of a SCRAM user": "Xs2wQa9zEd4cRf6vTg8b",
  "wrong password of a SCRAM user": "Yh7nUj5mIk3lOp1zAq9x",
  "oauth2 client secret": "Bh4uNj7iMk1oLp6aZq3w",
  "oauth2 access token": "Gt6yHu2jIk8oLp4zXc7v",
} as const;

const CERTIFICATE = makeCertificate({ subject: [{ CN: "localhost" }], dnsNames: ["localhost"] });
const KEY_LINE = CERTIFICATE.key.split("\n")[1]!;

const token = (secret: string, claims: object) =>
  makeToken("HS256", secret, { role: "reader", ...claims });
const now = Math.floor(Date.now() / 1000);
const TOKENS = {
  valid: token(SECRETS["hmac secret"], { exp: now + 3600 }),
  expired: token(SECRETS["hmac secret"], { exp: now - 3600 }),
  forged: token("of somebody else", { exp: now + 3600 }),
  "of another claim": token(SECRETS["hmac secret"], { exp: now + 3600, role: "other" }),
};

/** Whole tokens and their signatures; what a payload says about a client may be explained. */
const SECRET_TOKENS = Object.fromEntries(
  Object.entries(TOKENS).flatMap(([name, text]) => [
    [`token ${name}`, text],
    [`signature ${name}`, text.split(".")[2]!],
  ]),
);
const ALL = { ...SECRETS, ...SECRET_TOKENS, "key of the listener": KEY_LINE };

/** An authenticator that asks with a token of this endpoint. */
function bearer(origin: string, endpoint: string): string {
  return `{
    mechanism = password_based, backend = http, method = post, url = "${origin}/bearer"
    body { username = "\${username}", password = "\${password}" }
    oauth2 {
      token_endpoint = "${origin}/${endpoint}", client_id = broker
      client_secret = "${SECRETS["oauth2 client secret"]}"
    }
  }`;
}

function policy(origin: string): string {
  return `
listeners.tcp.default.bind = "127.0.0.1:0"
listeners.tcp.bearer { bind = "127.0.0.1:0", authentication = [${bearer(origin, "token")}] }
listeners.tcp.tokenless { bind = "127.0.0.1:0", authentication = [${bearer(origin, "no-token")}] }
listeners.ssl.default {
  bind = "127.0.0.1:0"
  ssl_options { certfile = "server.pem", keyfile = "server.key", password = "${SECRETS["passphrase of the listener's key"]}" }
  authentication = [{
    mechanism = jwt, use_jwks = true, endpoint = "${origin}/keys"
    headers { authorization = "Bearer ${SECRETS["header of the key set"]}" }
  }]
}
mqtt.client_attrs_init = [
  { expression = "jwt_value(password, 'role')", set_as_attr = role }
  { expression = "password", set_as_attr = all }
  { expression = "nth(3, tokens(password, '.'))", set_as_attr = signature }
  { expression = "concat(['x', password])", set_as_attr = more }
]
authentication = [
  { mechanism = cinfo, checks = [{ is_match = "str_eq(password, 'x')", result = deny }] }
  {
    mechanism = jwt, use_jwks = false, algorithm = "hmac-based", from = password, on_missing_jwt = ignore
    secret = "${SECRETS["hmac secret"]}", verify_claims { role = reader }
  }
  { mechanism = password_based, backend = built_in_database, bootstrap_file = "users.csv" }
  {
    mechanism = password_based, backend = http, method = post, url = "${origin}/auth", request_timeout = 2s
    headers { "content-type" = "application/json", authorization = "Bearer ${SECRETS["header of the http authenticator"]}" }
    body { username = "\${username}", password = "\${password}" }
  }
  { mechanism = scram, backend = built_in_database }
]
authorization.sources = [{ type = file, path = "acl.conf" }]
`;
}

/** A server that says back whatever it was told, as an error or as nonsense. */
async function startEcho(): Promise<HttpServer> {
  const server = await startHttpServer((response, asked) => {
    const echo = `${JSON.stringify(asked.headers)} ${asked.body}`;
    const isChoked = asked.body.includes("choking");
    if (asked.url === "/token") {
      const access_token = SECRETS["oauth2 access token"];
      sendJson(response, { access_token, token_type: "Bearer", expires_in: 3600 });
    } else if (asked.url === "/no-token") {
      sendJson(response, { error: "invalid_client", error_description: echo, scope: echo }, 401);
    } else if (asked.url === "/bearer" && asked.body.includes("ann")) {
      const quoted = JSON.stringify(asked.headers.authorization);
      response.setHeader("www-authenticate", `Bearer error="invalid_token", realm=${quoted}`);
      sendJson(response, { error: echo }, 401);
    } else {
      response.writeHead(isChoked ? 500 : 200, { "content-type": "application/json" });
      response.end(isChoked ? echo : asked.url === "/auth" ? '{"result":"ignore"}' : echo);
    }
  });
  onTestFinished(() => server.close());
  return server;
}

function directory(text: string): TestDirectory {
  const made = new TestDirectory({
    "p.conf": text,
    "acl.conf":
      '{allow, all, all, ["t/${client_attrs.all}", "s/${client_attrs.signature}/+", "u/${username}/#"]}.\n{deny, all}.\n',
    "users.csv": `user_id,password\nann,${SECRETS["password of a user"]}\n`,
    "server.pem": CERTIFICATE.cert,
    "server.key": CERTIFICATE.key,
  });
  onTestFinished(() => made.remove());
  return made;
}

interface Credential {
  readonly username: string;
  readonly password: string;
}

const CREDENTIALS: Readonly<Record<string, Credential>> = {
  ...Object.fromEntries(
    Object.entries(TOKENS).map(([name, password]) => [name, { username: "u", password }]),
  ),
  user: { username: "ann", password: SECRETS["password of a user"] },
  "wrong password": { username: "ann", password: SECRETS["password of nobody"] },
  nobody: { username: "nobody", password: SECRETS["password of nobody"] },
  choking: { username: "eve", password: SECRETS["password that the server chokes on"] },
  "line feeds": { username: "u", password: `\n${SECRETS["password of nobody"]}\n\u001b[2J` },
};

/** A client that knows no manners: secrets in places where none belong, packets cut short. */
async function talkNonsense(port: number): Promise<void> {
  const secret = SECRETS["authentication data"];
  const auth = Buffer.from(
    `\x15\x00\x05PLAIN\x16\x00${String.fromCharCode(secret.length)}${secret}`,
  );
  const connects = [
    Buffer.from(`\x10\xff\xff\xff\x7f${secret}`, "latin1"),
    Buffer.concat([
      Buffer.of(0x10, 13 + auth.length + 1, 0, 4),
      Buffer.from("MQTT\x05\x02\x00\x00"),
      Buffer.of(auth.length),
      auth,
      Buffer.from("\x00\x01c"),
    ]),
    Buffer.from(`GET /?p=${secret} HTTP/1.1\r\nAuthorization: ${secret}\r\n\r\n`),
  ];
  for (const bytes of connects) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
      socket.on("error", () => {});
      socket.resume();
      socket.on("close", () => resolve());
    });
  }
}

const SCRAM = { user: "dev", password: SECRETS["password of a SCRAM user"] };

/** Makes the SCRAM user; gives what is stored of its password. */
async function addScramUser(made: TestDirectory): Promise<Record<string, Uint8Array>> {
  const who = ["users", "add", SCRAM.user, "-c", made.file("p.conf"), "--scram", "sha256"];
  const added = startCli([...who, "--password-stdin"], { input: `${SCRAM.password}\n` });
  expect(await added.ended).toBe(0);
  expect(leaksIn({ "users add": added.stdout() + added.stderr() }, ALL)).toEqual([]);
  const store = await openStore(made.file("data"));
  const { storedKey, serverKey } = store.scramUser("sha256", SCRAM.user)!;
  await store.close();
  return { "StoredKey of the SCRAM user": storedKey, "ServerKey of the SCRAM user": serverKey };
}

/** Goes through an exchange; the code of the CONNACK, and the proof that was sent. */
async function loginScram(port: number, password: string): Promise<[code: number, proof: string]> {
  const scram = new ScramClient({ ...SCRAM, password });
  const propertiesOf = (data: Buffer) => ({
    properties: { authenticationMethod: scram.method, authenticationData: data },
  });
  const client = await RawClient.open(port);
  client.send(connectPacket({ clientId: "scram", ...propertiesOf(scram.first) }));
  const asked = await client.next("auth");
  const answer = scram.answer(asked.properties?.authenticationData);
  client.send({ cmd: "auth", reasonCode: 0x18, ...propertiesOf(answer) });
  const { reasonCode = 0 } = await client.next("connack");
  client.socket.end();
  await client.closed;
  return [reasonCode, answer.toString().split(",p=")[1]!];
}

const PRESETS: readonly Preset[] = ["strict", "emqx"];

describe.each(PRESETS)("with --compatibility %s, secrets", (preset) => {
  it("are in no log line, whatever clients and servers do", async () => {
    const server = await startEcho();
    const made = directory(policy(server.origin));
    const keys = await addScramUser(made);
    const config = made.file("p.conf");
    const args = ["broker", "-c", config, "--compatibility", preset, "--log-level", "trace"];
    const broker = startCli(args);
    onTestFinished(() => void broker.child.kill("SIGKILL"));
    const said = await broker.until(/policy: /);
    const portOf = (listener: string): number =>
      Number(new RegExp(`mqtt://127\\.0\\.0\\.1:(\\d+) \\(tcp:${listener}\\)`).exec(said)![1]);
    const port = portOf("default");
    const answers: Record<string, number> = {};
    for (const [name, credential] of Object.entries(CREDENTIALS)) {
      for (const version of [4, 5] as const) {
        const answer = await knock({ port, version, clientId: `c-${version}`, ...credential });
        answers[`${name} ${version}`] = typeof answer === "number" ? answer : 0;
        if (typeof answer === "number") continue;
        await answer.subscribe(["#", "u/ann/#"]);
        if (version === 5) await answer.publish("nowhere");
        await answer.leave();
      }
    }
    for (const listener of ["bearer", "tokenless"]) {
      for (const credential of [CREDENTIALS.user!, CREDENTIALS.choking!, CREDENTIALS.nobody!]) {
        const whom = { port: portOf(listener), clientId: "c", version: 5, ...credential } as const;
        expect(await knock(whom)).toBeGreaterThan(0x80);
      }
    }
    const [right, proof] = await loginScram(port, SCRAM.password);
    const wrong = await loginScram(port, SECRETS["wrong password of a SCRAM user"]);
    expect([right, wrong[0]]).toEqual([0, 0x87]);
    await talkNonsense(port);
    made.write(
      "p.conf",
      `${policy(server.origin)}\nauthentication.2.secrett = "${SECRETS["hmac secret"]}"`,
    );
    broker.child.kill("SIGHUP");
    await broker.until(/old policy stays in force/);
    broker.child.kill("SIGTERM");
    await broker.ended;
    // The clients were what they are meant to be, and the servers were asked.
    expect(answers).toMatchObject({ "valid 5": 0, "user 5": 0, "user 4": 0 });
    expect(Object.entries(answers).filter(([, code]) => code === 0)).toHaveLength(4);
    expect(server.asked.some(({ url, body }) => url === "/auth" && body.includes("choking"))).toBe(
      true,
    );
    // So was the one for tokens, and the tokens went where they belong.
    const bearers = server.asked.filter(({ url }) => url === "/bearer");
    const header = `Bearer ${SECRETS["oauth2 access token"]}`;
    expect(new Set(bearers.map(({ headers }) => headers.authorization))).toEqual(new Set([header]));
    expect(server.asked.some(({ url }) => url === "/no-token")).toBe(true);
    const text = broker.stdout() + broker.stderr();
    expect(text).toContain("connect_refused");
    const proofs = { "proof of the password": proof, "proof of another": wrong[1] };
    expect(leaksIn({ "the broker's output": text }, { ...ALL, ...keys, ...proofs })).toEqual([]);
  });

  it("are in no explanation, check or image", async () => {
    const server = await startEcho();
    const made = directory(policy(server.origin));
    const keys = await addScramUser(made);
    const config = made.file("p.conf");
    const common = ["-c", config, "--compatibility", preset, "-i", "c1"];
    const texts: Record<string, string> = {};
    const run = async (name: string, ...args: readonly string[]): Promise<number> => {
      const { code, stdout, stderr } = await runCli(...args);
      texts[name] = stdout + stderr;
      return code;
    };
    const codes: Record<string, number> = {};
    for (const [name, { username, password }] of Object.entries(CREDENTIALS)) {
      const file = made.write("password.txt", password);
      const who = [...common, "-u", username, "--password-file", file];
      codes[name] = await run(`explain ${name}`, "explain", "connect", ...who);
      await run(`explain ${name} as JSON`, "explain", "connect", ...who, "--json");
      if (name !== "valid") continue;
      await run("explain publish", "explain", "publish", "t/1", ...who);
      await run("explain subscribe", "explain", "subscribe", "s/#", ...who, "--json");
    }
    for (const listener of ["tcp:bearer", "tcp:tokenless"]) {
      const { username, password } = CREDENTIALS.user!;
      const file = made.write("password.txt", password);
      const who = [...common, "--listener", listener, "-u", username, "--password-file", file];
      codes[listener] = await run(`explain ${listener}`, "explain", "connect", ...who);
      await run(`explain ${listener} as JSON`, "explain", "connect", ...who, "--json");
    }
    for (const name of ["password of a SCRAM user", "wrong password of a SCRAM user"] as const) {
      const file = made.write("password.txt", SECRETS[name]);
      const method = ["--auth-method", "SCRAM-SHA-256", "-u", SCRAM.user, "--password-file", file];
      codes[name] = await run(`explain ${name}`, "explain", "connect", ...common, ...method);
      await run(`explain ${name} as JSON`, "explain", "connect", ...common, ...method, "--json");
    }
    await run("users list", "users", "list", "-c", config, "--scram", "sha256", "--json");
    expect(texts["users list"]).toContain(SCRAM.user);
    expect(codes).toMatchObject({
      ...{ valid: 0, expired: 1, forged: 1, "tcp:bearer": 1, "tcp:tokenless": 1 },
      ...{ "password of a SCRAM user": 0, "wrong password of a SCRAM user": 1 },
    });
    expect(server.asked.some(({ url }) => url === "/token")).toBe(true);
    expect(await run("check", "check", config, "--compatibility", preset, "--json")).toBe(0);
    const image = made.file("p.image");
    expect(await run("compile", "compile", config, "--compatibility", preset, "-o", image)).toBe(0);
    texts.image = readFileSync(image, "latin1");
    expect(texts["explain valid"]).toContain("(hidden)");
    expect(leaksIn(texts, { ...ALL, ...keys })).toEqual([]);
  });

  it("are in no message about a configuration that cannot be read", async () => {
    const secret = SECRETS["hmac secret"];
    const jwt = (rest: string) => `authentication = [{ mechanism = jwt, ${rest} }]`;
    const hmac = 'use_jwks = false, algorithm = "hmac-based"';
    const http = (rest: string) =>
      `authentication = [{ mechanism = password_based, backend = http, method = get, url = "http://h/", ${rest} }]`;
    const broken = [
      jwt(`${hmac}, secret = ["${secret}"]`),
      jwt(`${hmac}, secret { x = "${secret}" }`),
      jwt(`${hmac}, secrt = "${secret}"`),
      jwt(`${hmac}, secret = "${secret}"x = 1`),
      jwt(`${hmac}, secret = "${secret}`),
      jwt(`${hmac}, secret = ${secret} oops = 1, nope = 2`),
      jwt(`${hmac}, secret = "${secret}", secret_base64_encoded = true`),
      jwt(`${hmac}, secret_base64_encoded = "${secret}", secret = x`),
      jwt(
        `use_jwks = false, algorithm = "public-key", public_key = """${CERTIFICATE.key.replaceAll("PRIVATE", "SECRET")}"""`,
      ),
      jwt(`use_jwks = true, endpoint = "http://h/", headers { authorization = ["${secret}"] }`),
      http(`headers { authorization { x = "${secret}" } }`),
      http(`headers = "${secret}"`),
      http(`body = "${secret}"`),
      http(`oauth2 = "${secret}"`),
      http(`oauth2 { token_endpoint = "http://h/", client_id = a, client_secret = ["${secret}"] }`),
      http(`oauth2 { token_endpoint = "http://h/", client_id = a, client_secrt = "${secret}" }`),
      http(`oauth2 { token_endpoint = "http://a:${secret}@h/", client_id = a, client_secret = b }`),
      http(
        `oauth2 { token_endpoint = "http://a:${secret}/@@h/", client_id = a, client_secret = b }`,
      ),
      http("enable = true").replace("http://h/", `http://a:${secret}@h/`),
      jwt(`use_jwks = true, endpoint = "http://a:${secret}@h/"`),
      jwt(`use_jwks = true, endpoint = "htp://a:${secret}@h/"`),
      `listeners.ssl.default.ssl_options { certfile = "server.pem", keyfile = "server.key", password = ["${secret}"] }`,
      `listeners.ssl.default.ssl_options { certfile = "server.pem", keyfile = """${KEY_LINE}${KEY_LINE}""" }`,
    ];
    const made = directory("");
    const texts: Record<string, string> = {};
    for (const [index, text] of broken.entries()) {
      const file = made.write("broken.conf", text);
      const { code, stdout, stderr } = await runCli("check", file, "--compatibility", preset);
      // An authenticator that cannot have its keys is left out in emqx mode.
      const isLeftOut = preset === "emqx" && /SECRET KEY|, endpoint = "http:\/\/a:/.test(text);
      expect(code, text.replaceAll(secret, "…")).toBe(isLeftOut ? 0 : 2);
      texts[`${index}`] = stdout + stderr;
    }
    expect(leaksIn(texts, ALL)).toEqual([]);
  });
});

it("the search finds a secret in each of its forms, and nothing where there is none", () => {
  const secret = SECRETS["password of a user"];
  for (const before of ["", "a", "ab", "abc"]) {
    const text = Buffer.from(`${before}${secret}zz`);
    const places = {
      plain: text.toString(),
      base64: text.toString("base64"),
      base64url: text.toString("base64url"),
      hex: text.toString("hex"),
    };
    for (const [form, place] of Object.entries(places)) {
      expect(leaksIn({ [form]: place }, { secret }), `${form} after ${before}`).not.toEqual([]);
    }
  }
  expect(leaksIn({ other: "Pl0kOi9jUh8y of somebody else" }, { secret })).toEqual([]);
  for (const form of formsOf(secret)) expect(form.length).toBeGreaterThanOrEqual(20);
});
