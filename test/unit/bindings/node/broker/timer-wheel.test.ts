import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TICK_MS, TimerWheel } from "../../../../../bindings/node/broker/timer-wheel.ts";
import { FakeClock } from "../../../../support/broker.ts";

function wheelAt(now?: number): { clock: FakeClock; wheel: TimerWheel; errors: unknown[] } {
  const clock = new FakeClock(now);
  const errors: unknown[] = [];
  return { clock, errors, wheel: new TimerWheel(clock, (error) => errors.push(error)) };
}

const DAY_MS = 86_400_000;

describe("TimerWheel", () => {
  it("is never early and at most a tick late, whatever the distance", () => {
    const distances = fc.array(
      fc.oneof(fc.nat(10_000), fc.nat(500_000), fc.nat(3 * 3_600_000), fc.nat(2 * DAY_MS)),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(fc.nat(1_000_000), distances, (start, delays) => {
        const { clock, wheel } = wheelAt(1_750_000_000_000 + start);
        const from = clock.now();
        const lateness: number[] = [];
        for (const delay of delays) {
          wheel.start(from + delay, () => lateness.push(clock.now() - (from + delay)));
        }
        // Long stretches in steps the wheel takes at once, short ones tick by tick.
        for (const delay of delays.toSorted((a, b) => a - b)) {
          clock.jump(Math.max(0, from + delay - 2 * TICK_MS - clock.now()));
          clock.advance(4 * TICK_MS);
        }
        expect(lateness.length).toBe(delays.length);
        expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...lateness)).toBeLessThan(3 * TICK_MS);
        expect(wheel.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("waits for times further away than its rings reach", () => {
    const { clock, wheel } = wheelAt();
    const ran: string[] = [];
    wheel.start(Number.MAX_SAFE_INTEGER, () => ran.push("never"));
    wheel.start(clock.now() + 5_000 * 365 * DAY_MS, () => ran.push("far"));
    clock.jump(4_999 * 365 * DAY_MS);
    clock.advance(1_000);
    expect(ran).toEqual([]);
    clock.jump(366 * DAY_MS);
    clock.advance(1_000);
    expect(ran).toEqual(["far"]);
  });

  it("runs what is due already with the next tick, not at once", () => {
    const { clock, wheel } = wheelAt();
    let runs = 0;
    wheel.start(0, () => runs++);
    expect(runs).toBe(0);
    clock.advance(TICK_MS);
    expect(runs).toBe(1);
  });

  it("forgets what is cancelled, and takes cancelling twice or late", () => {
    const { clock, wheel } = wheelAt();
    let runs = 0;
    const first = wheel.start(clock.now() + 1_000, () => runs++);
    const second = wheel.start(clock.now() + 1_000, () => runs++);
    wheel.cancel(first);
    wheel.cancel(first);
    clock.advance(2_000);
    wheel.cancel(second);
    expect(runs).toBe(1);
    expect(wheel.size).toBe(0);
  });

  it("holds a hundred thousand entries on one timer, and none when there are none", () => {
    const { clock, wheel } = wheelAt();
    const due = Array.from(
      { length: 100_000 },
      (_, n) => clock.now() + 1_000 + (n % 3_600) * 1_000,
    );
    let late = 0;
    for (const at of due) wheel.start(at, () => (late = Math.max(late, clock.now() - at)));
    expect(clock.timers).toBe(1);
    clock.advance(3_700_000);
    expect(wheel.size).toBe(0);
    expect(clock.timers).toBe(0);
    expect(late).toBeLessThan(1_000);
  });

  it("goes on when an entry throws", () => {
    const { clock, wheel, errors } = wheelAt();
    let runs = 0;
    wheel.start(clock.now(), () => {
      throw new Error("one");
    });
    wheel.start(clock.now(), () => runs++);
    clock.advance(TICK_MS);
    expect([runs, errors.length]).toEqual([1, 1]);
  });

  it("takes entries that start others", () => {
    const { clock, wheel } = wheelAt();
    let runs = 0;
    const again = (): void => {
      if (++runs < 5) wheel.start(clock.now(), again);
    };
    wheel.start(clock.now(), again);
    clock.advance(10 * TICK_MS);
    expect(runs).toBe(5);
  });

  it("is quiet after clear", () => {
    const { clock, wheel } = wheelAt();
    let runs = 0;
    wheel.start(clock.now() + 500, () => runs++);
    wheel.start(clock.now() + DAY_MS, () => runs++);
    wheel.clear();
    clock.advance(2_000);
    expect([runs, wheel.size, clock.timers]).toEqual([0, 0, 0]);
  });
});
