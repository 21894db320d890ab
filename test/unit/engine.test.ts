import { describe, expect, it } from "vitest";
import { createNodeCrypto } from "../../bindings/node/crypto.ts";
import {
  type Action,
  compilePolicy,
  createEngine,
  type Engine,
  loadConfig,
} from "../../src/index.ts";

const SUBSCRIBE: Action = { type: "subscribe", qos: 0 };

function imageOf(acl: string, conf = ""): Uint8Array {
  const text = `portcullis.allow_anonymous = true
    authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }
    ${conf}`;
  const { config } = loadConfig({ text, file: "t.conf", readFile: () => acl });
  return compilePolicy(config).image;
}

async function engineOf(image: Uint8Array): Promise<Engine> {
  return createEngine({ image, crypto: createNodeCrypto() });
}

async function sessionOf(engine: Engine, clientId = "c1") {
  const answer = await engine.connect({ clientId });
  if (answer.verdict === "deny") throw new Error(answer.reason);
  return answer.session;
}

const A = imageOf('{allow, all, subscribe, ["a/#"]}. {deny, all}.');
const B = imageOf('{allow, all, subscribe, ["b/#"]}. {deny, all}.');

describe("a reload", () => {
  it("is followed by live sessions with their next question", async () => {
    const engine = await engineOf(A);
    const session = await sessionOf(engine);
    expect(session.authorize(SUBSCRIBE, "a/1").verdict).toBe("allow");
    expect(session.isCovered("a/#", 0)).toBe(true);
    await engine.reload(B);
    expect(session.authorize(SUBSCRIBE, "a/1").verdict).toBe("deny");
    expect(session.isCovered("a/#", 0)).toBe(false);
    expect(session.authorizeDelivery("b/1", 0)).toBe(true);
  });

  it("tells listeners once the new policy is in force, until they have enough", async () => {
    const engine = await engineOf(A);
    const session = await sessionOf(engine);
    const verdicts: string[] = [];
    const stop = engine.onPolicyChange(() => {
      verdicts.push(session.authorize(SUBSCRIBE, "a/1").verdict);
    });
    await engine.reload(B);
    await engine.reload(A);
    stop();
    await engine.reload(B);
    expect(verdicts).toEqual(["deny", "allow"]);
  });

  it("that fails changes nothing and tells nobody", async () => {
    const engine = await engineOf(A);
    const session = await sessionOf(engine);
    const { policy } = engine;
    let calls = 0;
    engine.onPolicyChange(() => calls++);
    const damaged = B.slice();
    damaged[damaged.length - 1]! ^= 1;
    await expect(engine.reload(damaged)).rejects.toMatchObject({ code: "ERR_CORE_IMAGE" });
    const withoutSecret = imageOf(
      "",
      'authentication { mechanism = jwt, algorithm = "hmac-based", secret = "0123456789abcdef0123456789abcdef" }',
    );
    await expect(engine.reload(withoutSecret)).rejects.toMatchObject({ code: "ERR_CONFIG" });
    expect(engine.policy).toBe(policy);
    expect(calls).toBe(0);
    expect(session.authorize(SUBSCRIBE, "a/1").verdict).toBe("allow");
  });

  it("asked for last is the one that stays, whatever happens to the others", async () => {
    const engine = await engineOf(A);
    const damaged = A.slice(0, -1);
    const answers = await Promise.allSettled([
      engine.reload(B),
      engine.reload(damaged),
      engine.reload(A),
      engine.reload(B),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    const session = await sessionOf(engine);
    expect(session.authorize(SUBSCRIBE, "b/1").verdict).toBe("allow");
    expect(session.authorize(SUBSCRIBE, "a/1").verdict).toBe("deny");
  });

  it("is refused after close, also when it was under way", async () => {
    const engine = await engineOf(A);
    const underWay = engine.reload(B);
    engine.close();
    await underWay;
    expect(engine.isClosed).toBe(true);
    await expect(engine.reload(B)).rejects.toMatchObject({ code: "ERR_USAGE_CLOSED" });
  });

  it("never yields an answer that neither policy would give", async () => {
    // Rules that would let `mixed/…` pass if one policy's allow met the other's order or default.
    const one = imageOf(
      '{deny, all, subscribe, ["mixed/#"]}. {allow, all, subscribe, ["one/#"]}. {deny, all}.',
    );
    const two = imageOf(
      '{allow, all, subscribe, ["two/#"]}. {deny, all, subscribe, ["mixed/#"]}. {deny, all}.',
    );
    const topics = ["one/x", "two/x", "mixed/x"] as const;
    const expected = new Set(["allow deny deny", "deny allow deny"]);
    const engine = await engineOf(one);
    const sessions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => sessionOf(engine, `c${n}`)),
    );
    const seen = new Set<string>();
    let isDone = false;
    const traffic = (async () => {
      for (let n = 0; !isDone; n++) {
        const session = sessions[n % sessions.length]!;
        const verdicts = topics.map((topic) => session.authorize(SUBSCRIBE, topic).verdict);
        seen.add(verdicts.join(" "));
        const late = await sessionOf(engine, `late${n}`);
        seen.add(topics.map((topic) => late.authorize(SUBSCRIBE, topic).verdict).join(" "));
        late.close();
        await new Promise(setImmediate);
      }
    })();
    for (let n = 0; n < 30; n++) {
      await engine.reload(n % 2 ? one : two);
      await new Promise(setImmediate);
    }
    isDone = true;
    await traffic;
    expect([...seen].filter((verdicts) => !expected.has(verdicts))).toEqual([]);
    expect(seen).toEqual(expected);
  });
});

describe("a client's record", () => {
  it("is given back by every session that ends, before and after a reload", async () => {
    const engine = await engineOf(A);
    const used = (): number => engine.policy.memory.exports.records_used();
    const sessions = await Promise.all([sessionOf(engine, "1"), sessionOf(engine, "2")]);
    expect(used()).toBeGreaterThan(0);
    await engine.reload(B);
    expect(used()).toBe(0);
    const [first] = sessions;
    first.authorize(SUBSCRIBE, "a");
    expect(used()).toBeGreaterThan(0);
    for (const session of sessions) session.close();
    expect(used()).toBe(0);
  });
});
