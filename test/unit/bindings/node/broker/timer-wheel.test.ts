import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RUNS_MAX, TICK_MS, TimerWheel } from "../../../../../bindings/node/broker/timer-wheel.ts";
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

  it("runs a hundred thousand of distinct times in order, each within a second", () => {
    const { clock, wheel } = wheelAt();
    const from = clock.now();
    const count = 100_000;
    // All different, spread over an hour, and started in no order: 7,919 shares no factor with count.
    const due = Array.from({ length: count }, (_, n) => from + 1 + ((n * 7_919) % count) * 36);
    const ran: number[] = [];
    let latest = 0;
    for (const at of due) {
      wheel.start(at, () => {
        ran.push(Math.ceil(at / TICK_MS));
        latest = Math.max(latest, clock.now() - at);
        if (clock.now() < at) throw new Error("early");
      });
    }
    let most = 0;
    while (wheel.size > 0) {
      const before = ran.length;
      clock.advance(TICK_MS);
      most = Math.max(most, ran.length - before);
    }
    expect(ran.length).toBe(count);
    expect(ran).toEqual(ran.toSorted((a, b) => a - b));
    expect(latest).toBeLessThan(1_000);
    // A tick runs what is due in it and nothing else.
    expect(most).toBeLessThanOrEqual(Math.ceil(TICK_MS / 36));
  });

  it("runs a crowd that is due at once in goes, between which others get their turn", () => {
    const { clock, wheel } = wheelAt();
    const at = clock.now() + 500;
    const goes: number[] = [];
    let runs = 0;
    for (let n = 0; n < 2 * RUNS_MAX + 1; n++) wheel.start(at, () => runs++);
    wheel.start(at + TICK_MS, () => goes.push(runs));
    const setTimer = clock.setTimer.bind(clock);
    clock.setTimer = (run, delayMs) =>
      setTimer(() => {
        const before = runs;
        run();
        if (runs > before) goes.push(runs - before);
      }, delayMs);
    clock.advance(500 + TICK_MS);
    expect(goes).toEqual([RUNS_MAX, RUNS_MAX, 1, runs]);
    expect([runs, wheel.size, clock.timers]).toEqual([2 * RUNS_MAX + 1, 0, 0]);
  });

  it("keeps its pace when each of a crowd starts another", () => {
    const { clock, wheel } = wheelAt();
    const at = clock.now();
    let [runs, others] = [0, 0];
    for (let n = 0; n < 3 * RUNS_MAX; n++) {
      wheel.start(at, () => {
        runs++;
        wheel.start(clock.now(), () => others++);
      });
    }
    clock.advance(TICK_MS);
    expect(runs).toBe(3 * RUNS_MAX);
    clock.advance(2 * TICK_MS);
    expect([others, clock.timers]).toEqual([3 * RUNS_MAX, 0]);
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
