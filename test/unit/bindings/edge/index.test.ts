import { describe, expect, it } from "vitest";
import { createVerifier, type EdgeAnswer, type Verifier } from "../../../../bindings/edge/index.ts";
import { parseQuestion, QUESTION_BYTES_MAX } from "../../../../bindings/edge/question.ts";
import { loadModuleSync } from "../../../../src/core/wasm-inline.gen.ts";
import {
  engineOf,
  imageOf,
  JWT,
  type PolicyText,
  START,
  STORY_ACL,
  stories,
  token,
} from "../../../support/engine.ts";
import { makeToken, rsa, spkiPem } from "../../../support/tokens.ts";

const module = loadModuleSync();
const ports = { now: () => START * 1000 };
const verifierOf = (policy: PolicyText): Promise<Verifier> =>
  createVerifier({ image: imageOf(policy), module, ports });

async function ask(
  { fetch }: Verifier,
  body: BodyInit | undefined,
  method = "POST",
): Promise<{ status: number; answer: EdgeAnswer & { error?: string } }> {
  const init = { method, body: body ?? null, duplex: "half" } as RequestInit;
  const response = await fetch(new Request("https://edge.test/", init));
  return { status: response.status, answer: await response.json() };
}

const streamOf = (pieces: readonly Uint8Array[], error?: Error): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      if (error) controller.error(error);
      else controller.close();
    },
  });

const STORY: PolicyText = { text: stories().scopes, acl: STORY_ACL, env: { EMQX_ETC_DIR: "/etc" } };
const SUB = "urn:test:unitid:unit-1:clientid:test";

