import { afterEach, describe, expect, it, vi } from "vitest";
import { Progress, paint, renderIssue } from "../../../bindings/node/terminal.ts";
import type { Issue } from "../../../src/errors.ts";
import { runCli } from "../../support/cli.ts";

const COMMANDS = [
  ...["broker", "check", "compile", "try", "explain", "explain connect", "explain publish"],
  ...["explain subscribe", "explain expression", "token", "batch", "bench", "test", "who-can"],
];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("every command", () => {
  it.each(COMMANDS)(
    "%s --help has an example, fits the screen and exits with 0",
    async (command) => {
      const { code, stdout, stderr } = await runCli(...command.split(" "), "--help");
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/\nExamples?:\n {2}(portcullis|echo) /);
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
    },
  );

  it.each([
    [["chek"], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [["check"], /missing required argument 'file'/],
    [["check", "--jsn", "x"], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [["explain", "connect", "-i", "x"], /required option '-c, --config <file>' not specified/],
    [["compile", "x"], /required option '-o, --output <image>' not specified/],
  ])("is used wrongly with %j: exit code 2 and a hint", async (args, says) => {
    const { code, stdout, stderr } = await runCli(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
    expect(stderr).toContain("(add --help for what this command takes)");
  });

  it("says its version", async () => {
    const { code, stdout } = await runCli("--version");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("progress", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  function work(isTTY: boolean): string {
    vi.useFakeTimers();
    let text = "";
    const stream = { isTTY, write: (part: string) => (text += part) } as unknown;
    const progress = new Progress("counting", 200, stream as NodeJS.WriteStream);
    for (let done = 0; done < 200; done++) {
      progress.at(done);
      vi.advanceTimersByTime(5);
    }
    progress.end();
    return text;
  }

  it("is one line of a terminal, four times a second, and goes away", () => {
    expect(work(true)).toBe("\rcounting: 25 %\rcounting: 50 %\rcounting: 75 %\r\u001b[K");
  });

  it("is nothing in a pipe", () => {
    expect(work(false)).toBe("");
  });
});

describe("colours", () => {
  const terminal = { isTTY: true } as NodeJS.WriteStream;
  const pipe = { isTTY: false } as NodeJS.WriteStream;

  it("are for terminals, unless NO_COLOR or TERM says otherwise", () => {
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("TERM", "xterm");
    expect(paint("red", "x", terminal)).toContain("\u001b[31m");
    expect(paint("red", "x", pipe)).toBe("x");
    vi.stubEnv("NO_COLOR", "1");
    expect(paint("red", "x", terminal)).toBe("x");
    vi.stubEnv("NO_COLOR", "");
    vi.stubEnv("TERM", "dumb");
    expect(paint("red", "x", terminal)).toBe("x");
  });
});

describe("an issue", () => {
  const issue: Issue = {
    severity: "error",
    code: "ERR_CONFIG_X",
    path: "a.b",
    message: "wrong",
    at: { file: "p.conf", line: 2, column: 5 },
  };
  const shown = (text: string, column = 5): string[] =>
    renderIssue({ ...issue, at: { file: "p.conf", line: 2, column } }, () => text, {
      isTTY: false,
    } as NodeJS.WriteStream).split("\n");

  it("has its caret below the character, in every line ending and behind wide letters", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(shown(`\ufeffone${end}a = x${end}`)).toEqual([
        "p.conf:2:5: error: a.b: wrong",
        "    2 | a = x",
        "      |     ^",
      ]);
    }
    expect(shown("\n\té日😀x").at(-1)).toBe("      | \t \u3000\u3000^");
  });

  it("is shown without its line where the file has no such line, and at the end of a short one", () => {
    expect(shown("one line")).toEqual(["p.conf:2:5: error: a.b: wrong"]);
    expect(shown("\nab", 9).at(-1)).toBe("      |   ^");
  });

  it("does not let a source line write to the terminal", () => {
    expect(shown("\na = \u001b[2J\u202ex").at(1)).toBe("    2 | a = \ufffd[2J\ufffdx");
  });
});
