/** Compiling and running regular expressions through the core, for tests. */
import { readFileSync } from "node:fs";
import { packImage } from "../../src/compile/image.ts";
import { compileRegex, type RegexOptions } from "../../src/compile/regex/index.ts";
import { type CoreMemory, instantiate } from "../../src/core/wasm.ts";
import { loadModuleSync } from "../../src/core/wasm-inline.gen.ts";

/** Start and end of the match, then of each group; undefined for a group that took no part. */
export type Span = readonly [number, number] | undefined;

export interface RegexCore {
  /** The first match from `start`, or undefined. A negative status throws. */
  exec(program: Uint8Array, text: Uint8Array, start?: number, flags?: number): Span[] | undefined;
  test(program: Uint8Array, text: Uint8Array): boolean;
  replace(program: Uint8Array, text: Uint8Array, replacement: Uint8Array): Uint8Array;
  /** The status or answer of regex_test on any bytes. */
  testRaw(program: Uint8Array, text: Uint8Array): number;
  execRaw(program: Uint8Array, text: Uint8Array): number;
  /** regex_exec with these lengths, whatever the buffer holds. */
  execLengths(programBytes: number, textBytes: number): number;
  replaceRaw(program: Uint8Array, text: Uint8Array, replacement: Uint8Array): number;
  /** Steps since the core began (debug core only). */
  steps(): number;
}

let release: RegexCore | undefined;
let debug: RegexCore | undefined;

export function releaseCore(): RegexCore {
  release ??= makeCore(instantiate(loadModuleSync(), () => -1, packImage([], 0)));
  return release;
}

/** The debug build counts steps. */
export function debugCore(): RegexCore {
  const path = new URL("../../build/core.debug.wasm", import.meta.url);
  debug ??= makeCore(
    instantiate(new WebAssembly.Module(readFileSync(path)), () => -1, packImage([], 0)),
  );
  return debug;
}

function makeCore(memory: CoreMemory): RegexCore {
  const { exports } = memory;
  const write = (...parts: readonly Uint8Array[]): void => {
    let at = exports.input_ptr();
    for (const part of parts) {
      memory.bytes.set(part, at);
      at += part.length;
    }
  };
  const testRaw = (program: Uint8Array, text: Uint8Array): number => {
    write(program, text);
    return exports.regex_test(program.length, text.length);
  };
  const replaceRaw = (program: Uint8Array, text: Uint8Array, replacement: Uint8Array): number => {
    write(program, text, replacement);
    return exports.regex_replace(program.length, text.length, replacement.length);
  };
  return {
    testRaw,
    replaceRaw,
    execRaw(program, text) {
      write(program, text);
      return exports.regex_exec(program.length, text.length, 0, 0);
    },
    execLengths: (programBytes, textBytes) => exports.regex_exec(programBytes, textBytes, 0, 0),
    test(program, text) {
      return ok(testRaw(program, text)) === 1;
    },
    exec(program, text, start = 0, flags = 0) {
      write(program, text);
      const at = ok(exports.regex_exec(program.length, text.length, start, flags));
      if (at === 0) return undefined;
      return readSpans(memory, program, at);
    },
    replace(program, text, replacement) {
      const at = ok(replaceRaw(program, text, replacement));
      const [from, length] = [memory.view.getUint32(at, true), memory.view.getUint32(at + 4, true)];
      return memory.bytes.slice(from, from + length);
    },
    steps: () => Number(exports.regex_steps()),
  };
}

function readSpans(memory: CoreMemory, program: Uint8Array, at: number): Span[] {
  const groups = new DataView(program.buffer, program.byteOffset).getUint32(16, true);
  return Array.from({ length: groups + 1 }, (_, group) => {
    const start = memory.view.getInt32(at + group * 8, true);
    const end = memory.view.getInt32(at + group * 8 + 4, true);
    return start < 0 || end < 0 ? undefined : ([start, end] as const);
  });
}

function ok(status: number): number {
  if (status < 0) throw new Error(`status ${status}`);
  return status;
}

/** The program of a pattern that must compile. */
export function programOf(pattern: Uint8Array | string, options?: RegexOptions): Uint8Array {
  const compiled = compileRegex(pattern, options);
  if (!compiled.ok) throw new Error(`${compiled.message} at ${compiled.offset}`);
  return compiled.program;
}

/** Bytes of a string of Latin-1 characters. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Number of instructions of a program. */
export function instructions(program: Uint8Array): number {
  return new DataView(program.buffer, program.byteOffset).getUint32(8, true);
}
