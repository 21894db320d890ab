/** The policy and the questions of the runtime suite: both user stories, with real signatures. */

import { loadConfigFile } from "../../dist/bindings/node/config-files.js";
import { mintToken } from "../../dist/bindings/node/token.js";
import { compilePolicy } from "../../dist/src/compile/policy.js";
import { loadConfig } from "../../dist/src/config/load.js";

const SECRET = "a secret of the runtime suite, long enough for HS256";
const UNIT = "1001010-1000010";
const FAR = 4102444800; // 2100-01-01

const SUB = `urn:test:unitid:${UNIT}:clientid:test`;

function mint(claims, secret = SECRET) {
  return mintToken({ algorithm: "HS256", key: secret, claims: { exp: FAR, ...claims } });
}

const reader = { sub: SUB, scp: "read openid foobar" };
const ask = (token, more = {}) => ({
  clientid: UNIT,
  username: "device",
  password: token,
  ...more,
});
const subscribe = (topic) => ({ action: "subscribe", topic, qos: 1 });
const publish = (topic) => ({ action: "publish", topic, qos: 1 });
const actions = (...verdicts) => verdicts.map((verdict) => ({ verdict }));

const CASES = [
  {
    name: "accepts the right device",
    question: ask(mint(reader)),
    expect: { status: 200, verdict: "allow", by: "jwt", clientid: UNIT },
  },
  {
    name: "sets the scope as an attribute",
    question: ask(mint(reader)),
    expect: { client_attrs: { jwt_scp: "read" } },
  },
  {
    name: "opens exactly what the scope allows",
    question: ask(mint(reader), {
      actions: [
        subscribe("myorg/read/#"),
        subscribe("myorg/read/a"),
        subscribe("myorg/#"),
        subscribe("#"),
        subscribe("myorg/+/a"),
        publish("myorg/any/thing"),
        publish("other/org"),
      ],
    }),
    expect: { actions: actions("allow", "allow", "deny", "deny", "deny", "allow", "deny") },
  },
  {
    name: "opens nothing for a token without the scope, but lets it publish",
    question: ask(mint({ ...reader, scp: "openid" }), {
      actions: [subscribe("myorg/read/#"), publish("myorg/x")],
    }),
    expect: { verdict: "allow", actions: actions("deny", "allow") },
  },
  {
    name: "refuses another client id by cinfo, before the signature is looked at",
    question: ask(mint(reader, "forged"), { clientid: "somebody-else" }),
    expect: { verdict: "deny", by: "cinfo", code: 0x86 },
  },
  {
    name: "refuses a forged token under the right client id by jwt",
    question: ask(mint(reader, "forged")),
    expect: { verdict: "deny", by: "jwt", reason: "bad_signature" },
  },
  {
    name: "refuses an expired token",
    question: ask(mint({ ...reader, exp: 1 })),
    expect: { verdict: "deny", by: "jwt", reason: "expired" },
  },
  {
    name: "refuses a password that is no token",
    question: ask("hello"),
    expect: { verdict: "deny" },
  },
  {
    name: "obeys the token's own ACL before the rules",
    question: ask(mint({ ...reader, acl: { sub: ["only/${clientid}/+"] } }), {
      actions: [subscribe(`only/${UNIT}/x`), subscribe("myorg/read/#"), publish("myorg/x")],
    }),
    expect: { verdict: "allow", actions: actions("allow", "deny", "deny") },
  },
  {
    name: "lower-cases what ASCII alone cannot",
    question: ask(mint({ ...reader, region: "ÅRHUS" })),
    expect: { client_attrs: { jwt_scp: "read", region: "århus" } },
  },
  {
    name: "refuses a question it does not understand",
    question: { clientid: UNIT, pasword: "x" },
    expect: { status: 400 },
  },
];

/** Compiles the policy of the suite and hands out everything a runtime needs. */
export function makeFixtures(configFile) {
  const { config } = loadConfigFile(configFile, { env: {} });
  const { image } = compilePolicy(config);
  return { image, secrets: { "authentication[2].secret": SECRET }, cases: CASES };
}

const login = (password) => ({ clientid: UNIT, username: "device", password });
const failed = { verdict: "deny", by: "password_based:http", code: 0x88 };

const HTTP_CASES = [
  {
    name: "lets in whom a server knows",
    question: login("right"),
    expect: { verdict: "allow", client_attrs: { role: "reader" }, is_superuser: true },
  },
  {
    name: "refuses whom a server refuses",
    question: login("wrong"),
    expect: { verdict: "deny", reason: "backend_denied", code: 0x86 },
  },
  ...["redirect", "garbage", "huge", "cut", "silent"].map((password) => ({
    name: `takes a server's answer for a failure: ${password}`,
    question: login(password),
    expect: failed,
  })),
];

/** A policy that asks the server at `origin`, with questions of its own. */
export function makeHttpFixtures(origin) {
  const text = `authentication = [{
    mechanism = password_based, backend = http, method = post, url = "${origin}/authn"
    headers { X-Api-Key = "another key" }
    body { username = "\${username}", password = "\${password}" }
    request_timeout = 2s
  }]`;
  const { config } = loadConfig({ text, file: "http.conf" });
  const { image } = compilePolicy(config);
  const secrets = { "authentication[1].headers.x-api-key": "key of the suite" };
  return { image, secrets, cases: HTTP_CASES };
}
