/**
 * Regular expressions: ours against V8's RegExp (backtracking, compiled to machine code) and re2js
 * (linear time, in JavaScript). Ours starts from UTF-8 bytes and includes writing them into the core;
 * the rivals start from JavaScript strings. Speed of light: one look at each byte of the text.
 *
 * Hostile patterns run against growing texts: the figure to read is the time a byte, which must not
 * grow. V8 takes exponential time on most of them, so it is not asked beyond a few bytes.
 */
import { strict as assert } from "node:assert";
import { RE2JS } from "re2js";
import { packImage } from "../../src/compile/image.ts";
import { compileRegex } from "../../src/compile/regex/index.ts";
import { instantiate } from "../../src/core/wasm.ts";
import { loadModule } from "../../src/core/wasm-inline.gen.ts";
import { type BenchCase, type CaseReport, measureCase } from "../harness.ts";

/** Name, pattern (alike in all three dialects), texts. */
const ORDINARY: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "scope in a claim (seed expression 2)",
    "(^|\\s)(read)(\\s|$)",
    ["openid read writing", "read", "openid reader writing", "readonly"],
  ],
  ["client id", "^dev-[0-9]{1,8}$", ["dev-1234", "dev-", "device-1", "dev-123456789"]],
  ["listener", "^(?:tcp|ssl|ws|wss):(default|mtls)$", ["ssl:default", "tcp:other", "wss:mtls"]],
  ["organisation in a subject", "O=([^,]+)", ["CN=dev7,O=Acme,C=SE", "CN=dev7,OU=x,C=SE"]],
  ["literal", "admin", ["the admin of it", "user@example.com", "a longer text without it"]],
];

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ["(a+)+$", "a", "b"],
  ["(a|aa)+$", "a", "b"],
  ["(.*)*x", "a", ""],
  ["^(([a-z])+.)+[A-Z]([a-z])+$", "a", ""],
  ["(x+x+)+y", "x", ""],
  ["(?:a|b|ab)*[cd]", "ab", ""],
];

export const cases: Readonly<Record<string, BenchCase>> = Object.fromEntries([
  ...ORDINARY.map(([what, pattern, texts]): [string, BenchCase] => [
    `regex: ${what}`,
    (name) => ordinaryCase(name, pattern, texts),
  ]),
  ...HOSTILE.map(([pattern, unit, tail]): [string, BenchCase] => [
    `regex: hostile /${pattern}/`,
    (name) => hostileCase(name, pattern, unit, tail),
  ]),
]);

async function ordinaryCase(
  name: string,
  pattern: string,
  texts: readonly string[],
): Promise<CaseReport> {
  const ours = await loadPattern(pattern);
  const v8 = new RegExp(pattern);
  const re2 = RE2JS.compile(pattern);
  const bytes = texts.map((text) => new TextEncoder().encode(text));
  texts.forEach((text, i) => {
    assert.equal(ours(bytes[i]!), v8.test(text));
    assert.equal(re2.matcher(text).find(), v8.test(text));
  });
  const nothing = new Uint8Array(0);
  const opsPerCall = texts.length;
  return measureCase(
    name,
    `does /${pattern}/ match; one call, 1 to 30 bytes of text`,
    [
      { name: "portcullis", opsPerCall, run: () => bytes.filter(ours) },
      { name: "of which: checking the program", run: () => ours(nothing) },
      { name: "V8 RegExp", opsPerCall, run: () => texts.filter((text) => v8.test(text)) },
      { name: "re2js", opsPerCall, run: () => texts.filter((text) => re2.matcher(text).find()) },
    ],
    {
      notes: [
        "regex_test checks the program at every call; in rules and expressions that is done at load",
      ],
    },
  );
}

async function hostileCase(
  name: string,
  pattern: string,
  unit: string,
  tail: string,
): Promise<CaseReport> {
  const ours = await loadPattern(pattern);
  const re2 = RE2JS.compile(pattern);
  const v8 = new RegExp(pattern);
  const textOf = (bytes: number) => unit.repeat(bytes).slice(0, bytes - tail.length) + tail;
  const encode = (text: string) => new TextEncoder().encode(text);
  for (const bytes of [5, 12, 18]) {
    const text = textOf(bytes);
    assert.equal(ours(encode(text)), v8.test(text));
    assert.equal(ours(encode(text)), re2.matcher(text).find());
  }
  const notes: string[] = [];
  let smallest = 0;
  for (const kib of [1, 4, 16, 64]) {
    const bytes = encode(textOf(kib * 1024));
    const perByte = fastestNs(() => ours(bytes)) / bytes.length;
    smallest ||= perByte;
    const growth = (perByte / smallest).toFixed(2);
    notes.push(
      `${String(kib).padStart(3)} KiB: ${perByte.toFixed(1)} ns a byte, ${growth} × 1 KiB`,
    );
  }
  const text = textOf(1024);
  const bytes = encode(text);
  return measureCase(
    name,
    "does it match 1 KiB of a text that nearly matches; one call",
    [
      { name: "portcullis", run: () => ours(bytes) },
      { name: "re2js", run: () => re2.matcher(text).find() },
    ],
    { timeMs: 100, notes },
  );
}

/** The fastest of some runs: long runs are interrupted more often, which is not the engine's doing. */
function fastestNs(run: () => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  const end = process.hrtime.bigint() + 50_000_000n;
  for (let runs = 0; runs < 5 || process.hrtime.bigint() < end; runs++) {
    const start = process.hrtime.bigint();
    run();
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - start));
  }
  return fastest;
}

/** A function that says whether a text matches, by way of the input buffer. */
async function loadPattern(pattern: string): Promise<(text: Uint8Array) => boolean> {
  const memory = instantiate(await loadModule(), () => -1, packImage([], 0));
  const compiled = compileRegex(pattern);
  if (!compiled.ok) throw new Error(compiled.message);
  const { program } = compiled;
  const { exports } = memory;
  return (text) => {
    const at = exports.input_ptr();
    memory.bytes.set(program, at);
    memory.bytes.set(text, at + program.length);
    return exports.regex_test(program.length, text.length) === 1;
  };
}
