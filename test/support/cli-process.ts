/** Runs the built command line as its users do, in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const CLI: string = fileURLToPath(
  new URL("../../dist/bindings/node/cli.js", import.meta.url),
);

export interface CliProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with both outputs when one of them matches; rejects when the process ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export interface CliProcessOptions {
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Starts `portcullis ARGS…`. */
export function startCli(args: readonly string[], options: CliProcessOptions = {}): CliProcess {
  return follow(spawn(process.execPath, [CLI, ...args], { env: environment(options) }), options);
}

/** Starts a line of shell; `npx portcullis` in it is the built command line. */
export function startShell(line: string, options: CliProcessOptions = {}): CliProcess {
  const command = line.replaceAll("npx portcullis", `"${process.execPath}" "${CLI}"`);
  return follow(spawn("sh", ["-c", command], { env: environment(options) }), options);
}

function environment({ env }: CliProcessOptions): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, ...env };
}

function follow(child: ChildProcessWithoutNullStreams, { input }: CliProcessOptions): CliProcess {
  let stdout = "";
  let stderr = "";
  let isOver = false;
  let check: () => void = () => {};
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    check();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    check();
  });
  // The process may end without reading all of it.
  child.stdin.on("error", () => {});
  child.stdin.end(input ?? "");
  const ended = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      isOver = true;
      check();
      resolve(code ?? signal ?? "");
    });
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        check = () => {
          const all = stdout + stderr;
          if (pattern.test(all)) resolve(all);
          else if (isOver) reject(new Error(`ended without ${pattern}: ${all}`));
        };
        check();
      }),
    ended,
  };
}