describe("the verifier over HTTP", () => {
  it("answers a question", async () => {
    const verifier = await verifierOf(STORY);
    const password = token({ sub: SUB, scp: "read", exp: START + 60 });
    const actions = [
      { action: "subscribe", topic: "myorg/read/#" },
      { action: "subscribe", topic: "myorg/#" },
      { action: "publish", topic: "myorg/a" },
    ];
    const body = JSON.stringify({ clientid: "unit-1", password, actions });
    expect(await ask(verifier, body)).toEqual({
      status: 200,
      answer: {
        verdict: "allow",
        reason: "ok",
        by: "jwt",
        clientid: "unit-1",
        is_superuser: false,
        client_attrs: { jwt_scp: "read" },
        expire_at: (START + 60) * 1000,
        actions: [
          { verdict: "allow", reason: "rule", by: "file", rule: 1 },
          { verdict: "deny", reason: "rule", by: "file", rule: 3 },
          { verdict: "allow", reason: "rule", by: "file", rule: 2 },
        ],
      },
    });
    const refused = await ask(verifier, JSON.stringify({ clientid: "unit-2", password, actions }));
    expect(refused).toEqual({
      status: 200,
      answer: { verdict: "deny", reason: "check_denied", by: "cinfo", code: 0x86 },
    });
  });

  it("says what is wrong with a question", async () => {
    const verifier = await verifierOf({ text: JWT });
    const long = new Uint8Array(QUESTION_BYTES_MAX + 1).fill(0x20);
    const cases: [BodyInit | undefined, number, string][] = [
      [undefined, 400, "the question is"],
      ["", 400, "the question is"],
      ["{", 400, "the question is not JSON"],
      ['{"clientID":"c"}', 400, "no member `clientID`"],
      [Uint8Array.of(0x22, 0xff, 0x22), 400, "not UTF-8"],
      [Uint8Array.of(0x22, 0xc3), 400, "not UTF-8"],
      [long, 413, "at most 262144 bytes"],
      [streamOf([long.subarray(0, 9), long]), 413, "at most 262144 bytes"],
      [streamOf([long.subarray(0, 9)], new Error("reset")), 400, "broke off"],
      ["[".repeat(200_000), 400, "the question is"],
    ];
    for (const [body, status, message] of cases) {
      const got = await ask(verifier, body);
      expect(got.status, message).toBe(status);
      expect(got.answer.error).toContain(message);
    }
    const rest = " ".repeat(QUESTION_BYTES_MAX - 2);
    expect((await ask(verifier, `{}${rest}`)).status).toBe(200);
    expect((await ask(verifier, "\ufeff{}")).status).toBe(200);
    expect((await ask(verifier, "\ufeff\ufeff{}")).status).toBe(400);
    expect((await ask(verifier, undefined, "GET")).status).toBe(405);
  });

  it("reads a question in whatever pieces it comes", async () => {
    const verifier = await verifierOf({ text: JWT });
    const bytes = new TextEncoder().encode(
      JSON.stringify({ clientid: "é日", password: token({}) }),
    );
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const { status, answer } = await ask(verifier, streamOf(pieces));
    expect(status).toBe(200);
    expect(answer).toMatchObject({ verdict: "allow", clientid: "é日" });
  });

  it("is not to be cached", async () => {
    const { fetch } = await verifierOf({ text: JWT });
    for (const body of ["{}", "{"]) {
      const response = await fetch(new Request("https://edge.test/", { method: "POST", body }));
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });
});

describe("actions", () => {
  const acl = '{deny, all, all, ["secret/#"]}.\n{allow, all}.\n';
  const verdicts = async (actions: readonly object[]) => {
    const { verify } = await verifierOf({ text: JWT, acl });
    const question = parseQuestion(JSON.stringify({ clientid: "c", password: token({}), actions }));
    const answer = await verify(question);
    return answer.actions?.map(({ verdict, reason }) => `${verdict} ${reason}`);
  };

  it("on what is no topic are refused", async () => {
    const publish = ["a/+", "#", "", "a\u0000b", "x".repeat(65_536)];
    const subscribe = [
      "a/#/b",
      "a+",
      "",
      "a\u0000",
      "$share/g",
      "$share/+/a",
      "$share/g/",
      "$queue/",
    ];
    expect(
      await verdicts([
        ...publish.map((topic) => ({ action: "publish", topic })),
        ...subscribe.map((topic) => ({ action: "subscribe", topic })),
      ]),
    ).toEqual([...publish, ...subscribe].map(() => "deny malformed_topic"));
  });

  it("on shared subscriptions are asked about what is subscribed to", async () => {
    const filters = [
      "$share/g/secret/x",
      "$queue/secret/x",
      "$exclusive/secret/x",
      "$delayed/5/secret/x",
    ];
    expect(await verdicts(filters.map((topic) => ({ action: "subscribe", topic })))).toEqual(
      filters.map(() => "deny rule"),
    );
    expect(await verdicts([{ action: "subscribe", topic: "$share/g/open/x" }])).toEqual([
      "allow rule",
    ]);
  });
});

describe("the same image", () => {
  const pem = spkiPem(rsa.publicKey).trimEnd();
  const policies: readonly (PolicyText & { readonly sign: (claims: object) => string })[] = [
    { ...STORY, sign: token },
    { text: JWT, acl: '{allow, all, all, ["${username}/#"]}.', preset: "emqx", sign: token },
    {
      text: `authentication = [{ mechanism = jwt, use_jwks = false, algorithm = "public-key", public_key = """${pem}""" }]`,
      acl: STORY_ACL,
      sign: (claims) => makeToken("RS256", rsa.privateKey, claims),
    },
  ];

  it("gives the answers of Node's crypto", async () => {
    for (const { sign, ...policy } of policies) {
      const { engine } = await engineOf(policy);
      const { verify } = await verifierOf(policy);
      const good = sign({ sub: SUB, scp: "read" });
      const passwords = [
        good,
        undefined,
        "",
        "a.b.c",
        `${good.slice(0, -2)}AA`,
        sign({ exp: START }),
        sign({ exp: START + 1, sub: SUB }),
        sign({ nbf: START + 1 }),
        sign({ sub: SUB, is_superuser: true }),
        sign({ sub: SUB, acl: { pub: ["own/#"] } }),
        sign({ sub: SUB, acl: 7 }),
        token({ sub: SUB }, "another secret"),
        makeToken("RS256", rsa.privateKey, { sub: SUB }, { alg: "RS512" }),
      ];
      const seen = new Set<string>();
      for (const password of passwords) {
        for (const [topic, username] of [
          ["myorg/read/x", "u"],
          ["own/x", undefined],
        ] as const) {
          const client = { clientId: "unit-1", username, password };
          const action = { type: "publish", qos: 0, retain: false } as const;
          const answer = await verify({ client, actions: [{ action, topic }] });
          const decision = await engine.connect(client);
          expect([answer.verdict, answer.reason, answer.by]).toEqual([
            decision.verdict,
            decision.reason,
            decision.by,
          ]);
          seen.add(answer.reason);
          if (decision.verdict === "deny") {
            expect(answer.code).toBe(decision.code);
            continue;
          }
          const { verdict, reason, by, rule } = await decision.session.authorize(action, topic);
          const numbered = rule ? { rule: rule.number } : {};
          expect(answer.actions).toEqual([{ verdict, reason, by, ...numbered }]);
          expect({ ...answer.client_attrs }).toEqual({ ...decision.session.clientAttrs });
          decision.session.close();
        }
      }
      expect(seen.size).toBeGreaterThan(2);
    }
  });
});
