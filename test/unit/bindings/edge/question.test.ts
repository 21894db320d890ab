import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuestion, QuestionError } from "../../../../bindings/edge/question.ts";

const parse = (value: unknown) => parseQuestion(JSON.stringify(value));

describe("a question", () => {
  it("names the client and what it wants to do", () => {
    const question = parse({
      clientid: "c",
      username: "u",
      password: "p",
      peerhost: "10.0.0.1",
      listener: "tcp:default",
      zone: "z",
      user_property: { a: "b" },
      actions: [
        { action: "publish", topic: "t", qos: 1, retain: true },
        { action: "subscribe", topic: "f/#" },
      ],
    });
    expect(question.client).toMatchObject({
      clientId: "c",
      username: "u",
      password: "p",
      peerHost: "10.0.0.1",
      listener: "tcp:default",
      zone: "z",
    });
    expect({ ...question.client.userProperties }).toEqual({ a: "b" });
    expect(question.actions).toEqual([
      { action: { type: "publish", qos: 1, retain: true }, topic: "t" },
      { action: { type: "subscribe", qos: 0 }, topic: "f/#" },
    ]);
  });

  it.each([
    ["", "the question is not JSON"],
    ["{", "the question is not JSON"],
    ["null", "the question is an object"],
    ["[]", "the question is an object"],
    ['"c"', "the question is an object"],
    ['{"clientId":"c"}', "the question has no member `clientId`"],
    ['{"__proto__":{}}', "the question has no member `__proto__`"],
    ['{"constructor":1}', "the question has no member `constructor`"],
    ['{"clientid":1}', "`clientid` is a text"],
    ['{"password":["x"]}', "`password` is a text"],
    ['{"user_property":[]}', "`user_property` is an object of texts"],
    ['{"user_property":{"a":1}}', "`user_property.a` is a text"],
    ['{"user_property":{"a":null}}', "`user_property.a` is a text"],
    ['{"actions":{}}', "`actions` is a list of at most 100"],
    ['{"actions":[null]}', "actions[0] is an object"],
    ['{"actions":[{}]}', "`actions[0].topic` is a text"],
    ['{"actions":[{"topic":"t"}]}', '`actions[0].action` is "publish" or "subscribe"'],
    ['{"actions":[{"topic":"t","action":"toString"}]}', "`actions[0].action` is"],
    ['{"actions":[{"topic":"t","action":"publish","qos":3}]}', "`actions[0].qos` is 0, 1 or 2"],
    ['{"actions":[{"topic":"t","action":"publish","qos":"1"}]}', "`actions[0].qos` is 0, 1 or 2"],
    ['{"actions":[{"topic":"t","action":"publish","retain":1}]}', "`actions[0].retain` is"],
    ['{"actions":[{"topic":"t","action":"publish","QoS":1}]}', "actions[0] has no member `QoS`"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => parseQuestion(text)).toThrow(QuestionError);
    expect(() => parseQuestion(text)).toThrow(message);
  });

  it("holds 100 actions and no more", () => {
    const action = { action: "publish", topic: "t" };
    expect(parse({ actions: Array(100).fill(action) }).actions).toHaveLength(100);
    expect(() => parse({ actions: Array(101).fill(action) })).toThrow("at most 100");
  });

  it("is never answered with much of itself", () => {
    const token = "x".repeat(5000);
    for (const question of [{ [token]: 1 }, { user_property: { [token]: 1 } }]) {
      try {
        parse(question);
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message.length).toBeLessThan(200);
      }
    }
  });

  it("that is anything else is refused, never a crash", () => {
    const member = fc.constantFrom("clientid", "username", "user_property", "actions", "__proto__");
    const near = fc.dictionary(member, fc.jsonValue()).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), near), (text) => {
        try {
          const { client } = parseQuestion(text);
          expect(typeof client.clientId).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(QuestionError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
