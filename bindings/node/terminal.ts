/** What the commands share for talking to a person or a machine. */
import { styleText } from "node:util";
import type { Issue } from "../../src/errors.ts";
import { viewSource } from "./source-view.ts";

type Style = Parameters<typeof styleText>[0];

/** Exit codes of every command (design §5). */
export const EXIT_OK = 0;
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;

/** Colours only on a terminal, and never against NO_COLOR. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream): string {
  const wanted = stream.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  return wanted ? styleText(style, text, { validateStream: false }) : text;
}

/** One line on stdout. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** One line on stderr: progress, hints, everything a pipe should not see. */
export function note(line = ""): void {
  process.stderr.write(`${line}\n`);
}

/** How often a progress line is written, and how long work has to take for the first one. */
const PROGRESS_MS = 250;

/** One line that tells a terminal how far a piece of work is; nothing anywhere else. */
export class Progress {
  readonly #what: string;
  readonly #total: number;
  readonly #stream: NodeJS.WriteStream;
  #nextMs = Date.now() + PROGRESS_MS;
  #isShown = false;

  constructor(what: string, total: number, stream: NodeJS.WriteStream) {
    this.#what = what;
    this.#total = total;
    this.#stream = stream;
  }

  /** Call as often as you like. */
  at(done: number): void {
    if (!this.#stream.isTTY || Date.now() < this.#nextMs) return;
    this.#nextMs = Date.now() + PROGRESS_MS;
    this.#isShown = true;
    this.#stream.write(`\r${this.#what}: ${Math.floor((done / this.#total) * 100)} %`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[K");
  }
}

/**
 * An issue as a person reads it: place and message, the source line with a caret, the hint.
 * `readSource` gives a file's text when it can be shown.
 */
export function renderIssue(
  issue: Issue,
  readSource: (file: string) => string | undefined,
  stream: NodeJS.WriteStream = process.stderr,
): string {
  const isError = issue.severity === "error";
  const severity = paint(isError ? "red" : "yellow", issue.severity, stream);
  const path = issue.path ? `${issue.path}: ` : "";
  const lines: string[] = [];
  const at = issue.at;
  const place = at ? paint("bold", `${at.file}:${at.line}:${at.column}`, stream) : "";
  lines.push(`${place ? `${place}: ` : ""}${severity}: ${path}${issue.message}`);
  const text = at && readSource(at.file);
  const view = at && text !== undefined ? viewSource(text, at, issue.path) : undefined;
  if (at && view) {
    const gutter = `${at.line}`.padStart(5);
    lines.push(`${gutter} | ${view.source}`);
    lines.push(`      | ${view.lead}${paint("red", "^", stream)}`);
  }
  if (issue.hint) lines.push(`      = ${paint("cyan", "hint", stream)}: ${issue.hint}`);
  return lines.join("\n");
}
