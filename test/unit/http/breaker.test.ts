import { describe, expect, it } from "vitest";
import {
  BREAKER_FAILURES_MAX,
  BREAKER_OPEN_MS_MAX,
  BREAKER_OPEN_MS_MIN,
  Breaker,
} from "../../../src/http/breaker.ts";

function setUp(random = 1 - Number.EPSILON) {
  const clock = { ms: 1_000_000 };
  const ports = { clock: { now: () => clock.ms }, random: () => random };
  const breaker = new Breaker(ports);
  const fail = (times: number): void => {
    for (let i = 0; i < times; i += 1) breaker.report("ask", "down");
  };
  return { breaker, clock, fail };
}

describe("a circuit breaker", () => {
  it("opens with the last of BREAKER_FAILURES_MAX failures in a row, not before", () => {
    const { breaker, fail } = setUp();
    fail(BREAKER_FAILURES_MAX - 1);
    expect(breaker.admit()).toBe("ask");
    fail(1);
    expect(breaker.admit()).toBe("refused");
    expect(breaker.describe()).toBe(
      "circuit open after 5 failures in a row, next probe in 1000 ms",
    );
  });

  it("counts anew after an answer, and goes on counting after what says nothing", () => {
    const { breaker, fail } = setUp();
    fail(BREAKER_FAILURES_MAX - 1);
    breaker.report("ask", "up");
    expect(breaker.describe()).toBeUndefined();
    fail(BREAKER_FAILURES_MAX - 1);
    breaker.report("ask", "unclear");
    expect(breaker.describe()).toBe("4 failures in a row");
    fail(1);
    expect(breaker.admit()).toBe("refused");
  });

  it("lets one probe at a time through when its time is over", () => {
    const { breaker, clock, fail } = setUp();
    fail(BREAKER_FAILURES_MAX);
    clock.ms += BREAKER_OPEN_MS_MIN - 1;
    expect(breaker.admit()).toBe("refused");
    clock.ms += 1;
    expect(breaker.describe()).toMatch(/next request is a probe/);
    expect(breaker.admit()).toBe("probe");
    expect(breaker.admit()).toBe("refused");
    expect(breaker.describe()).toMatch(/a probe is under way/);
    breaker.report("probe", "up");
    expect(breaker.admit()).toBe("ask");
  });

  it("stays open twice as long after each probe that fails, up to BREAKER_OPEN_MS_MAX", () => {
    const { breaker, clock, fail } = setUp();
    fail(BREAKER_FAILURES_MAX);
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const begin = clock.ms;
      while (breaker.admit() === "refused") clock.ms += 100;
      pauses.push(clock.ms - begin);
      breaker.report("probe", "down");
    }
    const [first = 0, second = 0] = pauses;
    expect([first, second]).toEqual([BREAKER_OPEN_MS_MIN, 2 * BREAKER_OPEN_MS_MIN]);
    expect(Math.max(...pauses)).toBe(BREAKER_OPEN_MS_MAX);
  });

  it("is open for half the time at least, as chance has it", () => {
    const { breaker, clock, fail } = setUp(0);
    fail(BREAKER_FAILURES_MAX);
    clock.ms += BREAKER_OPEN_MS_MIN / 2 - 1;
    expect(breaker.admit()).toBe("refused");
    clock.ms += 1;
    expect(breaker.admit()).toBe("probe");
  });

  it("tries again after a probe that says nothing", () => {
    const { breaker, clock, fail } = setUp();
    fail(BREAKER_FAILURES_MAX);
    clock.ms += BREAKER_OPEN_MS_MIN;
    expect(breaker.admit()).toBe("probe");
    breaker.report("probe", "unclear");
    expect(breaker.admit()).toBe("probe");
  });

  it("is neither kept open nor opened further by requests that were under way", () => {
    const { breaker, clock, fail } = setUp();
    fail(BREAKER_FAILURES_MAX + 100);
    clock.ms += BREAKER_OPEN_MS_MIN;
    expect(breaker.admit()).toBe("probe");
    fail(1);
    expect(breaker.admit()).toBe("refused");
    breaker.report("ask", "up");
    expect(breaker.admit()).toBe("ask");
    breaker.report("probe", "down");
    expect(breaker.admit()).toBe("ask");
  });

  it("does not wait for a clock that was set back", () => {
    const { breaker, clock, fail } = setUp();
    fail(BREAKER_FAILURES_MAX);
    clock.ms -= 3_600_000;
    expect(breaker.admit()).toBe("probe");
  });
});
