import { describe, expect, it } from "vitest";
import { DELAY_SECONDS_MAX, readDelay } from "../../../../../bindings/node/broker/delayed-topic.ts";

const NOW = 1_750_000_000_000;
const MAX = DELAY_SECONDS_MAX;

describe("readDelay", () => {
  it.each([
    ["$delayed/5/a/b", "a/b", NOW + 5000],
    ["$delayed/0/a", "a", NOW],
    ["$delayed/007/a", "a", NOW + 7000],
    ["$delayed/5//", "/", NOW + 5000],
    ["$delayed/5/$SYS/x", "$SYS/x", NOW + 5000],
    ["$delayed/5/$delayed/6/a", "a", NOW + 11_000],
    [`$delayed/${MAX - 1}/a`, "a", NOW + (MAX - 1) * 1000],
    // From here on a number is an epoch second; one that is over is now.
    [`$delayed/${MAX}/a`, "a", NOW],
    [`$delayed/${NOW / 1000 + 60}/a`, "a", NOW + 60_000],
    [`$delayed/${NOW / 1000 + MAX}/a`, "a", NOW + MAX * 1000],
    [`$delayed/${NOW / 1000 + 60}/$delayed/5/a`, "a", NOW + 65_000],
  ])("%s", (topic, inner, atMs) => {
    expect(readDelay(topic, NOW)).toEqual({ topic: inner, atMs });
  });

  it.each([
    "$delayed/",
    "$delayed/5",
    "$delayed/5/",
    "$delayed//a",
    "$delayed/x/a",
    "$delayed/-1/a",
    "$delayed/+1/a",
    "$delayed/1.5/a",
    "$delayed/1e3/a",
    "$delayed/ 5/a",
    "$delayed/٥/a",
    "$delayed/99999999999/a",
    `$delayed/${NOW / 1000 + MAX + 1}/a`,
    `$delayed/${MAX - 1}/$delayed/2/a`,
    "$delayed/5/$delayed/x/a",
    "$delayed/5/$delayed/6",
  ])("%s is malformed", (topic) => {
    expect(readDelay(topic, NOW)).toBe("malformed");
  });

  it.each(["a/b", "$delayed", "$delayedx/5/a", "a/$delayed/5/a", "/$delayed/5/a"])(
    "%s is not delayed",
    (topic) => {
      expect(readDelay(topic, NOW)).toBeUndefined();
    },
  );
});
