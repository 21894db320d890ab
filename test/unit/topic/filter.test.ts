import { describe, expect, test } from "vitest";
import { splitDelayed } from "../../../src/topic/delayed.ts";
import { parseTopicFilter } from "../../../src/topic/filter.ts";

describe("prefixes of a requested filter", () => {
  test("are taken off once, not recursively", () => {
    expect(parseTopicFilter("$share/g/$exclusive/t")).toEqual({
      ok: true,
      parsed: { filter: "$exclusive/t", shareGroup: "g", isExclusive: false },
    });
    expect(parseTopicFilter("$exclusive/$share/g/t")).toEqual({
      ok: true,
      parsed: { filter: "$share/g/t", isExclusive: true },
    });
  });

  test("make `$queue/t` and `$share/$queue/t` the same subscription", () => {
    expect(parseTopicFilter("$queue/t")).toEqual(parseTopicFilter("$share/$queue/t"));
  });

  test.each([
    "$exclusive/",
    "$share/g/$queue/t",
    "$queue/$share/g/t",
    "$queue/$queue/t",
    "$share/g",
  ])("are refused in `%s`", (filter) =>
    expect(parseTopicFilter(filter)).toEqual({ ok: false, error: "invalid_topic_filter" }),
  );

  test("keep bytes that are not UTF-8", () => {
    const request = Uint8Array.from([...new TextEncoder().encode("$share/g/t"), 0xff]);
    expect(parseTopicFilter(request)).toEqual({
      ok: true,
      parsed: {
        filter: Uint8Array.from([0x74, 0xff]),
        shareGroup: Uint8Array.from([0x67]),
        isExclusive: false,
      },
    });
  });
});

describe("a delayed topic", () => {
  test.each([
    ["$delayed/5/a/b", "a/b"],
    ["$delayed/x/$delayed//a", "a"],
    ["$delayed/5/", ""],
    ["$delayed", "$delayed"],
    ["a/$delayed/5/b", "a/$delayed/5/b"],
  ])("`%s` is authorized as `%s`", (topic, inner) => expect(splitDelayed(topic)).toBe(inner));

  test.each(["$delayed/", "$delayed/5", "$delayed/5/$delayed/6"])("`%s` is malformed", (topic) =>
    expect(splitDelayed(topic)).toBeUndefined(),
  );
});
