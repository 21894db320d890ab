import { describe, expect, it } from "vitest";
import { hashesAtOnce } from "../../bindings/node/passwords.ts";
import { WorkQueue } from "../../src/work-queue.ts";

/** Work that a test ends by hand. */
function held() {
  const started: string[] = [];
  const ends = new Map<string, { resolve: (value: string) => void; reject: (e: Error) => void }>();
  const work = (name: string) => () => {
    started.push(name);
    return new Promise<string>((resolve, reject) => ends.set(name, { resolve, reject }));
  };
  return { started, work, end: (name: string) => ends.get(name)! };
}

const turn = () => new Promise(setImmediate);

describe("a work queue", () => {
  it("does a few things at a time, in the order in which they came", async () => {
    const { started, work, end } = held();
    const queue = new WorkQueue(2);
    const answers = ["a", "b", "c", "d"].map((name) => queue.run(work(name)));
    expect([started, queue.running, queue.waiting]).toEqual([["a", "b"], 2, 2]);
    end("b").resolve("B");
    expect(await answers[1]).toBe("B");
    await turn();
    expect([started, queue.running, queue.waiting]).toEqual([["a", "b", "c"], 2, 1]);
    for (const name of ["a", "c"]) end(name).resolve(name);
    await turn();
    end("d").resolve("D");
    expect(await Promise.all(answers)).toEqual(["a", "B", "c", "D"]);
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });

  it("goes on after what fails or throws, and whose failure it was is told", async () => {
    const { work, end } = held();
    const queue = new WorkQueue(1);
    const answers = [
      queue.run(work("a")),
      queue.run(() => {
        throw new Error("at once");
      }),
      queue.run(async () => "fine"),
    ];
    end("a").reject(new Error("later"));
    expect(await Promise.allSettled(answers)).toMatchObject([
      { reason: { message: "later" } },
      { reason: { message: "at once" } },
      { value: "fine" },
    ]);
    expect(queue.running).toBe(0);
  });

  it("lets nobody come in between those that wait and a place that becomes free", async () => {
    const { started, work, end } = held();
    const queue = new WorkQueue(1);
    const first = queue.run(work("a"));
    void queue.run(work("b"));
    end("a").resolve("A");
    void first.then(() => queue.run(work("c")));
    await turn();
    expect([started, queue.running, queue.waiting]).toEqual([["a", "b"], 1, 1]);
  });

  it("gives up what waits, and not what is under way", async () => {
    const { started, work, end } = held();
    const queue = new WorkQueue(1);
    const answers = ["a", "b", "c"].map((name) => queue.run(work(name)));
    queue.abandon();
    expect(queue.waiting).toBe(0);
    end("a").resolve("A");
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    expect([started, queue.running]).toEqual([["a"], 0]);
  });

  it("has room for as many as may wait, and not for one more", () => {
    const { work } = held();
    const queue = new WorkQueue(1);
    expect(queue.hasRoom(0)).toBe(true);
    void queue.run(work("a"));
    expect([queue.hasRoom(0), queue.hasRoom(1)]).toEqual([false, true]);
    void queue.run(work("b"));
    expect([queue.hasRoom(1), queue.hasRoom(2)]).toEqual([false, true]);
  });
});

describe("password hashes at a time", () => {
  it("leave a thread of the pool free, and do not outnumber processors", () => {
    expect(hashesAtOnce(undefined, 8)).toBe(3);
    expect(hashesAtOnce(undefined, 2)).toBe(2);
    expect(hashesAtOnce("16", 8)).toBe(8);
    expect(hashesAtOnce("8", 8)).toBe(7);
    expect(hashesAtOnce("2", 8)).toBe(1);
    // There is nothing to leave free.
    for (const one of ["1", "0", "many"]) expect(hashesAtOnce(one, 8)).toBe(1);
  });
});
