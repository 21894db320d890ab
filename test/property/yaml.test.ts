/** Whatever stands in a test file: cases or a ConfigError, and nothing else. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { parseTestFile } from "../../bindings/node/policy-test/case-file.ts";
import { ConfigError } from "../../src/errors.ts";
import { runs } from "../support/runs.ts";

const VALID = `now: 2026-01-31T12:00:00Z
env: {A: b}
clients:
  reader: &r {clientid: dev, token: {sub: dev, exp: +1h, list: [1, 2.5, null, true]}}
tests:
  - {client: reader, connect: {expect: allow, attrs: {a: "b"}}}
  - client: *r
    publish: ['a/b', "c"]
    qos: 1
    retain: true
    expect: deny
    line: 3
`;

function mustBeReadable(text: string): void {
  try {
    parseTestFile(text, "t.yaml");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { at, message } of error.issues) {
      if (message !== "" && (at === undefined || (at.line >= 1 && at.column >= 1))) continue;
      throw new Error("an issue without a place or message", { cause: error });
    }
  }
}

const PIECES = [
  ...["- ", "? ", ": ", ", ", "[", "]", "{", "}", "&a ", "*a", "!x ", "!!str ", "|", ">", "'", '"'],
  ...[
    "#",
    "---",
    "...",
    "%YAML 1.2",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    "\r\n",
    "\\",
    "~",
    "<<",
    ".inf",
  ],
  ...["tests", "client", "clientid", "publish", "expect", "allow", "0x1", "1e999", "@", "`", "😀"],
];

describe("a test file in YAML", () => {
  it("of pieces of YAML is read or refused", () => {
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((all) => all.join(""));
    fc.assert(fc.property(text, mustBeReadable), runs(1_000));
  });

  it("of any text is read or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), mustBeReadable),
      runs(500),
    );
  });

  it("with something cut out and put in is read or refused", () => {
    const edit = fc.tuple(
      fc.nat(VALID.length),
      fc.nat(20),
      fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })),
    );
    const text = fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map((edits) =>
        edits.reduce(
          (one, [at, length, piece]) => one.slice(0, at) + piece + one.slice(at + length),
          VALID,
        ),
      );
    fc.assert(fc.property(text, mustBeReadable), runs(500));
  });

  it("of the same few signs, over and over, is read or refused", () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }), fc.nat(2_000))
      .map(([pieces, count]) => pieces.join("").repeat(count));
    fc.assert(fc.property(text, mustBeReadable), runs(60));
  });
});
