import { describe, expect, test } from "vitest";
import { TOPIC_BYTES_MAX } from "../../../assembly/abi.ts";
import { validateTopicFilter, validateTopicName } from "../../../src/topic/validate.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("a topic name", () => {
  test.each(["a", "/", "a//b", "$share/g/t", "$share", " ", "\u0001", "\ufeffa"])(
    "may be `%s`",
    (name) => expect(validateTopicName(name)).toBeUndefined(),
  );

  test.each([
    ["", "empty_topic"],
    ["a/+", "topic_name_error"],
    ["#", "topic_name_error"],
    ["a+", "topic_invalid_char"],
    ["a/#/b", "topic_invalid_#"],
    ["a\0b", "topic_invalid_char"],
    ["\ud800", "topic_invalid_char"],
    [bytes(0x61, 0xff), "topic_invalid_char"],
    [bytes(), "empty_topic"],
  ])("may not be %j: %s", (name, error) => expect(validateTopicName(name)).toBe(error));

  test("may have exactly the longest length, counted in bytes", () => {
    expect(validateTopicName(`${"é".repeat((TOPIC_BYTES_MAX - 1) / 2)}x`)).toBeUndefined();
    expect(validateTopicName("é".repeat((TOPIC_BYTES_MAX + 1) / 2))).toBe("topic_too_long");
    expect(validateTopicName("x".repeat(TOPIC_BYTES_MAX + 1))).toBe("topic_too_long");
  });
});

describe("a topic filter", () => {
  test.each(["#", "+", "a/+/#", "$share", "$share/g//", "$share/g/t/$share", "$share/g/$queue/t"])(
    "may be `%s`",
    (filter) => expect(validateTopicFilter(filter)).toBeUndefined(),
  );

  test.each([
    ["$share/", "share_subscription_topic_cannot_be_empty"],
    ["$share//", "share_subscription_topic_cannot_be_empty"],
    ["$share/g", "share_subscription_topic_cannot_be_empty"],
    ["$share/g/", "share_subscription_topic_cannot_be_empty"],
    ["$share//t", "share_subscription_group_name_cannot_be_empty"],
    ["$share/a+b/t", "share_subscription_group_name_cannot_include_wildcard"],
    ["$share/#/t", "share_subscription_group_name_cannot_include_wildcard"],
    ["$share/g/$share/h/t", "$share_cannot_be_used_as_real_topic_filter"],
    ["a#", "topic_invalid_char"],
    ["#/a", "topic_invalid_#"],
    ["a/+b", "topic_invalid_char"],
  ])("may not be `%s`: %s", (filter, error) => expect(validateTopicFilter(filter)).toBe(error));
});
