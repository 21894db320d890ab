import { describe, expect, it } from "vitest";
import { type Line, readLines } from "../../../bindings/node/lines.ts";
import { runCli } from "../../support/cli.ts";
import { startCli, startShell } from "../../support/cli-process.ts";

const QUESTION = '{"id":1,"filter":"a/+","topic":"a/b"}';

async function batch(kind: string, input: string): Promise<{ code: unknown; lines: unknown[] }> {
  const run = startCli(["batch", kind], { input });
  const code = await run.ended;
  expect(run.stderr()).toBe("");
  return {
    code,
    lines: run
      .stdout()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  };
}

describe("portcullis batch", () => {
  it("answers in order, and goes on after a line that cannot be read", async () => {
    const broken = ["{", "[]", "null", "7", '{"id":2}', "\u0000", '{"id":3,"filter":{},"topic":1}'];
    const input = [QUESTION, ...broken, "", QUESTION].join("\n");
    const { code, lines } = await batch("topic_match", input);
    expect(code).toBe(0);
    expect(lines).toHaveLength(broken.length + 2);
    expect(lines[0]).toMatchObject({ id: 1, match: true });
    expect(lines.at(-1)).toEqual(lines[0]);
    for (const line of lines.slice(1, 5)) {
      expect(line).toMatchObject({ id: null, error: { code: "ERR_BATCH_JSON" } });
    }
  });

  it("passes over a line that is too long", async () => {
    const input = `{"id":2,"topic":"${"a".repeat(17 * 1024 * 1024)}"}\n${QUESTION}\n`;
    const { code, lines } = await batch("topic_match", input);
    expect(code).toBe(0);
    expect(lines).toMatchObject([{ id: null, error: { code: "ERR_BATCH_LINE" } }, { id: 1 }]);
  });

  it("ends quietly when its reader has seen enough", async () => {
    const input = `${QUESTION}\n`.repeat(20_000);
    const run = startShell("npx portcullis batch topic_match | head -1", { input });
    expect(await run.ended).toBe(0);
    expect([run.stdout().split("\n").length, run.stderr()]).toEqual([2, ""]);
  });

  it("knows its kinds", async () => {
    const { code, stdout, stderr } = await runCli("batch", "topic_mach");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /'topic_mach' is invalid for argument 'kind'. Allowed choices are variform, /,
    );
  });
});

describe("lines of a stream", () => {
  async function lines(max: number, ...chunks: string[]): Promise<Line[]> {
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) yield Buffer.from(chunk, "latin1");
    }
    const out: Line[] = [];
    for await (const line of readLines(stream(), max)) out.push(line);
    return out;
  }

  it("end in a line feed alone, wherever the chunks are cut", async () => {
    const texts = ["a", "", "b\u00e2\u0080\u00a8c", "d"];
    const joined = `${texts.join("\n")}`;
    for (let at = 0; at <= joined.length; at++) {
      expect(await lines(99, joined.slice(0, at), joined.slice(at))).toEqual([
        { text: "a" },
        { text: "" },
        { text: "b\u2028c" },
        { text: "d" },
      ]);
    }
    expect(await lines(99, "a\r\nb\n")).toEqual([{ text: "a" }, { text: "b" }]);
  });

  it("have at most so many bytes", async () => {
    expect(await lines(3, "abc\nab", "cd\nabc")).toEqual([
      { text: "abc" },
      { tooLong: true },
      { text: "abc" },
    ]);
  });
});
