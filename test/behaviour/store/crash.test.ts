/** What the store promises across processes: nothing acknowledged is lost, everything is seen. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore, type Store } from "../../../bindings/node/store/store.ts";
import { TestDirectory } from "../../support/cli.ts";
import "../../support/seed.ts";

const WRITER = fileURLToPath(new URL("../../support/store-writer.mjs", import.meta.url));
const WRITES = 10_000;
const KILLS = 8;

/**
 * Runs the writer; kills it as soon as it has acknowledged `killAfter` writes. Gives the number
 * after the last that was acknowledged, and how it ended.
 */
function write(
  directory: string,
  name: string,
  first: number,
  killAfter = Number.POSITIVE_INFINITY,
): Promise<{ next: number; ended: string | number | null }> {
  const args = [WRITER, directory, name, String(first), String(WRITES)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  let count = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk;
    for (const byte of chunk) if (byte === 0x0a) count += 1;
    if (count >= killAfter) child.kill("SIGKILL");
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      const lines = said.split("\n").slice(0, -1);
      const last = lines.at(-1);
      expect(lines.map(Number)).toEqual(lines.map((_, index) => first + index));
      resolve({ next: last === undefined ? first : Number(last) + 1, ended: signal ?? code });
    });
  });
}

function missing(store: Store, name: string, end: number): string[] {
  const lost: string[] = [];
  for (let number = 0; number < end; number += 1) {
    const user = store.passwordUser("global", `${name}${number}`);
    if (user?.passwordHash !== `hash of ${number}`) lost.push(`${name}${number}`);
  }
  return lost;
}

async function openHere(): Promise<{ path: string; store: Store }> {
  const directory = new TestDirectory();
  const path = directory.file("data");
  const store = await openStore(path);
  onTestFinished(async () => {
    await store.close();
    directory.remove();
  });
  return { path, store };
}

describe("the store under kill -9", () => {
  it("loses no acknowledged write, and opens again", { timeout: 240_000 }, async () => {
    const { path, store } = await openHere();
    const [moments] = fc.sample(
      fc.array(fc.integer({ min: 1, max: Math.floor((2 * WRITES) / (KILLS + 1)) }), {
        minLength: KILLS,
        maxLength: KILLS,
      }),
      1,
    );
    let next = 0;
    for (const killAfter of moments!) {
      const run = await write(path, "user", next, killAfter);
      expect(run.ended === "SIGKILL" || run.next === WRITES).toBe(true);
      next = run.next;
      // A reader that was there all along sees it too, and no more than one write that was under way.
      expect(missing(store, "user", next)).toEqual([]);
      expect(store.passwordUser("global", `user${next + 1}`)).toBeUndefined();
    }
    expect(await write(path, "user", next)).toEqual({ next: WRITES, ended: 0 });
    expect(missing(store, "user", WRITES)).toEqual([]);
  });

  it("lets several processes write at once, one killed in between", {
    timeout: 240_000,
  }, async () => {
    const { path, store } = await openHere();
    const from = WRITES - 300;
    const [a, b] = await Promise.all([write(path, "a", from), write(path, "b", from, 100)]);
    expect(a).toEqual({ next: WRITES, ended: 0 });
    expect(b.ended).toBe("SIGKILL");
    for (const [name, { next }] of [["a", a] as const, ["b", b] as const]) {
      for (let number = from; number < next; number += 1) {
        expect(store.passwordUser("global", `${name}${number}`)).toBeDefined();
      }
    }
  });
});
