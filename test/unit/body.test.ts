import { describe, expect, it } from "vitest";
import { readBody } from "../../src/body.ts";

/** A body in these pieces; `broken` fails after them. */
function bodyOf(pieces: readonly (readonly number[])[], broken = false) {
  let isCancelled = false;
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = left.shift();
        if (piece) controller.enqueue(Uint8Array.from(piece));
        else if (broken) controller.error(new Error("broken off"));
        else controller.close();
      },
      cancel() {
        isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, left, isCancelled: () => isCancelled };
}

describe("a body", () => {
  it("is read to its end, in whatever pieces it comes", async () => {
    expect(await readBody(bodyOf([[1, 2], [], [3]]).body, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await readBody(bodyOf([]).body, 0)).toEqual(new Uint8Array());
  });

  it("that is too long is let go where that shows", async () => {
    const { body, left, isCancelled } = bodyOf([[1, 2], [3, 4], [5], [6]]);
    expect(await readBody(body, 3)).toBeUndefined();
    expect([left.length, isCancelled()]).toEqual([2, true]);
    expect(
      await readBody(
        bodyOf([
          [1, 2],
          [3, 4],
        ]).body,
        4,
      ),
    ).toHaveLength(4);
  });

  it("that breaks off fails, however much of it came", async () => {
    await expect(readBody(bodyOf([[1], [2]], true).body, 10)).rejects.toThrow("broken off");
  });
});
