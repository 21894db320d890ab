/** Base64 in the core against its rules written plainly: expressions §4.6. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateToBytes } from "../../src/core/expressions.ts";
import { encodeRequest } from "../../src/core/request.ts";
import type { CoreMemory } from "../../src/core/wasm.ts";
import { createExpressionCore, loadExpression } from "../support/expression-core.ts";
import { runs } from "../support/runs.ts";

interface Variant {
  readonly urlSafe: boolean;
  readonly paddingOptional: boolean;
}

const variants: readonly Variant[] = [
  { urlSafe: false, paddingOptional: false },
  { urlSafe: false, paddingOptional: true },
  { urlSafe: true, paddingOptional: false },
  { urlSafe: true, paddingOptional: true },
];

/** Undefined for what is not base64. */
function decodePlainly(text: string, { urlSafe, paddingOptional }: Variant): Buffer | undefined {
  const packed = text.replaceAll(/[\t\n\r ]/g, "");
  const form = urlSafe ? /^([A-Za-z0-9_-]*)(=*)$/ : /^([A-Za-z0-9+/]*)(=*)$/;
  const parts = form.exec(packed);
  if (!parts) return undefined;
  const [, digits, padding] = parts as unknown as [string, string, string];
  if (digits.length % 4 === 1) return undefined;
  const missing = (4 - (digits.length % 4)) % 4;
  const isPadded = paddingOptional ? padding.length <= missing : padding.length === missing;
  return isPadded ? Buffer.from(digits, urlSafe ? "base64url" : "base64") : undefined;
}

function coreFor({ urlSafe, paddingOptional }: Variant): CoreMemory {
  const { memory } = createExpressionCore();
  const options = `${urlSafe ? ", 'urlsafe'" : ""}${paddingOptional ? ", 'no_padding'" : ""}`;
  loadExpression(memory, `base64_decode(s${options})`);
  return memory;
}

function decodeInCore(memory: CoreMemory, text: string): Buffer | undefined {
  encodeRequest(memory, { other: { s: Buffer.from(text, "latin1") } });
  const answer = evaluateToBytes(memory, 0);
  return answer instanceof Uint8Array ? Buffer.from(answer) : undefined;
}

describe.each(variants)("decoding with %o", (variant) => {
  const memory = coreFor(variant);
  const digits = variant.urlSafe ? "AZaz09-_" : "AZaz09+/";

  function expectSame(text: string): void {
    const wanted = decodePlainly(text, variant)?.toString("hex");
    expect(decodeInCore(memory, text)?.toString("hex"), JSON.stringify(text)).toBe(wanted);
  }

  it("takes every byte for what it is, wherever it stands", () => {
    const text = digits.repeat(6);
    for (let byte = 0; byte < 256; byte++) {
      for (let at = 0; at < text.length; at++) {
        expectSame(text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1));
      }
    }
  });

  it("gives the bytes back that were encoded, of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const encoded = Buffer.from(bytes).toString(variant.urlSafe ? "base64url" : "base64");
        const padded = encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=");
        expect(decodeInCore(memory, padded)).toEqual(Buffer.from(bytes));
        expectSame(encoded);
        expectSame(encoded.slice(0, -1));
      }),
      runs(500),
    );
  });

  it("agrees on blanks, padding and foreign characters in any place", () => {
    const run = fc.string({ unit: fc.constantFrom(...digits), maxLength: 40 });
    const mark = fc.constantFrom("", " ", "\r\n", "\t", "=", "==", "===", "-", "/", "\0", "é");
    const texts = fc.array(fc.tuple(run, mark), { maxLength: 6 }).map((all) => all.flat().join(""));
    fc.assert(
      fc.property(texts, (text) => expectSame(text)),
      runs(1500),
    );
  });
});
